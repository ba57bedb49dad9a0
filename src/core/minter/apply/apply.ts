/** The only writer of durable state, live and on replay alike. Source: minter §18.2. */

import type { Config } from '../config.ts'
import { configOfInit, configOfUpgrade } from '../config.ts'
import type { Event, Payload, PayloadType } from '../events/events.ts'
import { distributeKytFee, oweForRefusal } from '../events/owed-kyt.ts'
import type { State } from '../state/state.ts'
import { endCall, resolveReimbursement, startCall } from './apply-calls.ts'
import { abortConsolidation, createConsolidation, payConsolidation } from './apply-consolidation.ts'
import {
  addDonation,
  addUtxos,
  markChecked,
  markCheckedLegacy,
  suspend,
  suspendLegacy,
} from './apply-deposits.ts'
import { adoptCoin, writeOff } from './apply-losses.ts'
import {
  confirmTransaction,
  failSignature,
  replaceTransaction,
  signInput,
  startSigning,
  submitTransaction,
} from './apply-transactions.ts'
import {
  acceptRequest,
  finishDepositReimbursement,
  finishReimbursement,
  holdRequest,
  quarantineReimbursement,
  removeRequest,
  scheduleDepositReimbursement,
  scheduleReimbursement,
} from './apply-withdrawals.ts'

type Writer<T extends PayloadType> = (state: State, payload: Payload<T>) => void

/** One writer for each kind of event; a kind without one does not compile. */
const writers: { readonly [T in PayloadType]: Writer<T> } = {
  init: (state, { args }) => configure(state, configOfInit(args), args.retrieveMinAmount),
  upgrade: (state, { args }) =>
    configure(state, configOfUpgrade(state.config, args), args.retrieveMinAmount),
  receivedUtxos: addUtxos,
  checkedUtxo: markCheckedLegacy,
  checkedUtxoV2: (state, { utxo, account }) => markChecked(state, { utxo, account }, 'clean'),
  checkedUtxoMintUnknown: (state, { utxo, account }) =>
    markChecked(state, { utxo, account }, 'cleanButMintUnknown'),
  ignoredUtxo: (state, { utxo }) => suspendLegacy(state, { utxo, reason: 'valueTooSmall' }),
  suspendedUtxo: suspend,
  xLedgerCall: startCall,
  xLedgerCallEnded: (state, { createdAtTime }) => endCall(state, createdAtTime),
  xResolvedUnknown: resolveReimbursement,
  xConsolidationBurned: payConsolidation,
  xAbortedConsolidation: abortConsolidation,
  xWrittenOff: writeOff,
  xAdoptedCoin: adoptCoin,
  xDonation: (state, { utxo }) => addDonation(state, utxo),
  acceptedRetrieveBtcRequest: acceptRequest,
  removedRetrieveBtcRequest: (state, { blockIndex }) => removeRequest(state, blockIndex),
  xHeldRequest: holdRequest,
  createdConsolidateUtxosRequest: createConsolidation,
  distributedKytFee: distributeKytFee,
  retrieveBtcKytFailed: (state, { kytProvider }) => oweForRefusal(state, kytProvider),
  scheduleDepositReimbursement,
  reimbursedFailedDeposit: finishDepositReimbursement,
  scheduleWithdrawalReimbursement: (state, payload) =>
    scheduleReimbursement(state, payload, { type: 'invalidTransaction', error: payload.error }),
  xScheduleReimbursement: (state, payload) =>
    scheduleReimbursement(state, payload, { type: 'feesTooHigh' }),
  quarantinedWithdrawalReimbursement: (state, { burnBlockIndex }) =>
    quarantineReimbursement(state, burnBlockIndex),
  reimbursedWithdrawal: finishReimbursement,
  xSigningStarted: startSigning,
  xInputSigned: signInput,
  xSignatureFailed: failSignature,
  sentTransaction: submitTransaction,
  replacedTransaction: replaceTransaction,
  confirmedTransaction: (state, { txid }) => confirmTransaction(state, txid),
}

/**
 * Writes one event into the state. One that cannot follow is `BadEncoding`: the log is
 * inconsistent.
 */
export function apply(state: State, { payload }: Event): void {
  write(state, payload)
}

function write<T extends PayloadType>(state: State, payload: Payload<T>): void {
  writers[payload.type](state, payload)
}

/** A new configured minimum holds until the fees say more (§10.1). */
function configure(state: State, config: Config, retrieveMin: bigint | undefined): void {
  state.config = config
  if (retrieveMin !== undefined) state.volatile.fees.withdrawalMin = retrieveMin
}
