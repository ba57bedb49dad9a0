/** `/metrics`. Implements `docs/spec/minter.md` §20.4: the deployed names, then ours. */
import { NS_PER_SECOND } from '../../base/units.ts'
import { Exposition } from '../../ic/exposition.ts'
import type { Context } from '../context.ts'
import { LATENCY_MS, OUTPUTS, SIGNING_MS } from '../observed.ts'
import { chainOf } from '../state/replacement-chain.ts'
import { burnsOf, sumOf } from '../state/state.ts'
import { nextTimer } from '../timers.ts'
import { coinsOf } from '../views/coins.ts'
import { consolidationOf, countsOf, reserveOf } from '../views/info.ts'

const NS_PER_MS = NS_PER_SECOND / 1_000n
const name = (rest: string): string => `ckbtc_minter_${rest}`

export function metricsPage(context: Context): string {
  const page = new Exposition(context.now / NS_PER_MS)
  writeWithdrawals(page, context)
  writeAmounts(page, context)
  writeCoins(page, context)
  writeTasks(page, context)
  writeHistograms(page, context)
  writeOurs(page, context)
  return page.text()
}

/** Available coins and the change that is on its way (§4). */
export const totalManaged = ({ state }: Pick<Context, 'state'>): bigint =>
  [...state.submitted.values()].reduce(
    (sum, { changeOutput }) => sum + (changeOutput?.value ?? 0n),
    state.coins.total,
  )

function writeWithdrawals(page: Exposition, { state, volatile }: Context): void {
  const signing = [...state.signing.values()].reduce(
    (sum, { purpose }) => sum + (purpose.type === 'toReplace' ? 0 : burnsOf(purpose).length),
    0,
  )
  const count = { sending: 0, submitted: 0 }
  let longest = 0
  for (const [key, { purpose }] of state.submitted) {
    const requests = purpose.type === 'toConsolidate' ? 0 : purpose.requests.length
    count[volatile.unsent.has(key) ? 'sending' : 'submitted'] += requests
    longest = Math.max(longest, chainOf(state, key).length)
  }
  page.gauge(
    name('retrieve_btc_request_count'),
    'Withdrawals that are not complete, by status.',
    { labels: { status: 'pending' }, value: state.queue.length },
    { labels: { status: 'signing' }, value: signing },
    { labels: { status: 'sending' }, value: count.sending },
    { labels: { status: 'submitted' }, value: count.submitted },
  )
  page.gauge(
    name('btc_transaction_count'),
    'Transactions that are not final, by status.',
    { labels: { status: 'submitted' }, value: state.submitted.size },
    { labels: { status: 'stuck' }, value: state.stuck.size },
  )
  page.gauge(
    name('longest_resubmission_chain_size'),
    'Transactions of the longest chain of replacements.',
    longest,
  )
  const { size } = state.finalized
  page.gauge(name('stored_finalized_requests'), 'Final withdrawals that are remembered.', size)
  page.counter(name('finalized_requests'), 'Final withdrawals.', size)
}

function writeAmounts(page: Exposition, { state, volatile }: Context): void {
  const { config } = state
  const { fees } = volatile
  page.counter(name('minted_tokens'), 'Satoshis of all coins received.', state.tokensMinted)
  page.counter(name('burned_tokens'), 'Satoshis of all withdrawals accepted.', state.tokensBurned)
  page.gauge(
    name('min_retrievable_amount'),
    'Configured minimum of a withdrawal.',
    config.retrieveMinAmount,
  )
  page.gauge(
    name('fee_based_min_retrievable_amount'),
    'Minimum of a withdrawal at the present fees.',
    fees.withdrawalMin,
  )
  page.gauge(
    name('min_confirmations'),
    'Confirmations that a deposit needs.',
    config.minConfirmations,
  )
  page.gauge(
    name('median_fee_per_vbyte'),
    'Median fee rate in millisatoshi per virtual byte.',
    fees.median,
  )
  const owed = [...state.owedKyt.values()].reduce((sum, amount) => sum + amount, 0n)
  page.gauge(name('owed_kyt_amount'), 'Satoshis owed to KYT providers (legacy).', owed)
}

function writeCoins(page: Exposition, context: Context): void {
  const { state } = context
  page.gauge(name('utxos_available'), 'Coins that can be spent.', state.availableUtxos.size)
  page.gauge(
    name('btc_balance'),
    'Satoshis that can be spent, with the change on its way.',
    totalManaged(context),
  )
  page.gauge(
    name('managed_addresses_count'),
    'Addresses that have known coins.',
    state.accountUtxos.size,
  )
  page.gauge(name('outpoint_count'), 'Coins accounted for.', state.outpointAccount.size)
  page.gauge(
    name('suspended_utxos_without_account_count'),
    'Suspended coins of old logs.',
    state.legacySuspendedUtxos.size,
  )
  const count = (kind: 'tooSmall' | 'quarantined'): bigint =>
    coinsOf(context, { kind, start: 0n, length: 0n }).total
  page.gauge(name('ignored_utxos_count'), 'Coins too small to be credited.', count('tooSmall'))
  page.gauge(name('quarantined_utxos_count'), 'Coins that are tainted.', count('quarantined'))
  const unknown = [...state.checkedUtxos.values()].filter(
    ({ status }) => status === 'cleanButMintUnknown',
  )
  page.gauge(
    name('mint_status_unknown_utxos_count'),
    'Coins of which it is not known whether they were minted.',
    unknown.length,
  )
}

function writeTasks(page: Exposition, { volatile }: Context): void {
  page.gauge(
    name('concurrent_update_balance_count'),
    'Accounts inside update_balance.',
    volatile.updating.size,
  )
  page.gauge(
    name('concurrent_retrieve_btc_count'),
    'Accounts inside a withdrawal.',
    volatile.retrieving.size,
  )
  page.gauge(
    name('global_timer_timestamp'),
    'When the next task is due, in nanoseconds; 0: none is planned.',
    nextTimer({ volatile }) ?? 0n,
  )
  const { utxosCalls, cacheHits, cacheMisses } = volatile.observed
  page.counter(
    name('get_utxos_calls'),
    'Questions for outputs, by who asked.',
    { labels: { source: 'client' }, value: utxosCalls.client },
    { labels: { source: 'minter' }, value: utxosCalls.minter },
  )
  page.counter(name('get_utxos_cache_hits'), 'Questions that the cache answered.', cacheHits)
  page.counter(name('get_utxos_cache_misses'), 'Questions that it did not.', cacheMisses)
}

function writeHistograms(page: Exposition, { volatile: { observed } }: Context): void {
  const byNumber = <T>(map: ReadonlyMap<number, T>) => [...map].sort(([a], [b]) => a - b)
  page.histogram(
    name('update_calls_latency'),
    'Milliseconds that update_balance took, by coins worked off.',
    LATENCY_MS,
    byNumber(observed.updateCalls).map(([count, histogram]) => ({
      labels: { num_new_utxos: `${count}` },
      histogram,
    })),
  )
  const sources = ['client', 'minter'] as const
  page.histogram(
    name('get_utxos_latency'),
    'Milliseconds that questions for outputs took, by pages and by who asked.',
    LATENCY_MS,
    sources.flatMap((source) =>
      byNumber(observed.utxosLatency[source]).map(([pages, histogram]) => ({
        labels: { num_pages: `${pages}`, call_source: source },
        histogram,
      })),
    ),
  )
  page.histogram(
    name('get_utxos_result_size'),
    'Outputs of an answer, by who asked.',
    OUTPUTS,
    sources.map((source) => ({
      labels: { call_source: source },
      histogram: observed.utxosCount[source],
    })),
  )
  page.histogram(
    name('sign_with_ecdsa_latency'),
    'Milliseconds until a signature came, or failed to come.',
    SIGNING_MS,
    (['success', 'failure'] as const).map((result) => ({
      labels: { result },
      histogram: observed.signing[result],
    })),
  )
}

function writeOurs(page: Exposition, context: Context): void {
  const { state, volatile, now } = context
  const reserve = reserveOf(context)
  if (reserve !== undefined) {
    page.gauge(name('surplus'), 'Satoshis beyond all that was promised.', reserve.surplus)
    page.gauge(
      name('reserve_covered'),
      'Whether all that was promised is there.',
      reserve.covered ? 1 : 0,
    )
  }
  const donations = sumOf(state.donations.values())
  page.gauge(name('donations'), 'Satoshis that others sent to the main address.', donations)
  page.gauge(name('held_requests'), 'Withdrawals that wait for lower fees.', state.held.size)
  page.gauge(
    name('quarantined_reimbursements'),
    'Withdrawals of which it is not known whether they were given back.',
    countsOf(context).quarantinedReimbursements,
  )
  page.gauge(name('lost_utxos'), 'Credited coins that the chain lost.', volatile.lost.size)
  const oldest = state.queue[0]?.receivedAt
  page.gauge(
    name('oldest_pending_age_seconds'),
    'Age of the oldest withdrawal in the queue.',
    oldest === undefined || oldest > now ? 0n : (now - oldest) / NS_PER_SECOND,
  )
  page.counter(name('event_count'), 'Events of the log.', context.log.count)
  const { balance, expectedCost } = consolidationOf(context)
  if (balance !== undefined)
    page.gauge(name('fee_collector_balance'), 'Satoshis of the fee collector.', balance)
  if (expectedCost !== undefined)
    page.gauge(
      name('consolidation_cost'),
      'Satoshis that the next consolidation would burn.',
      expectedCost,
    )
}
