/**
 * The state of one script run and the small steps that opcodes are made of. Source: Bitcoin Core
 * EvalScript.
 */
import type { Hash32 } from '../../base/bytes.ts'
import type { TapscriptSpend } from '../sighash.ts'
import type { Conditions } from './conditions.ts'
import { NUMBER_BYTES_MAX, readScriptNumber } from './script-number.ts'
import type { ScriptFlags, ScriptResult } from './script-rules.ts'

/** Whose signatures are ECDSA. `base`: scriptSig, scriptPubKey and P2SH. `v0`: BIP141. */
export type EcdsaVersion = 'base' | 'v0'
/** The last one is BIP342. */
export type ScriptVersion = EcdsaVersion | 'tapscript'

/** What a script may ask about the transaction that spends it. */
export interface SpendChecker {
  /** ECDSA; `signature` ends with its hash type. */
  checkEcdsa(question: {
    readonly signature: Uint8Array
    readonly publicKey: Uint8Array
    readonly scriptCode: Uint8Array
    readonly version: EcdsaVersion
  }): boolean
  /** BIP340 under an x-only key of 32 bytes; `signature` as on the stack. */
  checkSchnorr(question: {
    readonly signature: Uint8Array
    readonly publicKey: Uint8Array
    readonly annexHash: Hash32 | undefined
    /** Absent for the key path. */
    readonly tapscript?: TapscriptSpend
  }): ScriptResult
  /** BIP65. */
  checkLockTime(lockTime: number): boolean
  /** BIP112. */
  checkSequence(sequence: number): boolean
}

export type ScriptContext = {
  readonly flags: ScriptFlags
  readonly checker: SpendChecker
} & (
  | { readonly version: EcdsaVersion }
  | { readonly version: 'tapscript'; readonly leaf: TapscriptLeaf }
)

/** The leaf that runs, and what bounds its signatures. */
export type TapscriptLeaf = {
  readonly hash: Hash32
  readonly annexHash: Hash32 | undefined
  /** Weight that signatures may still use up; BIP342 takes 50 for each that is not empty. */
  weightLeft: number
}

export type Machine = ScriptContext & {
  readonly script: Uint8Array
  readonly stack: Uint8Array[]
  readonly alternative: Uint8Array[]
  readonly conditions: Conditions
  /** Offset after the last CODESEPARATOR that ran. */
  codeStart: number
  /** Which operation of the script that CODESEPARATOR was, from 0. */
  codeSeparator: number | undefined
  /** Operations other than pushes, keys of CHECKMULTISIG included. */
  operations: number
}

/** Runs one opcode; a result stops the script. */
export type Operation = (machine: Machine) => ScriptResult

/** Takes the top `count` items, the deepest first; undefined when there are fewer. */
export function take({ stack }: Machine, count: number): Uint8Array[] | undefined {
  return stack.length < count ? undefined : stack.splice(stack.length - count, count)
}

/**
 * The stack item as a number, minimal where the flags say so; undefined is Core's `UNKNOWN_ERROR`.
 */
export const asNumber = (
  { flags }: Machine,
  item: Uint8Array,
  bytesMax = NUMBER_BYTES_MAX,
): number | undefined => readScriptNumber(item, { minimal: flags.has('MINIMALDATA'), bytesMax })
