/** Transactions that end without being final: their coins and requests go on. Source: minter §§16, 18.2. */
import { placeBurns, settleBurns } from '../state/burn-places.ts'
import { giveBackCoin } from '../state/spent-coins.ts'
import type {
  Purpose,
  SigningTransaction,
  State,
  TxidKey,
  WithdrawalRequest,
} from '../state/state.ts'
import { signingKey } from '../state/state.ts'

/** Nobody signs it any more. Its coins are available again; its requests are the caller's to place. */
export function giveUpSigning(
  state: State,
  key: TxidKey,
  { utxos, firstAttempt, failures }: SigningTransaction,
): void {
  const { open, resting } = state.volatile
  state.signing.delete(key)
  for (const [input, utxo] of utxos.entries()) {
    open.delete(signingKey(key, input))
    resting.delete(signingKey(key, input))
    giveBackCoin(state, utxo)
  }
  // The same coins can make the same transaction again, and no request is made twice.
  const attempts = firstAttempt + Math.max(0, ...failures.values())
  state.nextAttempt = Math.max(state.nextAttempt, attempts + 1)
}

/** What a transaction was for waits again: withdrawals in the queue, a burn for the next one. */
export function releaseRequests(
  state: State,
  purpose: Exclude<Purpose, { readonly type: 'toCancel' }>,
): void {
  if (purpose.type === 'toConfirm') {
    for (const request of purpose.requests) requeue(state, request)
    return
  }
  const { blockIndex } = purpose.request
  settleBurns(state, [blockIndex])
  state.consolidation = undefined
  state.consolidationFees.unusedBurn = blockIndex
}

/** At its old place: behind all that came before it. */
function requeue(state: State, request: WithdrawalRequest): void {
  const later = state.queue.findIndex(({ receivedAt }) => receivedAt > request.receivedAt)
  state.queue.splice(later < 0 ? state.queue.length : later, 0, request)
  placeBurns(state, [request.blockIndex], { type: 'queued', request })
}
