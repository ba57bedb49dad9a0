/** Which rows of a history are wanted. Implements cli §5.7 (filters, search). */
import { equalBytes, toHex } from '../../core/base/bytes.ts'
import type { TimestampNs } from '../../core/base/units.ts'
import { formatDecimal } from '../../core/base/units.ts'
import type { Account } from '../../core/ic/account.ts'
import { sameAccount, textOfAccount } from '../../core/ic/account.ts'
import type { HistoryEntry, HistoryType } from './entry.ts'

export type HistoryFilter = {
  readonly types: readonly HistoryType[] | undefined
  readonly since: TimestampNs | undefined
  readonly until: TimestampNs | undefined
  /** Only blocks with smaller indices. */
  readonly before: bigint | undefined
  /** The other side, whole. */
  readonly counterparty: Account | undefined
  /** Whole. */
  readonly memo: Uint8Array | undefined
  /** Stands in a row, in letters of either size. */
  readonly search: string | undefined
}

/** What can be said before the minter is asked how far a redemption is. */
export const passes = (
  { type, time, counterparty, memo }: HistoryEntry,
  filter: HistoryFilter,
): boolean =>
  (filter.types === undefined || filter.types.includes(type)) &&
  (filter.until === undefined || time === undefined || time <= filter.until) &&
  (filter.counterparty === undefined ||
    (counterparty !== undefined && sameAccount(counterparty, filter.counterparty))) &&
  (filter.memo === undefined || (memo !== undefined && equalBytes(memo, filter.memo)))

/** Blocks only get older from here on. */
export const isTooOld = ({ time }: HistoryEntry, { since }: HistoryFilter): boolean =>
  since !== undefined && time !== undefined && time < since

export type Row = {
  readonly entry: HistoryEntry
  /** The user's own words for it, from the journal. */
  readonly reference: string | undefined
}

/** Whether the text stands in what a row shows of itself. */
export function isFound(row: Row, decimals: number, { search }: HistoryFilter): boolean {
  if (search === undefined) return true
  const wanted = search.toLowerCase()
  return wordsOf(row, decimals).some((word) => word?.toLowerCase().includes(wanted) === true)
}

function wordsOf({ entry, reference }: Row, decimals: number): readonly (string | undefined)[] {
  const { type, blockType, amount, counterparty, txid, bitcoinAddress, memo } = entry
  return [
    type,
    blockType,
    formatDecimal(amount < 0n ? -amount : amount, decimals),
    counterparty && textOfAccount(counterparty),
    txid,
    bitcoinAddress,
    String(entry.blockIndex),
    memo && toHex(memo),
    memo && new TextDecoder().decode(memo),
    entry.status,
    reference,
  ]
}
