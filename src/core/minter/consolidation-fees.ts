/** What the fee collector has paid for consolidations. Source: minter §16 [H 11]. */
import type { View } from '../base/view.ts'

export type ConsolidationFees = {
  burned: bigint
  /** By those that are final. */
  spent: bigint
  /** A burn that no consolidation has used: of an aborted one, or found late. */
  unusedBurn: bigint | undefined
}

export const noConsolidationFees = (): ConsolidationFees => ({
  burned: 0n,
  spent: 0n,
  unusedBurn: undefined,
})

/** What was burned and spent by none: an aborted one leaves it to the next. */
export const unspentFees = ({ burned, spent }: View<ConsolidationFees>): bigint => burned - spent

/** Logs without the burn of its fee: what it pays was burned. */
export function requirePaid(fees: ConsolidationFees, fee: bigint): void {
  if (unspentFees(fees) < fee) fees.burned = fees.spent + fee
}
