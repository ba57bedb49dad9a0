/** The index canister: the ledger's log by account. Source: ledger §13. */
import { candidText } from '../ic/candid-text.ts'
import { httpInterface } from '../ic/http-request.ts'
import type { Principal } from '../ic/principal.ts'
import { blockAt } from '../ledger/archive/whole-log.ts'
import type { Block } from '../ledger/blocks/block.ts'
import { valueOfBlock } from '../ledger/blocks/block-value.ts'
import type { Range } from '../ledger/blocks/log-queries.ts'
import {
  ANSWER_BYTES_MAX,
  memoBytes,
  refuseRange,
  timedTransaction,
} from '../ledger/blocks/log-queries.ts'
import type { IndexState } from '../ledger/index/account-index.ts'
import { accountPage, balanceIn, INDEX_RESULTS_MAX } from '../ledger/index/account-index.ts'
import { subaccountsAfter } from '../ledger/index/account-table.ts'
import { indexExtension, indexInterface } from '../ledger/index/index-interface.ts'
import { followLog, syncBlocks } from '../ledger/index/sync.ts'
import { flattened } from '../ledger/interface/flat-transaction.ts'
import { legacyValue } from '../ledger/interface/legacy-interface.ts'
import { indexPage } from '../ledger/interface/pages.ts'
import { logLength } from '../ledger/state.ts'
import type { CallContext, Canister } from './canister.ts'
import type { Handlers } from './dispatch.ts'
import { getter, handler } from './dispatch.ts'
import type { IndexedToken } from './index-source.ts'
import { CanisterSource } from './index-source.ts'

const INDEX_MAX = 2n ** 64n - 1n
/** Blocks that one step takes: of the ledger as they lie there, of archives by calls. */
const FOLLOWED_MAX = 10_000
const ASKED_MAX = 2_000

export class IndexCanister implements Canister {
  readonly name = 'index'
  readonly service = candidText({ ...indexInterface, ...indexExtension })
  readonly id: Principal
  readonly #state: IndexState
  readonly #token: IndexedToken

  constructor(id: Principal, state: IndexState, token: IndexedToken) {
    this.id = id
    this.#state = state
    this.#token = token
  }

  certifiedData(): undefined {
    return undefined
  }

  /**
   * Takes the blocks that it does not have yet. At the end of a slot none are missing, unless so
   * many came at once that the next slots share the work.
   */
  follow(): void {
    const { chain } = this.#token.ledger.state
    if (BigInt(this.#state.synced) < chain.firstLocalIndex)
      syncBlocks(this.#state, new CanisterSource(this.#token), ASKED_MAX)
    else followLog(this.#state, chain, FOLLOWED_MAX)
  }

  /** Blocks by their numbers, as far as their memos have room in an answer (§11.1). */
  #blocks(ids: readonly number[]): readonly { readonly id: bigint; readonly block: Block }[] {
    const { log } = this.#token.ledger
    const found: { readonly id: bigint; readonly block: Block }[] = []
    let bytesMax = ANSWER_BYTES_MAX
    for (const id of ids.map(BigInt)) {
      const block = blockAt(log, id)
      if (block === undefined) break
      bytesMax -= memoBytes(block)
      if (bytesMax < 0) break
      found.push({ id, block })
    }
    return found
  }

  handlers({ now }: CallContext): Handlers {
    this.follow() // Of the slot that is open.
    const methods = indexInterface
    const state = this.#state
    const { ledger } = this.#token
    return {
      http_request: getter(httpInterface.http_request, (asked) => indexPage(state, now, asked)),
      x_sync_status: getter(indexExtension.x_sync_status, () => ({
        numBlocksSynced: BigInt(state.synced),
        logLength: logLength(ledger.state),
        stopped: state.stopped,
      })),
      get_account_transactions: handler(methods.get_account_transactions, (args) => {
        const { account, start: before, maxResults: countMax } = args
        if (countMax > INDEX_MAX || (before ?? 0n) > INDEX_MAX)
          return { type: 'trap', message: 'a number of more than 64 bits' }
        const { ids, oldest, balance } = accountPage(state, account, { before, countMax })
        const transactions = this.#blocks(ids).map(({ id, block }) => ({
          id,
          transaction: flattened(timedTransaction(block)),
        }))
        const oldestTxId = oldest === undefined ? undefined : BigInt(oldest)
        const page = { balance, transactions, oldestTxId }
        return { type: 'result', value: { type: 'ok', page } as const }
      }),
      get_blocks: handler(methods.get_blocks, (range) => {
        const ids = idsOf(range, state.synced)
        const blocks = this.#blocks(ids).map(({ block }) => legacyValue(valueOfBlock(block)))
        const value = { chainLength: BigInt(state.synced), blocks }
        return refuseRange(range) ?? { type: 'result', value }
      }),
      get_fee_collectors_ranges: getter(methods.get_fee_collectors_ranges, () => ({
        ranges: [...state.collectors.known.values()].map(({ collector, ranges }) => {
          const pairs = ranges.map(({ from, to }) => [BigInt(from), BigInt(to)] as const)
          return [collector, pairs] as const
        }),
      })),
      icrc1_balance_of: getter(methods.icrc1_balance_of, (account) => balanceIn(state, account)),
      ledger_id: getter(methods.ledger_id, () => ledger.id),
      list_subaccounts: getter(methods.list_subaccounts, ({ owner, start }) =>
        subaccountsAfter(state.table, { owner, start }, INDEX_RESULTS_MAX),
      ),
      status: getter(methods.status, () => ({ numBlocksSynced: BigInt(state.synced) })),
    }
  }
}

/** The indexed blocks of a range, as many as one answer gives. */
function idsOf({ start, length }: Range, synced: number): readonly number[] {
  if (start >= BigInt(synced)) return []
  const first = Number(start)
  const limit = Math.min(synced - first, INDEX_RESULTS_MAX)
  const count = length < BigInt(limit) ? Number(length) : limit
  return Array.from({ length: count }, (_, place) => first + place)
}
