/** What the fee collector has paid for consolidations. Source: minter §16 [H 11]. */
import type { View } from '../../base/view.ts'

export type ConsolidationFees = {
  burned: bigint
  /** By those that are final. */
  spent: bigint
  /** A burn that no consolidation has used: of an aborted one, or found late. */
  unusedBurn: bigint | undefined
  /** A burn that did not do alone, and the next one that names the request in its place. */
  readonly joined: Map<bigint, bigint>
}

export const noConsolidationFees = (): ConsolidationFees => ({
  burned: 0n,
  spent: 0n,
  unusedBurn: undefined,
  joined: new Map(),
})

/** What was burned and spent by none: an aborted one leaves it to the next. */
export const unspentFees = ({ burned, spent }: View<ConsolidationFees>): bigint => burned - spent

/** The burn under which a consolidation runs that this one pays for. */
export function namingBurn({ joined }: View<ConsolidationFees>, burn: bigint): bigint {
  let last = burn
  for (let next = joined.get(last); next !== undefined; next = joined.get(last)) last = next
  return last
}

/** Logs without the burn of its fee: what it pays was burned. */
export function requirePaid(fees: ConsolidationFees, fee: bigint): void {
  if (unspentFees(fees) < fee) fees.burned = fees.spent + fee
}
