/** Where a withdrawal stands. Source: minter §7.3 [H 9]. */

import type { Account } from '../../ic/account.ts'
import { accountKey } from '../../ic/account.ts'
import type { Context } from '../context.ts'
import { owedAfterCancellation } from '../state/cancelled.ts'
import { namingBurn } from '../state/consolidation-fees.ts'
import type {
  ReimbursementReason,
  RetrieveBtcStatus,
  RetrieveBtcStatusV2,
  StatusOfBlock,
} from '../types.ts'

type Reader = Pick<Context, 'state' | 'volatile'>

/** The Candid type has no closer variant for the newer reasons. */
const CALL_FAILED: ReimbursementReason = { type: 'callFailed' }

/** The first that applies. */
export function statusOf(context: Reader, burn: bigint): RetrieveBtcStatusV2 {
  return (
    reimbursementStatus(context, burn) ??
    cancellationStatus(context, burn) ??
    statusV1(context, burn)
  )
}

/** The older query knows no reimbursements. */
export function statusV1({ state, volatile }: Reader, asked: bigint): RetrieveBtcStatus {
  const burn = namingBurn(state.consolidationFees, asked)
  const place = state.burnPlaces.get(burn)
  if (place?.type === 'queued') return { type: 'pending' }
  if (place?.type === 'signing') return { type: 'signing' }
  const submitted = place && state.submitted.get(place.txid)
  // What is being replaced is submitted, and stands there; a cancellation pays nobody.
  if (place !== undefined && submitted !== undefined && submitted.purpose.type !== 'toCancel')
    return { type: volatile.unsent.has(place.txid) ? 'sending' : 'submitted', txid: submitted.txid }
  if (state.consolidationFees.unusedBurn === burn) return { type: 'pending' }
  const finalized = state.finalized.get(burn)
  if (finalized === undefined) return { type: 'unknown' }
  const { txid } = finalized
  return txid === undefined ? { type: 'amountTooLow' } : { type: 'confirmed', txid }
}

function reimbursementStatus({ state }: Reader, burn: bigint): RetrieveBtcStatusV2 | undefined {
  const legacyTask = state.depositReimbursements.get(burn)
  if (legacyTask !== undefined) return { type: 'willReimburse', request: legacyTask }
  const task = state.reimbursements.get(burn)
  if (task !== undefined) {
    const { account, amount } = task
    return { type: 'willReimburse', request: { account, amount, reason: CALL_FAILED } }
  }
  const cancelled = state.cancelled.get(burn)
  const owner = cancelled?.request.reimbursementAccount
  if (cancelled !== undefined && owner !== undefined) {
    const request = { account: owner, amount: cancelled.amount, reason: CALL_FAILED }
    return { type: 'willReimburse', request }
  }
  const legacyDone = state.reimbursedDeposits.get(burn)
  if (legacyDone !== undefined) return { type: 'reimbursed', deposit: legacyDone }
  const done = state.reimbursed.get(burn)
  if (done === undefined) return undefined
  const { account, amount, mintBlockIndex } = done
  if (mintBlockIndex === undefined) return { type: 'unknown' } // Quarantined.
  const deposit = { account, amount, reason: CALL_FAILED, mintBlockIndex }
  return { type: 'reimbursed', deposit }
}

/** [H 9] Inside a cancelling transaction: what will come back once that is final. */
function cancellationStatus({ state }: Reader, burn: bigint): RetrieveBtcStatusV2 | undefined {
  const place = state.burnPlaces.get(burn)
  const submitted = place?.type === 'submitted' ? state.submitted.get(place.txid) : undefined
  if (submitted?.purpose.type !== 'toCancel') return undefined
  const { requests } = submitted.purpose
  const position = requests.findIndex(({ blockIndex }) => blockIndex === burn)
  const account = requests[position]?.reimbursementAccount
  if (account === undefined) return undefined
  const owed = owedAfterCancellation(requests, submitted.withdrawalFee)
  const amount = owed[position]?.amount ?? 0n
  return { type: 'willReimburse', request: { account, amount, reason: CALL_FAILED } }
}

/** Every burn of an account in order of acceptance. */
export function statusesOf(context: Reader, account: Account): readonly StatusOfBlock[] {
  const burns = context.state.accountBurns.get(accountKey(account)) ?? []
  return burns.map((blockIndex) => ({ blockIndex, status: statusOf(context, blockIndex) }))
}
