/**
 * The state of one script run and the small steps that opcodes are made of. Source: Bitcoin Core
 * EvalScript.
 */
import { NUMBER_BYTES_MAX, readScriptNumber } from './script-number.ts'
import type { ScriptFlags, ScriptResult } from './script-rules.ts'

/** `base`: scriptSig, scriptPubKey and P2SH. `v0`: the scripts of BIP141. */
export type ScriptVersion = 'base' | 'v0'

/** What a script may ask about the transaction that spends it. */
export interface SpendChecker {
  /** ECDSA; `signature` ends with its hash type. */
  checkEcdsa(question: {
    readonly signature: Uint8Array
    readonly publicKey: Uint8Array
    readonly scriptCode: Uint8Array
    readonly version: ScriptVersion
  }): boolean
  /** BIP341 key path; `signature` as on the stack. */
  checkTaprootKey(
    signature: Uint8Array,
    outputKey: Uint8Array,
    annex: Uint8Array | undefined,
  ): ScriptResult
  /** BIP65. */
  checkLockTime(lockTime: number): boolean
  /** BIP112. */
  checkSequence(sequence: number): boolean
}

export type ScriptContext = {
  readonly version: ScriptVersion
  readonly flags: ScriptFlags
  readonly checker: SpendChecker
}

export type Machine = ScriptContext & {
  readonly script: Uint8Array
  readonly stack: Uint8Array[]
  readonly alternative: Uint8Array[]
  /** One entry for each open IF: whether its branch runs. */
  readonly conditions: boolean[]
  /** Offset after the last CODESEPARATOR that ran. */
  codeStart: number
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
