/**
 * What the mempool asks of one transaction beyond consensus. Source: `docs/spec/bitcoin.md` §11.4,
 * RN-7.
 */
import { classifyScript, dustThreshold, isPushOnly } from '../script.ts'
import type { Transaction, TxOut } from '../transaction.ts'
import { strippedSize, WITNESS_SCALE, weight } from '../transaction.ts'
import { redeemScriptOf, scriptSigops } from './sigops.ts'

export const WEIGHT_STANDARD_MAX = 400_000
export const SIGOPS_COST_STANDARD_MAX = 16_000
export const RELAY_RATE_MIN_SAT_PER_VB = 1n
/** BMP-4: a signature operation weighs as much as this many bytes. */
const BYTES_PER_SIGOP = 20
const STRIPPED_SIZE_MIN = 65
const VERSION_MAX = 3
const SCRIPT_SIG_MAX = 1_650
const OP_RETURN_SCRIPT_MAX = 83
const P2SH_SIGOPS_MAX = 15
const WITNESS_SCRIPT_MAX = 3_600
const WITNESS_ITEMS_MAX = 100
const WITNESS_ITEM_MAX = 80
const ANNEX_TAG = 0x50

/** Core's IsStandardTx: rules that need no coins. */
export function checkStandard(tx: Transaction): string | undefined {
  if (tx.version < 1 || tx.version > VERSION_MAX) return 'version'
  if (weight(tx) > WEIGHT_STANDARD_MAX) return 'tx-size'
  if (strippedSize(tx) < STRIPPED_SIZE_MIN) return 'tx-size-small'
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
  for (const [i, { scriptSig, witness }] of tx.inputs.entries()) {
    const script = spent[i]?.script ?? new Uint8Array(0)
    const { type } = classifyScript(script)
    if (type === 'nonstandard' || type === 'witnessUnknown') return 'bad-txns-nonstandard-inputs'
    const redeem = redeemScriptOf(script, scriptSig)
    if (redeem !== undefined && scriptSigops(redeem, { accurate: true }) > P2SH_SIGOPS_MAX)
      return 'bad-txns-nonstandard-inputs'
    if (!isStandardWitness(redeem ?? script, witness)) return 'bad-witness-nonstandard'
  }
  return undefined
}

function isStandardWitness(script: Uint8Array, witness: readonly Uint8Array[]): boolean {
  if (witness.length === 0) return true
  const { type } = classifyScript(script)
  if (type === 'p2wsh') {
    const items = witness.slice(0, -1)
    return (
      (witness.at(-1)?.length ?? 0) <= WITNESS_SCRIPT_MAX &&
      items.length <= WITNESS_ITEMS_MAX &&
      items.every(({ length }) => length <= WITNESS_ITEM_MAX)
    )
  }
  if (type === 'p2tr') return witness.length < 2 || witness.at(-1)?.[0] !== ANNEX_TAG
  return type === 'p2wpkh'
}

/** BMP-4: size for fees. */
export const policyVsize = (tx: Transaction, sigopsCost: number): number =>
  Math.ceil(Math.max(weight(tx), sigopsCost * BYTES_PER_SIGOP) / WITNESS_SCALE)

/** Least fee at which a transaction of this size is relayed. */
export const relayFeeMin = (vsize: number): bigint => BigInt(vsize) * RELAY_RATE_MIN_SAT_PER_VB

/** Whether `a` pays a strictly higher rate than `b`. */
export const paysMore = (
  a: { readonly fee: bigint; readonly vsize: number },
  b: { readonly fee: bigint; readonly vsize: number },
): boolean => a.fee * BigInt(b.vsize) > b.fee * BigInt(a.vsize)
