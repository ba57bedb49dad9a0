/**
 * Pages of ledger and index: metrics by their deployed names, and the log. Implements
 * `docs/spec/ledger.md` §2.1.
 */
import type { TimestampNs } from '../../base/units.ts'
import { NS_PER_MS, NS_PER_SECOND } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import { Exposition, METRICS } from '../../ic/exposition.ts'
import { pageOf, servePage } from '../../ic/http-pages.ts'
import type { HttpRequest, HttpResponse } from '../../ic/http-request.ts'
import { totalSupply } from '../queries.ts'
import type { State } from '../state.ts'
import { logLength } from '../state.ts'

const TEXT = 'text/plain; charset=utf-8'

const ledgerPages: Readonly<Record<string, (state: View<State>, now: TimestampNs) => string>> = {
  '/metrics': ledgerMetrics,
  '/logs': () => '', // The deployed ledger notes migrations and archiving there.
}

/** Of a ledger at slot time `now`. */
export const ledgerPage = (
  state: View<State>,
  now: TimestampNs,
  request: HttpRequest,
): HttpResponse =>
  servePage(ledgerPages, request, (page, { path }) =>
    pageOf(path === '/metrics' ? METRICS : TEXT, page(state, now)),
  )

function ledgerMetrics(state: View<State>, now: TimestampNs): string {
  const page = new Exposition(now / NS_PER_MS)
  const { chain, deduplication, balances, allowances, archiving } = state
  const local = chain.blocks.length
  page.gauge(
    'ledger_transactions_by_hash_cache_entries',
    'Transactions that a repetition is found by.',
    deduplication.count,
  )
  page.gauge(
    'ledger_transactions_by_height_entries',
    'Transactions of the deduplication window.',
    deduplication.count,
  )
  page.gauge('ledger_transactions', 'Blocks that the ledger holds itself.', local)
  page.gauge('ledger_archived_transactions', 'Blocks in archives.', chain.firstLocalIndex)
  page.gauge('ledger_total_transactions', 'Blocks, wherever they are.', logLength(state))
  page.gauge('ledger_balances_token_pool', 'What can still be minted.', balances.pool)
  page.gauge('ledger_total_supply', 'Tokens in circulation.', totalSupply(state))
  page.gauge('ledger_balance_store_entries', 'Accounts that hold tokens.', balances.amounts.size)
  page.gauge(
    'ledger_most_recent_block_time_seconds',
    'Time of the newest block.',
    newestBlockTime(state) / NS_PER_SECOND,
  )
  page.counter('ledger_num_archives', 'Archives.', archiving.archives.length)
  page.gauge('ledger_num_approvals', 'Allowances that are kept.', allowances.entries.size)
  return page.text()
}

/** Of a ledger whose blocks are all in archives, the time of its last event. */
const newestBlockTime = (state: View<State>): bigint =>
  state.chain.blocks.at(-1)?.timestamp ?? (logLength(state) === 0n ? 0n : state.time)

/** How far an index is, and why it goes no further where it has stopped. */
export type Indexed = { readonly synced: number; readonly stopped: string | undefined }

const indexPages: Readonly<Record<string, (indexed: Indexed, now: TimestampNs) => string>> = {
  '/metrics': indexMetrics,
  '/logs': ({ synced, stopped }) =>
    stopped === undefined ? '' : `stopped at block ${synced}: ${stopped}\n`,
}

/** Of an index at slot time `now`. */
export const indexPage = (indexed: Indexed, now: TimestampNs, request: HttpRequest): HttpResponse =>
  servePage(indexPages, request, (page, { path }) =>
    pageOf(path === '/metrics' ? METRICS : TEXT, page(indexed, now)),
  )

function indexMetrics({ synced, stopped }: Indexed, now: TimestampNs): string {
  const page = new Exposition(now / NS_PER_MS)
  page.gauge('index_number_of_blocks', 'Blocks that are indexed.', synced)
  page.gauge(
    'index_stopped',
    'Whether a block was met that cannot be indexed.',
    stopped === undefined ? 0 : 1,
  )
  return page.text()
}
