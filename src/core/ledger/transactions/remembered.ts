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
   * By the slot that a hash begins with: 1 + the place of the oldest of its entries; 0 is none.
   * The oldest of all is the first of its slot, so it leaves at once, whatever somebody crowds there.
   */
  slots: Uint32Array
  /** By place: the same of the next newer entry of its slot. */
  nexts: Uint32Array
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
    slots: new Uint32Array(places),
    nexts: new Uint32Array(places),
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
  append(queue, place)
}

/** Drops the oldest entries, of which there are `count` at least. */
export function dequeue(queue: RememberedQueue, count: number): void {
  assert(count <= queue.count, 'what is dropped is in the queue')
  for (let i = 0; i < count; i++) {
    const { head, slots, nexts } = queue
    slots[homeOf(queue, head)] = nexts[head] ?? 0
    queue.head = placeOf(queue, 1)
    queue.count--
  }
  const places = queue.times.length
  if (places > PLACES_MIN && SPARE_MAX * queue.count <= places) resize(queue, places >> 2)
}

/** Of the block of a transaction; undefined where the queue has no such hash. */
export function indexOf(queue: View<RememberedQueue>, hash: Uint8Array): BlockIndex | undefined {
  const { slots, nexts, indices } = queue
  let entry = slots[startOf(slots, hash, 0)] ?? 0
  while (entry !== 0 && !isAt(queue, entry - 1, hash)) entry = nexts[entry - 1] ?? 0
  return entry === 0 ? undefined : indices[entry - 1]
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

/** Puts the entry at a place, the newest, behind the others of its slot. */
function append(queue: RememberedQueue, place: number): void {
  const { slots, nexts } = queue
  nexts[place] = 0
  const home = homeOf(queue, place)
  let last = slots[home] ?? 0
  if (last === 0) slots[home] = place + 1
  else {
    for (let next = nexts[last - 1] ?? 0; next !== 0; next = nexts[last - 1] ?? 0) last = next
    nexts[last - 1] = place + 1
  }
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
  // The newest first, so that each goes in front of those of its slot.
  for (let place = count - 1; place >= 0; place--) {
    const home = homeOf(resized, place)
    resized.nexts[place] = resized.slots[home] ?? 0
    resized.slots[home] = place + 1
  }
  Object.assign(queue, resized)
}
