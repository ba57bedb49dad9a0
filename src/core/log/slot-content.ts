/** The slot that a set of proposals makes. Source: threshold §17.4. */
import { toHex } from '../base/bytes.ts'
import { present } from '../base/errors.ts'
import type { TimestampNs } from '../base/units.ts'
import { addNs } from '../base/units.ts'
import type { Slot } from './log.ts'
import type { Entered } from './slot-round.ts'

/** `entered`: in the order of their nodes. `before`: time of the slot before, if there is one. */
export function makeSlot(
  number: bigint,
  entered: readonly Entered[],
  before: TimestampNs | undefined,
): Slot {
  const items = new Map<string, Uint8Array>()
  // A name that is there keeps its place.
  for (const { proposal, bodies } of entered)
    for (const [i, hash] of proposal.items.entries())
      items.set(toHex(hash), present(bodies[i], 'a body for each name'))
  return {
    number,
    time: slotTime(
      entered.map(({ proposal }) => proposal.clock),
      before,
    ),
    proposers: entered.map(({ node, proposal }) => ({ node, clock: proposal.clock })),
    items: [...items.values()],
  }
}

/**
 * The median of the clocks, of two the lower one, and at least 1 ns after the slot before. Of 2f + 1
 * clocks it lies between two honest ones.
 */
export function slotTime(
  clocks: readonly TimestampNs[],
  before: TimestampNs | undefined,
): TimestampNs {
  const sorted = clocks.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const median = present(sorted[Math.floor((sorted.length - 1) / 2)], 'a slot has proposers')
  const earliest = before === undefined ? median : addNs(before, 1n)
  return median > earliest ? median : earliest
}
