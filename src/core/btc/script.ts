/** Output scripts: kinds, builders, pushes, dust. Source: `bitcoin.md` §11.2; BIP34, 141, 433. */
import { concat } from '../base/bytes.ts'
import { assert, BadEncoding } from '../base/errors.ts'
import type { Sat } from '../base/units.ts'
import { sat } from '../base/units.ts'
import { lengthSize } from './wire.ts'

/** Opcodes that standard scripts are made of. */
export const op = {
  zero: 0x00,
  pushData1: 0x4c,
  pushData2: 0x4d,
  pushData4: 0x4e,
  negate1: 0x4f,
  one: 0x51,
  sixteen: 0x60,
  return: 0x6a,
  dup: 0x76,
  equal: 0x87,
  equalVerify: 0x88,
  hash160: 0xa9,
  codeSeparator: 0xab,
  checkSig: 0xac,
  checkMultisig: 0xae,
} as const

/** Longest script that can be executed; a longer output can never be spent. */
export const SCRIPT_SIZE_MAX = 10_000
export const MULTISIG_KEYS_MAX = 3
const PROGRAM_MIN = 2
const PROGRAM_MAX = 40
/** Policy: dust is what costs more than its value to spend at this rate. */
const DUST_RATE_SAT_PER_VB = 3
const SPEND_COST_WITNESS = 67
const SPEND_COST_LEGACY = 148

export type ScriptKind =
  | { readonly type: 'p2pk'; readonly key: Uint8Array }
  | { readonly type: 'p2pkh'; readonly hash: Uint8Array }
  | { readonly type: 'p2sh'; readonly hash: Uint8Array }
  | { readonly type: 'p2wpkh'; readonly hash: Uint8Array }
  | { readonly type: 'p2wsh'; readonly hash: Uint8Array }
  | { readonly type: 'p2tr'; readonly key: Uint8Array }
  | { readonly type: 'p2a' }
  | {
      readonly type: 'witnessUnknown'
      readonly version: number
      readonly program: Uint8Array
    }
  | {
      readonly type: 'multisig'
      readonly required: number
      readonly keys: readonly Uint8Array[]
    }
  | { readonly type: 'opReturn' }
  | { readonly type: 'nonstandard' }

/** One operation; `data` is what it pushes, if it is a push of bytes (the empty push included). */
export type ScriptOp = { readonly opcode: number; readonly data?: Uint8Array }

/** The operation at `offset` and where the next begins; undefined where a push is cut short. */
export function readOp(
  script: Uint8Array,
  offset: number,
): { readonly op: ScriptOp; readonly next: number } | undefined {
  const opcode = script[offset]
  if (opcode === undefined) return undefined
  if (opcode > op.pushData4) return { op: { opcode }, next: offset + 1 }
  const width = opcode < op.pushData1 ? 0 : 1 << (opcode - op.pushData1)
  const start = offset + 1 + width
  let size = width === 0 ? opcode : 0
  for (let i = width; i > 0; i--) size = size * 256 + (script[offset + i] ?? 0)
  const next = start + size
  if (next > script.length) return undefined
  return { op: { opcode, data: script.subarray(start, next) }, next }
}

/** All operations, or undefined where the script ends inside a push. */
export function parseScript(script: Uint8Array): readonly ScriptOp[] | undefined {
  const ops: ScriptOp[] = []
  for (let offset = 0; offset < script.length; ) {
    const read = readOp(script, offset)
    if (read === undefined) return undefined
    ops.push(read.op)
    offset = read.next
  }
  return ops
}

/** Only opcodes up to OP_16, which include the reserved 0x50 by consensus. */
export function isPushOnly(script: Uint8Array): boolean {
  return parseScript(script)?.every(({ opcode }) => opcode <= op.sixteen) ?? false
}

/** Shortest push of `data` by length; small numbers as data bytes too (see `numberPush`). */
export function pushData(data: Uint8Array): Uint8Array {
  const size = data.length
  if (size < op.pushData1) return concat(Uint8Array.of(size), data)
  if (size <= 0xff) return concat(Uint8Array.of(op.pushData1, size), data)
  assert(size <= 0xffff, 'a push holds at most 65,535 bytes')
  return concat(Uint8Array.of(op.pushData2, size & 0xff, size >> 8), data)
}

/** Minimal little-endian signed magnitude of a script number. */
export function scriptNumber(value: number): Uint8Array {
  const bytes: number[] = []
  for (let rest = Math.abs(value); rest > 0; rest = Math.floor(rest / 256)) bytes.push(rest % 256)
  if (((bytes.at(-1) ?? 0) & 0x80) !== 0) bytes.push(0)
  if (value < 0) bytes.push((bytes.pop() ?? 0) | 0x80)
  return Uint8Array.from(bytes)
}

/** Shortest push of a number: one opcode for −1 to 16, else its bytes. */
export function numberPush(value: number): Uint8Array {
  if (value === 0) return Uint8Array.of(op.zero)
  if (value === -1 || (value >= 1 && value <= 16)) return Uint8Array.of(op.one - 1 + value)
  return pushData(scriptNumber(value))
}

/** How the coinbase script must begin (BIP34, BLK-8). */
export const heightPush = (height: number): Uint8Array => numberPush(height)

export const p2pkhScript = (hash: Uint8Array): Uint8Array =>
  concat(Uint8Array.of(op.dup, op.hash160), pushOf(hash, 20), Uint8Array.of(0x88, 0xac))

export const p2shScript = (hash: Uint8Array): Uint8Array =>
  concat(Uint8Array.of(op.hash160), pushOf(hash, 20), Uint8Array.of(op.equal))

export const p2wpkhScript = (hash: Uint8Array): Uint8Array =>
  concat(Uint8Array.of(op.zero), pushOf(hash, 20))

export const p2wshScript = (hash: Uint8Array): Uint8Array =>
  concat(Uint8Array.of(op.zero), pushOf(hash, 32))

/** Output of an x-only output key, tweaked already. */
export const p2trScript = (key: Uint8Array): Uint8Array =>
  concat(Uint8Array.of(op.one), pushOf(key, 32))

export const p2pkScript = (key: Uint8Array): Uint8Array =>
  concat(pushData(key), Uint8Array.of(op.checkSig))

/** Pay to anchor: anyone may spend it. */
export const p2aScript = (): Uint8Array => Uint8Array.of(0x51, 0x02, 0x4e, 0x73)

export const opReturnScript = (data: Uint8Array): Uint8Array =>
  concat(Uint8Array.of(op.return), pushData(data))

/** Script of a witness version 0–16 and a program of 2–40 bytes. */
export function witnessScript(version: number, program: Uint8Array): Uint8Array {
  return concat(numberPush(version), pushData(program))
}

function pushOf(data: Uint8Array, size: number): Uint8Array {
  if (data.length !== size) throw new BadEncoding(`${data.length} bytes where ${size} are due`)
  return pushData(data)
}

/** Version and program, if the script is a witness program (BIP141). */
export function witnessProgram(
  script: Uint8Array,
): { readonly version: number; readonly program: Uint8Array } | undefined {
  const [first = -1, size = 0] = script
  const isVersion = first === op.zero || (first >= op.one && first <= op.sixteen)
  if (!isVersion || size < PROGRAM_MIN || size > PROGRAM_MAX || script.length !== size + 2)
    return undefined
  return { version: first === op.zero ? 0 : first - op.one + 1, program: script.subarray(2) }
}

/** The kind of an output script: which of the forms of §11.2 it has. */
export function classifyScript(script: Uint8Array): ScriptKind {
  const witness = witnessProgram(script)
  if (witness !== undefined) return classifyWitness(witness.version, witness.program)
  if (hasForm(script, 25, [op.dup, op.hash160, 20], [op.equalVerify, op.checkSig]))
    return { type: 'p2pkh', hash: script.subarray(3, 23) }
  if (hasForm(script, 23, [op.hash160, 20], [op.equal]))
    return { type: 'p2sh', hash: script.subarray(2, 22) }
  if (hasForm(script, 35, [33], [op.checkSig]) || hasForm(script, 67, [65], [op.checkSig])) {
    const key = script.subarray(1, -1)
    if (isKey(key)) return { type: 'p2pk', key }
  }
  if (script[0] === op.return && isPushOnly(script.subarray(1))) return { type: 'opReturn' }
  return classifyMultisig(script) ?? { type: 'nonstandard' }
}

function classifyWitness(version: number, program: Uint8Array): ScriptKind {
  if (version === 0 && program.length === 20) return { type: 'p2wpkh', hash: program }
  if (version === 0 && program.length === 32) return { type: 'p2wsh', hash: program }
  if (version === 0) return { type: 'nonstandard' } // Unspendable: version 0 knows two lengths.
  if (version === 1 && program.length === 32) return { type: 'p2tr', key: program }
  if (version === 1 && program.length === 2 && program[0] === 0x4e && program[1] === 0x73)
    return { type: 'p2a' }
  return { type: 'witnessUnknown', version, program }
}

function hasForm(
  script: Uint8Array,
  size: number,
  head: readonly number[],
  tail: readonly number[],
): boolean {
  return (
    script.length === size &&
    head.every((byte, i) => script[i] === byte) &&
    tail.every((byte, i) => script[size - tail.length + i] === byte)
  )
}

/** Length and first byte of a public key agree; whether it is on the curve is not asked. */
function isKey(key: Uint8Array): boolean {
  const compressed = key.length === 33 && (key[0] === 2 || key[0] === 3)
  const full = key.length === 65 && (key[0] === 4 || key[0] === 6 || key[0] === 7)
  return compressed || full
}

/** `m <key>… n OP_CHECKMULTISIG` with at most three keys. */
function classifyMultisig(script: Uint8Array): ScriptKind | undefined {
  if (script.at(-1) !== op.checkMultisig) return undefined
  const ops = parseScript(script) ?? []
  const required = (ops[0]?.opcode ?? 0) - op.one + 1
  const count = (ops.at(-2)?.opcode ?? 0) - op.one + 1
  const keys = ops.slice(1, -2).flatMap(({ data }) => (data && isKey(data) ? [data] : []))
  const wellFormed =
    required >= 1 && required <= count && count <= MULTISIG_KEYS_MAX && keys.length === count
  return wellFormed && ops.length === count + 3 ? { type: 'multisig', required, keys } : undefined
}

/** No input can ever spend such an output, so the UTXO set leaves it out (UT-2). */
export const isUnspendable = (script: Uint8Array): boolean =>
  script[0] === op.return || script.length > SCRIPT_SIZE_MAX

/** Value below which an output is dust (§11.2); 0 for what cannot be spent anyway. */
export function dustThreshold(script: Uint8Array): Sat {
  if (isUnspendable(script)) return sat(0n)
  const cost = witnessProgram(script) === undefined ? SPEND_COST_LEGACY : SPEND_COST_WITNESS
  const size = 8 + lengthSize(script.length) + script.length + cost
  return sat(BigInt(DUST_RATE_SAT_PER_VB * size))
}
