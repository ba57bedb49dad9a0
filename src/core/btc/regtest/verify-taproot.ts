/** Spends of taproot outputs: key path, script path, tapscript. Source: BIP341, BIP342. */
import type { Hash32 } from '../../base/bytes.ts'
import { readOp } from '../script.ts'
import { tapLeafHash, taprootAnnexHash } from '../sighash.ts'
import { ANNEX_TAG, commitsToLeaf, readControlBlock, TAPSCRIPT_LEAF } from '../taproot.ts'
import { lengthSize } from '../wire.ts'
import type { SpendChecker } from './machine.ts'
import type { ScriptFlags, ScriptResult } from './script-rules.ts'
import { STACK_ITEMS_MAX } from './script-rules.ts'
import { runWitnessScript } from './witness-script.ts'

/** Weight that every input gets for its first signature, in addition to its witness. */
const WEIGHT_OFFSET = 50

/** Opcodes that make a tapscript succeed, from and to, both included. */
const SUCCESS_RANGES: readonly (readonly [number, number])[] = [
  [0x50, 0x50],
  [0x62, 0x62],
  [0x7e, 0x81],
  [0x83, 0x86],
  [0x89, 0x8a],
  [0x8d, 0x8e],
  [0x95, 0x99],
  [0xbb, 0xfe],
]

const isSuccess = (opcode: number): boolean =>
  SUCCESS_RANGES.some(([first, last]) => first <= opcode && opcode <= last)

export type TaprootSpend = {
  readonly witness: readonly Uint8Array[]
  readonly flags: ScriptFlags
  readonly checker: SpendChecker
}

/** `outputKey`: the 32 bytes of a version 1 program that stands in the output itself. */
export function verifyTaproot(spend: TaprootSpend, outputKey: Uint8Array): ScriptResult {
  const { witness, checker } = spend
  if (witness.length === 0) return 'WITNESS_PROGRAM_WITNESS_EMPTY'
  const last = witness.at(-1)
  const annex = witness.length > 1 && last?.[0] === ANNEX_TAG ? last : undefined
  const annexHash = annex === undefined ? undefined : taprootAnnexHash(annex)
  const items = annex === undefined ? witness : witness.slice(0, -1)
  const [first, second] = items
  if (first !== undefined && second === undefined)
    return checker.checkSchnorr({ signature: first, publicKey: outputKey, annexHash })
  return verifyScriptPath(spend, { outputKey, annexHash, items })
}

type ScriptPath = {
  readonly outputKey: Uint8Array
  readonly annexHash: Hash32 | undefined
  /** The witness without annex: stack, script, control block. */
  readonly items: readonly Uint8Array[]
}

function verifyScriptPath(
  spend: TaprootSpend,
  { outputKey, annexHash, items }: ScriptPath,
): ScriptResult {
  const control = readControlBlock(items.at(-1) ?? new Uint8Array(0))
  if (control === undefined) return 'TAPROOT_WRONG_CONTROL_SIZE'
  const script = items.at(-2) ?? new Uint8Array(0)
  const hash = tapLeafHash(control.leafVersion, script)
  if (!commitsToLeaf(outputKey, control, hash)) return 'WITNESS_PROGRAM_MISMATCH'
  if (control.leafVersion !== TAPSCRIPT_LEAF)
    return spend.flags.has('DISCOURAGE_UPGRADABLE_TAPROOT_VERSION')
      ? 'DISCOURAGE_UPGRADABLE_TAPROOT_VERSION'
      : undefined
  const { flags, checker, witness } = spend
  const found = findSuccess(script)
  if (found === 'BAD_OPCODE') return found
  // It overrides everything after it, the limits of the stack included.
  if (found) return flags.has('DISCOURAGE_OP_SUCCESS') ? 'DISCOURAGE_OP_SUCCESS' : undefined
  const stack = items.slice(0, -2)
  if (stack.length > STACK_ITEMS_MAX) return 'STACK_SIZE'
  const leaf = { hash, annexHash, weightLeft: witnessSize(witness) + WEIGHT_OFFSET }
  return runWitnessScript(script, stack, { version: 'tapscript', flags, checker, leaf })
}

/** A push that is cut short counts only where no OP_SUCCESS stands before it. */
function findSuccess(script: Uint8Array): boolean | 'BAD_OPCODE' {
  for (let offset = 0; offset < script.length; ) {
    const read = readOp(script, offset)
    if (read === undefined) return 'BAD_OPCODE'
    if (isSuccess(read.op.opcode)) return true
    offset = read.next
  }
  return false
}

/** Bytes of the input's witness in a transaction, its annex included. */
const witnessSize = (witness: readonly Uint8Array[]): number =>
  witness.reduce(
    (size, { length }) => size + lengthSize(length) + length,
    lengthSize(witness.length),
  )
