/** Transactions: codec, ids, sizes, sanity. Source: `docs/spec/bitcoin.md` §5.2; BIP141, BIP144. */
import type { Txid } from '../base/bytes.ts'
import { hash32, hexCodes } from '../base/bytes.ts'
import { BadEncoding } from '../base/errors.ts'
import { sha256d } from '../base/hash.ts'
import type { Sat } from '../base/units.ts'
import { MONEY_MAX } from '../base/units.ts'
import { type ByteCursor, ByteSink, decodeExactly, lengthSize } from './wire.ts'

export type OutPoint = { readonly txid: Txid; readonly vout: number }

export type TxIn = {
  readonly outpoint: OutPoint
  readonly scriptSig: Uint8Array
  readonly sequence: number
  readonly witness: readonly Uint8Array[]
}

/** A decoded value may be any signed 64-bit number until `checkTransaction` has bounded it. */
export type TxOut = { readonly value: Sat; readonly script: Uint8Array }

export type Transaction = {
  /** Unsigned, as Bitcoin Core reads it since release 28. */
  readonly version: number
  readonly inputs: readonly TxIn[]
  readonly outputs: readonly TxOut[]
  readonly lockTime: number
}

/** Sum of 3 × stripped size and total size that a block, and so a transaction, may reach. */
export const WEIGHT_MAX = 4_000_000
export const WITNESS_SCALE = 4
/** Index that, with an id of 32 zero bytes, says "no output": the prevout of a coinbase. */
export const NULL_VOUT = 0xffff_ffff
export const SEQUENCE_FINAL = 0xffff_ffff
/** Largest sequence that signals replacement (BIP125). */
export const SEQUENCE_REPLACEABLE = 0xffff_fffd

const COINBASE_SCRIPT_MIN = 2
const COINBASE_SCRIPT_MAX = 100
const SEGWIT_MARKER = 0x00
const SEGWIT_FLAG = 0x01
const INPUT_SIZE_MIN = 41
const OUTPUT_SIZE_MIN = 9

/** A transaction from what matters: version 2, no lock time, replaceable inputs unless told. */
export function transactionFromParts(parts: {
  readonly version?: number
  readonly inputs: readonly (Pick<TxIn, 'outpoint'> & Partial<TxIn>)[]
  readonly outputs: readonly TxOut[]
  readonly lockTime?: number
}): Transaction {
  return {
    version: parts.version ?? 2,
    inputs: parts.inputs.map((input) => ({
      scriptSig: new Uint8Array(0),
      sequence: SEQUENCE_REPLACEABLE,
      witness: [],
      ...input,
    })),
    outputs: parts.outputs,
    lockTime: parts.lockTime ?? 0,
  }
}

export const hasWitness = (tx: Transaction): boolean =>
  tx.inputs.some((input) => input.witness.length > 0)

/** The same transaction without witness data. */
export const stripWitness = (tx: Transaction): Transaction => ({
  ...tx,
  inputs: tx.inputs.map((input) => ({ ...input, witness: [] })),
})

export function writeOutPoint(sink: ByteSink, { txid, vout }: OutPoint): void {
  sink.raw(txid).u32(vout)
}

export function writeTxOut(sink: ByteSink, { value, script }: TxOut): void {
  sink.u64(value).bytes(script)
}

function writeTxIn(sink: ByteSink, { outpoint, scriptSig, sequence }: TxIn): void {
  writeOutPoint(sink, outpoint)
  sink.bytes(scriptSig).u32(sequence)
}

export function writeTransaction(
  sink: ByteSink,
  tx: Transaction,
  { witness }: { readonly witness: boolean },
): void {
  const extended = witness && hasWitness(tx)
  sink.u32(tx.version)
  if (extended) sink.u8(SEGWIT_MARKER).u8(SEGWIT_FLAG)
  sink.list(tx.inputs, writeTxIn).list(tx.outputs, writeTxOut)
  if (extended)
    for (const input of tx.inputs) sink.list(input.witness, (to, item) => void to.bytes(item))
  sink.u32(tx.lockTime)
}

/** The form with witness data where there is any (BIP144). */
export function encodeTransaction(tx: Transaction): Uint8Array {
  const sink = new ByteSink(totalSize(tx))
  writeTransaction(sink, tx, { witness: true })
  return sink.done()
}

/** The form without witness data: what the txid covers. */
export function encodeStripped(tx: Transaction): Uint8Array {
  const sink = new ByteSink(strippedSize(tx))
  writeTransaction(sink, tx, { witness: false })
  return sink.done()
}

function readTxIn(cursor: ByteCursor): TxIn {
  const txid = hash32(cursor.raw(32))
  const vout = cursor.u32()
  const scriptSig = cursor.bytes()
  return { outpoint: { txid, vout }, scriptSig, sequence: cursor.u32(), witness: NO_WITNESS }
}

const NO_WITNESS: readonly Uint8Array[] = []

function readTxOut(cursor: ByteCursor): TxOut {
  return { value: cursor.i64() as Sat, script: cursor.bytes() }
}

/** Reads one transaction in either form; every refusal is `BadEncoding`. */
export function readTransaction(cursor: ByteCursor): Transaction {
  const version = cursor.u32()
  let inputs = cursor.list(INPUT_SIZE_MIN, readTxIn)
  const extended = inputs.length === 0 // TXS-6: the count of inputs doubles as the marker.
  if (extended) {
    const flag = cursor.u8()
    if (flag !== SEGWIT_FLAG) throw new BadEncoding(`witness flag ${flag}`)
    inputs = cursor.list(INPUT_SIZE_MIN, readTxIn)
  }
  const outputs = cursor.list(OUTPUT_SIZE_MIN, readTxOut)
  if (extended) {
    inputs = inputs.map((input) => ({ ...input, witness: cursor.list(1, (from) => from.bytes()) }))
    if (inputs.every((input) => input.witness.length === 0))
      throw new BadEncoding('a witness section in which every stack is empty')
  }
  return { version, inputs, outputs, lockTime: cursor.u32() }
}

/** Exactly one transaction, nothing after it. */
export function decodeTransaction(bytes: Uint8Array): Transaction {
  return decodeExactly(bytes, readTransaction)
}

export const txid = (tx: Transaction): Txid => sha256d(encodeStripped(tx))

/** Equal to the txid where there is no witness (TXS-7). */
export const wtxid = (tx: Transaction): Txid => sha256d(encodeTransaction(tx))

export function strippedSize(tx: Transaction): number {
  let size = 8 + lengthSize(tx.inputs.length) + lengthSize(tx.outputs.length)
  for (const { scriptSig } of tx.inputs)
    size += 40 + lengthSize(scriptSig.length) + scriptSig.length
  for (const { script } of tx.outputs) size += 8 + lengthSize(script.length) + script.length
  return size
}

export function totalSize(tx: Transaction): number {
  if (!hasWitness(tx)) return strippedSize(tx)
  let size = strippedSize(tx) + 2
  for (const { witness } of tx.inputs) {
    size += lengthSize(witness.length)
    for (const item of witness) size += lengthSize(item.length) + item.length
  }
  return size
}

/** 3 × stripped size + total size (BIP141). */
export const weight = (tx: Transaction): number =>
  (WITNESS_SCALE - 1) * strippedSize(tx) + totalSize(tx)

/** Weight in virtual bytes, rounded up. */
export const vsize = (tx: Transaction): number => Math.ceil(weight(tx) / WITNESS_SCALE)

/** Key of an outpoint in a Map: its id in internal order, then its index. */
/** Txid in internal order, colon, index: one text in one piece, as keys of large maps should be. */
export function outpointKey({ txid, vout }: OutPoint): string {
  const codes = hexCodes(txid)
  const index = `:${vout}`
  for (let i = 0; i < index.length; i++) codes.push(index.charCodeAt(i))
  return String.fromCharCode(...codes)
}

export const isNullOutPoint = ({ txid, vout }: OutPoint): boolean =>
  vout === NULL_VOUT && txid.every((byte) => byte === 0)

export function isCoinbase(tx: Transaction): boolean {
  const [first, second] = tx.inputs
  return first !== undefined && second === undefined && isNullOutPoint(first.outpoint)
}

export type TransactionReject =
  | 'bad-txns-vin-empty'
  | 'bad-txns-vout-empty'
  | 'bad-txns-oversize'
  | 'bad-txns-vout-negative'
  | 'bad-txns-vout-toolarge'
  | 'bad-txns-txouttotal-toolarge'
  | 'bad-txns-inputs-duplicate'
  | 'bad-cb-length'
  | 'bad-txns-prevout-null'

/** Sanity without context (§5.2): why no block may hold the transaction, in Core's words. */
export function checkTransaction(tx: Transaction): TransactionReject | undefined {
  if (tx.inputs.length === 0) return 'bad-txns-vin-empty' // TXS-1
  if (tx.outputs.length === 0) return 'bad-txns-vout-empty'
  if (strippedSize(tx) * WITNESS_SCALE > WEIGHT_MAX) return 'bad-txns-oversize' // TXS-2
  return checkValues(tx.outputs) ?? checkInputs(tx)
}

/** TXS-3. */
function checkValues(outputs: readonly TxOut[]): TransactionReject | undefined {
  let total = 0n
  for (const { value } of outputs) {
    if (value < 0n) return 'bad-txns-vout-negative'
    if (value > MONEY_MAX) return 'bad-txns-vout-toolarge'
    total += value
    if (total > MONEY_MAX) return 'bad-txns-txouttotal-toolarge'
  }
  return undefined
}

/** TXS-4 and TXS-5. */
function checkInputs(tx: Transaction): TransactionReject | undefined {
  const { inputs } = tx
  if (inputs.length > 1) {
    const spent = new Set(inputs.map((input) => outpointKey(input.outpoint)))
    if (spent.size < inputs.length) return 'bad-txns-inputs-duplicate'
  }
  if (isCoinbase(tx)) {
    const length = inputs[0]?.scriptSig.length ?? 0
    return length < COINBASE_SCRIPT_MIN || length > COINBASE_SCRIPT_MAX
      ? 'bad-cb-length'
      : undefined
  }
  return inputs.some((input) => isNullOutPoint(input.outpoint))
    ? 'bad-txns-prevout-null'
    : undefined
}
