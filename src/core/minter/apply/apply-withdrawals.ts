/** Events of withdrawals beside their transaction: queue, holds, returns. Source: minter §18.2. */
import { assert, present } from '../../base/errors.ts'
import { accountKey } from '../../ic/account.ts'
import { REIMBURSEMENT_CHARGE } from '../constants.ts'
import type { Payload } from '../events/events.ts'
import { owe } from '../events/owed-kyt.ts'
import {
  isOnItsWay,
  placeBurns,
  queuedRequest,
  queuePosition,
  settleBurns,
} from '../state/burn-places.ts'
import type { Reimbursement, State, WithdrawalRequest } from '../state/state.ts'
import { callFor, settleCall } from './apply-calls.ts'
import { brought, consistent } from './consistency.ts'

export function acceptRequest(state: State, payload: Payload<'acceptedRetrieveBtcRequest'>): void {
  const { amount, address, blockIndex, receivedAt, kytProvider, reimbursementAccount } = payload
  const last = state.queue.at(-1)
  consistent(last === undefined || last.receivedAt <= receivedAt, 'the queue goes back in time')
  consistent(!isKnownBurn(state, blockIndex), `burn ${blockIndex} is accepted twice`)
  const request = { amount, address, blockIndex, receivedAt, kytProvider, reimbursementAccount }
  state.queue.push(request)
  placeBurns(state, [blockIndex], { type: 'queued', request })
  state.tokensBurned += amount
  if (kytProvider !== undefined) owe(state, kytProvider, state.config.checkFee)
  if (reimbursementAccount === undefined) return
  settleCall(state, {
    type: 'withdrawal',
    account: reimbursementAccount,
    address,
    from: reimbursementAccount,
    byAllowance: false,
  })
  const key = accountKey(reimbursementAccount)
  const burns = state.accountBurns.get(key)
  if (burns === undefined) state.accountBurns.set(key, [blockIndex])
  else burns.push(blockIndex)
}

/** A burn pays for one thing. */
export function isKnownBurn(state: State, burn: bigint): boolean {
  return (
    state.consolidation?.blockIndex === burn ||
    state.consolidationFees.unusedBurn === burn ||
    state.consolidationFees.joined.has(burn) ||
    state.finalized.has(burn) ||
    state.cancelled.has(burn) ||
    state.reimbursements.has(burn) ||
    state.reimbursed.has(burn) ||
    state.burnPlaces.has(burn)
  )
}

/** Takes a request out of the queue, which must hold it. */
export function takeFromQueue(state: State, burn: bigint): WithdrawalRequest {
  const pending = brought(queuedRequest(state, burn), `burn ${burn} is not pending`)
  const position = queuePosition(state.queue, pending)
  assert(position >= 0, 'the queue holds whom its index names')
  const [request] = state.queue.splice(position, 1)
  settleBurns(state, [burn])
  state.held.delete(burn)
  state.volatile.passedOverSince.delete(burn)
  return present(request, 'a position in the queue is taken')
}

/** Ended as AmountTooLow: the deployed minter returned nothing. */
export function removeRequest(state: State, burn: bigint): void {
  const request = takeFromQueue(state, burn)
  state.finalized.set(burn, { request, txid: undefined })
  state.earnings.amountsTooLow += request.amount
}

export function holdRequest(state: State, payload: Payload<'xHeldRequest'>): void {
  const { blockIndex, heldSince } = payload
  consistent(
    queuedRequest(state, blockIndex) !== undefined,
    `burn ${blockIndex} is held and not pending`,
  )
  consistent(!state.held.has(blockIndex), `burn ${blockIndex} is held twice`)
  state.held.set(blockIndex, heldSince)
}

export function scheduleDepositReimbursement(
  state: State,
  payload: Payload<'scheduleDepositReimbursement'>,
): void {
  const { account, burnBlockIndex, amount, reason } = payload
  if (reason.type === 'taintedDestination') owe(state, reason.kytProvider, reason.kytFee)
  state.depositReimbursements.set(burnBlockIndex, { account, amount, reason })
}

export function finishDepositReimbursement(
  state: State,
  payload: Payload<'reimbursedFailedDeposit'>,
): void {
  const { burnBlockIndex, mintBlockIndex } = payload
  const task = state.depositReimbursements.get(burnBlockIndex)
  const scheduled = brought(task, `burn ${burnBlockIndex} is reimbursed and was not scheduled`)
  consistent(burnBlockIndex !== mintBlockIndex, 'a burn and a mint share a block')
  state.depositReimbursements.delete(burnBlockIndex)
  state.reimbursedDeposits.set(burnBlockIndex, { ...scheduled, mintBlockIndex })
}

/** Certain by now: no transaction that pays this request can ever confirm (§15). */
export function scheduleReimbursement(
  state: State,
  task: {
    readonly account: Reimbursement['account']
    readonly burnBlockIndex: bigint
    readonly amount: bigint
  },
  reason: Reimbursement['reason'],
): void {
  const { account, burnBlockIndex: burn, amount } = task
  consistent(!isOnItsWay(state, burn), `burn ${burn} is reimbursed while a transaction pays it`)
  const isDone = state.reimbursements.has(burn) || state.reimbursed.has(burn)
  consistent(!isDone, `burn ${burn} is reimbursed twice`)
  consistent(!state.finalized.has(burn), `burn ${burn} is reimbursed after it was paid`)
  if (queuedRequest(state, burn) !== undefined) {
    const request = takeFromQueue(state, burn)
    consistent(amount <= request.amount, `burn ${burn} gives back more than was burned`)
    state.earnings.reimbursementCharges += request.amount - amount
  }
  const cancelled = state.cancelled.get(burn)
  if (cancelled !== undefined) {
    const { request } = cancelled
    consistent(amount <= request.amount, `burn ${burn} gives back more than was burned`)
    state.cancelled.delete(burn)
    state.earnings.reimbursementCharges += cancelled.amount - amount
  }
  state.reimbursements.set(burn, { account, amount, reason })
}

/** What is returned of a withdrawal that was never sent. */
export const lessCharge = (amount: bigint): bigint =>
  amount > REIMBURSEMENT_CHARGE ? amount - REIMBURSEMENT_CHARGE : 0n

/**
 * The published events leave out the end of a hold (`xScheduleReimbursement`): a burn that is
 * returned out of the queue was scheduled there, less the charge.
 */
function scheduleIfPending(state: State, burn: bigint): void {
  const request = queuedRequest(state, burn)
  const account = request?.reimbursementAccount
  if (request === undefined || account === undefined) return
  const task = { account, burnBlockIndex: burn, amount: lessCharge(request.amount) }
  scheduleReimbursement(state, task, { type: 'feesTooHigh' })
}

/**
 * They leave out `xResolvedUnknown` too: what is reimbursed after its quarantine had been found not
 * to be minted.
 */
function releaseIfQuarantined(state: State, burn: bigint): void {
  const task = state.reimbursed.get(burn)
  if (task === undefined || task.mintBlockIndex !== undefined) return
  const { account, amount, reason } = task
  const call = callFor(state, { type: 'reimbursement', account, burnBlockIndex: burn })
  consistent(call === undefined, `burn ${burn} is reimbursed again before it is known`)
  state.reimbursed.delete(burn)
  state.reimbursements.set(burn, { account, amount, reason })
}

function takeReimbursement(state: State, burn: bigint): Reimbursement {
  scheduleIfPending(state, burn)
  releaseIfQuarantined(state, burn)
  const task = state.reimbursements.get(burn)
  state.reimbursements.delete(burn)
  return brought(task, `burn ${burn} is reimbursed and was not scheduled`)
}

export function finishReimbursement(state: State, payload: Payload<'reimbursedWithdrawal'>): void {
  const { burnBlockIndex, mintBlockIndex } = payload
  consistent(burnBlockIndex !== mintBlockIndex, 'a burn and a mint share a block')
  const task = takeReimbursement(state, burnBlockIndex)
  const { account } = task
  settleCall(state, { type: 'reimbursement', account, burnBlockIndex })
  state.reimbursedTotal += task.amount
  state.reimbursed.set(burnBlockIndex, { ...task, mintBlockIndex })
}

export function quarantineReimbursement(state: State, burn: bigint): void {
  const task = takeReimbursement(state, burn)
  state.reimbursed.set(burn, { ...task, mintBlockIndex: undefined })
}
