/** Allowances in order of expiry, as a binary heap. Implements `docs/spec/ledger.md` §4. */
import { present } from '../../base/errors.ts'
import type { TimestampNs } from '../../base/units.ts'

export type Expiring = {
  /** `packPair` of owner and spender. */
  readonly key: string
  readonly expiresAt: TimestampNs
  /** Place in the heap, kept by the functions below. */
  place: number
}

/** A heap: the member at `i` comes before those at `2i + 1` and `2i + 2`. */
export type ExpiryQueue = Expiring[]

/** By time, then owner, then spender: a total order, so every node removes the same ones first. */
function comesBefore(a: Expiring, b: Expiring): boolean {
  if (a.expiresAt !== b.expiresAt) return a.expiresAt < b.expiresAt
  return a.key < b.key
}

export function enqueue(queue: ExpiryQueue, member: Expiring): void {
  queue.push(member)
  rise(queue, member, queue.length - 1)
}

/** Takes out a member, wherever it stands. */
export function dequeue(queue: ExpiryQueue, member: Expiring): void {
  const last = present(queue.pop(), 'a queued allowance is in the queue')
  if (last === member) return
  sink(queue, last, member.place)
  rise(queue, last, last.place)
}

/** Moves `member`, which stands at `place` or shall, towards the head. */
function rise(queue: ExpiryQueue, member: Expiring, place: number): void {
  let at = place
  while (at > 0) {
    const above = present(queue[(at - 1) >> 1], 'a heap has no holes')
    if (!comesBefore(member, above)) break
    put(queue, above, at)
    at = (at - 1) >> 1
  }
  put(queue, member, at)
}

/** Moves `member` from `place` away from the head. */
function sink(queue: ExpiryQueue, member: Expiring, place: number): void {
  let at = place
  for (;;) {
    const left = queue[2 * at + 1]
    if (left === undefined) break
    const right = queue[2 * at + 2]
    const next = right !== undefined && comesBefore(right, left) ? right : left
    if (!comesBefore(next, member)) break
    const below = next.place
    put(queue, next, at)
    at = below
  }
  put(queue, member, at)
}

function put(queue: ExpiryQueue, member: Expiring, place: number): void {
  queue[place] = member
  member.place = place
}
