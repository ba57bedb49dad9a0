/** What a withdrawal waits for. Source: minter §§8, 12–15, 22, 3. */
import { addNs } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { Context } from '../context.ts'
import { hasLost } from '../losses/lost-coins.ts'
import { queuePosition } from '../state/burn-places.ts'
import { fundsOf } from '../state/coin-set.ts'
import { liveTransaction, replacedOf } from '../state/replacement-chain.ts'
import type {
  BurnIndex,
  Delay,
  SigningTransaction,
  SubmittedTransaction,
  TxidKey,
  WithdrawalRequest,
} from '../state/state.ts'
import { sumOf } from '../state/state.ts'
import { isBroken } from '../state/stopped.ts'

export type Wait =
  /** For a person: the minter has stopped, for its state is broken (§18.5). */
  | { readonly type: 'stopped' }
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
  | {
      readonly type: 'confirmations'
      readonly have: number
      readonly required: number
      /** When it is replaced at a higher fee, if it has no confirmation by then. */
      readonly replacedAt?: bigint | undefined
      /** Why it could not be replaced when it was due. */
      readonly delay?: Delay['reason'] | undefined
    }
  /** For the confirmations of a transaction that frees the coins; then it is returned. */
  | { readonly type: 'cancellation'; readonly have: number; readonly required: number }
  /** For the mint that gives it back; tried every round. */
  | { readonly type: 'return' }
  /** Whether it was given back is not known; a person or the ledger must tell. */
  | { readonly type: 'unknownReturn' }

/** Undefined: it waits for nothing any more, or is not known. */
export function waitOf(context: Context, burn: BurnIndex): Wait | undefined {
  const { state } = context
  const place = state.burnPlaces.get(burn)
  const isReturned =
    state.reimbursements.has(burn) ||
    state.depositReimbursements.has(burn) ||
    state.cancelled.has(burn)
  if (isBroken(context.volatile) && (place !== undefined || isReturned)) return { type: 'stopped' }
  if (isReturned) return { type: 'return' }
  const returned = state.reimbursed.get(burn)
  if (returned !== undefined)
    return returned.mintBlockIndex === undefined ? { type: 'unknownReturn' } : undefined
  if (place === undefined) return undefined
  if (place.type === 'queued')
    return queued(context, place.request, queuePosition(state.queue, place.request))
  const signing = state.signing.get(place.txid)
  if (signing !== undefined) return signed(context, signing)
  const submitted = state.submitted.get(place.txid)
  return submitted && sent(context, place.txid, submitted)
}

function queued(context: Context, request: View<WithdrawalRequest>, ahead: number): Wait {
  const { state, volatile, settings } = context
  const { blockIndex, amount } = request
  if (volatile.root === undefined) return { type: 'key' }
  if (volatile.mustLook) return { type: 'view' }
  const heldSince = state.held.get(blockIndex)
  if (heldSince !== undefined)
    return { type: 'fees', since: heldSince, until: addNs(heldSince, settings.holdNs) }
  const lost = sumOf(volatile.lost.values())
  const available = fundsOf({ coins: state.coins, without: volatile.lost })
  if (amount > available && amount <= available + lost) return { type: 'lostCoins', amount: lost }
  const passedOverSince = volatile.passedOverSince.get(blockIndex)
  if (amount > available || passedOverSince !== undefined)
    return { type: 'funds', available, ...(passedOverSince && { passedOverSince }) }
  const oldest = state.queue.find(({ blockIndex }) => !state.held.has(blockIndex)) ?? request
  const until = addNs(oldest.receivedAt, state.config.maxTimeInQueueNs)
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
function sent(context: Context, key: TxidKey, newest: View<SubmittedTransaction>): Wait {
  const { state, volatile, ports, settings } = context
  const required = state.config.minConfirmations
  let [have, counted] = [0, newest]
  for (const each of replacedOf(state, key)) {
    const transaction = liveTransaction(state, each)
    const depth = transaction === undefined ? 0 : ports.bitcoin.confirmations(transaction.txid)
    if (transaction !== undefined && depth > have) [have, counted] = [depth, transaction]
  }
  if (have === 0 && volatile.unsent.has(key)) return { type: 'announcement' }
  if (counted.purpose.type === 'toCancel') return { type: 'cancellation', have, required }
  const delay = volatile.delayed.get(key)?.reason
  const isReplaceable = have === 0 && newest.purpose.type !== 'toConsolidate'
  const replacedAt = addNs(newest.submittedAt, settings.resubmissionDelayNs)
  return {
    type: 'confirmations',
    have,
    required,
    ...(isReplaceable && { replacedAt }),
    ...(isReplaceable && delay && { delay }),
  }
}
