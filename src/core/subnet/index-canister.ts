/** The index canister: the ledger's log by account. Source: ledger §13. */
import { candidText } from '../ic/candid-text.ts'
import { httpInterface } from '../ic/http-request.ts'
import type { Principal } from '../ic/principal.ts'
import { blockAt, blocksFrom } from '../ledger/archive/whole-log.ts'
import { timedTransaction } from '../ledger/blocks/log-queries.ts'
import { AccountIndex } from '../ledger/index/account-index.ts'
import { flattened, indexInterface } from '../ledger/index/index-interface.ts'
import { indexPage } from '../ledger/interface/pages.ts'
import { balanceOf } from '../ledger/queries.ts'
import type { CallContext, Canister } from './canister.ts'
import type { Handlers } from './dispatch.ts'
import { getter, handler } from './dispatch.ts'
import type { LedgerCanister } from './ledger-canister.ts'

const INDEX_MAX = 2n ** 64n - 1n

export class IndexCanister implements Canister {
  readonly name = 'index'
  readonly service = candidText(indexInterface)
  readonly id: Principal
  readonly #ledger: LedgerCanister
  /** In step with the ledger whenever it is asked; no part of the state. */
  readonly #index = new AccountIndex()

  constructor(id: Principal, ledger: LedgerCanister) {
    this.id = id
    this.#ledger = ledger
  }

  certifiedData(): undefined {
    return undefined
  }

  #synced(): AccountIndex {
    for (const block of blocksFrom(this.#ledger.log, this.#index.synced)) this.#index.add(block)
    return this.#index
  }

  handlers({ now }: CallContext): Handlers {
    const methods = indexInterface
    const { state } = this.#ledger
    const index = this.#synced()
    return {
      http_request: getter(httpInterface.http_request, (asked) =>
        indexPage(index.synced, now, asked),
      ),
      get_account_transactions: handler(methods.get_account_transactions, (args) => {
        const { account, start, maxResults } = args
        if (maxResults > INDEX_MAX || (start ?? 0n) > INDEX_MAX)
          return { type: 'trap', message: 'a number of more than 64 bits' }
        const { ids, oldest } = index.page(account, { before: start, countMax: maxResults })
        const transactions = ids.flatMap((id) => {
          const block = blockAt(this.#ledger.log, id)
          return block === undefined
            ? []
            : [{ id, transaction: flattened(timedTransaction(block)) }]
        })
        const page = { balance: balanceOf(state, account), transactions, oldestTxId: oldest }
        return { type: 'result', value: { type: 'ok', page } as const }
      }),
      get_fee_collectors_ranges: getter(methods.get_fee_collectors_ranges, () => ({
        ranges: index.collectors.map(
          ({ collector, from, to }) => [collector, [[from, to]]] as const,
        ),
      })),
      icrc1_balance_of: getter(methods.icrc1_balance_of, (account) => balanceOf(state, account)),
      ledger_id: getter(methods.ledger_id, () => this.#ledger.id),
      list_subaccounts: getter(methods.list_subaccounts, ({ owner, start }) =>
        index.subaccountsOf(owner, start),
      ),
      status: getter(methods.status, () => ({ numBlocksSynced: index.synced })),
    }
  }
}
