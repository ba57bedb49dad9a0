/**
 * A store in the memory of this process that outlives the thread which uses it: transactions are
 * written one behind the other into shared bytes, which somebody else holds. Source: architecture
 * §7, threshold §18.4.
 *
 * The first eight bytes say how far they are whole. They are written last, so a thread may end at
 * any moment: what it was writing then never was.
 */
import { Reader, Writer } from '../../core/base/codec.ts'
import { assert, HostDisk } from '../../core/base/errors.ts'
import type { Change, Entry, KeyRange, Store, StoreWriter } from './store.ts'
import { Draft, MemoryStore } from './store.ts'

const HEAD_SIZE = 8
const LENGTH_SIZE = 4
/** What one node may write in its life. */
const JOURNAL_BYTES_MAX = 1024 * 1024 * 1024
const GROWTH_MIN = 256 * 1024
const CHANGES_MAX = 1_000_000

/** Empty; memory is taken as it is written. */
export const newJournal = (bytesMax = JOURNAL_BYTES_MAX): SharedArrayBuffer =>
  new SharedArrayBuffer(HEAD_SIZE, { maxByteLength: bytesMax })

export class SharedStore implements Store {
  readonly name = 'the memory of this process'
  readonly #memory = new MemoryStore()
  readonly #journal: SharedArrayBuffer

  /** Takes up what was written before; one thread at a time. */
  constructor(journal: SharedArrayBuffer) {
    this.#journal = journal
    const bytes = new Uint8Array(journal)
    for (let at = HEAD_SIZE; at < this.#end; ) {
      const length = new DataView(journal, at, LENGTH_SIZE).getUint32(0)
      at += LENGTH_SIZE + length
      const changes = decodeChanges(bytes.slice(at - length, at))
      this.#memory.transaction((writer) => write(writer, changes))
    }
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#memory.get(key)
  }

  has(key: Uint8Array): boolean {
    return this.#memory.has(key)
  }

  range(range: KeyRange): readonly Entry[] {
    return this.#memory.range(range)
  }

  keys(range: KeyRange): readonly Uint8Array[] {
    return this.#memory.keys(range)
  }

  /** Throws `HostDisk` when the memory is full; nothing is written then. */
  transaction<T>(work: (writer: StoreWriter) => T): T {
    return this.#memory.transaction((writer) => {
      const draft = new Draft(writer)
      const result = work(draft)
      const { changes } = draft
      if (changes.length > 0) this.#append(encodeChanges(changes))
      write(writer, changes)
      return result
    })
  }

  close(): void {
    this.#memory.close()
  }

  get #end(): number {
    return Math.max(HEAD_SIZE, Number(Atomics.load(new BigUint64Array(this.#journal, 0, 1), 0)))
  }

  #append(content: Uint8Array): void {
    const start = this.#end
    const end = start + LENGTH_SIZE + content.length
    this.#reserve(end)
    new DataView(this.#journal, start, LENGTH_SIZE).setUint32(0, content.length)
    new Uint8Array(this.#journal).set(content, start + LENGTH_SIZE)
    Atomics.store(new BigUint64Array(this.#journal, 0, 1), 0, BigInt(end))
  }

  #reserve(length: number): void {
    const { byteLength, maxByteLength } = this.#journal
    if (length > maxByteLength) throw new HostDisk(this.name, 'no space left', undefined)
    if (length <= byteLength) return
    const wanted = Math.max(length, byteLength + GROWTH_MIN, Math.floor(byteLength * 1.5))
    this.#journal.grow(Math.min(wanted, maxByteLength))
  }
}

function write(writer: StoreWriter, changes: readonly Change[]): void {
  for (const { key, value } of changes)
    if (value === undefined) writer.remove(key)
    else writer.put(key, value)
}

const encodeChanges = (changes: readonly Change[]): Uint8Array =>
  new Writer()
    .list(changes, (writer, { key, value }) =>
      writer.bytes(key).optional(value, (optional, bytes) => optional.bytes(bytes)),
    )
    .done()

function decodeChanges(bytes: Uint8Array): readonly Change[] {
  const reader = new Reader(bytes)
  const changes = reader.list(
    (list) => ({ key: list.bytes(), value: list.optional((optional) => optional.bytes()) }),
    CHANGES_MAX,
  )
  assert(reader.remaining === 0, 'a transaction is whole')
  return changes
}
