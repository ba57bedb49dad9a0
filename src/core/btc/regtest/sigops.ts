/**
 * Signature operations as a block counts them: legacy and P2SH four times, witness once. Source:
 * BIP16, BIP141, RN-3.
 */

import { classifyScript, isPushOnly, op, parseScript, readOp, witnessProgram } from '../script.ts'
import type { Transaction, TxOut } from '../transaction.ts'
import { isCoinbase, WITNESS_SCALE } from '../transaction.ts'
import { MULTISIG_KEYS_MAX } from './script-rules.ts'

const KEY_HASH_SIZE = 20
const SCRIPT_HASH_SIZE = 32
export const BLOCK_SIGOPS_COST_MAX = 80_000

const CHECKSIGVERIFY = 0xad
const CHECKMULTISIGVERIFY = 0xaf

/**
 * Static count over a script; `accurate` reads the number of keys before CHECKMULTISIG, else it
 * counts as 20.
 */
export function scriptSigops(script: Uint8Array, { accurate }: { readonly accurate: boolean }) {
  let count = 0
  let previous = -1
  for (let offset = 0; offset < script.length; ) {
    const read = readOp(script, offset)
    if (read === undefined) break // Core counts up to the broken push.
    const { opcode } = read.op
    if (opcode === op.checkSig || opcode === CHECKSIGVERIFY) count += 1
    if (opcode === op.checkMultisig || opcode === CHECKMULTISIGVERIFY)
      count += accurate && isCount(previous) ? previous - op.one + 1 : MULTISIG_KEYS_MAX
    previous = opcode
    offset = read.next
  }
  return count
}

const isCount = (opcode: number): boolean => opcode >= op.one && opcode <= op.sixteen

/** Cost of one transaction; `spent` are the outputs of its inputs, empty for a coinbase. */
export function sigopCost(tx: Transaction, spent: readonly TxOut[]): number {
  const scripts = [...tx.inputs.map((i) => i.scriptSig), ...tx.outputs.map((o) => o.script)]
  const legacy = scripts.reduce((sum, s) => sum + scriptSigops(s, { accurate: false }), 0)
  if (isCoinbase(tx)) return legacy * WITNESS_SCALE
  let cost = legacy * WITNESS_SCALE
  for (const [i, { scriptSig, witness }] of tx.inputs.entries()) {
    const script = spent[i]?.script ?? new Uint8Array(0)
    const redeem = redeemScriptOf(script, scriptSig)
    if (redeem !== undefined) cost += scriptSigops(redeem, { accurate: true }) * WITNESS_SCALE
    cost += witnessSigops(redeem ?? script, witness)
  }
  return cost
}

/** Script that a P2SH input reveals: its last push. */
function redeemScriptOf(script: Uint8Array, scriptSig: Uint8Array): Uint8Array | undefined {
  if (classifyScript(script).type !== 'p2sh' || !isPushOnly(scriptSig)) return undefined
  return parseScript(scriptSig)?.at(-1)?.data
}

function witnessSigops(script: Uint8Array, witness: readonly Uint8Array[]): number {
  const program = witnessProgram(script)
  if (program?.version !== 0) return 0 // Tapscript is bounded by its weight, not counted.
  if (program.program.length === KEY_HASH_SIZE) return 1
  return program.program.length === SCRIPT_HASH_SIZE
    ? scriptSigops(witness.at(-1) ?? new Uint8Array(0), { accurate: true })
    : 0
}
