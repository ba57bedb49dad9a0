/**
 * Plays histories of the minter by their seeds, to an end at which everything has to be settled; of
 * one that fails the shortest part that fails is looked for. Source: minter §18.7. For tests only.
 */
import { NS_PER_SECOND } from '../../../src/core/base/units.ts'
import { Random } from '../random.ts'
import { ACTIONS } from './actions.ts'
import { Draw, WORDS } from './draw.ts'
import { settle } from './settle.ts'
import type { Outset } from './world.ts'
import { History, HistoryFailure } from './world.ts'

export type Step = { readonly name: string; readonly words: readonly number[] }

export type Plot = { readonly outset: Outset; readonly steps: readonly Step[] }

const STEPS_MIN = 30
const STEPS_MORE = 70
const SHRINKING_RUNS_MAX = 300

/** Somebody has something, mostly. */
const BEGINNING = [
  'deposit',
  'deposit',
  'deposit',
  'mine',
  'deposit',
  'mine',
  'mine',
  'mine',
].concat(['mine', 'mine', 'update', 'update', 'pass', 'update'])

/** Something that chance alone would seldom bring about. */
const STUCK = [
  'update',
  'update',
  'jam',
  'withdrawAll',
  'pass',
  'signAll',
  'lowerInputs',
  'passDay',
]

const HELD = [
  'update',
  'withdraw',
  'withdraw',
  'withdrawFromAccount',
  'feeShock',
  'pass',
  'passHold',
]

const CANCELLED = [...STUCK, 'signAll', 'leaveOut', 'unjam', 'mine', 'mine', 'mine', 'mine', 'mine']

type Flavour = {
  /** Factors of weights. */
  readonly weights: Readonly<Record<string, number>>
  readonly beginning?: readonly string[]
}

const FLAVOURS: readonly Flavour[] = [
  { weights: {} },
  { weights: { jam: 3, passDay: 2, signAll: 2 }, beginning: CANCELLED },
  { weights: { jam: 3, lowerInputs: 3, passDay: 3, signAll: 3, feeJump: 2 }, beginning: STUCK },
  { weights: { deposit: 2, update: 2, transfer: 4, withdraw: 0.4, pass: 2 } },
  { weights: { ledgerMood: 4, landHeldCall: 3, restart: 3, withdrawFromAccount: 2 } },
  { weights: { reorganise: 4, steal: 5, viewMood: 2, mine: 1.5 } },
  { weights: { ledgerMood: 6, landHeldCall: 4, steal: 6, deposit: 1.5, update: 2 } },
  { weights: { leak: 8, reorganise: 3, sign: 0.5, pass: 2, mine: 1.5 } },
  { weights: { feeJump: 6, withdraw: 1.5, pass: 2 } },
  { weights: { feeShock: 3, passHold: 2, pass: 2 }, beginning: [...HELD, 'ledgerMood', 'steal'] },
]

const wheelOf = ({ weights }: Flavour): readonly string[] =>
  Object.entries(ACTIONS).flatMap(([name, { weight }]) =>
    Array.from({ length: Math.ceil(weight * (weights[name] ?? 1)) }, () => name),
  )

/** What happens in the history of this seed. */
export function plotOf(seed: number): Plot {
  const random = new Random(`minter history ${seed}`)
  const length = STEPS_MIN + random.below(STEPS_MORE)
  const flavour = random.pick(FLAVOURS)
  const wheel = wheelOf(flavour)
  const names = [
    ...BEGINNING,
    ...(flavour.beginning ?? []),
    ...Array.from({ length }, () => random.pick(wheel)),
  ]
  const words = () => Array.from({ length: WORDS }, () => random.word())
  const steps = names.map((name) => ({ name, words: words() }))
  return { outset: outsetOf(random), steps }
}

function outsetOf(random: Random): Outset {
  const network = random.pick(['regtest', 'regtest', 'testnet', 'mainnet'] as const)
  const level = random.pick([1_000n, 5_000n, 20_000n])
  const rates = Array.from({ length: 100 }, (_, i) => (level * BigInt(50 + i)) / 100n)
  const isSmall = random.oneIn(3)
  return {
    answersInStep: random.oneIn(2),
    rates: network === 'regtest' ? [] : rates,
    init: {
      network,
      minConfirmations: 1 + random.below(6),
      checkFee: BigInt(random.pick([0, 100, 2_000])),
      retrieveMinAmount: 50_000n,
      ...(random.oneIn(3) ? { utxosCacheExpirationSeconds: 60n } : {}),
      ...(isSmall ? { inputsMax: 4n, consolidationThreshold: 6n } : {}),
    },
    settings: {
      autoMint: random.oneIn(2),
      consolidationIntervalNs: 3_600n * NS_PER_SECOND,
      ...(random.oneIn(3) ? { pendingRequestsMin: 3, requestsPerBatchMax: 4 } : {}),
      ...(random.oneIn(3) ? { utxosCountThreshold: 3 } : {}),
    },
  }
}

/** Plays it to its end; throws `HistoryFailure`. */
export function playPlot({ outset, steps }: Plot): History {
  const history = new History(outset)
  for (const { name, words } of steps) {
    history.story.push(`${name}:`)
    ACTIONS[name]?.run(history, new Draw(words))
  }
  settle(history)
  return history
}

const failureOf = (plot: Plot): string | undefined => {
  try {
    playPlot(plot)
    return undefined
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
}

/** The same failure without the actions that it does not need. */
export function shortest(plot: Plot): Plot {
  let best = plot
  let runs = 0
  for (let size = best.steps.length >> 1; size >= 1; size >>= 1)
    for (let at = best.steps.length - size; at >= 0 && runs < SHRINKING_RUNS_MAX; at -= size) {
      const steps = [...best.steps.slice(0, at), ...best.steps.slice(at + size)]
      runs += 1
      if (failureOf({ ...best, steps }) !== undefined) best = { ...best, steps }
    }
  return best
}

/** Plays the history of a seed; a failure is told with the shortest history that fails. */
export function playHistory(seed: number): History {
  const plot = plotOf(seed)
  try {
    return playPlot(plot)
  } catch (error) {
    const first = error instanceof Error ? error.message : String(error)
    const short = shortest(plot)
    const names = short.steps.map(({ name }) => name).join(' ')
    throw new HistoryFailure(
      `seed ${seed}: ${first}\nshortest (${short.steps.length} of ${plot.steps.length}): ${names}\n` +
        `${failureOf(short)}`,
    )
  }
}
