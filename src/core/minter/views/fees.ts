/** The fees that are in force, and what they were made of. Source: minter §10.1 [H 13]. */
import type { Context } from '../context.ts'
import { consolidationRate } from '../transactions/fees.ts'

/** Rates in msat/vB. */
export type FeesView = {
  /** Ascending, as the last accepted estimate had them; none before the first. */
  readonly percentiles: readonly bigint[]
  readonly median?: bigint | undefined
  /** A median that jumped, and waits for a second refresh to agree. */
  readonly jump?: bigint | undefined
  readonly withdrawalMin: bigint
  /** Of a consolidation that began now; absent while none is known, or the fees jump. */
  readonly consolidationRate?: bigint | undefined
}

export function feesOf(context: Context): FeesView {
  const { rates, median, known, jump, withdrawalMin } = context.volatile.fees
  const rate = consolidationRate(context)
  return {
    percentiles: known ? rates : [],
    ...(known && { median }),
    ...(jump !== undefined && { jump }),
    withdrawalMin,
    ...(rate !== undefined && { consolidationRate: rate }),
  }
}
