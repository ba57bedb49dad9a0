/** Events of Bitcoin transactions, from signing to final. Source: minter §§12–14, 18.2. */
import { equalBytes } from '../base/bytes.ts'
import { decodeTransaction, txid as txidOf } from '../btc/transaction.ts'
import { accountKey } from '../ic/account.ts'
import { takeFromQueue } from './apply-withdrawals.ts'
import { brought, consistent } from './consistency.ts'
import type { Payload } from './events.ts'
import type {
  Purpose,
  SigningTransaction,
  State,
  SubmittedTransaction,
  TxidKey,
  WithdrawalRequest,
} from './state.ts'
import { keyOfTxid, keyOfUtxo } from './state.ts'
import type { Utxo } from './types.ts'

export function startSigning(state: State, payload: Payload<'xSigningStarted'>): void {
  const transaction = decodeTransaction(payload.unsignedTransaction)
  const txid = txidOf(transaction)
  const sameInputs =
    transaction.inputs.length === payload.utxos.length &&
    transaction.inputs.every(({ outpoint }, i) => isOutpointOf(payload.utxos[i], outpoint))
  consistent(sameInputs, 'an unsigned transaction spends other coins than its event names')
  takeCoins(state, payload.utxos)
  state.signing.set(keyOfTxid(txid), {
    requests: payload.requests.map((burn) => takeFromQueue(state, burn)),
    txid,
    utxos: payload.utxos,
    transaction,
    changeOutput: payload.changeOutput,
    withdrawalFee: payload.withdrawalFee,
    signed: new Map(),
    failures: new Map(),
  })
}

const isOutpointOf = (utxo: Utxo | undefined, outpoint: Utxo['outpoint']): boolean =>
  utxo !== undefined &&
  utxo.outpoint.vout === outpoint.vout &&
  equalBytes(utxo.outpoint.txid, outpoint.txid)

function takeCoins(state: State, utxos: readonly Utxo[]): void {
  for (const utxo of utxos) {
    const key = keyOfUtxo(utxo)
    consistent(state.availableUtxos.delete(key), `${key} is spent and not available`)
  }
}

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
  state.submitted.set(key, {
    purpose: purposeOf(state, payload),
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
  const signing = state.signing.get(keyOfTxid(txid))
  if (signing !== undefined) {
    const burns = signing.requests.map(({ blockIndex }) => blockIndex)
    const same = burns.length === requests.length && burns.every((burn, i) => burn === requests[i])
    consistent(same, 'a transaction is sent for other requests than it was signed for')
    state.signing.delete(keyOfTxid(txid))
    return { type: 'toConfirm', requests: signing.requests }
  }
  takeCoins(state, utxos)
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
  consistent(oldKey !== newKey, 'a transaction replaces itself')
  const old = brought(state.submitted.get(oldKey), `${oldKey} is replaced and was not submitted`)
  state.submitted.delete(oldKey)
  state.volatile.unsent.delete(oldKey)
  state.stuck.set(oldKey, old)
  state.replacedBy.set(oldKey, newKey)
  state.replaces.set(newKey, oldKey)
  state.submitted.set(newKey, {
    purpose: replacementPurpose(old, payload),
    txid: payload.newTxid,
    utxos: payload.newUtxos ?? old.utxos,
    submittedAt: payload.submittedAt,
    changeOutput: payload.changeOutput,
    feeRate: payload.fee,
    withdrawalFee: payload.withdrawalFee,
    signedTransaction: undefined,
  })
}

function replacementPurpose(
  old: SubmittedTransaction,
  { reason, newUtxos }: Payload<'replacedTransaction'>,
): Purpose {
  if (reason === undefined || reason.type === 'toRetry') return old.purpose
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
}

/** All transactions that replace each other, `key` among them, oldest first. */
function chainOf(state: State, key: TxidKey): readonly TxidKey[] {
  let oldest = key
  for (let before = state.replaces.get(oldest); before !== undefined; ) {
    oldest = before
    before = state.replaces.get(oldest)
  }
  const chain: TxidKey[] = []
  for (let next: TxidKey | undefined = oldest; next !== undefined; ) {
    chain.push(next)
    next = state.replacedBy.get(next)
  }
  return chain
}

/** The coin is spent for good. `mintedOutpoints` remembers that it was credited [H 1]. */
function forgetCoin(state: State, utxo: Utxo): void {
  const key = keyOfUtxo(utxo)
  const account = state.outpointAccount.get(key)
  consistent(account !== undefined, `${key} is spent and belongs to nobody`)
  state.outpointAccount.delete(key)
  const owned = state.accountUtxos.get(accountKey(account))
  owned?.delete(key)
  if (owned?.size === 0) state.accountUtxos.delete(accountKey(account))
}

function finalize(state: State, { purpose, txid, withdrawalFee }: SubmittedTransaction): void {
  const finish = (request: WithdrawalRequest): void => {
    state.finalized.set(request.blockIndex, { request, txid })
  }
  if (purpose.type === 'toConsolidate') {
    state.finalized.set(purpose.request.blockIndex, { request: purpose.request, txid })
    state.consolidation = undefined
  }
  if (purpose.type === 'toConfirm') purpose.requests.forEach(finish)
  state.earnings.minterFees += withdrawalFee?.minterFee ?? 0n
}

/** Coins of the cancelled transactions that the cancellation did not need come back (§14.3). */
function returnUnusedCoins(state: State, chain: readonly TxidKey[]): void {
  for (const key of chain)
    for (const utxo of (state.submitted.get(key) ?? state.stuck.get(key))?.utxos ?? [])
      if (state.outpointAccount.has(keyOfUtxo(utxo)))
        state.availableUtxos.set(keyOfUtxo(utxo), utxo)
}

function dropTransaction(state: State, key: TxidKey): void {
  state.submitted.delete(key)
  state.stuck.delete(key)
  state.replacedBy.delete(key)
  state.replaces.delete(key)
  state.volatile.unsent.delete(key)
}
