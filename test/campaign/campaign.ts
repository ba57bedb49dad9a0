/**
 * Kills the daemon at random moments under load, starts it again, and checks. Source: threshold
 * specification §§18.3, 18.4.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { installSha256 } from '../../src/core/base/hash.ts'
import { nativeSha256 } from '../../src/native/sha256.ts'
import { devUser } from '../../src/wallet/identity.ts'
import type { Checked } from './checks.ts'
import { Checks } from './checks.ts'
import { Dice } from './dice.ts'
import { Load } from './load.ts'
import { Target } from './target.ts'

/** So long a subnet lives under load. */
const LIFE_MS = { least: 50, most: 5_000 } as const
/** One start in so many is killed in its middle, after at most so long. */
const KILLED_STARTS = 4
const START_MS = 2_500
const FIRST_DEPOSIT_SAT = 500_000_000
const LOOK_MS = 100

export type Round = Checked & {
  readonly round: number
  readonly lifeMs: number
  readonly killedStart: boolean
  readonly startMs: number
  readonly answers: { readonly transfer: number; readonly burn: number; readonly deposit: number }
  readonly refused: ReadonlyMap<string, number>
}

export type CampaignOptions = { readonly seed: string; readonly rounds: number }

/** Plays until the first round in which something is wrong; keeps the directory then. */
export async function playCampaign(
  { seed, rounds }: CampaignOptions,
  observe: (round: Round) => void,
): Promise<{ readonly rounds: readonly Round[]; readonly kept: string | undefined }> {
  installSha256(nativeSha256) // As the program does.
  const dice = new Dice(seed)
  const target = new Target()
  const played: Round[] = []
  let live = await target.start()
  const address = await fund(live)
  const checks = new Checks(live, address)
  for (let round = 1; round <= rounds; round++) {
    const load = new Load(live, dice, address)
    const lifeMs = dice.between(LIFE_MS.least, LIFE_MS.most)
    await pause(lifeMs)
    load.expectKill()
    await target.kill()
    await load.end()
    const killedStart = dice.between(1, KILLED_STARTS) === 1
    if (killedStart) await target.startAndKill(dice.between(0, START_MS))
    const startedAt = performance.now()
    live = await target.start()
    const startMs = Math.round(performance.now() - startedAt)
    const checked = await checks.check(live, load.answered)
    const wrong = [...checked.wrong, ...load.failures]
    const { refused } = load
    const answers = countAnswers(load)
    const facts = { ...checked, wrong, round, lifeMs, killedStart, startMs, answers, refused }
    played.push(facts)
    observe(facts)
    if (wrong.length > 0) {
      await target.kill()
      return { rounds: played, kept: target.home }
    }
  }
  await target.remove()
  return { rounds: played, kept: undefined }
}

/** dev0 has something to send; its deposit address. */
async function fund({ canisters, control }: Awaited<ReturnType<Target['start']>>): Promise<string> {
  const account = { owner: devUser(0).principal }
  const { address } = await canisters.depositAddress(account)
  const deposit = { amountSat: FIRST_DEPOSIT_SAT, to: address, outputs: 1, mine: true }
  await control.ask('faucet', deposit)
  while ((await canisters.balanceOf(account)) === 0n) await pause(LOOK_MS)
  return address
}

function countAnswers({ answered }: Load): Round['answers'] {
  const count = (type: keyof Round['answers']): number =>
    answered.filter((answer) => answer.type === type).length
  return { transfer: count('transfer'), burn: count('burn'), deposit: count('deposit') }
}
