/**
 * What the mempool asks of one transaction beyond consensus. Source: `docs/spec/bitcoin.md` §11.4,
 * RN-7.
 */
import type { ScriptOp } from '../script.ts'
import {
  classifyScript,
  dustThreshold,
  isPushOnly,
  op,
  parseScript,
  scriptNumber,
  witnessProgram,
} from '../script.ts'
import { ANNEX_TAG, LEAF_VERSION_MASK, TAPSCRIPT_LEAF } from '../taproot.ts'
import type { Transaction, TxIn, TxOut } from '../transaction.ts'
import { WITNESS_SCALE, weight } from '../transaction.ts'
import { ELEMENT_BYTES_MAX } from './script-rules.ts'
import { scriptSigops } from './sigops.ts'

export const WEIGHT_STANDARD_MAX = 400_000
export const SIGOPS_COST_STANDARD_MAX = 16_000
export const RELAY_RATE_MIN_SAT_PER_VB = 1n
/** BMP-4: a signature operation weighs as much as this many bytes. */
const BYTES_PER_SIGOP = 20
export const STRIPPED_SIZE_MIN = 65
const VERSION_MAX = 3
const SCRIPT_SIG_MAX = 1_650
const OP_RETURN_SCRIPT_MAX = 83
const P2SH_SIGOPS_MAX = 15
const WITNESS_SCRIPT_MAX = 3_600
const WITNESS_ITEMS_MAX = 100
const WITNESS_ITEM_MAX = 80
/** Below OP_16, yet it pushes nothing and fails where it runs. */
const RESERVED = 0x50

/** Core's IsStandardTx: rules that need no coins. */
export function checkStandard(tx: Transaction): string | undefined {
  if (tx.version < 1 || tx.version > VERSION_MAX) return 'version'
  if (weight(tx) > WEIGHT_STANDARD_MAX) return 'tx-size'
  for (const { scriptSig } of tx.inputs) {
    if (scriptSig.length > SCRIPT_SIG_MAX) return 'scriptsig-size'
    if (!isPushOnly(scriptSig)) return 'scriptsig-not-pushonly'
  }
  return checkOutputs(tx.outputs)
}

function checkOutputs(outputs: readonly TxOut[]): string | undefined {
  let dataOutputs = 0
  for (const { value, script } of outputs) {
    const { type } = classifyScript(script)
    if (type === 'nonstandard') return 'scriptpubkey'
    if (type === 'opReturn') {
      if (script.length > OP_RETURN_SCRIPT_MAX) return 'scriptpubkey'
      dataOutputs += 1
    } else if (value < dustThreshold(script)) return 'dust'
  }
  return dataOutputs > 1 ? 'multi-op-return' : undefined
}

/**
 * Core's AreInputsStandard and IsWitnessStandard; `spent` are the outputs of the inputs, in order.
 */
export function checkStandardInputs(tx: Transaction, spent: readonly TxOut[]): string | undefined {
  const inputs = tx.inputs.map((input, i) => ({
    ...input,
    script: spent[i]?.script ?? new Uint8Array(0),
  }))
  if (!inputs.every(isStandardInput)) return 'bad-txns-nonstandard-inputs'
  return inputs.every(isStandardWitness) ? undefined : 'bad-witness-nonstandard'
}

type Input = Pick<TxIn, 'scriptSig' | 'witness'> & { readonly script: Uint8Array }

function isStandardInput({ script, scriptSig }: Input): boolean {
  const { type } = classifyScript(script)
  if (type === 'nonstandard' || type === 'witnessUnknown') return false
  if (type !== 'p2sh') return true
  const redeem = topOfPushes(scriptSig)
  return redeem !== undefined && scriptSigops(redeem, { accurate: true }) <= P2SH_SIGOPS_MAX
}

/** What the pushes of a scriptSig leave on top; undefined where they fail or there is none. */
function topOfPushes(scriptSig: Uint8Array): Uint8Array | undefined {
  const ops = parseScript(scriptSig) ?? []
  const isPush = ({ opcode, data }: ScriptOp): boolean =>
    opcode <= op.sixteen && opcode !== RESERVED && (data?.length ?? 0) <= ELEMENT_BYTES_MAX
  const last = ops.every(isPush) ? ops.at(-1) : undefined
  return last && (last.data ?? scriptNumber(last.opcode - op.one + 1))
}

/**
 * A witness stands only where one is due, and only in the sizes that wallets make. Programs of
 * versions to come are judged by the flags of the interpreter.
 */
function isStandardWitness({ script, scriptSig, witness }: Input): boolean {
  const { type } = classifyScript(script)
  if (witness.length === 0) return true
  if (type === 'p2a') return false
  if (type === 'p2tr') return isStandardTaproot(witness)
  const own = type === 'p2sh' ? topOfPushes(scriptSig) : script
  const inner = own && classifyScript(own).type
  if (inner === 'p2wsh') return isStandardScriptHash(witness)
  return own !== undefined && witnessProgram(own) !== undefined
}

function isStandardScriptHash(witness: readonly Uint8Array[]): boolean {
  const items = witness.slice(0, -1)
  return (
    (witness.at(-1)?.length ?? 0) <= WITNESS_SCRIPT_MAX &&
    items.length <= WITNESS_ITEMS_MAX &&
    items.every(isSmall)
  )
}

/** No annex, and small items under a tapscript; a key path has no more rules. */
function isStandardTaproot(witness: readonly Uint8Array[]): boolean {
  if (witness.length < 2) return true
  const [first] = witness.at(-1) ?? []
  if (first === undefined || first === ANNEX_TAG) return false
  return (first & LEAF_VERSION_MASK) !== TAPSCRIPT_LEAF || witness.slice(0, -2).every(isSmall)
}

const isSmall = ({ length }: Uint8Array): boolean => length <= WITNESS_ITEM_MAX

/** BMP-4: size for fees. */
export const policyVsize = (tx: Transaction, sigopsCost: number): number =>
  Math.ceil(Math.max(weight(tx), sigopsCost * BYTES_PER_SIGOP) / WITNESS_SCALE)
