/**
 * Unconfirmed transactions as a graph: who spends whom. Keeps no rules; those are in `mempool.ts`.
 */
import type { Hash32, Txid } from '../../base/bytes.ts'
import { toHex } from '../../base/bytes.ts'
import type { Sat } from '../../base/units.ts'
import type { OutPoint, Transaction } from '../transaction.ts'
import { outpointKey } from '../transaction.ts'

export type MempoolEntry = {
  readonly transaction: Transaction
  readonly txid: Txid
  readonly wtxid: Hash32
  readonly fee: Sat
  /** Policy size: signature operations may count for more than bytes. */
  readonly vsize: number
  readonly sigopsCost: number
  /** Unix seconds of its arrival. */
  readonly time: number
}

export class Pool {
  /** By txid; insertion order is arrival order, so parents come before children. */
  readonly #entries = new Map<string, MempoolEntry>()
  readonly #byWtxid = new Map<string, MempoolEntry>()
  /** The entry that spends an outpoint. */
  readonly #spenders = new Map<string, MempoolEntry>()
  #vsize = 0

  get vsize(): number {
    return this.#vsize
  }
  entries(): readonly MempoolEntry[] {
    return [...this.#entries.values()]
  }
  byTxid(txid: Txid): MempoolEntry | undefined {
    return this.#entries.get(toHex(txid))
  }
  /** By txid or by wtxid. */
  find(hash: Hash32): MempoolEntry | undefined {
    const key = toHex(hash)
    return this.#entries.get(key) ?? this.#byWtxid.get(key)
  }
  spender(outpoint: OutPoint): MempoolEntry | undefined {
    return this.#spenders.get(outpointKey(outpoint))
  }

  add(entry: MempoolEntry): void {
    this.#entries.set(toHex(entry.txid), entry)
    this.#byWtxid.set(toHex(entry.wtxid), entry)
    for (const { outpoint } of entry.transaction.inputs)
      this.#spenders.set(outpointKey(outpoint), entry)
    this.#vsize += entry.vsize
  }
  /** Removes one entry; its children stay. */
  remove(entry: MempoolEntry): void {
    if (!this.#entries.delete(toHex(entry.txid))) return
    this.#byWtxid.delete(toHex(entry.wtxid))
    for (const { outpoint } of entry.transaction.inputs)
      this.#spenders.delete(outpointKey(outpoint))
    this.#vsize -= entry.vsize
  }

  parents(transaction: Transaction): readonly MempoolEntry[] {
    const found = transaction.inputs.map(({ outpoint }) => this.byTxid(outpoint.txid))
    return [...new Set(found)].filter((entry) => entry !== undefined)
  }
  children({ transaction, txid }: MempoolEntry): readonly MempoolEntry[] {
    const found = transaction.outputs.map((_, vout) => this.spender({ txid, vout }))
    return [...new Set(found)].filter((entry) => entry !== undefined)
  }
  /** All entries that `transaction` builds on, itself not among them. */
  ancestors(transaction: Transaction): ReadonlySet<MempoolEntry> {
    return closure(this.parents(transaction), (entry) => this.parents(entry.transaction))
  }
  /** The entries and all that build on them. */
  withDescendants(entries: Iterable<MempoolEntry>): ReadonlySet<MempoolEntry> {
    return closure(entries, (entry) => this.children(entry))
  }
}

function closure<T>(start: Iterable<T>, next: (value: T) => Iterable<T>): ReadonlySet<T> {
  const seen = new Set(start)
  for (const value of seen) for (const found of next(value)) seen.add(found)
  return seen
}
