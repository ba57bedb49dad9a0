/**
 * Transactions that wait for a parent nobody here knows. Source: RN-7 (orphan pool), as Bitcoin Core
 * bounds it: by number, size and age; no peer pushes out what others sent before it has less.
 */
import type { Hash32, Txid } from '../../base/bytes.ts'
import { toHex } from '../../base/bytes.ts'
import type { Block } from '../block.ts'
import type { Transaction } from '../transaction.ts'
import { outpointKey, weight, wtxid } from '../transaction.ts'

export const ORPHANS_MAX = 100
export const ORPHAN_WEIGHT_MAX = 400_000
export const ORPHAN_EXPIRY_S = 20 * 60

export type Orphan = {
  readonly transaction: Transaction
  readonly wtxid: Hash32
  /** The peer that sent it, with whom it goes. */
  readonly from: string
  readonly time: number
}

/** Total: keeps what it has room for. */
export class Orphans {
  /** By wtxid, in the order of arrival. */
  readonly #orphans = new Map<string, Orphan>()
  /** Orphans by the txid of each transaction that they spend. */
  readonly #waiting = new Map<string, Set<Orphan>>()

  get size(): number {
    return this.#orphans.size
  }
  has(hash: Hash32): boolean {
    return this.#orphans.has(toHex(hash))
  }

  add(transaction: Transaction, from: string, nowSeconds: number): void {
    this.#expire(nowSeconds)
    const id = wtxid(transaction)
    if (weight(transaction) > ORPHAN_WEIGHT_MAX || this.has(id)) return
    const orphan = { transaction, wtxid: id, from, time: nowSeconds }
    this.#orphans.set(toHex(id), orphan)
    for (const parent of parentsOf(transaction)) {
      const waiting = this.#waiting.get(parent) ?? new Set()
      this.#waiting.set(parent, waiting.add(orphan))
    }
    if (this.#orphans.size > ORPHANS_MAX) this.#remove(this.#oldestOfLargestPeer())
  }

  /** Takes out those that spend the transaction: their time may have come. */
  takeChildren(parent: Txid): readonly Orphan[] {
    const children = [...(this.#waiting.get(toHex(parent)) ?? [])]
    for (const child of children) this.#remove(child)
    return children
  }

  /** Forgets what the block holds or contradicts. */
  blockCame({ transactions }: Block): void {
    const spent = new Set(
      transactions.flatMap(({ inputs }) => inputs.map(({ outpoint }) => outpointKey(outpoint))),
    )
    for (const orphan of this.#orphans.values())
      if (orphan.transaction.inputs.some(({ outpoint }) => spent.has(outpointKey(outpoint))))
        this.#remove(orphan)
  }

  /** The connection is gone. */
  forgetPeer(from: string): void {
    for (const orphan of this.#orphans.values()) if (orphan.from === from) this.#remove(orphan)
  }

  #expire(nowSeconds: number): void {
    for (const orphan of this.#orphans.values())
      if (orphan.time <= nowSeconds - ORPHAN_EXPIRY_S) this.#remove(orphan)
  }

  #remove(orphan: Orphan | undefined): void {
    if (orphan === undefined) return
    this.#orphans.delete(toHex(orphan.wtxid))
    for (const parent of parentsOf(orphan.transaction)) {
      const waiting = this.#waiting.get(parent)
      waiting?.delete(orphan)
      if (waiting?.size === 0) this.#waiting.delete(parent)
    }
  }

  #oldestOfLargestPeer(): Orphan | undefined {
    const counts = new Map<string, number>()
    for (const { from } of this.#orphans.values()) counts.set(from, (counts.get(from) ?? 0) + 1)
    const most = Math.max(...counts.values())
    return [...this.#orphans.values()].find(({ from }) => counts.get(from) === most)
  }
}

const parentsOf = ({ inputs }: Transaction): ReadonlySet<string> =>
  new Set(inputs.map(({ outpoint }) => toHex(outpoint.txid)))
