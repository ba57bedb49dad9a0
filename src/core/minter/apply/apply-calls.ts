/** Events of ledger calls whose outcome was not known at once. Source: minter §§5.3, 15, 18.6. */
import type { View } from '../../base/view.ts'
import { accountKey } from '../../ic/account.ts'
import type { CallPurpose, CallRecord, Payload } from '../events/events.ts'
import type { State } from '../state/state.ts'
import { keyOfUtxo } from '../state/state.ts'
import { brought, consistent } from './consistency.ts'

export function startCall(state: State, payload: Payload<'xLedgerCall'>): void {
  const { createdAtTime, amount, memo, purpose } = payload
  consistent(!state.calls.has(createdAtTime), `two ledger calls bear the time ${createdAtTime}`)
  if (purpose.type === 'deposit') {
    const key = keyOfUtxo(purpose.utxo)
    consistent(!state.mintedOutpoints.has(key), `${key} is minted after it was credited`) // [H 1]
  }
  const before = callFor(state, purpose)
  consistent(before === undefined, 'a ledger call is made again while its outcome is unknown')
  state.calls.set(createdAtTime, { createdAtTime, amount, memo, purpose })
  if (createdAtTime > state.volatile.lastCreatedAt) state.volatile.lastCreatedAt = createdAtTime
}

export function endCall(state: State, createdAtTime: bigint): void {
  consistent(state.calls.delete(createdAtTime), `no ledger call bears the time ${createdAtTime}`)
}

/** The event of its outcome is the end of a call: one step, so that none is settled twice. */
export function settleCall(state: State, purpose: CallPurpose): CallRecord | undefined {
  const call = callFor(state, purpose)
  if (call !== undefined) state.calls.delete(call.createdAtTime)
  return call
}

/** The call that is out for the same end. */
export function callFor(
  { calls }: { readonly calls: ReadonlyMap<bigint, View<CallRecord>> },
  purpose: View<CallPurpose>,
): View<CallRecord> | undefined {
  if (calls.size === 0) return undefined
  const end = endOf(purpose)
  return [...calls.values()].find((call) => endOf(call.purpose) === end)
}

/** What a call is for, as a key: two calls for one end would be a second mint, or a second burn. */
function endOf(purpose: View<CallPurpose>): string {
  switch (purpose.type) {
    case 'deposit':
      return `deposit ${keyOfUtxo(purpose.utxo)}`
    case 'withdrawal':
      return `withdrawal ${accountKey(purpose.account)}`
    case 'reimbursement':
      return `reimbursement ${purpose.burnBlockIndex}`
    case 'consolidation':
      return 'consolidation'
  }
}

/** A quarantined reimbursement is done, or due again. */
export function resolveReimbursement(state: State, payload: Payload<'xResolvedUnknown'>): void {
  const { burnBlockIndex: burn, mintBlockIndex } = payload
  const task = brought(state.reimbursed.get(burn), `burn ${burn} is resolved and was not unknown`)
  consistent(task.mintBlockIndex === undefined, `burn ${burn} is reimbursed and resolved`)
  consistent(mintBlockIndex !== burn, 'a burn and a mint share a block')
  const { account, amount, reason } = task
  settleCall(state, { type: 'reimbursement', account, burnBlockIndex: burn })
  if (mintBlockIndex === undefined) {
    state.reimbursed.delete(burn)
    state.reimbursements.set(burn, { account, amount, reason })
    return
  }
  state.reimbursedTotal += amount
  state.reimbursed.set(burn, { account, amount, reason, mintBlockIndex })
}
