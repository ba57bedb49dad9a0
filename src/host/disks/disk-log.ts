/**
 * The log as one node holds it: slots under their hashes, start records, and where it ends.
 * Source: threshold §§17.7, 18.4 c.
 */
import type { Hash32 } from '../../core/base/bytes.ts'
import { concat, equalBytes, fromBigEndian, hash32, u64be, utf8 } from '../../core/base/bytes.ts'
import { assert, attempt, BadEncoding, present } from '../../core/base/errors.ts'
import type { LogPosition, Slot } from '../../core/log/log.ts'
import type { LoggedSlot, StartRecord } from '../../core/log/slot-codec.ts'
import {
  decodeSlot,
  decodeStartRecord,
  encodeSlot,
  encodeStartRecord,
  slotHash,
} from '../../core/log/slot-codec.ts'
import { storeDamaged } from '../store/problem.ts'
import type { Store, StoreWriter } from '../store/store.ts'

const SLOTS = utf8('slot/')
const STARTS = utf8('start/')
const HASH_SIZE = 32
/** What a node that replays meets, in order. */
export type LogEntry =
  | { readonly type: 'start'; readonly record: StartRecord }
  | { readonly type: 'slot'; readonly slot: Slot }

const slotKey = (number: bigint): Uint8Array => concat(SLOTS, u64be(number))
const startKey = (index: number): Uint8Array => concat(STARTS, u64be(BigInt(index)))
const numberOf = (key: Uint8Array): bigint => fromBigEndian(key.subarray(SLOTS.length))

export class DiskLog {
  readonly #store: Store
  readonly #genesisId: Hash32
  #starts: readonly StartRecord[]
  #position: LogPosition

  /** Throws the problem of a damaged store when what it finds does not fit together. */
  constructor(store: Store, genesisId: Hash32) {
    this.#store = store
    this.#genesisId = genesisId
    this.#starts = store.range({ prefix: STARTS }).map(({ value }) => {
      const record = attempt(() => decodeStartRecord(value))
      if (record instanceof BadEncoding) throw this.#damaged('a start record is unreadable', record)
      return record
    })
    this.#position = this.#findEnd()
    this.#checkStarts()
  }

  /** Where the next slot goes. */
  get position(): LogPosition {
    return this.#position
  }

  /** In their order; the last one names the time line that new slots belong to. */
  get starts(): readonly StartRecord[] {
    return this.#starts
  }

  /** Of slot −1: the genesis id. */
  hashAt(number: bigint): Hash32 | undefined {
    if (number < 0n) return number === -1n ? this.#genesisId : undefined
    const value = this.#store.get(slotKey(number))
    return value === undefined ? undefined : hash32(value.slice(0, HASH_SIZE))
  }

  /** A slot on disk, the newest included even if another thread wrote it. */
  read(number: bigint): Slot | undefined {
    const value = number < 0n ? undefined : this.#store.get(slotKey(number))
    if (value === undefined) return undefined
    return this.#open(number, value, this.#hashBefore(number)).slot
  }

  /**
   * Start records and slots from slot `from` on, each start record before its first slot; those at
   * the end included. A slot that does not follow the one before it is a damaged store.
   */
  *entries(from: bigint): Generator<LogEntry> {
    let previous = this.#hashBefore(from)
    let start = this.#starts.findIndex(({ first }) => first >= from)
    if (start < 0) start = this.#starts.length
    for (let number = from; ; number++) {
      for (; this.#starts[start]?.first === number; start++)
        yield { type: 'start', record: present(this.#starts[start], 'it has a first slot') }
      const value = this.#store.get(slotKey(number))
      if (value === undefined) {
        if (number < this.#position.next) throw this.#damaged(`slot ${number} is missing`)
        return
      }
      const { incarnation, slot } = this.#open(number, value, previous)
      if (incarnation !== incarnationAt(this.#starts, number))
        throw this.#damaged(`slot ${number} is of another time line`)
      yield { type: 'slot', slot }
      previous = hash32(value.slice(0, HASH_SIZE))
    }
  }

  /** Canonical bytes, as another node's copy takes them. Undefined behind the end. */
  contentAt(number: bigint): Uint8Array | undefined {
    return this.#store.get(slotKey(number))?.slice(HASH_SIZE)
  }

  /**
   * Writes the slot that follows `end`; the new end counts once the transaction has returned and
   * `settle` was called with it.
   */
  append(writer: StoreWriter, end: LogPosition, { incarnation, slot }: LoggedSlot): LogPosition {
    assert(slot.number === end.next, 'slots are written without gaps')
    assert(end.time === undefined || slot.time > end.time, 'the time of slots rises')
    const content = encodeSlot({ incarnation, slot })
    const hash = slotHash(end.previous, content)
    writer.put(slotKey(slot.number), concat(hash, content))
    return { next: end.next + 1n, previous: hash, time: slot.time }
  }

  /** Removes the slots from `length` on. */
  cut(writer: StoreWriter, length: bigint): LogPosition {
    for (let number = length; number < this.#position.next; number++) writer.remove(slotKey(number))
    if (length === 0n) return this.#origin
    const hash = present(this.hashAt(length - 1n), 'a log is cut where it has a slot')
    return { next: length, previous: hash, time: this.read(length - 1n)?.time }
  }

  static writeStarts(writer: StoreWriter, starts: readonly StartRecord[]): void {
    for (const { key } of writer.range({ prefix: STARTS })) writer.remove(key)
    for (const [i, start] of starts.entries()) writer.put(startKey(i), encodeStartRecord(start))
  }

  settle(end: LogPosition, starts: readonly StartRecord[] = this.#starts): void {
    this.#position = end
    this.#starts = starts
  }

  get #origin(): LogPosition {
    return { next: 0n, previous: this.#genesisId, time: undefined }
  }

  #findEnd(): LogPosition {
    const [newest] = this.#store.range({ prefix: SLOTS, reverse: true, limit: 1 })
    if (newest === undefined) return this.#origin
    const number = numberOf(newest.key)
    const { slot } = this.#open(number, newest.value, this.#hashBefore(number))
    const previous = hash32(newest.value.slice(0, HASH_SIZE))
    return { next: number + 1n, previous, time: slot.time }
  }

  #checkStarts(): void {
    if (this.#starts[0]?.first !== 0n) throw this.#damaged('the first start record is missing')
    for (const [i, { first, previous }] of this.#starts.entries()) {
      const hash = this.hashAt(first - 1n)
      if (first < (this.#starts[i - 1]?.first ?? 0n) || first > this.#position.next)
        throw this.#damaged('start records are out of order')
      if (hash === undefined || !equalBytes(hash, previous))
        throw this.#damaged(`a start record does not follow slot ${first - 1n}`)
      // Where time lines meet, both slots are of the one that the records say.
      for (const number of [first - 1n, first]) {
        const content = number < 0n ? undefined : this.contentAt(number)
        const expected = content && incarnationAt(this.#starts, number)
        if (content && incarnationOf(content) !== expected)
          throw this.#damaged(`slot ${number} is of another time line`)
      }
    }
  }

  #hashBefore(number: bigint): Hash32 {
    const hash = this.hashAt(number - 1n)
    if (hash === undefined) throw this.#damaged(`slot ${number - 1n} is missing`)
    return hash
  }

  /** Checks what lies at a slot's place against the hash of the slot before. */
  #open(number: bigint, value: Uint8Array, previous: Hash32): LoggedSlot {
    const content = value.subarray(HASH_SIZE)
    if (!equalBytes(slotHash(previous, content), value.subarray(0, HASH_SIZE)))
      throw this.#damaged(`slot ${number} does not have its hash`)
    const logged = attempt(() => decodeSlot(content))
    if (logged instanceof BadEncoding) throw this.#damaged(`slot ${number} is unreadable`, logged)
    if (logged.slot.number !== number) throw this.#damaged(`slot ${number} is another slot`)
    return logged
  }

  #damaged(what: string, cause?: unknown): Error {
    return storeDamaged(this.#store.name, what, cause)
  }
}

const incarnationOf = (content: Uint8Array): bigint => fromBigEndian(content.subarray(0, 8))

/** Of the last start record at or before a slot. */
export const incarnationAt = (starts: readonly StartRecord[], number: bigint): bigint =>
  present(
    starts.findLast(({ first }) => first <= number),
    'the first start record is of slot 0',
  ).incarnation
