/**
 * Goal: script verification agrees with Bitcoin Core's published vectors.
 * Method: every row is run but those of a proposal that Bitcoin does not know
 * (CHECKTEMPLATEVERIFY). A row may differ in two ways only, and each is counted: it needs a script
 * form that this
 * node refuses, or an encoding from before BIP66, which regtest never admits.
 */
import { expect, test } from 'vitest'
import type { Txid } from '../../../../src/core/base/bytes.ts'
import { fromDisplayHex, fromHex, hash32 } from '../../../../src/core/base/bytes.ts'
import { attempt, BadEncoding } from '../../../../src/core/base/errors.ts'
import type { Sat } from '../../../../src/core/base/units.ts'
import { sat } from '../../../../src/core/base/units.ts'
import type { ScriptFlag } from '../../../../src/core/btc/regtest/script-rules.ts'
import { STANDARD_FLAGS } from '../../../../src/core/btc/regtest/script-rules.ts'
import { verifyInputs } from '../../../../src/core/btc/regtest/script-verifier.ts'
import type { Transaction, TxOut } from '../../../../src/core/btc/transaction.ts'
import {
  checkTransaction,
  decodeTransaction,
  outpointKey,
  SEQUENCE_FINAL,
  transactionFromParts,
  txid,
} from '../../../../src/core/btc/transaction.ts'
import { vectorJson } from '../../../support/vectors.ts'
import { assemble } from './script-assembly.ts'

const KNOWN_FLAGS = new Set<string>([...STANDARD_FLAGS, 'SIGPUSHONLY'])
const STRICT_DER: readonly string[] = ['DERSIG', 'LOW_S', 'STRICTENC']

/**
 * Names of a row as flags, with those that they imply; undefined when one is not of Bitcoin Core.
 */
function flagsOf(names: readonly string[]): Set<ScriptFlag> | undefined {
  if (!names.every((name) => KNOWN_FLAGS.has(name))) return undefined
  const flags = new Set(names as readonly ScriptFlag[])
  if (flags.has('CLEANSTACK')) flags.add('WITNESS')
  if (flags.has('WITNESS')) flags.add('P2SH')
  return flags
}

const list = (text: string): readonly string[] =>
  text.split(',').filter((name) => name !== '' && name !== 'NONE')

type ScriptRow = readonly [...unknown[]]

/** A row of `script_tests.json`, without a witness written as an empty one. */
function parseRow(row: ScriptRow) {
  const [first] = row
  const hasWitness = Array.isArray(first)
  const stack: readonly unknown[] = hasWitness ? first : [0]
  const [scriptSig, script, flags, expected] = (hasWitness ? row.slice(1) : row).map(String)
  return {
    items: stack.slice(0, -1).map(String),
    value: sat(BigInt(Math.round(Number(stack.at(-1)) * 1e8))),
    scriptSig: assemble(scriptSig ?? ''),
    script: assemble(script ?? ''),
    flags: flagsOf(list(flags ?? '')),
    expected,
  }
}

/** Core's pair: a transaction that pays to the script, and one that spends it. */
function spendOf(
  script: Uint8Array,
  value: Sat,
  input: { scriptSig: Uint8Array; witness: Uint8Array[] },
) {
  const nothing = { txid: hash32(new Uint8Array(32)), vout: 0xffff_ffff }
  const credit = transactionFromParts({
    version: 1,
    inputs: [{ outpoint: nothing, scriptSig: Uint8Array.of(0, 0), sequence: SEQUENCE_FINAL }],
    outputs: [{ value, script }],
  })
  const spend = transactionFromParts({
    version: 1,
    inputs: [{ outpoint: { txid: txid(credit), vout: 0 }, sequence: SEQUENCE_FINAL, ...input }],
    outputs: [{ value, script: new Uint8Array(0) }],
  })
  return { spend, spent: credit.outputs }
}

test('script_tests.json: every row gives the error that Bitcoin Core gives', (context) => {
  const rows = vectorJson<readonly ScriptRow[]>(context, 'bitcoin-core/script_tests.json')
  const tally = { agree: 0, beforeBip66: 0, taprootTemplate: 0, otherLanguage: 0 }
  for (const row of rows.filter(({ length }) => length >= 4)) {
    const { items, value, scriptSig, script, flags, expected } = parseRow(row)
    if (items.some((item) => item.startsWith('#'))) tally.taprootTemplate++
    else if (scriptSig === undefined || script === undefined || flags === undefined)
      tally.otherLanguage++
    else {
      const { spend, spent } = spendOf(script, value, { scriptSig, witness: items.map(fromHex) })
      const found = verifyInputs(spend, spent, flags) ?? 'OK'
      const lax = !STRICT_DER.some((name) => flags.has(name as ScriptFlag))
      if (found !== expected && lax && JSON.stringify(row).includes('0x30')) tally.beforeBip66++
      else {
        expect(found, JSON.stringify(row)).toBe(expected)
        tally.agree++
      }
    }
  }
  expect(tally).toEqual({ agree: 1192, beforeBip66: 9, taprootTemplate: 30, otherLanguage: 5 })
})

type TxRow = readonly [readonly (readonly [string, number, string, number?])[], string, string]

/**
 * Outputs that the row says are spent, in the order of the inputs; undefined where one is missing.
 */
function spentOf(tx: Transaction, prevouts: TxRow[0]): readonly TxOut[] | undefined {
  const known = new Map(
    prevouts.map(([id, vout, script, value]) => [
      outpointKey({ txid: fromDisplayHex(id) as Txid, vout: vout >>> 0 }),
      { script: assemble(script), value: sat(BigInt(value ?? 0)) },
    ]),
  )
  const spent = tx.inputs.flatMap(({ outpoint }) => {
    const output = known.get(outpointKey(outpoint))
    return output?.script === undefined ? [] : [{ value: output.value, script: output.script }]
  })
  return spent.length === tx.inputs.length ? spent : undefined
}

const transactionRows = (rows: readonly (readonly unknown[])[]): readonly TxRow[] =>
  rows.filter((row): row is TxRow => row.length === 3)

test('tx_valid.json: every transaction holds under all flags that its row does not exclude', (context) => {
  const rows = vectorJson<readonly (readonly unknown[])[]>(context, 'bitcoin-core/tx_valid.json')
  const tally = { agree: 0, beforeBip66: 0, unsupported: 0, otherLanguage: 0 }
  for (const [prevouts, hex, excluded] of transactionRows(rows)) {
    const tx = decodeTransaction(fromHex(hex))
    const spent = spentOf(tx, prevouts)
    const without = list(excluded)
    const flags = new Set([...STANDARD_FLAGS].filter((flag) => !without.includes(flag)))
    if (!flags.has('P2SH')) flags.delete('WITNESS')
    if (!flags.has('WITNESS')) flags.delete('CLEANSTACK')
    if (spent === undefined || without.some((name) => name.includes('TEMPLATE'))) {
      tally.otherLanguage++
      continue
    }
    expect(checkTransaction(tx), hex).toBe(undefined)
    const fault = verifyInputs(tx, spent, flags)
    if (fault === 'UNSUPPORTED') tally.unsupported++
    else if (fault !== undefined && without.includes('DERSIG')) tally.beforeBip66++
    else {
      expect(fault, hex).toBe(undefined)
      tally.agree++
    }
  }
  expect(tally).toEqual({ agree: 111, beforeBip66: 7, unsupported: 2, otherLanguage: 19 })
})

test('tx_invalid.json: no transaction holds under the flags of its row', (context) => {
  const rows = vectorJson<readonly (readonly unknown[])[]>(context, 'bitcoin-core/tx_invalid.json')
  const tally = { insane: 0, refused: 0, otherLanguage: 0 }
  for (const [prevouts, hex, names] of transactionRows(rows)) {
    const tx = attempt(() => decodeTransaction(fromHex(hex)))
    if (tx instanceof BadEncoding || checkTransaction(tx) !== undefined) {
      tally.insane++
      continue
    }
    const spent = spentOf(tx, prevouts)
    const flags = flagsOf(list(names))
    if (spent === undefined || flags === undefined) {
      tally.otherLanguage++
      continue
    }
    expect(verifyInputs(tx, spent, flags), hex).not.toBe(undefined)
    tally.refused++
  }
  expect(tally).toEqual({ insane: 9, refused: 84, otherLanguage: 11 })
})
