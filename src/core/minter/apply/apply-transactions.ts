/** Events of Bitcoin transactions, from signing to final. Source: minter §§12–14, 18.2. */
import { equalBytes } from '../../base/bytes.ts'
import { present } from '../../base/errors.ts'
import { decodeTransaction, encodeTransaction, txid as txidOf } from '../../btc/transaction.ts'
import type { Payload } from '../events/events.ts'
import { placeBurns, settleBurns } from '../state/burn-places.ts'
import { owedAfterCancellation } from '../state/cancelled.ts'
import { requirePaid } from '../state/consolidation-fees.ts'
import { chainOf } from '../state/replacement-chain.ts'
import { forgetCoin, giveBackCoin, takeCoins } from '../state/spent-coins.ts'
import type {
  Purpose,
  SigningPurpose,
  SigningTransaction,
  State,
  SubmittedTransaction,
  TxidKey,
  WithdrawalRequest,
} from '../state/state.ts'
import { burnsOf, keyOfTxid, keyOfUtxo, signingKey } from '../state/state.ts'
import { withWitnesses } from '../transactions/signed-transaction.ts'
import type { Utxo, WithdrawalFee } from '../types.ts'
import { finishConsolidation } from './apply-consolidation.ts'
import { takeFromQueue } from './apply-withdrawals.ts'
import { brought, consistent } from './consistency.ts'

type SoloPurpose = Exclude<SigningPurpose, { readonly type: 'toReplace' }>

export function startSigning(state: State, payload: Payload<'xSigningStarted'>): void {
  const transaction = decodeTransaction(payload.unsignedTransaction)
  const txid = txidOf(transaction)
  const sameInputs =
    transaction.inputs.length === payload.utxos.length &&
    transaction.inputs.every(({ outpoint }, i) => isOutpointOf(payload.utxos[i], outpoint))
  consistent(sameInputs, 'an unsigned transaction spends other coins than its event names')
  const key = keyOfTxid(txid)
  const isKnown = state.signing.has(key) || state.submitted.has(key) || state.stuck.has(key)
  consistent(!isKnown, 'a transaction is signed twice')
  const purpose = signingPurpose(state, key, payload)
  if (purpose.type !== 'toReplace')
    placeBurns(state, burnsOf(purpose), { type: 'signing', txid: key })
  state.signing.set(key, {
    purpose,
    txid,
    utxos: payload.utxos,
    transaction,
    changeOutput: payload.changeOutput,
    withdrawalFee: payload.withdrawalFee,
    signed: new Map(),
    firstAttempt: state.nextAttempt,
    failures: new Map(),
  })
}

/** What is replaced keeps its coins and its requests until the replacement is complete. */
function signingPurpose(
  state: State,
  key: TxidKey,
  payload: Payload<'xSigningStarted'>,
): SigningPurpose {
  const { replaces, requests, utxos } = payload
  if (replaces === undefined) {
    takeCoins(state, utxos, key)
    return takeRequests(state, requests)
  }
  const { oldTxid, reason } = replaces
  consistent(requests.length === 0, 'a replacement takes requests out of the queue')
  const oldKey = keyOfTxid(oldTxid)
  const old = brought(state.submitted.get(oldKey), `${oldKey} is replaced and was not submitted`)
  const isReplaced = [...state.signing.values()].some(
    ({ purpose }) => purpose.type === 'toReplace' && equalBytes(purpose.oldTxid, oldTxid),
  )
  consistent(!isReplaced, `${oldKey} is replaced twice`)
  replacementPurpose(old, { reason, newUtxos: utxos })
  return { type: 'toReplace', oldTxid, reason }
}

const isOutpointOf = (utxo: Utxo | undefined, outpoint: Utxo['outpoint']): boolean =>
  utxo !== undefined &&
  utxo.outpoint.vout === outpoint.vout &&
  equalBytes(utxo.outpoint.txid, outpoint.txid)

const signingOf = (state: State, txid: Uint8Array): SigningTransaction =>
  brought(state.signing.get(keyOfTxid(txid)), 'a signature for a transaction that nobody signs')

export function signInput(state: State, payload: Payload<'xInputSigned'>): void {
  const { txid, input, publicKey, signature } = payload
  const { signed, utxos } = signingOf(state, txid)
  consistent(input < utxos.length, `input ${input} is signed and does not exist`)
  consistent(!signed.has(input), `input ${input} is signed twice`)
  signed.set(input, { publicKey, signature })
}

export function failSignature(state: State, payload: Payload<'xSignatureFailed'>): void {
  const { failures, utxos } = signingOf(state, payload.txid)
  consistent(payload.input < utxos.length, `input ${payload.input} failed and does not exist`)
  failures.set(payload.input, (failures.get(payload.input) ?? 0) + 1)
}

/**
 * The point of no return: from here on the inputs serve this transaction or a replacement [H 2].
 */
export function submitTransaction(state: State, payload: Payload<'sentTransaction'>): void {
  const key = keyOfTxid(payload.txid)
  consistent(!state.submitted.has(key) && !state.stuck.has(key), 'a transaction is sent twice')
  const purpose = purposeOf(state, payload)
  placeBurns(state, burnsOf(purpose), { type: 'submitted', txid: key })
  if (purpose.type === 'toConsolidate')
    requirePaid(state.consolidationFees, payload.withdrawalFee?.bitcoinFee ?? 0n)
  state.submitted.set(key, {
    purpose,
    txid: payload.txid,
    utxos: payload.utxos,
    submittedAt: payload.submittedAt,
    changeOutput: payload.changeOutput,
    feeRate: payload.fee,
    withdrawalFee: payload.withdrawalFee,
    signedTransaction: payload.signedTransaction,
  })
  state.lastSubmissionAt = payload.submittedAt
}

/**
 * Logs of the deployed minter have no signing before: coins and requests leave their places here.
 */
function purposeOf(state: State, payload: Payload<'sentTransaction'>): Purpose {
  const { requests, txid, utxos } = payload
  const key = keyOfTxid(txid)
  const purpose = state.signing.get(key)?.purpose
  if (purpose === undefined) {
    takeCoins(state, utxos, key)
    return takeRequests(state, requests)
  }
  consistent(purpose.type !== 'toReplace', 'a replacement is sent as if it replaced nothing')
  const burns = burnsOf(purpose)
  const same = burns.length === requests.length && burns.every((burn, i) => burn === requests[i])
  consistent(same, 'a transaction is sent for other requests than it was signed for')
  state.signing.delete(key)
  return purpose
}

/** Out of the queue; the current consolidation stays where it is. */
function takeRequests(state: State, requests: readonly bigint[]): SoloPurpose {
  const { consolidation } = state
  if (consolidation !== undefined && requests.includes(consolidation.blockIndex)) {
    consistent(requests.length === 1, 'a consolidation shares its transaction')
    return { type: 'toConsolidate', request: consolidation }
  }
  return { type: 'toConfirm', requests: requests.map((burn) => takeFromQueue(state, burn)) }
}

export function replaceTransaction(state: State, payload: Payload<'replacedTransaction'>): void {
  const oldKey = keyOfTxid(payload.oldTxid)
  const newKey = keyOfTxid(payload.newTxid)
  const isKnown = state.submitted.has(newKey) || state.stuck.has(newKey)
  consistent(oldKey !== newKey && !isKnown, 'a transaction replaces itself or another')
  const old = brought(state.submitted.get(oldKey), `${oldKey} is replaced and was not submitted`)
  const signing = takeReplacement(state, payload)
  state.submitted.delete(oldKey)
  forgetSending(state, oldKey)
  state.stuck.set(oldKey, old)
  state.replacedBy.set(oldKey, newKey)
  state.replaces.set(newKey, oldKey)
  const purpose = replacementPurpose(old, payload)
  placeBurns(state, burnsOf(purpose), { type: 'submitted', txid: newKey })
  state.submitted.set(newKey, {
    purpose,
    txid: payload.newTxid,
    utxos: payload.newUtxos ?? old.utxos,
    submittedAt: payload.submittedAt,
    changeOutput: payload.changeOutput,
    feeRate: payload.fee,
    withdrawalFee: payload.withdrawalFee,
    signedTransaction: signing && encodeTransaction(withWitnesses(signing)),
  })
}

/** The event has no bytes: they are made of the signatures that came before it [H 2]. */
function takeReplacement(
  state: State,
  { oldTxid, newTxid, reason, newUtxos }: Payload<'replacedTransaction'>,
): SigningTransaction | undefined {
  const signing = state.signing.get(keyOfTxid(newTxid))
  if (signing === undefined) return undefined // A log of the deployed minter.
  const { purpose, utxos } = signing
  consistent(
    purpose.type === 'toReplace' &&
      equalBytes(purpose.oldTxid, oldTxid) &&
      purpose.reason.type === (reason?.type ?? 'toRetry') &&
      (newUtxos === undefined || isSameCoins(newUtxos, utxos)),
    'a transaction is replaced in another way than it was signed for',
  )
  state.signing.delete(keyOfTxid(newTxid))
  return signing
}

function isSameCoins(a: readonly Utxo[], b: readonly Utxo[]): boolean {
  const keys = new Set(a.map(keyOfUtxo))
  return a.length === b.length && b.every((utxo) => keys.has(keyOfUtxo(utxo)))
}

function replacementPurpose(
  old: SubmittedTransaction,
  { reason, newUtxos }: Pick<Payload<'replacedTransaction'>, 'reason' | 'newUtxos'>,
): Purpose {
  if (reason === undefined || reason.type === 'toRetry') {
    const isSame = newUtxos === undefined || isSameCoins(newUtxos, old.utxos)
    consistent(isSame, 'a transaction is replaced by one that spends other coins')
    return old.purpose
  }
  const { purpose } = old
  consistent(purpose.type === 'toConfirm', 'only withdrawals are cancelled')
  const oldKeys = new Set(old.utxos.map(keyOfUtxo))
  const isSubset = newUtxos?.every((utxo) => oldKeys.has(keyOfUtxo(utxo))) ?? false
  consistent(isSubset, 'a cancellation spends coins of another transaction')
  return { type: 'toCancel', requests: purpose.requests, error: reason.error }
}

export function confirmTransaction(state: State, txid: Uint8Array): void {
  const key = keyOfTxid(txid)
  const found = state.submitted.get(key) ?? state.stuck.get(key)
  const confirmed = brought(found, `${key} is confirmed and was not submitted`)
  const chain = chainOf(state, key)
  for (const utxo of confirmed.utxos) forgetCoin(state, utxo)
  finalize(state, confirmed)
  if (confirmed.purpose.type === 'toCancel') returnUnusedCoins(state, chain)
  for (const member of chain) dropTransaction(state, member)
  giveUpReplacements(state, chain)
}

/** Their inputs are spent by a transaction that is final: what is half signed can never confirm. */
export function giveUpReplacements(state: State, chain: readonly TxidKey[]): void {
  const { open, resting } = state.volatile
  for (const [key, { purpose, utxos }] of state.signing) {
    if (purpose.type !== 'toReplace' || !chain.includes(keyOfTxid(purpose.oldTxid))) continue
    state.signing.delete(key)
    for (let input = 0; input < utxos.length; input++) {
      open.delete(signingKey(key, input))
      resting.delete(signingKey(key, input))
    }
  }
}

function finalize(state: State, { purpose, txid, withdrawalFee }: SubmittedTransaction): void {
  const finish = (request: WithdrawalRequest): void => {
    state.finalized.set(request.blockIndex, { request, txid })
  }
  settleBurns(state, burnsOf(purpose))
  if (purpose.type === 'toConsolidate') {
    state.finalized.set(purpose.request.blockIndex, { request: purpose.request, txid })
    finishConsolidation(state, withdrawalFee?.bitcoinFee ?? 0n)
    return // Its minter fee goes from one output of ours to the other.
  }
  if (purpose.type === 'toConfirm') purpose.requests.forEach(finish)
  if (purpose.type === 'toCancel') cancel(state, purpose, withdrawalFee)
  state.earnings.minterFees += withdrawalFee?.minterFee ?? 0n
}

/**
 * Nothing can pay them any more: each is owed its amount less its share of what the cancellation
 * cost (§14.3). A share above the amount is the minter's loss.
 */
function cancel(
  state: State,
  { requests, error }: Extract<Purpose, { readonly type: 'toCancel' }>,
  fee: WithdrawalFee | undefined,
): void {
  const owed = owedAfterCancellation(requests, fee)
  requests.forEach((request, i) => {
    const { amount, share } = present(owed[i], 'each request has its share')
    state.cancelled.set(request.blockIndex, { request, amount, error })
    state.earnings.minterFees -= amount + share - request.amount
  })
}

/** Coins of the cancelled transactions that the cancellation did not need come back (§14.3). */
function returnUnusedCoins(state: State, chain: readonly TxidKey[]): void {
  for (const key of chain)
    for (const utxo of (state.submitted.get(key) ?? state.stuck.get(key))?.utxos ?? [])
      if (state.spentBy.has(keyOfUtxo(utxo))) giveBackCoin(state, utxo)
}

export function dropTransaction(state: State, key: TxidKey): void {
  state.submitted.delete(key)
  state.stuck.delete(key)
  state.replacedBy.delete(key)
  state.replaces.delete(key)
  forgetSending(state, key)
}

function forgetSending({ volatile }: State, key: TxidKey): void {
  volatile.unsent.delete(key)
  volatile.lastSent.delete(key)
  volatile.delayed.delete(key)
}
