/**
 * Where an operation is: asked of the network, never by spending. Implements `docs/spec/cli.md`
 * §§3.10, 3.11, 5.6.
 */
import { Problem } from '../../core/base/errors.ts'
import { findApproval } from './approve.ts'
import { DepositWatch } from './deposit.ts'
import type { Operating } from './operating.ts'
import { mayStillHappen } from './operating.ts'
import type { Operation } from './operation.ts'
import { bigintFact, isOpen, textFact } from './operation.ts'
import { lookForApproval, lookForBurn, refreshRedemption } from './redeem.ts'
import { findTransfer } from './transfer.ts'

/** The operation as it is now; what is new has been written down. */
export async function refresh(operating: Operating, operation: Operation): Promise<Operation> {
  if (!isOpen(operation)) return operation
  switch (operation.kind) {
    case 'transfer':
      return refreshSent(operating, operation, () => findTransfer(operating, operation))
    case 'approve':
      return refreshSent(operating, operation, () => findApproval(operating, operation))
    case 'deposit': {
      const watch = new DepositWatch(operating, operation, operating.account)
      await watch.look()
      return watch.operation
    }
    case 'redeem':
      return refreshRedeem(operating, operation)
  }
}

/** A call whose answer was lost is in the ledger's log, or never will be. */
async function refreshSent(
  operating: Operating,
  operation: Operation,
  find: () => Promise<{ readonly index: bigint } | undefined>,
): Promise<Operation> {
  const { journal } = operating
  const found = await find()
  if (found !== undefined)
    return journal.update(operation.id, {
      state: 'done',
      facts: { blockIndex: String(found.index) },
    })
  const wasSent = textFact(operation, 'requestId') !== undefined
  if (wasSent && mayStillHappen(operating, operation))
    return operation.state === 'unknown'
      ? operation
      : journal.update(operation.id, { state: 'unknown' })
  return neverExecuted(operating, operation)
}

/** Not sent, or expired without a block. Left alone while a process is at work on it. */
async function neverExecuted({ journal }: Operating, operation: Operation): Promise<Operation> {
  const end = (now: Operation): Operation =>
    now.state === operation.state && now.updatedAt === operation.updatedAt
      ? journal.update(now.id, { state: 'cancelled', facts: { error: 'never executed' } })
      : now
  try {
    return await journal.exclusively(operation.id, end, { waitMs: 0 })
  } catch (error) {
    if (error instanceof Problem && error.code === 'HOST_STATE_LOCKED') return operation
    throw error
  }
}

async function refreshRedeem(operating: Operating, operation: Operation): Promise<Operation> {
  if (bigintFact(operation, 'burnBlockIndex') !== undefined)
    return refreshRedemption(operating, operation)
  const burned = await lookForBurn(operating, operation)
  if (burned !== undefined) return refreshRedemption(operating, burned)
  if (bigintFact(operation, 'burnSubmittedAtNs') !== undefined) {
    if (mayStillHappen(operating, operation, 'burn_')) return operation
    return operating.journal.update(operation.id, {
      state: 'planned',
      facts: { stage: 'approved' },
    })
  }
  const approved =
    textFact(operation, 'stage') === 'approved'
      ? operation
      : await lookForApproval(operating, operation)
  if (textFact(approved, 'stage') === 'approved') return approved
  return mayStillHappen(operating, approved, 'approval_')
    ? approved
    : neverExecuted(operating, approved)
}

/** What happens next, and whether the user has to do it. */
export function nextStep(operation: Operation): {
  readonly next: string | null
  readonly needsAction: boolean
} {
  if (!isOpen(operation)) return { next: null, needsAction: false }
  const resume = { next: `ckbtc resume ${operation.id}`, needsAction: true }
  switch (operation.kind) {
    case 'transfer':
    case 'approve':
      return operation.state === 'planned'
        ? resume
        : { next: `ckbtc status ${operation.id}`, needsAction: false }
    case 'deposit':
      return { next: 'mints by itself when it is confirmed', needsAction: false }
    case 'redeem':
      return bigintFact(operation, 'burnBlockIndex') === undefined
        ? resume
        : { next: 'the subnet signs and sends; nothing to do', needsAction: false }
  }
}
