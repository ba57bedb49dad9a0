/** One input that spends a taproot output, among others: every part of it can be chosen. */
import { hash32 } from '../../../../src/core/base/bytes.ts'
import { sat } from '../../../../src/core/base/units.ts'
import type { ScriptFlags } from '../../../../src/core/btc/regtest/script-rules.ts'
import type { Transaction, TxOut } from '../../../../src/core/btc/transaction.ts'
import { transactionFromParts } from '../../../../src/core/btc/transaction.ts'
import { hashOf } from '../builders.ts'
import { scriptRunner } from './script-flags.ts'
import type { Leaf, Signing, TaprootOutput } from './taproots.ts'
import { schnorrSignature, secretOf, taprootOutput } from './taproots.ts'

/** Signs what the spend is; a part that is given replaces what the spend has. */
export type Sign = (change?: Partial<Signing>) => Uint8Array

export type SpendParts = {
  /** Absent for the key path. */
  readonly leaf?: Leaf
  readonly siblings?: readonly Uint8Array[]
  /** Items of the witness below script and control block; for the key path all of it. */
  readonly stack: (sign: Sign) => readonly Uint8Array[]
  readonly annex?: Uint8Array
  readonly index?: number
  readonly outputs?: number
  readonly lockTime?: number
  readonly sequence?: number
  /** Changes what is spent and by what, after everything is signed. */
  readonly change?: (made: Made) => Made
}

export type Made = {
  readonly tx: Transaction
  readonly spent: readonly TxOut[]
  readonly witness: readonly Uint8Array[]
  readonly scriptSig: Uint8Array
}

const INPUTS = 3
/** Other inputs of the transaction: anyone may spend them. */
const anyone: TxOut = { value: sat(7_000n), script: Uint8Array.of(0x51) }
const INTERNAL_KEY = 1

function draftOf(parts: SpendParts): Transaction {
  const inputs = Array.from({ length: INPUTS }, (_, i) => ({
    outpoint: { txid: hash32(hashOf(`coin ${i}`)), vout: i },
    sequence: i === (parts.index ?? 1) ? (parts.sequence ?? 0) : 5,
  }))
  const outputs = Array.from({ length: parts.outputs ?? INPUTS }, (_, i) => ({
    value: sat(BigInt(1_000 + i)),
    script: Uint8Array.of(0x51, 0x50 + i),
  }))
  return transactionFromParts({ inputs, outputs, lockTime: parts.lockTime ?? 0 })
}

export function makeSpend(parts: SpendParts): Made {
  const { leaf, annex, siblings, index = 1, change = (made) => made } = parts
  const output: TaprootOutput = taprootOutput(INTERNAL_KEY, leaf, siblings)
  const tx = draftOf(parts)
  const own = { value: sat(50_000n), script: output.script }
  const spent = tx.inputs.map((_, i) => (i === index ? own : anyone))
  const secret = leaf === undefined ? output.secret : secretOf(2)
  const stack = parts.stack((part) =>
    schnorrSignature({ tx, index, spent, secret, annex, leaf, ...part }),
  )
  const path = leaf === undefined ? [] : [leaf.script, output.control]
  const witness = [...stack, ...path, ...(annex === undefined ? [] : [annex])]
  return change({ tx, spent, witness, scriptSig: new Uint8Array(0) })
}

/** Runs the spend under one set of flags after another. */
export function taprootRunner(parts: SpendParts): ReturnType<typeof scriptRunner> {
  const { tx, spent, witness, scriptSig } = makeSpend(parts)
  const own = parts.index ?? 1
  const inputs = tx.inputs.map((input, i) => (i === own ? { ...input, witness, scriptSig } : input))
  return scriptRunner({ ...tx, inputs }, spent)
}

export const runTaproot = (parts: SpendParts, flags: ScriptFlags): string =>
  taprootRunner(parts)(flags)
