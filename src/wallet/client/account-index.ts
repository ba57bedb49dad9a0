/** The index of accounts, where a network has one. Source: ledger §13; one node's word. */
import { CanisterRefused } from '../../core/base/errors.ts'
import type { TimestampNs } from '../../core/base/units.ts'
import type { Account } from '../../core/ic/account.ts'
import type { ValueOf } from '../../core/ic/candid.ts'
import type { Principal } from '../../core/ic/principal.ts'
import type { TimedMovement } from '../../core/ledger/blocks/log-queries.ts'
import { indexInterface } from '../../core/ledger/index/index-interface.ts'
import type { flatTransaction } from '../../core/ledger/interface/flat-transaction.ts'
import { rawQuery } from './raw.ts'
import type { Wire } from './wire.ts'

/** A transaction of a kind that is not known here: that it is there is all that can be said. */
export type OtherTransaction = {
  readonly type: 'other'
  /** The ledger's name of its kind. */
  readonly blockType: string
  /** Undefined where its block has none. */
  readonly timestamp: TimestampNs | undefined
}

export type IndexedTransaction = {
  readonly id: bigint
  readonly transaction: TimedMovement | OtherTransaction
}

export type IndexPage = {
  /** Newest first. */
  readonly transactions: readonly IndexedTransaction[]
  /** Smallest id of the account; undefined when it has none. */
  readonly oldest: bigint | undefined
}

export class IndexClient {
  readonly #wire: Wire
  readonly #id: Principal

  constructor(wire: Wire, id: Principal) {
    this.#wire = wire
    this.#id = id
  }

  #target<M extends keyof typeof indexInterface>(methodName: M) {
    const method = indexInterface[methodName]
    return { canister: 'ledger', canisterId: this.#id, methodName, method } as const
  }

  ledgerId(): Promise<Principal> {
    return rawQuery(this.#wire, this.#target('ledger_id'), [])
  }

  /** Blocks of the ledger that the index knows. */
  async synced(): Promise<bigint> {
    return (await rawQuery(this.#wire, this.#target('status'), [])).numBlocksSynced
  }

  /** Subaccounts that an owner has used, ascending; the index cuts the list at its own limit. */
  subaccounts(owner: Principal): Promise<readonly Uint8Array[]> {
    return rawQuery(this.#wire, this.#target('list_subaccounts'), [{ owner }])
  }

  /** Transactions with ids below `before`, or the newest. */
  async page(
    account: Account,
    { before, countMax }: { readonly before: bigint | undefined; readonly countMax: number },
  ): Promise<IndexPage> {
    const methodName = 'get_account_transactions'
    const asked = { account, start: before, maxResults: BigInt(countMax) }
    const answer = await rawQuery(this.#wire, this.#target(methodName), [asked])
    if (answer.type === 'err')
      throw new CanisterRefused('ledger', { methodName, reason: answer.message })
    const { transactions, oldestTxId: oldest } = answer.page
    return {
      transactions: transactions.map(({ id, transaction }) => ({
        id,
        transaction: transactionOf(transaction),
      })),
      oldest,
    }
  }
}

function transactionOf(indexed: ValueOf<typeof flatTransaction>): TimedMovement | OtherTransaction {
  const { kind, timestamp, mint, burn, transfer, approve } = indexed
  if (mint !== undefined) return { type: 'mint', timestamp, ...mint }
  if (burn !== undefined) return { type: 'burn', timestamp, ...burn }
  if (transfer !== undefined) return { type: 'transfer', timestamp, ...transfer }
  if (approve !== undefined) return { type: 'approve', timestamp, ...approve }
  return { type: 'other', blockType: kind, timestamp }
}
