/** What signatures sign: legacy, BIP143, BIP341, BIP342. Source: `docs/spec/bitcoin.md` §11.3. */
import type { Hash32 } from '../base/bytes.ts'
import { hash32 } from '../base/bytes.ts'
import { assert, present } from '../base/errors.ts'
import { sha256, sha256d, taggedHash } from '../base/hash.ts'
import type { Sat } from '../base/units.ts'
import { op, p2pkhScript, readOp } from './script.ts'
import type { Transaction, TxIn, TxOut } from './transaction.ts'
import { writeOutPoint, writeTxOut } from './transaction.ts'
import { ByteSink } from './wire.ts'

/** Hash types; `anyoneCanPay` is added to one of the others. `default` is taproot's alone. */
export const sighashType = {
  default: 0x00,
  all: 0x01,
  none: 0x02,
  single: 0x03,
  anyoneCanPay: 0x80,
} as const

const OUTPUT_MASK = 0x1f
const TAPROOT_OUTPUT_MASK = 0x03
const NO_CODE_SEPARATOR = 0xffff_ffff
const KEY_VERSION = 0

const ZERO_HASH = hash32(new Uint8Array(32))

/** Legacy hash where SINGLE has no output at its index: the number one, a quirk of consensus. */
const HASH_ONE = hash32(Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0)))

const isSingle = (hashType: number): boolean => (hashType & OUTPUT_MASK) === sighashType.single
const isNone = (hashType: number): boolean => (hashType & OUTPUT_MASK) === sighashType.none
const isAnyoneCanPay = (hashType: number): boolean => (hashType & sighashType.anyoneCanPay) !== 0

/** The input at `index`, which must exist: a hash is asked for an input that is being spent. */
function inputAt(tx: Transaction, index: number): TxIn {
  return present(tx.inputs[index], 'the input to sign is one of the transaction')
}

/**
 * Legacy hash of input `index` under `scriptCode`, whose OP_CODESEPARATORs are left out.
 *
 * `hashType`: 32 bits as they are hashed. Deleting the signature from the code is the caller's.
 */
export function legacySighash({
  tx,
  index,
  scriptCode,
  hashType,
}: {
  readonly tx: Transaction
  readonly index: number
  readonly scriptCode: Uint8Array
  readonly hashType: number
}): Hash32 {
  const own = inputAt(tx, index)
  if (isSingle(hashType) && index >= tx.outputs.length) return HASH_ONE
  const sink = new ByteSink().u32(tx.version)
  sink.list(isAnyoneCanPay(hashType) ? [own] : tx.inputs, (to, input) => {
    writeOutPoint(to, input.outpoint)
    to.bytes(input === own ? withoutSeparators(scriptCode) : new Uint8Array(0))
    const othersFree = input !== own && (isSingle(hashType) || isNone(hashType))
    to.u32(othersFree ? 0 : input.sequence)
  })
  sink.list(legacyOutputs(tx, index, hashType), writeTxOut)
  return sha256d(sink.u32(tx.lockTime).u32(hashType).done())
}

/** Outputs that the hash covers; SINGLE blanks those before its own to −1 and an empty script. */
function legacyOutputs(tx: Transaction, index: number, hashType: number): readonly TxOut[] {
  if (isNone(hashType)) return []
  if (!isSingle(hashType)) return tx.outputs
  const blank = { value: BLANK_VALUE, script: new Uint8Array(0) }
  return tx.outputs.slice(0, index + 1).map((output, i) => (i === index ? output : blank))
}

const BLANK_VALUE = -1n as Sat

function withoutSeparators(script: Uint8Array): Uint8Array {
  if (!script.includes(op.codeSeparator)) return script
  const sink = new ByteSink(script.length)
  let offset = 0
  while (offset < script.length) {
    const next = readOp(script, offset)
    if (next === undefined) break // A cut push ends the parse; the rest is hashed as it stands.
    if (next.op.opcode !== op.codeSeparator) sink.raw(script.subarray(offset, next.next))
    offset = next.next
  }
  return sink.raw(script.subarray(offset)).done()
}

/** Hashes that all inputs of a transaction share, so that signing n inputs hashes it once. */
export type SighashMidstate = {
  readonly prevouts: Hash32
  readonly sequences: Hash32
  readonly outputs: Hash32
  /** Of each output alone, for SINGLE. */
  readonly eachOutput: readonly Hash32[]
}

export function sighashMidstate(tx: Transaction): SighashMidstate {
  return {
    prevouts: hashOf(tx.inputs, (sink, input) => writeOutPoint(sink, input.outpoint)),
    sequences: hashOf(tx.inputs, (sink, input) => void sink.u32(input.sequence)),
    outputs: hashOf(tx.outputs, writeTxOut),
    eachOutput: tx.outputs.map((output) => hashOf([output], writeTxOut)),
  }
}

function hashOf<T>(items: readonly T[], write: (sink: ByteSink, item: T) => void): Hash32 {
  const sink = new ByteSink()
  for (const item of items) write(sink, item)
  return sha256(sink.done())
}

/** Code that a witness v0 key hash stands for: that of pay to public key hash (BIP143). */
export const scriptCodeOfKeyHash = (hash: Uint8Array): Uint8Array => p2pkhScript(hash)

/** BIP143 hash of input `index` that spends `value` under `scriptCode`. */
export function segwitSighash({
  tx,
  index,
  scriptCode,
  value,
  hashType,
  midstate = sighashMidstate(tx),
}: {
  readonly tx: Transaction
  readonly index: number
  readonly scriptCode: Uint8Array
  readonly value: Sat
  readonly hashType: number
  readonly midstate?: SighashMidstate
}): Hash32 {
  const own = inputAt(tx, index)
  const all = !isSingle(hashType) && !isNone(hashType)
  const sharesInputs = !isAnyoneCanPay(hashType)
  const sink = new ByteSink().u32(tx.version)
  sink.raw(sharesInputs ? sha256(midstate.prevouts) : ZERO_HASH)
  sink.raw(sharesInputs && all ? sha256(midstate.sequences) : ZERO_HASH)
  writeOutPoint(sink, own.outpoint)
  sink.bytes(scriptCode).u64(value).u32(own.sequence)
  const ownOutput = isSingle(hashType) ? midstate.eachOutput[index] : undefined
  const covered = all ? midstate.outputs : ownOutput
  sink.raw(covered === undefined ? ZERO_HASH : sha256(covered))
  return sha256d(sink.u32(tx.lockTime).u32(hashType).done())
}

/** What taproot shares besides: the amounts and scripts of all outputs spent, in input order. */
export type TaprootMidstate = SighashMidstate & {
  readonly amounts: Hash32
  readonly scripts: Hash32
}

export function taprootMidstate(tx: Transaction, spent: readonly TxOut[]): TaprootMidstate {
  assert(spent.length === tx.inputs.length, 'taproot hashes need every output spent')
  return {
    ...sighashMidstate(tx),
    amounts: hashOf(spent, (sink, output) => void sink.u64(output.value)),
    scripts: hashOf(spent, (sink, output) => void sink.bytes(output.script)),
  }
}

/** Spending by a script leaf (BIP342): the leaf and the last OP_CODESEPARATOR executed. */
export type TapscriptSpend = {
  readonly leafHash: Hash32
  /** Position in opcodes; absent if none was executed. */
  readonly codeSeparator?: number | undefined
}

/** What a taproot hash covers of an annex: hashed once, however many signatures there are. */
export const taprootAnnexHash = (annex: Uint8Array): Hash32 =>
  sha256(new ByteSink().bytes(annex).done())

/** BIP341 hash of input `index`; undefined for a hash type that makes the signature invalid. */
export function taprootSighash({
  tx,
  index,
  spent,
  hashType,
  annexHash,
  tapscript,
  midstate = taprootMidstate(tx, spent),
}: {
  readonly tx: Transaction
  readonly index: number
  readonly spent: readonly TxOut[]
  readonly hashType: number
  readonly annexHash?: Hash32 | undefined
  readonly tapscript?: TapscriptSpend | undefined
  readonly midstate?: TaprootMidstate
}): Hash32 | undefined {
  const own = inputAt(tx, index)
  const single = (hashType & TAPROOT_OUTPUT_MASK) === sighashType.single
  const ownOutput = midstate.eachOutput[index]
  if (!isTaprootType(hashType) || (single && ownOutput === undefined)) return undefined
  const sink = new ByteSink().u8(0).u8(hashType).u32(tx.version).u32(tx.lockTime) // Epoch 0.
  if (!isAnyoneCanPay(hashType)) {
    sink.raw(midstate.prevouts).raw(midstate.amounts)
    sink.raw(midstate.scripts).raw(midstate.sequences)
  }
  const outputs = hashType & TAPROOT_OUTPUT_MASK
  if (outputs === sighashType.default || outputs === sighashType.all) sink.raw(midstate.outputs)
  sink.u8((tapscript === undefined ? 0 : 2) + (annexHash === undefined ? 0 : 1))
  if (isAnyoneCanPay(hashType)) {
    writeOutPoint(sink, own.outpoint)
    writeTxOut(sink, present(spent[index], 'taproot hashes need every output spent'))
    sink.u32(own.sequence)
  } else sink.u32(index)
  if (annexHash !== undefined) sink.raw(annexHash)
  if (single && ownOutput !== undefined) sink.raw(ownOutput)
  if (tapscript !== undefined)
    sink
      .raw(tapscript.leafHash)
      .u8(KEY_VERSION)
      .u32(tapscript.codeSeparator ?? NO_CODE_SEPARATOR)
  return taggedHash('TapSighash', sink.done())
}

const taprootTypes: readonly number[] = [0x00, 0x01, 0x02, 0x03, 0x81, 0x82, 0x83]

const isTaprootType = (hashType: number): boolean => taprootTypes.includes(hashType)

/** Hash of a script leaf, the leaf version included (BIP341). */
export const tapLeafHash = (leafVersion: number, script: Uint8Array): Hash32 =>
  taggedHash('TapLeaf', new ByteSink().u8(leafVersion).bytes(script).done())
