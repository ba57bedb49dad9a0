/**
 * Goal: script verification gives the very error that Bitcoin Core gives, on Core's own rows.
 * Method: every row of `script_tests.json` is run, but those whose flags are of proposals that
 * Core does not know (OP_CAT): to these the opcode is OP_SUCCESS, as a test of its own says. Each
 * row also keeps its verdict when flags are removed from a good one, or added to a bad one.
 */
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import type { TestContext } from 'vitest'
import { expect, test } from 'vitest'
import { concat, fromHex, hash32, toHex } from '../../../../src/core/base/bytes.ts'
import { taggedHash } from '../../../../src/core/base/hash.ts'
import type { Sat } from '../../../../src/core/base/units.ts'
import { sat } from '../../../../src/core/base/units.ts'
import type { ScriptFlags } from '../../../../src/core/btc/regtest/script-rules.ts'
import { tapLeafHash } from '../../../../src/core/btc/sighash.ts'
import { SEQUENCE_FINAL, transactionFromParts, txid } from '../../../../src/core/btc/transaction.ts'
import { vectorJson } from '../../../support/vectors.ts'
import { assemble } from './script-assembly.ts'
import {
  ALL_FLAGS,
  filled,
  flagNames,
  isFlag,
  scriptRunner,
  someFlags,
  trimmed,
  without,
} from './script-flags.ts'

type Row = {
  readonly text: string
  readonly witness: readonly string[]
  readonly value: Sat
  readonly scriptSig: string
  readonly script: string
  readonly flagNames: readonly string[]
  readonly expected: string
}

/** Rows of the file: a witness with its amount may stand first; a single text is a comment. */
function readRows(context: TestContext): readonly Row[] {
  const raw = vectorJson<readonly (readonly unknown[])[]>(context, 'bitcoin-core/script_tests.json')
  return raw
    .filter(({ length }) => length >= 4)
    .map((row) => {
      const [first] = row
      const stack: readonly unknown[] = Array.isArray(first) ? first : [0]
      const rest = (Array.isArray(first) ? row.slice(1) : row).map(String)
      const [scriptSig = '', script = '', flags = '', expected = ''] = rest
      return {
        text: JSON.stringify(row),
        witness: stack.slice(0, -1).map(String),
        value: sat(BigInt(Math.round(Number(stack.at(-1)) * 1e8))),
        scriptSig,
        script,
        flagNames: flagNames(flags),
        expected,
      }
    })
}

/** Nobody knows its secret: BIP341's point for outputs without a key path. */
const NUMS = fromHex('50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0')

/** An output with one leaf below `NUMS`, and the control block of that leaf. */
function singleLeaf(script: Uint8Array): { outputKey: Uint8Array; control: Uint8Array } {
  const tweak = taggedHash('TapTweak', concat(NUMS, tapLeafHash(0xc0, script)))
  const internal = schnorr.utils.lift_x(BigInt(`0x${toHex(NUMS)}`))
  const point = internal.add(secp256k1.Point.BASE.multiply(BigInt(`0x${toHex(tweak)}`))).toBytes()
  const parity = (point[0] ?? 0) & 1
  return { outputKey: point.subarray(1), control: concat(Uint8Array.of(0xc0 + parity), NUMS) }
}

/** Witness and output script of a row, its placeholders resolved. */
function resolve({ witness, script }: Row): { witness: Uint8Array[]; script: Uint8Array } {
  const source = witness.find((item) => item.startsWith('#SCRIPT#'))
  if (source === undefined)
    return { witness: witness.map((item) => fromHex(item)), script: assemble(script) }
  const leaf = assemble(source.slice('#SCRIPT#'.length))
  const { outputKey, control } = singleLeaf(leaf)
  const itemOf = (item: string): Uint8Array =>
    item === '#CONTROLBLOCK#' ? control : item === source ? leaf : fromHex(item)
  return {
    witness: witness.map(itemOf),
    script: assemble(script.replace('#TAPROOTOUTPUT#', `0x${toHex(outputKey)}`)),
  }
}

/** Core's pair: a transaction that pays to the script, and one that spends it. */
function runnerOf(row: Row): ReturnType<typeof scriptRunner> {
  const { witness, script } = resolve(row)
  const nothing = { txid: hash32(new Uint8Array(32)), vout: 0xffff_ffff }
  const credit = transactionFromParts({
    version: 1,
    inputs: [{ outpoint: nothing, scriptSig: Uint8Array.of(0, 0), sequence: SEQUENCE_FINAL }],
    outputs: [{ value: row.value, script }],
  })
  const input = {
    outpoint: { txid: txid(credit), vout: 0 },
    scriptSig: assemble(row.scriptSig),
    sequence: SEQUENCE_FINAL,
    witness,
  }
  const outputs = [{ value: row.value, script: new Uint8Array(0) }]
  return scriptRunner(
    transactionFromParts({ version: 1, inputs: [input], outputs }),
    credit.outputs,
  )
}

const isOfCore = (row: Row): boolean => row.flagNames.every(isFlag)
const flagsOf = (row: Row): ScriptFlags => filled(row.flagNames.filter(isFlag))

test('every row gives the error that Bitcoin Core gives', (context) => {
  const rows = readRows(context)
  const different: string[] = []
  for (const row of rows.filter(isOfCore)) {
    const found = runnerOf(row)(flagsOf(row))
    if (found !== row.expected) different.push(`${found} for ${row.text}`)
  }
  expect(different).toEqual([])
  expect([rows.length, rows.filter(isOfCore).length]).toEqual([1236, 1208])
})

test('a row keeps its verdict when a good one loses flags and a bad one gains some', (context) => {
  const changed: string[] = []
  let runs = 0
  for (const [seed, row] of readRows(context).filter(isOfCore).entries()) {
    const run = runnerOf(row)
    const isGood = row.expected === 'OK'
    const before = flagsOf(row)
    const sets = [
      ...ALL_FLAGS.map((flag): ScriptFlags => new Set([flag])),
      ...[1, 2, 3, 4].map((i) => someFlags(4 * seed + i)),
    ]
    for (const set of sets) {
      const flags = isGood ? trimmed(without(before, set)) : filled([...before, ...set])
      const found = run(flags)
      if ((found === 'OK') !== isGood) changed.push(`${[...set].join()}: ${found} for ${row.text}`)
      runs += 1
    }
  }
  expect(changed).toEqual([])
  expect(runs).toBe(1208 * 25)
})

test('to the rows of OP_CAT, which Core does not know, the opcode is OP_SUCCESS', (context) => {
  const rows = readRows(context).filter((row) => !isOfCore(row))
  const names = new Set(rows.flatMap((row) => row.flagNames).filter((name) => !isFlag(name)))
  expect([...names].toSorted()).toEqual(['DISCOURAGE_OP_CAT', 'OP_CAT'])
  expect(rows.length).toBe(28)
  for (const row of rows) {
    const usesCat = row.witness.some((item) => item.includes('CAT'))
    const flags = new Set([...flagsOf(row)].filter((flag) => flag !== 'DISCOURAGE_OP_SUCCESS'))
    expect(runnerOf(row)(flags), row.text).toBe('OK')
    expect(runnerOf(row)(new Set([...flags, 'DISCOURAGE_OP_SUCCESS'])), row.text).toBe(
      usesCat ? 'DISCOURAGE_OP_SUCCESS' : 'OK',
    )
  }
})
