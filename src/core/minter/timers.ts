/** When the minter does something by itself, and what. Source: minter §17 [H 14]. */
import type { TimestampNs } from '../base/units.ts'
import { timestampNs } from '../base/units.ts'
import { planNextLook, resolveCalls } from './call-journal.ts'
import type { Context } from './context.ts'
import { schedule } from './context.ts'
import { mintWatched } from './deposits/auto-mint.ts'
import { lookAgain } from './losses/lost-coins.ts'
import type { State, TxidKey } from './state/state.ts'
import { isBroken } from './state/stopped.ts'
import { scheduleCancelled } from './transactions/cancellation.ts'
import { findConfirmations, seenInChain } from './transactions/confirmation.ts'
import { consolidate } from './transactions/consolidation.ts'
import { refreshFees } from './transactions/fees.ts'
import { nextReplacementAt, resend, resubmit } from './transactions/resubmission.ts'
import { openRequests, submitComplete } from './transactions/signing.ts'
import { isBatchDue, submitPendingBatch } from './withdrawals/batch.ts'
import { isReimbursementDue, reimburse } from './withdrawals/reimbursement.ts'

/** At init and after an upgrade everything is due at once. */
export function scheduleAll(context: Pick<Context, 'volatile' | 'now'>): void {
  schedule(context, 'refreshFees', context.now)
  schedule(context, 'process', context.now)
  schedule(context, 'consolidate', context.now)
}

/** The earliest time at which something is due. */
export function nextTimer({ volatile }: Pick<State, 'volatile'>): TimestampNs | undefined {
  if (isBroken(volatile)) return undefined
  const [first] = [...volatile.tasks.values()].sort((a, b) => (a < b ? -1 : 1))
  return first === undefined ? undefined : timestampNs(first)
}

/**
 * Runs what is due. A round never throws, so each task plans its next run whatever happened in it.
 */
export function runDueTasks(context: Context): void {
  const { tasks } = context.volatile
  if (isBroken(context.volatile)) tasks.clear()
  const isDue = (at: bigint | undefined): boolean => at !== undefined && at <= context.now
  if (isDue(tasks.get('refreshFees'))) {
    tasks.delete('refreshFees')
    refreshFees(context)
    if (context.state.queue.length + context.volatile.delayed.size > 0)
      schedule(context, 'process', context.now)
    schedule(context, 'refreshFees', context.now + context.settings.refreshFeesPeriodNs)
  }
  if (isDue(tasks.get('mintWatched'))) {
    tasks.delete('mintWatched')
    mintWatched(context)
  }
  if (isDue(tasks.get('consolidate'))) {
    tasks.delete('consolidate')
    consolidate(context)
    schedule(context, 'consolidate', context.now + context.settings.consolidationPeriodNs)
  }
  if (isDue(tasks.get('process'))) {
    tasks.delete('process')
    const batchChanged = processRound(context)
    planNextRound(context, batchChanged)
  }
}

/**
 * Batch, confirmations, replacements, what is sent again, reimbursements, in this order; a step after
 * which an invariant does not hold is the last one (§18.5). True when the batch step changed anything.
 */
function processRound(context: Context): boolean {
  let batchChanged = false
  let seen: ReadonlySet<TxidKey> | undefined
  const steps: readonly (() => void)[] = [
    () => context.volatile.resting.clear(),
    () => resolveCalls(context),
    () => lookAgain(context),
    () => {
      batchChanged = submitPendingBatch(context)
    },
    () => {
      seen = seenInChain(context)
      if (seen !== undefined) findConfirmations(context, seen)
    },
    () => submitComplete(context),
    () => resubmit(context, seen),
    () => resend(context, seen),
    () => scheduleCancelled(context),
    () => reimburse(context),
    () => openRequests(context),
  ]
  for (const step of steps) if (!isBroken(context.volatile)) step()
  return batchChanged
}

/**
 * An idle minter asks for no slot: rounds go on only while the next one could change something.
 *
 * A request that waits for coins or lower fees is woken by what brings them: a block, a deposit, a
 * refresh.
 */
function planNextRound(context: Context, batchChanged: boolean): void {
  const { state, volatile, settings, now } = context
  const { held } = state
  const { passedOverSince } = volatile
  const ready = state.queue.filter(({ blockIndex }) => !held.has(blockIndex))
  const isReady = batchChanged && ready.length > 0 && isBatchDue(context)
  const waiting = volatile.resting.size + volatile.unsent.size
  if (isReady || waiting > 0 || isReimbursementDue(context))
    schedule(context, 'process', now + settings.processPeriodNs)
  planNextLook(context)
  const queueEnds = ready
    .slice(0, 1)
    .map(({ receivedAt }) => receivedAt + state.config.maxTimeInQueueNs + 1n) // Longer than it.
  const holdEnds = [...held.values()].map((since) => since + settings.holdNs)
  const turns = [...passedOverSince.values()].map((since) => since + settings.passedOverNs)
  const replacement = nextReplacementAt(context) ?? now
  for (const at of [...queueEnds, ...holdEnds, ...turns, replacement])
    if (at > now) schedule(context, 'process', at)
}
