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
import { inItsToken } from './operation-token.ts'
import { lookForApproval, lookForBurn } from './redeem.ts'
import { refreshRedemption } from './redemption-status.ts'
import { findTransfer } from './transfer.ts'

/** The operation as it is now; what is new has been written down. */
export async function refresh(asked: Operating, operation: Operation): Promise<Operation> {
  if (!isOpen(operation)) return operation
  const operating = inItsToken(asked, operation)
  switch (operation.kind) {
    case 'transfer':
      return refreshSent(operating, operation, (certified) =>
        findTransfer(operating, operation, certified),
      )
    case 'approve':
      return refreshSent(operating, operation, (certified) =>
        findApproval(operating, operation, { certified }),
      )
    case 'deposit': {
      const watch = new DepositWatch(operating, operation, { account: operating.account })
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
  find: (certified: boolean) => Promise<{ readonly index: bigint } | undefined>,
): Promise<Operation> {
  const { journal } = operating
  const wasSent = textFact(operation, 'requestId') !== undefined
  let found = await find(false)
  if (found === undefined && wasSent) {
    if (await mayStillHappen(operating, operation))
      return operation.state === 'unknown'
        ? operation
        : journal.update(operation.id, { state: 'unknown' })
    found = await find(true)
  }
  if (found === undefined) return neverExecuted(operating, operation)
  const facts = { blockIndex: String(found.index) }
  return journal.update(operation.id, { state: 'done', facts })
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
  if (burned === 'open') return operation
  if (burned !== 'none') return refreshRedemption(operating, burned)
  if (bigintFact(operation, 'burnSubmittedAtNs') !== undefined)
    return operating.journal.update(operation.id, {
      state: 'planned',
      // Proven once is enough.
      facts: { stage: 'approved', burnSubmittedAtNs: null },
    })
  const approved =
    textFact(operation, 'stage') === 'approved'
      ? operation
      : await lookForApproval(operating, operation)
  if (textFact(approved, 'stage') === 'approved') return approved
  return (await mayStillHappen(operating, approved, 'approval_'))
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
