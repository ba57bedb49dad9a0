/** Current fee percentiles of the main chain. Source: `docs/spec/bitcoin.md` §9.4. */
import type { View } from '../base/view.ts'
import type { TreeBlock } from './block-tree.ts'

/** Transactions that are looked at, newest block first (FEE-1). */
export const FEE_TRANSACTIONS_MAX = 10_000
const PERCENTILES = 101

/**
 * Millisatoshi per virtual byte, from the tip down to the anchor; `chain` begins with the anchor
 * (FEE-1).
 */
export function collectFeeRates(
  chain: readonly Pick<View<TreeBlock>, 'feeRates'>[],
): readonly bigint[] {
  const rates: bigint[] = []
  for (const { feeRates } of chain.toReversed()) {
    if (rates.length >= FEE_TRANSACTIONS_MAX) break
    rates.push(...feeRates.slice(0, FEE_TRANSACTIONS_MAX - rates.length))
  }
  return rates
}

/** Percentiles 0 to 100 by nearest rank; empty for no rates (FEE-3, FEE-4). */
export function percentilesOf(rates: readonly bigint[]): readonly bigint[] {
  const sorted = BigUint64Array.from(rates).sort()
  if (sorted.length === 0) return []
  return Array.from({ length: PERCENTILES }, (_, p) => {
    const rank = Math.ceil((p * sorted.length) / (PERCENTILES - 1))
    return sorted[Math.max(0, rank - 1)] ?? 0n
  })
}

/** What the operator's level answers (FEE-5). */
export const levelPercentiles = (rateMsatPerVb: bigint): readonly bigint[] =>
  Array.from({ length: PERCENTILES }, () => rateMsatPerVb)
