/** Duplicates within the window, and throttling. Implements `docs/spec/ledger.md` §5. */
import type { Hash32 } from '../../base/bytes.ts'
import type { TimestampNs } from '../../base/units.ts'
import { addNs, NS_PER_SECOND } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { Limits } from '../config.ts'
import type { CommonError } from '../types.ts'
import type { RememberedQueue } from './remembered.ts'
import { indexOf, timeAt } from './remembered.ts'

/** §5 step 1: how many entries at the head are too old to matter, at most what one call drops. */
export function purgeableCount(
  queue: View<RememberedQueue>,
  limits: Limits,
  now: TimestampNs,
): number {
  const keptNs = limits.transactionWindowNs + limits.permittedDriftNs
  let count = 0
  while (count < limits.transactionsToPurgeMax) {
    const at = timeAt(queue, count)
    if (at === undefined || addNs(at, keptNs) >= now) break
    count++
  }
  return count
}

/** §5 step 2: whether transactions come so fast that the window could overflow. */
export function isThrottled(
  queue: View<RememberedQueue>,
  limits: Limits,
  now: TimestampNs,
): boolean {
  const { count } = queue
  if (count < Math.floor(limits.transactionsInWindowMax / 2)) return false
  const windowSeconds = Number(limits.transactionWindowNs / NS_PER_SECOND)
  const perSecond = Math.ceil((0.5 * limits.transactionsInWindowMax) / windowSeconds)
  const at = timeAt(queue, Math.max(0, count - perSecond))
  return at !== undefined && addNs(at, NS_PER_SECOND) > now
}

/** §5 step 4: what the creation time and the transactions of the window forbid. */
export function refuseByTime(
  queue: View<RememberedQueue>,
  { createdAtTime, hash }: { readonly createdAtTime: TimestampNs; readonly hash: Hash32 },
  limits: Limits,
  now: TimestampNs,
): CommonError | undefined {
  if (addNs(createdAtTime, limits.transactionWindowNs) < now) return { type: 'tooOld' }
  if (createdAtTime > addNs(now, limits.permittedDriftNs))
    return { type: 'createdInFuture', ledgerTime: now }
  const duplicateOf = indexOf(queue, hash)
  return duplicateOf === undefined ? undefined : { type: 'duplicate', duplicateOf }
}
