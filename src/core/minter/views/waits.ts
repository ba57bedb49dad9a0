/** What a withdrawal waits for. Source: minter §§8, 12–15, 22, 3. */
import type { View } from '../../base/view.ts'
import { fundsOf } from '../coin-set.ts'
import type { Context } from '../context.ts'
import { hasLost } from '../lost-coins.ts'
import type {
  BurnIndex,
  SigningTransaction,
  SubmittedTransaction,
  WithdrawalRequest,
} from '../state.ts'
import { requestsOf, sumOf } from '../state.ts'

export type Wait =
  /** The subnet is making the minter's key. */
  | { readonly type: 'key' }
  /** The view of Bitcoin is behind after a reorganisation. */
  | { readonly type: 'view' }
  /** For others to go with, not longer than `until`; `ahead` stand before it. */
  | { readonly type: 'queue'; readonly until: bigint; readonly ahead: number }
  /** For coins; passed over by smaller ones since then, if it was. */
  | {
      readonly type: 'funds'
      readonly available: bigint
      readonly passedOverSince?: bigint | undefined
    }
  /** For lower fees; returned at `until`. */
  | { readonly type: 'fees'; readonly since: bigint; readonly until: bigint }
  /** For coins that a reorganisation took back. */
  | { readonly type: 'lostCoins'; readonly amount: bigint }
  | {
      readonly type: 'signatures'
      readonly signed: number
      readonly inputs: number
      /** Requests for signatures that failed. */
      readonly failed: number
    }
  /** For the Bitcoin side to take the transaction. */
  | { readonly type: 'announcement' }
  | { readonly type: 'confirmations'; readonly have: number; readonly required: number }
  /** For the confirmations of a transaction that frees the coins; then it is returned. */
  | { readonly type: 'cancellation'; readonly have: number; readonly required: number }
  /** For the mint that gives it back; tried every round. */
  | { readonly type: 'return' }
  /** Whether it was given back is not known; a person or the ledger must tell. */
  | { readonly type: 'unknownReturn' }

/** Undefined: it waits for nothing any more, or is not known. */
export function waitOf(context: Context, burn: BurnIndex): Wait | undefined {
  const { state } = context
  const isIt = ({ blockIndex }: { readonly blockIndex: bigint }): boolean => blockIndex === burn
  if (state.reimbursements.has(burn) || state.depositReimbursements.has(burn))
    return { type: 'return' }
  const returned = state.reimbursed.get(burn)
  if (returned !== undefined)
    return returned.mintBlockIndex === undefined ? { type: 'unknownReturn' } : undefined
  if (state.finalized.has(burn)) return undefined
  const position = state.queue.findIndex(isIt)
  const request = state.queue[position]
  if (request !== undefined) return queued(context, request, position)
  for (const signing of state.signing.values())
    if (requestsOf(signing.purpose).some(isIt)) return signed(context, signing)
  for (const [key, submitted] of state.submitted)
    if (purposeHas(submitted, isIt)) return sent(context, key, submitted)
  return undefined
}

function purposeHas(
  { purpose }: View<SubmittedTransaction>,
  isIt: (request: { readonly blockIndex: bigint }) => boolean,
): boolean {
  return purpose.type === 'toConsolidate' ? isIt(purpose.request) : purpose.requests.some(isIt)
}

function queued(context: Context, request: View<WithdrawalRequest>, ahead: number): Wait {
  const { state, volatile, settings } = context
  const { blockIndex, amount } = request
  if (volatile.root === undefined) return { type: 'key' }
  if (volatile.mustLook) return { type: 'view' }
  const heldSince = state.held.get(blockIndex)
  if (heldSince !== undefined)
    return { type: 'fees', since: heldSince, until: heldSince + settings.holdNs }
  const lost = sumOf(volatile.lost.values())
  const available = fundsOf({ coins: state.coins, without: volatile.lost })
  if (amount > available && amount <= available + lost) return { type: 'lostCoins', amount: lost }
  const passedOverSince = volatile.passedOverSince.get(blockIndex)
  if (amount > available || passedOverSince !== undefined)
    return { type: 'funds', available, ...(passedOverSince && { passedOverSince }) }
  const oldest = state.queue.find(({ blockIndex }) => !state.held.has(blockIndex)) ?? request
  const until = oldest.receivedAt + state.config.maxTimeInQueueNs
  return { type: 'queue', until, ahead }
}

function signed(context: Context, signing: View<SigningTransaction>): Wait {
  const { volatile } = context
  const lost = signing.utxos.length > 0 && hasLost(context, signing.utxos)
  if (lost) return { type: 'lostCoins', amount: sumOf(volatile.lost.values()) }
  if (volatile.mustLook) return { type: 'view' }
  const failed = [...signing.failures.values()].reduce((sum, count) => sum + count, 0)
  return { type: 'signatures', signed: signing.signed.size, inputs: signing.utxos.length, failed }
}

/** Whichever of the chain of replacements is in a block counts. */
function sent(context: Context, key: string, transaction: View<SubmittedTransaction>): Wait {
  const { state, volatile, ports } = context
  const required = state.config.minConfirmations
  let have = ports.bitcoin.confirmations(transaction.txid)
  let isCancelling = transaction.purpose.type === 'toCancel'
  for (
    let older = state.replaces.get(key);
    older !== undefined;
    older = state.replaces.get(older)
  ) {
    const stuck = state.stuck.get(older)
    const depth = stuck === undefined ? 0 : ports.bitcoin.confirmations(stuck.txid)
    if (depth <= have) continue
    have = depth
    isCancelling = stuck?.purpose.type === 'toCancel'
  }
  if (have === 0 && volatile.unsent.has(key)) return { type: 'announcement' }
  return { type: isCancelling ? 'cancellation' : 'confirmations', have, required }
}
