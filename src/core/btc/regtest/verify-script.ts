/**
 * Does an input have the right to spend its output? Source: Bitcoin Core VerifyScript; BIP16,
 * BIP141, BIP341.
 */
import { equalBytes } from '../../base/bytes.ts'
import { sha256 } from '../../base/hash.ts'
import { classifyScript, isPushOnly, p2pkhScript, pushData, witnessProgram } from '../script.ts'
import { runScript } from './interpreter.ts'
import type { SpendChecker } from './machine.ts'
import type { ScriptFlags, ScriptResult } from './script-rules.ts'
import { verifyTaproot } from './verify-taproot.ts'
import { mustBeTrue, runWitnessScript } from './witness-script.ts'

const KEY_HASH_SIZE = 20
const SCRIPT_HASH_SIZE = 32
const TAPROOT_SIZE = 32

export type Spend = {
  readonly scriptSig: Uint8Array
  readonly scriptPubKey: Uint8Array
  readonly witness: readonly Uint8Array[]
  readonly flags: ScriptFlags
  readonly checker: SpendChecker
}

/** Undefined when the spend is right. */
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
  const { flags } = spend
  if (version === 0) return verifyVersion0(spend, program)
  if (version === 1 && program.length === TAPROOT_SIZE && place === 'native')
    return flags.has('TAPROOT') ? verifyTaproot(spend, program) : undefined
  const isAnchor = classifyScript(spend.scriptPubKey).type === 'p2a' // A nested one is not.
  // What else there is means nothing yet, so anyone may spend it; by policy nobody does.
  return flags.has('DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM') && !isAnchor
    ? 'DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM'
    : undefined
}

/** BIP141: the witness of a key hash, or of a script hash. */
function verifyVersion0({ witness, flags, checker }: Spend, program: Uint8Array): ScriptResult {
  const context = { version: 'v0', flags, checker } as const
  if (program.length === KEY_HASH_SIZE)
    return witness.length === 2
      ? runWitnessScript(p2pkhScript(program), witness, context)
      : 'WITNESS_PROGRAM_MISMATCH'
  if (program.length !== SCRIPT_HASH_SIZE) return 'WITNESS_PROGRAM_WRONG_LENGTH'
  const script = witness.at(-1)
  if (script === undefined) return 'WITNESS_PROGRAM_WITNESS_EMPTY'
  if (!equalBytes(sha256(script), program)) return 'WITNESS_PROGRAM_MISMATCH'
  return runWitnessScript(script, witness.slice(0, -1), context)
}
