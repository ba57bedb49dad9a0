/** Hostile networks for `LogNet`: how long messages take. Source: threshold §22.4. */
import type { NodeIndex } from '../../src/core/base/party.ts'
import type { Schedule } from './log-net-options.ts'
import type { Random } from './random.ts'

/** All messages of one moment arrive together. */
export const inStep: Schedule = () => [1]

/** Up to `spreadMs`; one in `lateOneIn` takes up to fifty times that, and some come twice. */
export const scattered =
  (spreadMs: number, { lateOneIn = 0, twiceOneIn = 0 } = {}): Schedule =>
  (_message, random) => {
    const one = (): number => {
      const isLate = lateOneIn > 0 && random.oneIn(lateOneIn)
      return 1 + random.below(isLate ? 50 * spreadMs : spreadMs)
    }
    return twiceOneIn > 0 && random.oneIn(twiceOneIn) ? [one(), one()] : [one()]
  }

/** Until `untilMs` whatever goes to the node, or comes from it, takes that long. */
export const starving =
  (node: NodeIndex, untilMs: number, others: Schedule): Schedule =>
  (message, random, nowMs) => {
    const delays = others(message, random, nowMs)
    if (nowMs >= untilMs || (message.from !== node && message.to !== node)) return delays
    return delays.map((delay) => untilMs - nowMs + delay)
  }

/** What the node sends is so late that no slot waits for its proposals; what it hears is not. */
export const mute =
  (node: NodeIndex, lateMs: number, others: Schedule): Schedule =>
  (message, random, nowMs) => {
    const delays = others(message, random, nowMs)
    return message.from === node ? delays.map((delay) => delay + lateMs) : delays
  }

export function someSchedule(nodes: number, untilMs: number, random: Random): Schedule {
  const spread = random.pick([1, 5, 20, 100])
  const base = scattered(spread, {
    lateOneIn: random.pick([0, 10, 50]),
    twiceOneIn: random.pick([0, 5, 20]),
  })
  const node = random.below(nodes)
  switch (random.below(5)) {
    case 0:
      return starving(node, untilMs, base)
    case 1:
      return mute(node, random.pick([50, 500]), base)
    case 2:
      return inStep
    default:
      return base
  }
}
