/**
 * Goal: whole transactions get the verdict of Bitcoin Core on its own rows, under every set of
 * flags that Core's test program tries.
 * Method: `tx_valid.json` lists the flags that a row excludes: it holds under all others, and under
 * fewer; with one excluded flag back it fails. `tx_invalid.json` lists the flags that it needs: it
 * fails under them, and under more; with one of them gone it holds.
 */
import type { TestContext } from 'vitest'
import { expect, test } from 'vitest'
import type { Txid } from '../../../../src/core/base/bytes.ts'
import { fromDisplayHex, fromHex } from '../../../../src/core/base/bytes.ts'
import { attempt, BadEncoding, present } from '../../../../src/core/base/errors.ts'
import { sat } from '../../../../src/core/base/units.ts'
import type { ScriptFlags } from '../../../../src/core/btc/regtest/script-rules.ts'
import { CONSENSUS_FLAGS } from '../../../../src/core/btc/regtest/script-rules.ts'
import type { Transaction, TxOut } from '../../../../src/core/btc/transaction.ts'
import {
  checkTransaction,
  decodeTransaction,
  outpointKey,
} from '../../../../src/core/btc/transaction.ts'
import { vectorJson } from '../../../support/vectors.ts'
import { assemble } from './script-assembly.ts'
import {
  ALL_FLAGS,
  complement,
  filled,
  flagNames,
  isFlag,
  scriptRunner,
  someFlags,
  trimmed,
  without,
  withoutEach,
} from './script-flags.ts'

type Prevout = readonly [id: string, vout: number, script: string, value?: number]
type Row = readonly [prevouts: readonly Prevout[], hex: string, flags: string]

const readRows = (context: TestContext, file: string): readonly Row[] =>
  vectorJson<readonly (readonly unknown[])[]>(context, `bitcoin-core/${file}`).filter(
    (row): row is Row => row.length === 3,
  )

/** Outputs that the row says are spent, in the order of the inputs. */
function spentOf(tx: Transaction, [prevouts]: Row): readonly TxOut[] {
  const known = new Map(
    prevouts.map(([id, vout, script, value]) => [
      outpointKey({ txid: fromDisplayHex(id) as Txid, vout: vout >>> 0 }),
      { script: assemble(script), value: sat(BigInt(value ?? 0)) },
    ]),
  )
  return tx.inputs.map(({ outpoint }) =>
    present(known.get(outpointKey(outpoint)), 'the row knows each output'),
  )
}

function runnerOf(row: Row): ReturnType<typeof scriptRunner> {
  const tx = decodeTransaction(fromHex(row[1]))
  return scriptRunner(tx, spentOf(tx, row))
}

/** Each flag alone, and some together. */
const changesOf = (seed: number): readonly ScriptFlags[] => [
  ...ALL_FLAGS.map((flag): ScriptFlags => new Set([flag])),
  ...[1, 2, 3, 4].map((i) => someFlags(4 * seed + i)),
]

const show = (flags: ScriptFlags): string => [...flags].join()

/**
 * A proposal gives OP_NOP4 a meaning (CHECKTEMPLATEVERIFY) and flags of its own. To Core the opcode
 * is one of the NOPs that policy keeps for later.
 */
const excludedFlags = ([, , names]: Row): ScriptFlags =>
  new Set(
    flagNames(names)
      .map((name) => (name.includes('TEMPLATE') ? 'DISCOURAGE_UPGRADABLE_NOPS' : name))
      .filter(isFlag),
  )

test('tx_valid.json: each row holds under all flags but those that it excludes', (context) => {
  const rows = readRows(context, 'tx_valid.json')
  const wrong: string[] = []
  for (const [seed, row] of rows.entries()) {
    const [, hex, names] = row
    expect(checkTransaction(decodeTransaction(fromHex(hex))), hex).toBe(undefined)
    const excluded = excludedFlags(row)
    const flags = complement(excluded)
    expect(filled(flags), `${names} leaves a possible set`).toEqual(flags)
    const run = runnerOf(row)
    const demand = (under: ScriptFlags, good: boolean): void => {
      const found = run(under)
      if ((found === 'OK') !== good) wrong.push(`${found} under ${show(under)}: ${hex} (${names})`)
    }
    demand(flags, true)
    for (const removed of changesOf(seed)) demand(trimmed(without(flags, removed)), true)
    for (const kept of withoutEach(excluded)) demand(complement(kept), false)
  }
  expect(wrong).toEqual([])
  expect(rows.length).toBe(139)
})

/** Why a row is not run; empty for all that Core knows. */
const isOfProposal = ([, , names]: Row): boolean => names.includes('CHECK_TEMPLATE_VERIFY')

test('tx_invalid.json: each row fails under its flags and more, and holds with one less', (context) => {
  const rows = readRows(context, 'tx_invalid.json')
  const scripts = rows.filter((row) => row[2] !== 'BADTX' && !isOfProposal(row))
  const wrong: string[] = []
  for (const [seed, row] of scripts.entries()) {
    const [, hex, names] = row
    const flags = new Set(flagNames(names).filter(isFlag))
    expect(filled(flags), `${names} is a possible set`).toEqual(flags)
    const run = runnerOf(row)
    const demand = (under: ScriptFlags, good: boolean): void => {
      const found = run(under)
      if ((found === 'OK') !== good) wrong.push(`${found} under ${show(under)}: ${hex} (${names})`)
    }
    demand(flags, false)
    for (const added of changesOf(seed)) demand(filled([...flags, ...added]), false)
    for (const fewer of withoutEach(flags)) demand(fewer, true)
  }
  expect(wrong).toEqual([])
  expect([rows.length, scripts.length]).toEqual([104, 84])
})

test('tx_invalid.json: rows of malformed transactions are refused before their scripts', (context) => {
  const rows = readRows(context, 'tx_invalid.json').filter((row) => row[2] === 'BADTX')
  expect(rows.length).toBe(9)
  for (const [, hex] of rows) {
    const tx = attempt(() => decodeTransaction(fromHex(hex)))
    expect(tx instanceof BadEncoding || checkTransaction(tx) !== undefined, hex).toBe(true)
  }
})

test('tx_invalid.json: the rows left out are bad by CHECKTEMPLATEVERIFY alone', (context) => {
  const rows = readRows(context, 'tx_invalid.json').filter(isOfProposal)
  expect(rows.length).toBe(11)
  expect(rows.map((row) => runnerOf(row)(CONSENSUS_FLAGS))).toEqual(rows.map(() => 'OK'))
})
