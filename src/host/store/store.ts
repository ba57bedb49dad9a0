/**
 * Where durable state lies: ordered byte keys, written in transactions. Source: architecture §7,
 * threshold §18.4. Memory for what is ephemeral (below), LMDB (`lmdb-store.ts`) for what stays.
 */
import { compareBytes, fromHex, toHex } from '../../core/base/bytes.ts'
import { assert, present } from '../../core/base/errors.ts'

/** Bytes of a key at most: what LMDB takes, with room for a prefix of its own. */
export const KEY_SIZE_MAX = 500

export type Entry = { readonly key: Uint8Array; readonly value: Uint8Array }

/** Entries whose keys begin with `prefix`, in lexicographic order of their keys. */
export type KeyRange = {
  readonly prefix: Uint8Array
  /** Whole key at which to begin, itself included; the first of the order unless given. */
  readonly from?: Uint8Array | undefined
  /** Descending. */
  readonly reverse?: boolean | undefined
  readonly limit?: number | undefined
}

export interface StoreReader {
  get(key: Uint8Array): Uint8Array | undefined
  /** Without reading the value. */
  has(key: Uint8Array): boolean
  range(range: KeyRange): readonly Entry[]
  /** Of the same entries, without reading the values. */
  keys(range: KeyRange): readonly Uint8Array[]
}

/** Inside a transaction: reads see what was written before in it. */
export interface StoreWriter extends StoreReader {
  put(key: Uint8Array, value: Uint8Array): void
  remove(key: Uint8Array): void
}

/** What is read is a copy, and what is written is copied. */
export interface Store extends StoreReader {
  /** For messages: its directory. */
  readonly name: string
  /**
   * All that `work` writes, or nothing if it throws. When this returns, it survives a loss of
   * power. `work` may not start another transaction of the store.
   */
  transaction<T>(work: (writer: StoreWriter) => T): T
  close(): void
}

/** `value`: undefined for a key that is removed. */
export type Change = { readonly key: Uint8Array; readonly value: Uint8Array | undefined }

/** What a transaction has written so far, over a store that does not know of it yet. */
export class Draft implements StoreWriter {
  readonly #below: StoreReader
  /** By key in hexadecimal. */
  readonly #changes = new Map<string, Change>()

  constructor(below: StoreReader) {
    this.#below = below
  }

  get changes(): readonly Change[] {
    return [...this.#changes.values()]
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const change = this.#changes.get(toHex(key))
    return change === undefined ? this.#below.get(key) : change.value?.slice()
  }

  has(key: Uint8Array): boolean {
    const change = this.#changes.get(toHex(key))
    return change === undefined ? this.#below.has(key) : change.value !== undefined
  }

  range(range: KeyRange): readonly Entry[] {
    const { reverse = false, limit = Number.MAX_SAFE_INTEGER } = range
    const changed = this.changes.filter(({ key }) => isWithin(key, range))
    if (changed.length === 0) return this.#below.range(range)
    const below = this.#below
      .range({ ...range, limit: limit + changed.length })
      .filter(({ key }) => !this.#changes.has(toHex(key)))
    const written = changed.flatMap(({ key, value }) =>
      value === undefined ? [] : [{ key: key.slice(), value: value.slice() }],
    )
    const sign = reverse ? -1 : 1
    return [...below, ...written]
      .toSorted((a, b) => sign * compareBytes(a.key, b.key))
      .slice(0, limit)
  }

  keys(range: KeyRange): readonly Uint8Array[] {
    const { reverse = false, limit = Number.MAX_SAFE_INTEGER } = range
    const changed = this.changes.filter(({ key }) => isWithin(key, range))
    const below = this.#below
      .keys({ ...range, limit: limit + changed.length })
      .filter((key) => !this.#changes.has(toHex(key)))
    const written = changed.flatMap(({ key, value }) => (value === undefined ? [] : [key.slice()]))
    const sign = reverse ? -1 : 1
    return [...below, ...written].toSorted((a, b) => sign * compareBytes(a, b)).slice(0, limit)
  }

  put(key: Uint8Array, value: Uint8Array): void {
    assert(key.length <= KEY_SIZE_MAX, 'a key is short')
    this.#changes.set(toHex(key), { key: key.slice(), value: value.slice() })
  }

  remove(key: Uint8Array): void {
    this.#changes.set(toHex(key), { key: key.slice(), value: undefined })
  }
}

function isWithin(key: Uint8Array, { prefix, from, reverse = false }: KeyRange): boolean {
  if (compareBytes(key.subarray(0, prefix.length), prefix) !== 0) return false
  return from === undefined || compareBytes(key, from) * (reverse ? -1 : 1) >= 0
}

/** Keeps what it holds when it is closed: what an in-memory node restarts from. */
export class MemoryStore implements Store {
  readonly name = 'the memory of this process'
  /** By key in hexadecimal, which sorts as the bytes do. */
  readonly #values = new Map<string, Uint8Array>()
  /** Keys of `#values`, ascending. */
  readonly #names: string[] = []
  #busy = false

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#values.get(toHex(key))?.slice()
  }

  has(key: Uint8Array): boolean {
    return this.#values.has(toHex(key))
  }

  range(range: KeyRange): Entry[] {
    return this.#namesIn(range).map((name) => ({
      key: fromHex(name),
      value: present(this.#values.get(name), 'a sorted key has a value').slice(),
    }))
  }

  keys(range: KeyRange): readonly Uint8Array[] {
    return this.#namesIn(range).map(fromHex)
  }

  #namesIn({ prefix, from, reverse = false, limit = Number.MAX_SAFE_INTEGER }: KeyRange): string[] {
    const start = toHex(prefix)
    // `g` sorts behind every digit: behind all keys with the prefix.
    let [low, high] = [this.#place(start), this.#place(`${start}g`)]
    const edge = from === undefined ? undefined : toHex(from)
    if (edge !== undefined && !reverse) low = Math.max(low, this.#place(edge))
    if (edge !== undefined && reverse)
      high = Math.min(high, this.#place(edge) + (this.#values.has(edge) ? 1 : 0))
    const count = Math.max(0, Math.min(limit, high - low))
    return reverse
      ? this.#names.slice(high - count, high).reverse()
      : this.#names.slice(low, low + count)
  }

  transaction<T>(work: (writer: StoreWriter) => T): T {
    assert(!this.#busy, 'a transaction holds no other')
    this.#busy = true
    try {
      const draft = new Draft(this)
      const result = work(draft)
      for (const { key, value } of draft.changes) this.#set(toHex(key), value)
      return result
    } finally {
      this.#busy = false
    }
  }

  close(): void {
    assert(!this.#busy, 'no transaction is open')
  }

  #set(name: string, value: Uint8Array | undefined): void {
    const place = this.#place(name)
    const isThere = this.#values.has(name)
    if (value === undefined) {
      if (isThere) this.#names.splice(place, 1)
      this.#values.delete(name)
      return
    }
    if (!isThere) this.#names.splice(place, 0, name)
    this.#values.set(name, value)
  }

  /** Index of the first key that is not below `name`. */
  #place(name: string): number {
    let [low, high] = [0, this.#names.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (present(this.#names[middle], 'within the keys') < name) low = middle + 1
      else high = middle
    }
    return low
  }
}
