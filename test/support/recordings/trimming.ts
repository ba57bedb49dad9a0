/**
 * How the ledger of 2024 trimmed accounts: when there were too many, the smallest balances were
 * burned. Today there is no limit (ledger §0); the player does it so that blocks stay in step.
 */
import type { TimestampNs, Tokens } from '../../../src/core/base/units.ts'
import { unpackPair } from '../../../src/core/ledger/accounts/account-key.ts'
import { collectorKeys } from '../../../src/core/ledger/accounts/fee-collector.ts'
import type { Block } from '../../../src/core/ledger/blocks/block.ts'
import { hashTransaction } from '../../../src/core/ledger/blocks/block-hash.ts'
import { apply } from '../../../src/core/ledger/machine.ts'
import type { State } from '../../../src/core/ledger/state.ts'

export type Trimming = { readonly accountsMax: number; readonly quantity: number }

type Held = { readonly key: string; readonly amount: Tokens }

/** 2^64 − 1: the memo of what was trimmed. */
const MEMO = new Uint8Array(8).fill(0xff)

/** Burns what was trimmed at that time; says whether there was anything. */
export function trim(state: State, { accountsMax, quantity }: Trimming, now: TimestampNs): boolean {
  if (state.balances.amounts.size < accountsMax + quantity) return false
  const chosen = smallest(state, quantity)
  for (const { key, amount } of chosen) {
    const block: Block = {
      parentHash: state.chain.tipHash,
      timestamp: now,
      transaction: {
        type: 'burn',
        from: unpackPair(key + key).from,
        amount,
        memo: MEMO,
        createdAtTime: now,
      },
      ...collectorKeys(state.feeCollection, state.config.feeCollector),
    }
    const transactionHash = hashTransaction(block.transaction)
    apply(state, { type: 'appendedBlock', block, transactionHash })
  }
  return chosen.length > 0
}

/** In the order in which a binary heap of them lies in memory. */
function smallest({ balances }: State, quantity: number): readonly Held[] {
  const all = [...balances.amounts].map(([key, amount]) => ({ key, amount }))
  all.sort((a, b) => (a.key < b.key ? -1 : 1))
  const heap = new Heap()
  for (const held of all.slice(0, quantity)) heap.push(held)
  for (const held of all.slice(quantity)) {
    const [greatest] = heap.items
    if (greatest === undefined || held.amount >= greatest.amount) continue
    heap.push(held)
    heap.pop()
  }
  return heap.items
}

/** Balance first, then the account. */
const isLess = (a: Held, b: Held): boolean =>
  a.amount === b.amount ? a.key < b.key : a.amount < b.amount

/** The greatest is first; moves its items as that of Rust's standard library does. */
class Heap {
  readonly items: Held[] = []

  push(held: Held): void {
    this.items.push(held)
    this.#rise(this.items.length - 1)
  }

  pop(): void {
    const last = this.items.pop()
    if (last === undefined || this.items.length === 0) return
    this.items[0] = last
    let hole = 0
    for (let child = 1; child < this.items.length; child = 2 * hole + 1) {
      if (child + 1 < this.items.length && !this.#isLess(child + 1, child)) child += 1
      this.#swap(hole, child)
      hole = child
    }
    this.#rise(hole)
  }

  #rise(from: number): void {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#isLess(parent, at)) return
      this.#swap(parent, at)
      at = parent
    }
  }

  #isLess(a: number, b: number): boolean {
    const [left, right] = [this.items[a], this.items[b]]
    return left !== undefined && right !== undefined && isLess(left, right)
  }

  #swap(a: number, b: number): void {
    const [left, right] = [this.items[a], this.items[b]]
    if (left === undefined || right === undefined) return
    this.items[a] = right
    this.items[b] = left
  }
}
