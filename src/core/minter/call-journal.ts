/**
 * Ledger calls under a record, so that none is lost and none is made twice: what became of one whose
 * answer never came is read from the ledger's blocks. Source: minter §§5.3, 7.2, 15, 18.6 [H 5, H 7].
 */
import type { TimestampNs } from '../base/units.ts'
import { timestampNs, tokens } from '../base/units.ts'
import type { View } from '../base/view.ts'
import type { Account } from '../ic/account.ts'
import { sameAccount } from '../ic/account.ts'
import { feeCollectorOf } from './addresses.ts'
import { callFor } from './apply/apply-calls.ts'
import { LEDGER_WINDOW_NS, LOOK_PAUSE_MAX_NS } from './constants.ts'
import type { Context } from './context.ts'
import { ledgerCall, schedule } from './context.ts'
import type { CallPurpose, CallRecord } from './events/events.ts'
import { mustLookAnew } from './losses/lost-coins.ts'
import type { BlockSought, LedgerCall } from './ports.ts'
import type { InTransit } from './state/reserve.ts'
import { keyOfUtxo } from './state/state.ts'

type Asked = {
  readonly amount: bigint
  readonly memo: Uint8Array
  readonly purpose: CallPurpose
}

/**
 * Makes one call. Where its outcome is `ok` the caller records the event that it becomes, which
 * ends the record; every other outcome is dealt with here.
 */
export function callLedger<R extends { readonly type: string }>(
  context: Context,
  { amount, memo, purpose }: Asked,
  run: (call: LedgerCall) => R,
): R {
  const { ports, state, record } = context
  const call = ledgerCall(context, amount, memo)
  const { createdAtTime } = call
  const write = (): void => record({ type: 'xLedgerCall', createdAtTime, amount, memo, purpose })
  if (!ports.ledger.answersInStep) write()
  const result = run(call)
  const isOnRecord = state.calls.has(createdAtTime)
  if (result.type === 'unknown') {
    if (!isOnRecord) write()
    markUnknown(context, purpose)
    schedule(context, 'process', context.now + context.settings.processPeriodNs)
  } else if (result.type !== 'ok' && isOnRecord) record({ type: 'xLedgerCallEnded', createdAtTime })
  return result
}

/** True while a call for the same end may have been written. */
export const isInTransit = ({ state }: Pick<Context, 'state'>, purpose: CallPurpose): boolean =>
  callFor(state, purpose) !== undefined

/**
 * Reads what became of the calls that are on record, or of those of one account; what cannot be
 * told yet stays there.
 */
export function resolveCalls(context: Context, account?: Account): void {
  const { calls } = context.state
  if (calls.size === 0) return
  const open = [...calls.values()].filter(
    ({ purpose }) =>
      account === undefined ||
      (purpose.type !== 'consolidation' && sameAccount(purpose.account, account)),
  )
  // A crash may have come before the mark: nothing is minted again meanwhile.
  for (const { purpose } of open) markUnknown(context, purpose)
  for (const call of open) {
    const answer = context.ports.ledger.find(blockOf(context, call))
    if (answer.type === 'temporarilyUnavailable') return
    if (answer.type === 'found') settle(context, call, answer.blockIndex)
    else if (isOver(call, answer.ledgerTime)) giveUp(context, call)
  }
}

/**
 * When to look again: soon at first, then ever more rarely, and as soon as the ledger would refuse
 * the call.
 */
export function planNextLook(context: Context): void {
  const { now, settings } = context
  for (const { createdAtTime } of context.state.calls.values()) {
    const age = now - createdAtTime
    const pause = age < LOOK_PAUSE_MAX_NS ? age : LOOK_PAUSE_MAX_NS
    const { processPeriodNs } = settings
    schedule(context, 'process', now + (pause > processPeriodNs ? pause : processPeriodNs))
    const end = createdAtTime + LEDGER_WINDOW_NS + 1n
    if (end > now) schedule(context, 'process', end)
  }
}

/** The amounts of those that the ledger has, for the reserve equation (§18.5, 11). */
export function callsInTransit(context: Pick<Context, 'state' | 'ports'>): InTransit {
  const amounts = { minted: 0n, burned: 0n }
  for (const call of context.state.calls.values()) {
    const block = blockOf(context, call)
    if (context.ports.ledger.find(block).type !== 'found') continue
    amounts[block.operation === 'mint' ? 'minted' : 'burned'] += call.amount
  }
  return amounts
}

/** The ledger refuses a call from then on that it has not seen: none can come late any more. */
const isOver = ({ createdAtTime }: View<CallRecord>, ledgerTime: TimestampNs): boolean =>
  ledgerTime > createdAtTime + LEDGER_WINDOW_NS

/** The published log has its own words for a mint whose outcome is unknown (§5 step 8d, §15). */
function markUnknown({ state, record }: Context, purpose: CallPurpose): void {
  if (purpose.type === 'deposit') {
    const { utxo, account } = purpose
    if (state.checkedUtxos.get(keyOfUtxo(utxo))?.status !== 'cleanButMintUnknown')
      record({ type: 'checkedUtxoMintUnknown', utxo, account })
  }
  if (purpose.type === 'reimbursement') {
    const { burnBlockIndex } = purpose
    if (state.reimbursements.has(burnBlockIndex))
      record({ type: 'quarantinedWithdrawalReimbursement', burnBlockIndex })
  }
}

/** It was written: the event that the answer would have brought. */
function settle(context: Context, { amount, purpose }: CallRecord, blockIndex: bigint): void {
  const { record, now } = context
  switch (purpose.type) {
    case 'deposit': {
      const { account: toAccount, utxo } = purpose
      record({ type: 'receivedUtxos', mintTxid: blockIndex, toAccount, utxos: [utxo] })
      mustLookAnew(context.volatile) // Blocks may have left the chain since the call [H 15].
      break
    }
    case 'withdrawal': {
      const { account: reimbursementAccount, address } = purpose
      const request = { amount, address, blockIndex, receivedAt: now, reimbursementAccount }
      record({ type: 'acceptedRetrieveBtcRequest', ...request })
      break
    }
    case 'reimbursement': {
      const { burnBlockIndex } = purpose
      record({ type: 'xResolvedUnknown', burnBlockIndex, mintBlockIndex: blockIndex })
      break
    }
    case 'consolidation':
      record({ type: 'xConsolidationBurned', blockIndex, amount })
      break
  }
  schedule(context, 'process', now)
}

/** It was not, and never will be: all is as before the call. */
function giveUp({ record }: Context, { createdAtTime, purpose }: CallRecord): void {
  if (purpose.type === 'reimbursement') {
    record({ type: 'xResolvedUnknown', burnBlockIndex: purpose.burnBlockIndex })
    return
  }
  record({ type: 'xLedgerCallEnded', createdAtTime })
  if (purpose.type === 'deposit')
    record({ type: 'checkedUtxoV2', utxo: purpose.utxo, account: purpose.account })
}

function blockOf({ state }: Pick<Context, 'state'>, call: View<CallRecord>): BlockSought {
  const { purpose, memo } = call
  const common = {
    amount: tokens(call.amount),
    memo,
    createdAtTime: timestampNs(call.createdAtTime),
  }
  switch (purpose.type) {
    case 'deposit':
    case 'reimbursement':
      return { ...common, operation: 'mint', account: purpose.account, byAllowance: false }
    case 'withdrawal': {
      const { from: account, byAllowance } = purpose
      return { ...common, operation: 'burn', account, byAllowance }
    }
    case 'consolidation':
      return { ...common, operation: 'burn', account: feeCollectorOf(state), byAllowance: false }
  }
}
