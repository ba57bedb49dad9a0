/**
 * Goal: our minter answers as the deployed minter of 2024 did, wherever releases can be compared.
 *
 * Method: every recording of the folder is played in process, with its clock, its Bitcoin side, our
 * ledger and the recorded key. A difference needs a rule (`rules.ts`, each with its reason); an
 * answer that nothing explains fails its section. The table at the end counts them all.
 */
import { afterAll, describe, expect, it } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import { MINTER_OF_2024 } from '../../support/recordings/dialect-2024.ts'
import { compareEvents, compareSelections } from '../../support/recordings/ending.ts'
import type { Recording } from '../../support/recordings/format.ts'
import { sectionsOf } from '../../support/recordings/format.ts'
import type { Verdict } from '../../support/recordings/judge.ts'
import { Player } from '../../support/recordings/player.ts'
import { listedJson, vectorFiles } from '../../support/vectors.ts'

const FOLDER = 'minter-recordings'
const files = vectorFiles(FOLDER, '.json')

const END = 'the end'

function play(file: string) {
  const recording = listedJson<Recording>(`${FOLDER}/${file}`)
  const player = new Player(recording, MINTER_OF_2024)
  const verdicts = [...player.play()]
  const endings =
    player.stoppedAt === undefined
      ? [...compareEvents(player, recording), ...compareSelections(recording)]
      : []
  for (const ending of endings)
    verdicts.push({ section: END, place: recording.steps.length, ...ending })
  return { recording, player, verdicts }
}

const played = new Map<string, ReturnType<typeof play>>()
/** Each file is played once, however many tests look at it. */
function playedOnce(file: string): ReturnType<typeof play> {
  const known = played.get(file) ?? play(file)
  played.set(file, known)
  return known
}

const count = (verdicts: readonly Verdict[], kind: Verdict['kind']): number =>
  verdicts.filter((verdict) => verdict.kind === kind).length

if (files.length === 0)
  it.skip('plays the recordings of the deployed minter: the folder is not here', () => undefined)

describe.each(files)('%s', (file) => {
  const sections = [...sectionsOf(listedJson<Recording>(`${FOLDER}/${file}`)).keys(), END]

  it.each(sections)('is played as recorded: %s', (section) => {
    const { player, verdicts: all } = playedOnce(file)
    const verdicts = all.filter((verdict) => verdict.section === section)
    if (verdicts.length === 0) expect(player.stoppedAt, 'the player stopped before').toBe(undefined)
    expect(verdicts.filter(({ kind }) => kind === 'unexplained')).toEqual([])
  })

  it('derives the recorded key of the minter from the master key, along the canister id', () => {
    const { recording, player } = playedOnce(file)
    expect({
      minter_public_key: toHex(player.root.publicKey),
      minter_chain_code: toHex(player.root.chainCode),
    }).toEqual({
      minter_public_key: recording.ecdsa?.minter_public_key,
      minter_chain_code: recording.ecdsa?.minter_chain_code,
    })
  })
})

/** How much was compared, and why the rest was not. */
afterAll(() => {
  const lines = [...played].flatMap(([file, { recording, verdicts }]) => {
    const kinds = ['equal', 'different', 'uncompared', 'unexplained'] as const
    const counts = kinds.map((kind) => `${count(verdicts, kind)} ${kind}`).join(', ')
    const reasons = new Map<string, number>()
    for (const { reason, kind } of verdicts)
      if (reason !== undefined)
        reasons.set(`${kind}: ${reason}`, (reasons.get(`${kind}: ${reason}`) ?? 0) + 1)
    return [
      `${file}: ${recording.steps.length} steps, ${verdicts.length} comparisons: ${counts}`,
      ...[...reasons].map(([reason, times]) => `  ${times} × ${reason}`),
    ]
  })
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`)
})
