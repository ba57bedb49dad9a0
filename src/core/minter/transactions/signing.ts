/** Collecting signatures as outstanding work, then sending. Source: minter §12 [H 2]. */
import { bigEndian, concat, fromBigEndian } from '../../base/bytes.ts'
import { present } from '../../base/errors.ts'
import { hash160 } from '../../base/hash.ts'
import { secp256k1 } from '../../base/noble-secp256k1.ts'
import { divFloor } from '../../base/units.ts'
import { verifyEcdsa } from '../../base/verification.ts'
import type { View } from '../../base/view.ts'
import type { SighashMidstate } from '../../btc/sighash.ts'
import {
  scriptCodeOfKeyHash,
  segwitSighash,
  sighashMidstate,
  sighashType,
} from '../../btc/sighash.ts'
import { isLowS } from '../../btc/signature.ts'
import { encodeStripped, encodeTransaction, vsize } from '../../btc/transaction.ts'
import { pathOf, publicKeyOf } from '../addresses.ts'
import type { SignatureKey, SignatureRequest } from '../calls.ts'
import { SIGNATURES_OPEN_MAX } from '../constants.ts'
import type { Context } from '../context.ts'
import { rootOf, schedule } from '../context.ts'
import type { Replaces } from '../events/events.ts'
import { hasLost } from '../losses/lost-coins.ts'
import { note, observeAsked, observeSigned } from '../observed.ts'
import { changesOf } from '../state/replacement-chain.ts'
import type { SigningTransaction, TxidKey } from '../state/state.ts'
import { burnsOf, keyOfTxid, keyOfUtxo, signingKey } from '../state/state.ts'
import { isBroken } from '../state/stopped.ts'
import type { BuiltTransaction } from './build-transaction.ts'
import { withWitnesses } from './signed-transaction.ts'

const SCALAR_BYTES = 32

const inputKey = (txid: Uint8Array, input: number): string => signingKey(keyOfTxid(txid), input)

/** What a transaction is signed for: withdrawals of the queue, the consolidation, a replacement. */
export type Subject =
  | { readonly requests: readonly bigint[]; readonly replaces?: undefined }
  | { readonly requests?: undefined; readonly replaces: Replaces }

/**
 * The coins and requests belong to this transaction from now on, and to no other until it is final;
 * those of a replacement stay with what it replaces until it is complete.
 */
export function startSigning(
  context: Context,
  built: BuiltTransaction,
  { requests = [], replaces }: Subject,
): void {
  context.record({
    type: 'xSigningStarted',
    requests,
    ...(replaces && { replaces }),
    unsignedTransaction: encodeStripped(built.transaction),
    utxos: built.utxos,
    changeOutput: built.changeOutput,
    withdrawalFee: built.withdrawalFee,
  })
  openRequests(context)
}

/**
 * Asks for the next signatures, oldest transaction first, at most 10 at once. Nobody waits for a
 * consolidation: it comes last.
 */
export function openRequests(context: Context): void {
  const { open, resting, root, mustLook } = context.volatile
  if (root === undefined || mustLook || isBroken(context.volatile)) return
  const all = [...context.state.signing.values()]
  const isLast = ({ purpose }: View<SigningTransaction>) => purpose.type === 'toConsolidate'
  for (const signing of [...all.filter((each) => !isLast(each)), ...all.filter(isLast)]) {
    if (hasLost(context, signing.utxos)) continue
    let midstate: SighashMidstate | undefined
    for (let input = 0; input < signing.utxos.length; input++) {
      if (open.size >= SIGNATURES_OPEN_MAX) return
      const key = inputKey(signing.txid, input)
      if (signing.signed.has(input) || open.has(key) || resting.has(key)) continue
      midstate ??= sighashMidstate(signing.transaction)
      open.set(key, toSign(context, { signing, input, midstate }).request)
      observeAsked(context, key)
    }
  }
}

type InputToSign = {
  readonly signing: View<SigningTransaction>
  readonly input: number
  readonly midstate: SighashMidstate
}

const attemptOf = ({ firstAttempt, failures }: View<SigningTransaction>, input: number): number =>
  firstAttempt + (failures.get(input) ?? 0)

type ToSign = { readonly request: SignatureRequest; readonly publicKey: Uint8Array }

function toSign(context: Context, { signing, input, midstate }: InputToSign): ToSign {
  const utxo = present(signing.utxos[input], 'every input of the transaction spends a coin')
  const owner = context.state.outpointAccount.get(keyOfUtxo(utxo))
  const account = present(owner, 'every coin of the minter has an account')
  const publicKey = publicKeyOf(rootOf(context).key, account)
  const digest = segwitSighash({
    tx: signing.transaction,
    index: input,
    scriptCode: scriptCodeOfKeyHash(hash160(publicKey)),
    value: utxo.value,
    hashType: sighashType.all,
    midstate,
  })
  const attempt = attemptOf(signing, input)
  const request = { key: { txid: signing.txid, input, attempt }, path: pathOf(account), digest }
  return { request, publicKey }
}

/**
 * A signature arrived. One that came before, or for a transaction that is done, changes nothing.
 */
export function signatureReady(context: Context, key: SignatureKey, signature: Uint8Array): void {
  const signing = context.state.signing.get(keyOfTxid(key.txid))
  const isWanted = signing?.utxos[key.input] !== undefined && !signing.signed.has(key.input)
  if (signing === undefined || !isWanted || context.volatile.root === undefined) return
  const midstate = sighashMidstate(signing.transaction)
  const { request, publicKey } = toSign(context, { signing, input: key.input, midstate })
  if (!verifyEcdsa({ publicKey, digest: request.digest, signature }, { lowS: false })) {
    signatureFailed(context, key)
    return
  }
  const { txid, input } = key
  context.record({ type: 'xInputSigned', txid, input, publicKey, signature: withLowS(signature) })
  observeSigned(context, inputKey(txid, input), 'success')
  context.volatile.open.delete(inputKey(txid, input))
  context.volatile.resting.delete(inputKey(txid, input))
  if (isComplete(signing) && !isBroken(context.volatile)) submit(context, signing)
  openRequests(context)
}

const isComplete = ({ signed, utxos }: View<SigningTransaction>): boolean =>
  signed.size === utxos.length

/** What is complete and could not be submitted when it became so. */
export function submitComplete(context: Context): void {
  for (const signing of [...context.state.signing.values()])
    if (isComplete(signing) && !isBroken(context.volatile)) submit(context, signing)
}

/** The request is over without a signature: the next round asks as the next attempt. */
export function signatureFailed(context: Context, key: SignatureKey): void {
  const { open, resting } = context.volatile
  const name = inputKey(key.txid, key.input)
  // Not only what is open: a request may have been dropped since, and no attempt is made twice.
  const signing = context.state.signing.get(keyOfTxid(key.txid))
  if (signing?.utxos[key.input] === undefined || signing.signed.has(key.input)) return
  if (attemptOf(signing, key.input) !== key.attempt) return
  context.record({ type: 'xSignatureFailed', txid: key.txid, input: key.input })
  observeSigned(context, name, 'failure')
  open.delete(name)
  resting.add(name)
  schedule(context, 'process', context.now + context.settings.processPeriodNs)
  openRequests(context)
}

/** s or n − s: both verify, only the smaller one is relayed (BIP146). */
function withLowS(signature: Uint8Array): Uint8Array {
  if (isLowS(signature)) return signature
  const s = fromBigEndian(signature.subarray(SCALAR_BYTES))
  return concat(signature.subarray(0, SCALAR_BYTES), bigEndian(secp256k1.order - s, SCALAR_BYTES))
}

/**
 * Complete: on record before it leaves, since a send that fails may have sent all the same [H 2].
 */
function submit(context: Context, signing: View<SigningTransaction>): void {
  const { purpose, txid, utxos, changeOutput, withdrawalFee } = signing
  if (purpose.type === 'toReplace' && !canBeReplaced(context, purpose.oldTxid)) return
  const signed = withWitnesses(signing)
  const sent = {
    changeOutput,
    submittedAt: context.now,
    fee: divFloor(withdrawalFee.bitcoinFee * 1_000n, BigInt(vsize(signed))),
    withdrawalFee,
  }
  if (purpose.type === 'toReplace') {
    const { oldTxid, reason } = purpose
    const newUtxos = reason.type === 'toCancel' ? { newUtxos: utxos } : {}
    context.record({
      type: 'replacedTransaction',
      oldTxid,
      newTxid: txid,
      ...sent,
      reason,
      ...newUtxos,
    })
    schedule(context, 'process', context.now) // Others may wait for their turn.
  } else {
    const requests = burnsOf(purpose)
    const signedTransaction = encodeTransaction(signed)
    context.record({ type: 'sentTransaction', requests, txid, utxos, ...sent, signedTransaction })
  }
  sendTransaction(context, keyOfTxid(txid))
  const { resendPeriodNs, resubmissionDelayNs } = context.settings
  const pause = resendPeriodNs < resubmissionDelayNs ? resendPeriodNs : resubmissionDelayNs
  schedule(context, 'process', context.now + pause)
}

/**
 * Not while the chain has it, or one before it: that one becomes final, and then nothing replaces it,
 * or a reorganisation takes it back.
 */
function canBeReplaced({ state, ports }: Context, oldTxid: Uint8Array): boolean {
  const changes = changesOf(state, keyOfTxid(oldTxid)) ?? []
  return ports.bitcoin.missing(changes)?.length === changes.length
}

/**
 * Hands the bytes over; what the Bitcoin side does not take now is sent again in the next rounds.
 */
export function sendTransaction(context: Context, key: TxidKey): void {
  const bytes = context.state.submitted.get(key)?.signedTransaction
  if (bytes === undefined) return
  const sent = context.ports.bitcoin.send(bytes)
  if (sent.type === 'ok') {
    context.volatile.unsent.delete(key)
    context.volatile.lastSent.set(key, context.now)
    return
  }
  if (!context.volatile.unsent.has(key))
    note(
      context,
      'transactions/signing.ts',
      `a transaction is not taken, and sent again: ${sent.message}`,
    )
  context.volatile.unsent.add(key)
  schedule(context, 'process', context.now + context.settings.processPeriodNs)
}
