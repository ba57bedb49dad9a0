/**
 * May a transaction take the place of others: full replacement, whatever they signal. Source:
 * `docs/spec/bitcoin.md` §10.6 (Core ≤ 30), RN-7.
 */
import { toDisplayHex, toHex } from '../../base/bytes.ts'
import { feeAt, moneyText, rateOf, rateText } from './fee-rate.ts'
import type { MempoolEntry, Pool } from './pool.ts'

export const REPLACED_MAX = 100
/** A replacement pays this much more for its own relay. */
export const INCREMENTAL_RATE_SAT_PER_KVB = 1_000n

type Replacement = {
  readonly entry: MempoolEntry
  /** What it conflicts with directly; a sibling that it pushes out is among them. */
  readonly conflicts: readonly MempoolEntry[]
  readonly isSiblingEviction: boolean
}

/** Core's reason with its detail. The numbers of the last two tell exactly what is missing. */
export function replacementFault(
  pool: Pool,
  { entry, conflicts, isSiblingEviction }: Replacement,
): string | undefined {
  if (conflicts.length === 0) return undefined
  const reason = (words: string, detail: string): string =>
    `${words}${isSiblingEviction ? ' (including sibling eviction)' : ''}, ${detail}`
  const name = toDisplayHex(entry.txid)
  const rejecting = `rejecting replacement ${name}`
  const rate = rateOf(entry)
  const dearer = conflicts.map(rateOf).find((other) => rate <= other)
  if (dearer !== undefined)
    return reason(
      'insufficient fee',
      `${rejecting}; new feerate ${rateText(rate)} <= old feerate ${rateText(dearer)}`,
    )
  const crowd = crowdOf(pool, conflicts)
  if (crowd !== undefined)
    return reason(
      'too many potential replacements',
      `${rejecting}; too many potential replacements (${crowd} > ${REPLACED_MAX})`,
    )
  const replaced = pool.withDescendants(conflicts)
  const added = addedUnconfirmed(pool, entry, replaced)
  if (added !== undefined)
    return reason(
      'replacement-adds-unconfirmed',
      `replacement ${name} adds unconfirmed input, idx ${added}`,
    )
  const flaw = feeFlaw(entry, replaced)
  return flaw === undefined ? undefined : reason('insufficient fee', `${rejecting}, ${flaw}`)
}

/** Counts descendants that conflicts share once for each of them, and stops where it is enough. */
function crowdOf(pool: Pool, conflicts: readonly MempoolEntry[]): number | undefined {
  let count = 0
  for (const conflict of conflicts) {
    count += pool.family(conflict).descendants.count
    if (count > REPLACED_MAX) return count
  }
  return undefined
}

/** Index of an input that spends an entry which none of the replaced ones spent. */
function addedUnconfirmed(
  pool: Pool,
  { transaction }: MempoolEntry,
  replaced: ReadonlySet<MempoolEntry>,
): number | undefined {
  const before = new Set(
    [...replaced].flatMap((entry) =>
      entry.transaction.inputs.map(({ outpoint }) => toHex(outpoint.txid)),
    ),
  )
  const index = transaction.inputs.findIndex(
    ({ outpoint: { txid } }) => !before.has(toHex(txid)) && pool.byTxid(txid) !== undefined,
  )
  return index < 0 ? undefined : index
}

/** It pays what the replaced ones paid, and for its own relay as well. */
function feeFlaw(
  { fee, vsize }: MempoolEntry,
  replaced: ReadonlySet<MempoolEntry>,
): string | undefined {
  const fees = [...replaced].reduce((sum, entry) => sum + entry.fee, 0n)
  if (fee < fees) return `less fees than conflicting txs; ${moneyText(fee)} < ${moneyText(fees)}`
  const needed = feeAt(INCREMENTAL_RATE_SAT_PER_KVB, vsize)
  const extra = fee - fees
  return extra < needed
    ? `not enough additional fees to relay; ${moneyText(extra)} < ${moneyText(needed)}`
    : undefined
}
