/**
 * What the local subnet's nodes know of the payment that a redemption led to. Implements bitcoin §10.4
 * (EV-3): that it was sent is never all there is to say.
 */
import { CkbtcError } from '../core/base/errors.ts'
import type { TransactionReply } from '../host/control/protocol.ts'
import { openControl } from '../host/daemon.ts'
import type { Operation } from '../wallet/operations/operation.ts'
import { isOpen, textFact } from '../wallet/operations/operation.ts'
import type { Context } from './context.ts'
import type { Session } from './session.ts'

export type PaymentEvidence = NonNullable<TransactionReply['evidence']>

/** Undefined where it is not known, and once the minter takes it for final. */
export async function paymentEvidence(
  operation: Operation,
  { network, signal }: Session,
  { directories }: Context,
): Promise<PaymentEvidence | undefined> {
  const txid = textFact(operation, 'txid')
  const isWaiting = operation.kind === 'redeem' && isOpen(operation) && txid !== undefined
  if (network.kind !== 'local' || !isWaiting) return undefined
  try {
    const control = await openControl(directories)
    return (await control.ask('tx', { txid }, { signal }))?.evidence
  } catch (error) {
    // It adds to the answer; the answer does not depend on it.
    if (error instanceof CkbtcError) return undefined
    throw error
  }
}
