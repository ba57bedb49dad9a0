/** When the minter does something by itself, and what. Implements `docs/spec/minter.md` §17 (embedded subnet) [H 14]. */
import type { TimestampNs } from '../base/units.ts'
import { timestampNs } from '../base/units.ts'
import { submitPendingBatch } from './batch.ts'
import { findConfirmations } from './confirmation.ts'
import type { Context } from './context.ts'
import { schedule } from './context.ts'
import { refreshFees } from './fees.ts'
import { reimburse } from './reimbursement.ts'
import { openRequests, sendTransaction } from './signing.ts'
import type { State } from './state.ts'

/** At init and after an upgrade everything is due at once. */
export function scheduleAll(context: Pick<Context, 'volatile' | 'now'>): void {
  schedule(context, 'refreshFees', context.now)
  schedule(context, 'process', context.now)
}

/** The earliest time at which something is due. */
export function nextTimer({ volatile }: Pick<State, 'volatile'>): TimestampNs | undefined {
  const [first] = [...volatile.tasks.values()].sort((a, b) => (a < b ? -1 : 1))
  return first === undefined ? undefined : timestampNs(first)
}

/** Runs what is due. A round never throws, so each task plans its next run whatever happened in it. */
export function runDueTasks(context: Context): void {
  const { tasks } = context.volatile
  const isDue = (at: bigint | undefined): boolean => at !== undefined && at <= context.now
  if (isDue(tasks.get('refreshFees'))) {
    tasks.delete('refreshFees')
    refreshFees(context)
    schedule(context, 'refreshFees', context.now + context.settings.refreshFeesPeriodNs)
  }
  if (isDue(tasks.get('process'))) {
    tasks.delete('process')
    processRound(context)
    planNextRound(context)
  }
}

/** Batch, confirmations, what was not sent, reimbursements, in this order. */
function processRound(context: Context): void {
  context.volatile.resting.clear()
  submitPendingBatch(context)
  findConfirmations(context)
  for (const key of [...context.volatile.unsent]) sendTransaction(context, key)
  reimburse(context)
  openRequests(context)
}

/** An idle minter asks for no slot: rounds go on only while one could change something. */
function planNextRound(context: Context): void {
  const { state, volatile, settings, now } = context
  const waiting = state.queue.filter(({ blockIndex }) => !state.held.has(blockIndex))
  const owed = [...state.reimbursements.values()].filter(({ amount }) => amount > 0n)
  const work = waiting.length + state.signing.size + owed.length + volatile.unsent.size
  if (work > 0) schedule(context, 'process', now + settings.processPeriodNs)
  const queueEnds = waiting.slice(0, 1).map(
    ({ receivedAt }) => receivedAt + state.config.maxTimeInQueueNs + 1n, // Longer than the limit.
  )
  const holdEnds = [...state.held.values()].map((since) => since + settings.holdNs)
  for (const at of [...queueEnds, ...holdEnds]) if (at > now) schedule(context, 'process', at)
}
