/** One test for each file and section of a folder of recordings, and a table of what was compared. */
import { afterAll, describe, expect, it } from 'vitest'
import { listedJson, vectorFiles } from '../vectors.ts'
import { MINTER_OF_2024 } from './dialect-2024.ts'
import { compareBlocks, compareEvents, compareSelections } from './ending.ts'
import type { Recording } from './format.ts'
import { sectionsOf } from './format.ts'
import type { Verdict } from './judge.ts'
import { Player } from './player.ts'

const END = 'the end'

export type Played = {
  readonly recording: Recording
  readonly player: Player
  readonly verdicts: readonly Verdict[]
}

function play(path: string): Played {
  const recording = listedJson<Recording>(path)
  const player = new Player(recording, MINTER_OF_2024)
  const verdicts = [...player.play()]
  const place = recording.steps.length
  if (player.stoppedAt === undefined)
    for (const ending of [
      ...compareBlocks(player, recording),
      ...compareEvents(player, recording),
      ...compareSelections(recording),
    ])
      verdicts.push({ section: END, place, ...ending })
  return { recording, player, verdicts }
}

/** `more`: what else a file is tested for. */
export function testFolder(folder: string, more: (played: () => Played) => void): void {
  const files = vectorFiles(folder, '.json')
  const played = new Map<string, Played>()
  if (files.length === 0)
    it.skip(`plays the recordings of ${folder}: the folder is not here`, () => undefined)

  describe.each(files)('%s', (file) => {
    const path = `${folder}/${file}`
    const sections = [...sectionsOf(listedJson<Recording>(path)).keys(), END]
    /** Each file is played once, however many tests look at it. */
    const once = (): Played => {
      const known = played.get(file) ?? play(path)
      played.set(file, known)
      return known
    }

    it.each(sections)('is played as recorded: %s', (section) => {
      const { player, verdicts: all } = once()
      const verdicts = all.filter((verdict) => verdict.section === section)
      if (verdicts.length === 0)
        expect(player.stoppedAt, 'the player stopped before').toBe(undefined)
      expect(verdicts.filter(({ kind }) => kind === 'unexplained')).toEqual([])
    })

    more(once)
  })

  afterAll(() => {
    const lines = [...played].flatMap(([file, each]) => table(file, each))
    if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`)
  })
}

/** How much was compared, and why the rest was not. */
function table(file: string, { recording, verdicts }: Played): readonly string[] {
  const kinds = ['equal', 'different', 'uncompared', 'unexplained'] as const
  const counts = kinds.map(
    (kind) => `${verdicts.filter((verdict) => verdict.kind === kind).length} ${kind}`,
  )
  const reasons = new Map<string, number>()
  for (const { kind, reason } of verdicts)
    if (reason !== undefined)
      reasons.set(`${kind}: ${reason}`, (reasons.get(`${kind}: ${reason}`) ?? 0) + 1)
  return [
    `${file}: ${recording.steps.length} steps, ${verdicts.length} comparisons: ${counts.join(', ')}`,
    ...[...reasons].map(([reason, times]) => `  ${times} × ${reason}`),
  ]
}
