/**
 * Unconfirmed transactions as a graph: who spends whom, and what each weighs with its family. Keeps
 * no rules; those are in `mempool.ts`.
 */
import type { Hash32, Txid } from '../../base/bytes.ts'
import { toHex } from '../../base/bytes.ts'
import { assert, present } from '../../base/errors.ts'
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

export type Sums = { readonly count: number; readonly vsize: number; readonly fee: bigint }

/** Sums over an entry with all its ancestors, and with all its descendants. */
export type Family = {
  /** Order of arrival: parents come before children. */
  readonly place: number
  readonly ancestors: Sums
  readonly descendants: Sums
}

type Member = {
  readonly entry: MempoolEntry
  readonly place: number
  ancestors: Sums
  descendants: Sums
}

const NOTHING: Sums = { count: 0, vsize: 0, fee: 0n }

export class Pool {
  /** By txid, in the order of arrival. */
  readonly #members = new Map<string, Member>()
  readonly #byWtxid = new Map<string, MempoolEntry>()
  /** The entry that spends an outpoint. */
  readonly #spenders = new Map<string, MempoolEntry>()
  #vsize = 0
  #arrivals = 0

  get vsize(): number {
    return this.#vsize
  }
  get size(): number {
    return this.#members.size
  }
  entries(): readonly MempoolEntry[] {
    return [...this.#members.values()].map(({ entry }) => entry)
  }
  /** Every entry with its sums, in the order of arrival. */
  members(): Iterable<Family & { readonly entry: MempoolEntry }> {
    return this.#members.values()
  }
  byTxid(txid: Txid): MempoolEntry | undefined {
    return this.#members.get(toHex(txid))?.entry
  }
  /** By txid or by wtxid. */
  find(hash: Hash32): MempoolEntry | undefined {
    const key = toHex(hash)
    return this.#members.get(key)?.entry ?? this.#byWtxid.get(key)
  }
  spender(outpoint: OutPoint): MempoolEntry | undefined {
    return this.#spenders.get(outpointKey(outpoint))
  }
  family(entry: MempoolEntry): Family {
    return this.#member(entry)
  }

  /** Its parents are there already, and none of its children. */
  add(entry: MempoolEntry): void {
    const own: Sums = { count: 1, vsize: entry.vsize, fee: entry.fee }
    let ancestors = own
    for (const ancestor of this.ancestors(entry.transaction)) {
      const member = this.#member(ancestor)
      ancestors = plus(ancestors, { count: 1, vsize: ancestor.vsize, fee: ancestor.fee })
      member.descendants = plus(member.descendants, own)
    }
    const place = this.#arrivals++
    this.#members.set(toHex(entry.txid), { entry, place, ancestors, descendants: own })
    this.#byWtxid.set(toHex(entry.wtxid), entry)
    for (const { outpoint } of entry.transaction.inputs)
      this.#spenders.set(outpointKey(outpoint), entry)
    this.#vsize += entry.vsize
  }

  /** Takes out an entry that a block has confirmed, as its parents before it; its children stay. */
  confirm(entry: MempoolEntry): void {
    assert(this.parents(entry.transaction).length === 0, 'a block confirms parents first')
    const own = { count: -1, vsize: -entry.vsize, fee: -entry.fee }
    for (const descendant of this.withDescendants([entry])) {
      const member = this.#member(descendant)
      member.ancestors = plus(member.ancestors, own)
    }
    this.#forget(entry)
  }

  /** Takes out the entries and all that build on them. */
  remove(entries: Iterable<MempoolEntry>): ReadonlySet<MempoolEntry> {
    const gone = this.withDescendants(entries)
    const members = [...gone].map((entry) => this.#member(entry))
    // Children first: what an ancestor loses is counted along links that are still there.
    for (const { entry } of members.sort((a, b) => b.place - a.place)) {
      const own = { count: -1, vsize: -entry.vsize, fee: -entry.fee }
      for (const ancestor of this.ancestors(entry.transaction)) {
        const member = this.#member(ancestor)
        member.descendants = plus(member.descendants, own)
      }
      this.#forget(entry)
    }
    return gone
  }

  #forget(entry: MempoolEntry): void {
    this.#members.delete(toHex(entry.txid))
    this.#byWtxid.delete(toHex(entry.wtxid))
    for (const { outpoint } of entry.transaction.inputs)
      this.#spenders.delete(outpointKey(outpoint))
    this.#vsize -= entry.vsize
  }

  #member({ txid }: MempoolEntry): Member {
    return present(this.#members.get(toHex(txid)), 'an entry is in the pool')
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

const plus = (a: Sums, b: Sums): Sums => ({
  count: a.count + b.count,
  vsize: a.vsize + b.vsize,
  fee: a.fee + b.fee,
})

/** Of the entries and each of them once, whatever links lead to it. */
export const sumsOf = (entries: Iterable<MempoolEntry>): Sums =>
  [...entries].reduce((sum, { vsize, fee }) => plus(sum, { count: 1, vsize, fee }), NOTHING)

function closure<T>(start: Iterable<T>, next: (value: T) => Iterable<T>): ReadonlySet<T> {
  const seen = new Set(start)
  for (const value of seen) for (const found of next(value)) seen.add(found)
  return seen
}
