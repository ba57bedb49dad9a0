/**
 * Which blocks concern an account: computed from the log, never part of its state. Implements
 * `docs/spec/ledger.md` §13.
 */
import { compareBytes, fromHex, toHex } from '../../base/bytes.ts'
import type { View } from '../../base/view.ts'
import type { Account } from '../../ic/account.ts'
import { accountKey, effectiveSubaccount } from '../../ic/account.ts'
import type { Principal } from '../../ic/principal.ts'
import type { Block, Transaction } from '../blocks/block.ts'
import type { BlockIndex } from '../types.ts'

/** Entries of one answer. */
export const INDEX_RESULTS_MAX = 2_000

export type AccountPage = {
  /** Newest first. */
  readonly ids: readonly BlockIndex[]
  /** Of the whole account; undefined when no block concerns it. */
  readonly oldest: BlockIndex | undefined
}

/** Half-open range of blocks that name a collector. */
export type CollectorRange = { readonly collector: Account; readonly from: bigint; to: bigint }

export class AccountIndex {
  readonly #byAccount = new Map<string, BlockIndex[]>()
  /** Effective subaccounts in hexadecimal, by owner. */
  readonly #subaccounts = new Map<string, Set<string>>()
  readonly #collectors: CollectorRange[] = []
  #synced = 0n

  /** Blocks taken so far. */
  get synced(): BlockIndex {
    return this.#synced
  }

  /** Takes the next block of the log. */
  add(block: View<Block>): void {
    const id = this.#synced
    this.#synced += 1n
    for (const account of listedAccounts(block.transaction)) {
      const key = accountKey(account)
      const ids = this.#byAccount.get(key)
      if (ids === undefined) this.#byAccount.set(key, [id])
      else if (ids.at(-1) !== id) ids.push(id)
    }
    for (const account of namedAccounts(block.transaction)) this.#note(account)
    this.#noteCollector(block, id)
  }

  #note(account: Account): void {
    const owner = toHex(account.owner)
    const known = this.#subaccounts.get(owner) ?? new Set()
    this.#subaccounts.set(owner, known.add(toHex(effectiveSubaccount(account))))
  }

  #noteCollector({ feeCollector, feeCollectorBlock }: View<Block>, id: BlockIndex): void {
    const last = this.#collectors.at(-1)
    if (feeCollector !== undefined)
      this.#collectors.push({ collector: feeCollector, from: id, to: id + 1n })
    else if (feeCollectorBlock !== undefined && last !== undefined) {
      if (last.to === id) last.to = id + 1n
      else this.#collectors.push({ collector: last.collector, from: id, to: id + 1n })
    }
  }

  /** Blocks of an account below `before`, newest first. */
  page(
    account: Account,
    { before, countMax }: { readonly before: bigint | undefined; readonly countMax: bigint },
  ): AccountPage {
    const ids = this.#byAccount.get(accountKey(account)) ?? []
    const limit = BigInt(INDEX_RESULTS_MAX)
    const count = Number(countMax < limit ? countMax : limit)
    const end = before === undefined ? ids.length : countBelow(ids, before)
    return { ids: ids.slice(Math.max(0, end - count), end).reverse(), oldest: ids[0] }
  }

  /** Effective subaccounts of an owner after `start`, ascending. */
  subaccountsOf(owner: Principal, start: Uint8Array | undefined): readonly Uint8Array[] {
    return [...(this.#subaccounts.get(toHex(owner)) ?? [])]
      .map(fromHex)
      .filter((subaccount) => start === undefined || compareBytes(subaccount, start) > 0)
      .sort(compareBytes)
      .slice(0, INDEX_RESULTS_MAX)
  }

  get collectors(): readonly CollectorRange[] {
    return this.#collectors
  }
}

/** How many of ascending ids are below `limit`. */
function countBelow(ids: readonly BlockIndex[], limit: bigint): number {
  let [low, high] = [0, ids.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ids[middle] ?? limit) < limit) low = middle + 1
    else high = middle
  }
  return low
}

/** Whose history a transaction is part of. */
function listedAccounts(transaction: View<Transaction>): readonly Account[] {
  switch (transaction.type) {
    case 'mint':
      return [transaction.to]
    case 'burn':
    case 'approve':
      return [transaction.from]
    case 'transfer':
      return [transaction.from, transaction.to]
    case 'feeCollector':
      return []
  }
}

/** Accounts that appear with a change of balance, or as the spender of an approval. */
const namedAccounts = (transaction: View<Transaction>): readonly Account[] =>
  transaction.type === 'approve'
    ? [transaction.from, transaction.spender]
    : listedAccounts(transaction)
