/**
 * Does an input have the right to spend its output? Source: Bitcoin Core VerifyScript; BIP16,
 * BIP141, BIP341.
 */
import { equalBytes } from '../../base/bytes.ts'
import { sha256 } from '../../base/hash.ts'
import { classifyScript, isPushOnly, p2pkhScript, pushData, witnessProgram } from '../script.ts'
import { runScript } from './interpreter.ts'
import type { SpendChecker } from './machine.ts'
import { isTrue } from './script-number.ts'
import type { ScriptFlags, ScriptResult } from './script-rules.ts'
import { ELEMENT_BYTES_MAX } from './script-rules.ts'

const ANNEX_TAG = 0x50

export type Spend = {
  readonly scriptSig: Uint8Array
  readonly scriptPubKey: Uint8Array
  readonly witness: readonly Uint8Array[]
  readonly flags: ScriptFlags
  readonly checker: SpendChecker
}

/**
 * Undefined when the spend is right. Forms that this node cannot verify are refused as
 * `UNSUPPORTED`.
 */
export function verifyScript(spend: Spend): ScriptResult {
  const { scriptSig, scriptPubKey, flags, witness } = spend
  if (flags.has('SIGPUSHONLY') && !isPushOnly(scriptSig)) return 'SIG_PUSHONLY'
  const context = { version: 'base', flags, checker: spend.checker } as const
  const stack: Uint8Array[] = []
  const fault = runScript(scriptSig, stack, context)
  if (fault !== undefined) return fault
  const pushed = [...stack]
  const own = runScript(scriptPubKey, stack, context) ?? mustBeTrue(stack)
  if (own !== undefined) return own
  const program = flags.has('WITNESS') ? witnessProgram(scriptPubKey) : undefined
  if (program !== undefined)
    return scriptSig.length > 0 ? 'WITNESS_MALLEATED' : verifyWitness(spend, program, 'native')
  if (flags.has('P2SH') && classifyScript(scriptPubKey).type === 'p2sh')
    return verifyRedeemScript(spend, pushed)
  return verifyEnd(stack, flags, witness)
}

const mustBeTrue = (stack: readonly Uint8Array[]): ScriptResult => {
  const top = stack.at(-1)
  return top !== undefined && isTrue(top) ? undefined : 'EVAL_FALSE'
}

/** Nothing may be left over: on the stack by policy, in the witness by consensus. */
function verifyEnd(
  stack: readonly Uint8Array[],
  flags: ScriptFlags,
  witness: readonly Uint8Array[],
): ScriptResult {
  if (flags.has('CLEANSTACK') && stack.length !== 1) return 'CLEANSTACK'
  return flags.has('WITNESS') && witness.length > 0 ? 'WITNESS_UNEXPECTED' : undefined
}

/** BIP16: the last push is a script that must hold as well. */
function verifyRedeemScript(spend: Spend, stack: Uint8Array[]): ScriptResult {
  const { scriptSig, flags, witness, checker } = spend
  if (!isPushOnly(scriptSig)) return 'SIG_PUSHONLY'
  const redeemScript = stack.pop()
  if (redeemScript === undefined) return 'EVAL_FALSE'
  const context = { version: 'base', flags, checker } as const
  const fault = runScript(redeemScript, stack, context) ?? mustBeTrue(stack)
  if (fault !== undefined) return fault
  const program = flags.has('WITNESS') ? witnessProgram(redeemScript) : undefined
  if (program === undefined) return verifyEnd(stack, flags, witness)
  return equalBytes(scriptSig, pushData(redeemScript))
    ? verifyWitness(spend, program, 'nested')
    : 'WITNESS_MALLEATED_P2SH'
}

type Program = { readonly version: number; readonly program: Uint8Array }

function verifyWitness(
  spend: Spend,
  { version, program }: Program,
  place: 'native' | 'nested',
): ScriptResult {
  const { witness, flags } = spend
  if (version === 0 && program.length === 20)
    return witness.length === 2
      ? runWitnessScript(spend, p2pkhScript(program), witness)
      : 'WITNESS_PROGRAM_MISMATCH'
  if (version === 0 && program.length === 32) {
    const script = witness.at(-1)
    if (script === undefined) return 'WITNESS_PROGRAM_WITNESS_EMPTY'
    if (!equalBytes(sha256(script), program)) return 'WITNESS_PROGRAM_MISMATCH'
    return runWitnessScript(spend, script, witness.slice(0, -1))
  }
  if (version === 0) return 'WITNESS_PROGRAM_WRONG_LENGTH'
  if (version === 1 && program.length === 32 && place === 'native' && flags.has('TAPROOT'))
    return verifyTaproot(spend, program)
  return flags.has('DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM')
    ? 'DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM'
    : 'UNSUPPORTED'
}

/** BIP141: one true item must remain, by consensus. */
function runWitnessScript(
  { flags, checker }: Spend,
  script: Uint8Array,
  items: readonly Uint8Array[],
): ScriptResult {
  if (items.some(({ length }) => length > ELEMENT_BYTES_MAX)) return 'PUSH_SIZE'
  const stack = [...items]
  const fault = runScript(script, stack, { version: 'v0', flags, checker })
  if (fault !== undefined) return fault
  return stack.length === 1 ? mustBeTrue(stack) : 'CLEANSTACK'
}

/** BIP341, key path. A script path (BIP342) is refused: unread, it must not be accepted. */
function verifyTaproot({ witness, checker }: Spend, outputKey: Uint8Array): ScriptResult {
  if (witness.length === 0) return 'WITNESS_PROGRAM_WITNESS_EMPTY'
  const last = witness.at(-1)
  const annex = witness.length > 1 && last?.[0] === ANNEX_TAG ? last : undefined
  const [signature, ...path] = annex === undefined ? witness : witness.slice(0, -1)
  if (signature === undefined || path.length > 0) return 'UNSUPPORTED'
  return checker.checkTaprootKey(signature, outputKey, annex)
}
