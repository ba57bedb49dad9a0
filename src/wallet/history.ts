/**
 * What happened on an account, newest first: a page of it, or all of it as a stream. Implements cli
 * §5.7.
 */
import type { Account } from '../core/ic/account.ts'
import { entryOf } from './history/entry.ts'
import type { HistoryFilter, Row } from './history/filter.ts'
import { isFound, isTooOld, passes } from './history/filter.ts'
import type { LogClient, Reading } from './history/pages.ts'
import { pagesOf } from './history/pages.ts'
import type { MinterPort } from './history/redemption-progress.ts'
import { withProgress } from './history/redemption-progress.ts'
import type { ReferenceOf } from './history/references.ts'
import { tokenOf } from './token.ts'

export type HistoryClient = LogClient & MinterPort

export type HistoryWish = {
  readonly account: Account
  readonly filter: HistoryFilter
  readonly referenceOf: ReferenceOf
} & Pick<Reading, 'certified' | 'warn' | 'onPage'>

export type History = {
  /** Newest first. */
  readonly rows: readonly Row[]
  /** Where the rest begins: a block index for `before`; undefined when there is none. */
  readonly nextCursor: bigint | undefined
}

/** At most `limit` rows. Throws `NETWORK_BAD_CERTIFICATE` for answers that cannot be true. */
export async function readHistory(
  client: HistoryClient,
  wish: HistoryWish,
  limit: number,
): Promise<History> {
  const rows: Row[] = []
  for await (const row of walkHistory(client, wish)) {
    if (rows.length === limit) return { rows, nextCursor: rows.at(-1)?.entry.blockIndex }
    rows.push(row)
  }
  return { rows, nextCursor: undefined }
}

/** Every row that is wanted, newest first; one page of it is in memory. */
export async function* walkHistory(client: HistoryClient, wish: HistoryWish): AsyncGenerator<Row> {
  const { account, filter, referenceOf } = wish
  const { decimals } = tokenOf(client.network)
  const { before } = filter
  for await (const page of pagesOf(client, { ...wish, before })) {
    const all = page.map((indexed) => entryOf(indexed, account, client.network))
    const end = all.findIndex((entry) => isTooOld(entry, filter))
    const entries = (end < 0 ? all : all.slice(0, end)).filter((entry) => passes(entry, filter))
    for await (const entry of withProgress(client, entries)) {
      const row = { entry, reference: referenceOf(entry) }
      if (isFound(row, decimals, filter)) yield row
    }
    if (end >= 0) return
  }
}
