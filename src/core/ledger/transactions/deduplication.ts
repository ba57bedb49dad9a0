/** Duplicates within the window, and throttling. Implements `docs/spec/ledger.md` §5. */
import type { Hash32 } from '../../base/bytes.ts'
import { toHex } from '../../base/bytes.ts'
import { present } from '../../base/errors.ts'
import type { TimestampNs } from '../../base/units.ts'
import { addNs, NS_PER_SECOND } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { Limits } from '../config.ts'
import type { BlockIndex, CommonError } from '../types.ts'

export type Deduplication = {
  /** By transaction hash in hexadecimal. */
  readonly indices: Map<string, BlockIndex>
  /** Oldest first, from `head` on; what lies before `head` has left. */
  queue: Remembered[]
  head: number
}

type Remembered = { readonly at: TimestampNs; readonly hash: string }

/** Places of the queue that may lie before `head` before they are given back. */
const UNUSED_MAX = 1024

export const emptyDeduplication = (): Deduplication => ({ indices: new Map(), queue: [], head: 0 })

export const rememberedCount = (deduplication: View<Deduplication>): number =>
  deduplication.queue.length - deduplication.head

/** §5 step 1: how many entries at the head are too old to matter, at most what one call drops. */
export function purgeableCount(
  { queue, head }: View<Deduplication>,
  limits: Limits,
  now: TimestampNs,
): number {
  const keptNs = limits.transactionWindowNs + limits.permittedDriftNs
  const end = Math.min(queue.length, head + limits.transactionsToPurgeMax)
  let at = head
  while (at < end && addNs(entryAt(queue, at).at, keptNs) < now) at++
  return at - head
}

/** §5 step 2: whether transactions come so fast that the window could overflow. */
export function isThrottled(
  { queue, head }: View<Deduplication>,
  limits: Limits,
  now: TimestampNs,
): boolean {
  const count = queue.length - head
  if (count < Math.floor(limits.transactionsInWindowMax / 2)) return false
  const windowSeconds = Number(limits.transactionWindowNs / NS_PER_SECOND)
  const perSecond = Math.ceil((0.5 * limits.transactionsInWindowMax) / windowSeconds)
  const place = Math.max(0, count - perSecond)
  const entry = queue[head + place]
  return entry !== undefined && addNs(entry.at, NS_PER_SECOND) > now
}

/** §5 step 4: what the creation time and the transactions of the window forbid. */
export function refuseByTime(
  deduplication: View<Deduplication>,
  { createdAtTime, hash }: { readonly createdAtTime: TimestampNs; readonly hash: Hash32 },
  limits: Limits,
  now: TimestampNs,
): CommonError | undefined {
  if (addNs(createdAtTime, limits.transactionWindowNs) < now) return { type: 'tooOld' }
  if (createdAtTime > addNs(now, limits.permittedDriftNs))
    return { type: 'createdInFuture', ledgerTime: now }
  const duplicateOf = deduplication.indices.get(toHex(hash))
  return duplicateOf === undefined ? undefined : { type: 'duplicate', duplicateOf }
}

/** §5 step 7. */
export function remember(
  deduplication: Deduplication,
  transaction: { readonly hash: Hash32; readonly index: BlockIndex; readonly at: TimestampNs },
): void {
  const hash = toHex(transaction.hash)
  deduplication.indices.set(hash, transaction.index)
  deduplication.queue.push({ at: transaction.at, hash })
}

/** Drops the `count` oldest entries. */
export function purge(deduplication: Deduplication, count: number): void {
  for (let i = 0; i < count; i++)
    deduplication.indices.delete(entryAt(deduplication.queue, deduplication.head + i).hash)
  deduplication.head += count
  // Copying the rest when at least as much has left keeps a drop at constant cost.
  if (deduplication.head > UNUSED_MAX && 2 * deduplication.head > deduplication.queue.length) {
    deduplication.queue = deduplication.queue.slice(deduplication.head)
    deduplication.head = 0
  }
}

const entryAt = (queue: readonly Remembered[], place: number): Remembered =>
  present(queue[place], 'a place within the deduplication queue')
