/**
 * The transactions of the deduplication window: a queue in which a hash is found at once. A few flat
 * arrays, 56 bytes a place, which a snapshot copies as they are.
 * Implements `docs/spec/ledger.md` §4.
 */
import type { Hash32 } from '../../base/bytes.ts'
import { assert } from '../../base/errors.ts'
import type { TimestampNs } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { BlockIndex } from '../types.ts'

/** `at`: ledger time of the block of index `index`. */
export type Remembered = {
  readonly hash: Hash32
  readonly at: TimestampNs
  readonly index: BlockIndex
}

/** Entries lie in a ring of places, a power of two of them; the arrays are replaced when it grows. */
export type RememberedQueue = {
  /** Place of the oldest entry. */
  head: number
  count: number
  /** By place: 32 bytes each, nanoseconds, block indices. */
  hashes: Uint8Array
  times: BigUint64Array
  indices: BigUint64Array
  /**
   * Open addressing: from the slot that a hash begins with, one after another up to an empty one,
   * lies 1 + the place of its entry. Twice as many slots as places; 0 is empty.
   */
  slots: Uint32Array
}

const HASH_BYTES = 32
const PLACES_MIN = 16
/** The arrays shrink when only one in so many places is taken. */
const SPARE_MAX = 8

export const emptyRememberedQueue = (): RememberedQueue => withPlaces(PLACES_MIN)

function withPlaces(places: number): RememberedQueue {
  return {
    head: 0,
    count: 0,
    hashes: new Uint8Array(HASH_BYTES * places),
    times: new BigUint64Array(places),
    indices: new BigUint64Array(places),
    slots: new Uint32Array(2 * places),
  }
}

/** The newest entry goes behind all others; its hash is not among them. */
export function enqueue(queue: RememberedQueue, { hash, at, index }: Remembered): void {
  if (queue.count === queue.times.length) resize(queue, 2 * queue.count)
  const place = placeOf(queue, queue.count)
  queue.hashes.set(hash, HASH_BYTES * place)
  queue.times[place] = at
  queue.indices[place] = index
  queue.count++
  occupy(queue, place)
}

/** Drops the oldest entries, of which there are `count` at least. */
export function dequeue(queue: RememberedQueue, count: number): void {
  assert(count <= queue.count, 'what is dropped is in the queue')
  for (let i = 0; i < count; i++) {
    vacate(queue, slotOf(queue, queue.head))
    queue.head = placeOf(queue, 1)
    queue.count--
  }
  const places = queue.times.length
  if (places > PLACES_MIN && SPARE_MAX * queue.count <= places) resize(queue, places >> 2)
}

/** Of the block of a transaction; undefined where the queue has no such hash. */
export function indexOf(queue: View<RememberedQueue>, hash: Uint8Array): BlockIndex | undefined {
  const { slots, indices } = queue
  for (let slot = startOf(slots, hash, 0); ; slot = next(slots, slot)) {
    const entry = slots[slot] ?? 0
    if (entry === 0) return undefined
    if (isAt(queue, entry - 1, hash)) return indices[entry - 1]
  }
}

/** Ledger time of an entry by its age: the oldest is 0. Undefined behind the newest. */
export const timeAt = (queue: View<RememberedQueue>, age: number): bigint | undefined =>
  age < queue.count ? queue.times[placeOf(queue, age)] : undefined

/** Oldest first. */
export function entriesOf(queue: View<RememberedQueue>): readonly Remembered[] {
  return Array.from({ length: queue.count }, (_, age) => {
    const place = placeOf(queue, age)
    return {
      hash: queue.hashes.slice(HASH_BYTES * place, HASH_BYTES * (place + 1)) as Hash32,
      at: (queue.times[place] ?? 0n) as TimestampNs,
      index: queue.indices[place] ?? 0n,
    }
  })
}

const placeOf = ({ head, times }: View<RememberedQueue>, age: number): number =>
  (head + age) & (times.length - 1)

const next = (slots: Uint32Array, slot: number): number => (slot + 1) & (slots.length - 1)

/** The slot that the hash at `offset` begins with: its first four bytes, big-endian. */
function startOf(slots: Uint32Array, bytes: Uint8Array, offset: number): number {
  const first = ((bytes[offset] ?? 0) << 24) | ((bytes[offset + 1] ?? 0) << 16)
  const last = ((bytes[offset + 2] ?? 0) << 8) | (bytes[offset + 3] ?? 0)
  return (first | last) & (slots.length - 1)
}

const homeOf = ({ slots, hashes }: RememberedQueue, place: number): number =>
  startOf(slots, hashes, HASH_BYTES * place)

function isAt({ hashes }: View<RememberedQueue>, place: number, hash: Uint8Array): boolean {
  const start = HASH_BYTES * place
  for (let i = 0; i < HASH_BYTES; i++) if (hashes[start + i] !== hash[i]) return false
  return true
}

function slotOf(queue: RememberedQueue, place: number): number {
  const { slots } = queue
  let slot = homeOf(queue, place)
  while (slots[slot] !== place + 1) slot = next(slots, slot)
  return slot
}

/** Empties a slot; entries behind it that would no longer be found move up. */
function vacate(queue: RememberedQueue, emptied: number): void {
  const { slots } = queue
  let hole = emptied
  for (let slot = next(slots, hole); ; slot = next(slots, slot)) {
    const entry = slots[slot] ?? 0
    if (entry === 0) break
    const home = homeOf(queue, entry - 1)
    // How far from its home the entry lies, and how far the hole lies in front of it.
    const distance = (slot - home) & (slots.length - 1)
    if (distance < ((slot - hole) & (slots.length - 1))) continue
    slots[hole] = entry
    hole = slot
  }
  slots[hole] = 0
}

/** Takes the first empty slot for the entry at a place. */
function occupy(queue: RememberedQueue, place: number): void {
  const { slots } = queue
  let slot = homeOf(queue, place)
  while (slots[slot] !== 0) slot = next(slots, slot)
  slots[slot] = place + 1
}

/** The oldest entry comes to the first place. */
function resize(queue: RememberedQueue, places: number): void {
  const resized = withPlaces(Math.max(PLACES_MIN, places))
  const { head, count } = queue
  const untilEnd = Math.min(count, queue.times.length - head)
  for (const [from, to, at] of [
    [head, head + untilEnd, 0],
    [0, count - untilEnd, untilEnd],
  ] as const) {
    resized.hashes.set(queue.hashes.subarray(HASH_BYTES * from, HASH_BYTES * to), HASH_BYTES * at)
    resized.times.set(queue.times.subarray(from, to), at)
    resized.indices.set(queue.indices.subarray(from, to), at)
  }
  resized.count = count
  for (let place = 0; place < count; place++) occupy(resized, place)
  Object.assign(queue, resized)
}
