import { Transaction as PeerTransaction } from 'bitcoinjs-lib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, toDisplayHex, toHex } from '../../../src/core/base/bytes.ts'
import { Bug } from '../../../src/core/base/errors.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import type { Sat } from '../../../src/core/base/units.ts'
import { sat } from '../../../src/core/base/units.ts'
import { p2trScript } from '../../../src/core/btc/script.ts'
import {
  legacySighash,
  scriptCodeOfKeyHash,
  segwitSighash,
  sighashMidstate,
  sighashType,
  tapLeafHash,
  taprootAnnexHash,
  taprootMidstate,
  taprootSighash,
} from '../../../src/core/btc/sighash.ts'
import type { Transaction, TxOut } from '../../../src/core/btc/transaction.ts'
import {
  decodeTransaction,
  encodeTransaction,
  transactionFromParts,
} from '../../../src/core/btc/transaction.ts'
import { vectorJson } from '../../support/vectors.ts'
import { hashOf, output } from './builders.ts'

// Specification §14.2.
const NATIVE =
  '0100000002fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f0000000000eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac11000000'
const NESTED =
  '0100000001db6b1b20aa0fd7b23880be2ecbd4a98130974cf4748fb66092ac4d3ceb1a54770100000000feffffff02b8b4eb0b000000001976a914a457b684d7f0d539a46a45bbc043f35b59d0d96388ac0008af2f000000001976a914fd270b1ee6abcaea97fea7ad0402e8bd8ad6d77c88ac92040000'

describe('BIP143', () => {
  test.each([
    [
      NATIVE,
      1,
      600_000_000n,
      '1d0f172a0ecb48aee1be1f2687d2963ae33f71a1',
      'c37af31116d1b27caf68aae9e3ac82f1477929014d5b917657d0eb49478cb670',
    ],
    [
      NESTED,
      0,
      1_000_000_000n,
      '79091972186c449eb1ded22b78e40d009bdf0089',
      '64f3b0f4dd2bb3aa1ce8566d220cc74dda9df97d8490cc81d89d735c92e59fb6',
    ],
  ])('key hash vector %#', (hex, index, value, keyHash, expected) => {
    const tx = decodeTransaction(fromHex(hex))
    const spend = {
      tx,
      index,
      scriptCode: scriptCodeOfKeyHash(fromHex(keyHash)),
      value: sat(value),
      hashType: sighashType.all,
    }
    expect(toHex(segwitSighash(spend))).toBe(expected)
    expect(toHex(segwitSighash({ ...spend, midstate: sighashMidstate(tx) }))).toBe(expected)
  })
})

const bytes = fc.uint8Array({ maxLength: 60 })
const value = fc.bigInt(0n, 21n * 10n ** 14n).map(sat)
const transactions: fc.Arbitrary<Transaction> = fc.record({
  version: fc.nat(0x7fff_ffff),
  inputs: fc.array(
    fc.record({
      outpoint: fc.record({ txid: fc.string().map(hashOf), vout: fc.nat(0xffff_ffff) }),
      scriptSig: fc.constant(new Uint8Array(0)),
      sequence: fc.nat(0xffff_ffff),
      witness: fc.constant([]),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  outputs: fc.array(fc.record({ value, script: bytes }), { minLength: 1, maxLength: 4 }),
  lockTime: fc.nat(0xffff_ffff),
})
const standardTypes = [0x01, 0x02, 0x03, 0x81, 0x82, 0x83] as const

describe('bitcoinjs-lib computes the same hashes', () => {
  test('legacy and BIP143, every standard type', () => {
    const types = fc.constantFrom(...standardTypes)
    fc.assert(
      fc.property(
        transactions,
        fc.nat(3),
        bytes,
        value,
        types,
        (tx, at, scriptCode, amount, hashType) => {
          const index = at % tx.inputs.length
          const peer = PeerTransaction.fromBuffer(encodeTransaction(tx))
          const segwit = segwitSighash({ tx, index, scriptCode, value: amount, hashType })
          expect(toHex(segwit)).toBe(
            toHex(peer.hashForWitnessV0(index, scriptCode, amount, hashType)),
          )
          // The peer's quirks are not ours: it recompiles scripts, and writes the "one" backwards.
          if ((hashType & 3) === 3 && index >= tx.outputs.length) return
          const code = scriptCodeOfKeyHash(hashOf(toHex(scriptCode)).subarray(0, 20))
          const legacy = legacySighash({ tx, index, scriptCode: code, hashType })
          expect(toHex(legacy)).toBe(toHex(peer.hashForSignature(index, code, hashType)))
        },
      ),
    )
  })

  test('BIP341 key path and script path, with and without annex', () => {
    const types = fc.constantFrom(0x00, ...standardTypes)
    const optional = (arbitrary: fc.Arbitrary<Uint8Array>) =>
      fc.option(arbitrary, { nil: undefined })
    fc.assert(
      fc.property(
        transactions,
        fc.nat(3),
        types,
        optional(bytes),
        optional(bytes),
        (tx, at, hashType, annex, leaf) => {
          const index = at % tx.inputs.length
          const spent = tx.inputs.map((_, i) =>
            output(BigInt(1_000 + i), p2trScript(hashOf(`key ${i}`))),
          )
          const leafHash = leaf && tapLeafHash(0xc0, leaf)
          const hash = taprootSighash({
            tx,
            index,
            spent,
            hashType,
            annexHash: annex && taprootAnnexHash(annex),
            tapscript: leafHash && { leafHash },
          })
          if ((hashType & 3) === 3 && index >= tx.outputs.length) {
            expect(hash).toBeUndefined()
            return
          }
          const peer = PeerTransaction.fromBuffer(encodeTransaction(tx))
          const scripts = spent.map(({ script }) => script)
          const values = spent.map((each) => each.value)
          expect(hash && toHex(hash)).toBe(
            toHex(peer.hashForWitnessV1(index, scripts, values, hashType, leafHash, annex)),
          )
        },
      ),
    )
  })
})

describe('what a hash covers', () => {
  const tx = decodeTransaction(fromHex(NATIVE))
  const [firstInput, secondInput] = tx.inputs
  const [firstOutput, secondOutput] = tx.outputs
  if (!firstInput || !secondInput || !firstOutput || !secondOutput) throw new Error('2 in, 2 out')
  const spent: readonly TxOut[] = [output(1n), output(2n)]
  const other = hashOf('other')

  /** Changes of the transaction, none of which a SIGHASH_ALL signature may survive. */
  const changes: Readonly<Record<string, Transaction>> = {
    version: { ...tx, version: 2 },
    lockTime: { ...tx, lockTime: 18 },
    'own txid': {
      ...tx,
      inputs: [{ ...firstInput, outpoint: { txid: other, vout: 0 } }, secondInput],
    },
    'own vout': {
      ...tx,
      inputs: [{ ...firstInput, outpoint: { ...firstInput.outpoint, vout: 9 } }, secondInput],
    },
    'own sequence': { ...tx, inputs: [{ ...firstInput, sequence: 1 }, secondInput] },
    'other outpoint': {
      ...tx,
      inputs: [firstInput, { ...secondInput, outpoint: { txid: other, vout: 0 } }],
    },
    'other sequence': { ...tx, inputs: [firstInput, { ...secondInput, sequence: 1 }] },
    'own output value': { ...tx, outputs: [{ ...firstOutput, value: 1n as Sat }, secondOutput] },
    'own output script': { ...tx, outputs: [{ ...firstOutput, script: other }, secondOutput] },
    'other output': { ...tx, outputs: [firstOutput, { ...secondOutput, value: 1n as Sat }] },
    'one output less': { ...tx, outputs: [firstOutput] },
  }
  const free: Readonly<Record<number, readonly string[]>> = {
    [sighashType.all]: [],
    [sighashType.none]: [
      'other sequence',
      'own output value',
      'own output script',
      'other output',
      'one output less',
    ],
    [sighashType.single]: ['other sequence', 'other output', 'one output less'],
    [sighashType.all | sighashType.anyoneCanPay]: ['other outpoint', 'other sequence'],
  }
  const hashes = {
    legacy: (of: Transaction, hashType: number) =>
      legacySighash({ tx: of, index: 0, scriptCode: other, hashType }),
    BIP143: (of: Transaction, hashType: number) =>
      segwitSighash({ tx: of, index: 0, scriptCode: other, value: sat(5n), hashType }),
  }

  test.each(Object.entries(hashes))('%s: each field, by hash type', (_, hash) => {
    for (const [type, uncovered] of Object.entries(free)) {
      const hashType = Number(type)
      const surviving = Object.entries(changes).flatMap(([name, changed]) =>
        toHex(hash(changed, hashType)) === toHex(hash(tx, hashType)) ? [name] : [],
      )
      expect(surviving, `type ${type}`).toEqual(uncovered)
    }
  })

  test('BIP341 covers every field, and amount and script of every output spent', () => {
    const hash = (of: Transaction, outputs = spent) =>
      toHex(taprootSighash({ tx: of, index: 0, spent: outputs, hashType: 0 }) ?? other)
    for (const [name, changed] of Object.entries(changes))
      expect(hash(changed), name).not.toBe(hash(tx))
    expect(hash(tx, [output(1n), output(3n)])).not.toBe(hash(tx))
    expect(hash(tx, [output(1n), output(2n, other)])).not.toBe(hash(tx))
  })

  test('BIP143 covers the amount, the type and the code', () => {
    const spend = { tx, index: 0, scriptCode: other, value: sat(5n), hashType: 1 }
    const all = [
      spend,
      { ...spend, value: sat(6n) },
      { ...spend, hashType: 2 },
      { ...spend, index: 1 },
      { ...spend, scriptCode: hashOf('code') },
    ]
    expect(new Set(all.map((each) => toHex(segwitSighash(each)))).size).toBe(all.length)
  })

  test('SINGLE without an output: legacy hashes to one, BIP143 to no output, BIP341 to nothing', () => {
    const short = { ...tx, outputs: [firstOutput] }
    const hashType = sighashType.single
    const legacy = legacySighash({ tx: short, index: 1, scriptCode: other, hashType })
    expect(toHex(legacy)).toBe('01'.padEnd(64, '0'))
    expect(taprootSighash({ tx: short, index: 1, spent, hashType })).toBeUndefined()
    expect(taprootSighash({ tx: short, index: 0, spent, hashType })).toBeDefined()
  })

  test.each([0x04, 0x80, 0x84, 0x41, 0xff, 0x101])('BIP341 knows no hash type %i', (hashType) => {
    expect(taprootSighash({ tx, index: 0, spent, hashType })).toBeUndefined()
  })

  test('an input that is not there, or outputs that do not fit, are bugs of the caller', () => {
    expect(() => legacySighash({ tx, index: 2, scriptCode: other, hashType: 1 })).toThrow(Bug)
    expect(() => taprootMidstate(tx, [output(1n)])).toThrow(Bug)
  })

  test('the position of the last code separator is covered', () => {
    const spend = (codeSeparator?: number) =>
      taprootSighash({
        tx,
        index: 0,
        spent,
        hashType: 0,
        tapscript: { leafHash: other, ...(codeSeparator === undefined ? {} : { codeSeparator }) },
      })
    expect(spend(3)).not.toEqual(spend(4))
    expect(spend(0xffff_ffff)).toEqual(spend())
  })
})

test('Bitcoin Core’s 500 legacy hashes', (context) => {
  const rows = vectorJson<[string, string, number, number, string][]>(
    context,
    'bitcoin-core/sighash.json',
  ).slice(1)
  expect(rows.length).toBe(500)
  for (const [raw, script, index, hashType, expected] of rows) {
    const tx = decodeTransaction(fromHex(raw))
    const hash = legacySighash({ tx, index, scriptCode: fromHex(script), hashType })
    expect(toDisplayHex(hash)).toBe(expected)
  }
})

type WalletVectors = {
  readonly keyPathSpending: readonly {
    readonly given: {
      readonly rawUnsignedTx: string
      readonly utxosSpent: readonly { readonly scriptPubKey: string; readonly amountSats: number }[]
    }
    readonly intermediary: Readonly<
      Record<
        'hashAmounts' | 'hashOutputs' | 'hashPrevouts' | 'hashScriptPubkeys' | 'hashSequences',
        string
      >
    >
    readonly inputSpending: readonly {
      readonly given: { readonly txinIndex: number; readonly hashType: number }
      readonly intermediary: { readonly sigHash: string }
    }[]
  }[]
  readonly scriptPubKey: readonly {
    readonly given: { readonly scriptTree: unknown }
    readonly intermediary: { readonly leafHashes?: readonly string[] }
  }[]
}

describe('BIP341 wallet vectors', () => {
  const read = (context: Parameters<typeof vectorJson>[0]) =>
    vectorJson<WalletVectors>(context, 'bitcoin-core/bip341_wallet_vectors.json')

  test('key path hashes and what they share', (context) => {
    let inputs = 0
    for (const { given, intermediary, inputSpending } of read(context).keyPathSpending) {
      const tx = decodeTransaction(fromHex(given.rawUnsignedTx))
      const spent = given.utxosSpent.map(({ scriptPubKey, amountSats }) => ({
        value: sat(BigInt(amountSats)),
        script: fromHex(scriptPubKey),
      }))
      const midstate = taprootMidstate(tx, spent)
      expect(toHex(midstate.amounts)).toBe(intermediary.hashAmounts)
      expect(toHex(midstate.scripts)).toBe(intermediary.hashScriptPubkeys)
      expect(toHex(midstate.prevouts)).toBe(intermediary.hashPrevouts)
      expect(toHex(midstate.sequences)).toBe(intermediary.hashSequences)
      expect(toHex(midstate.outputs)).toBe(intermediary.hashOutputs)
      for (const { given: at, intermediary: expected } of inputSpending) {
        const spend = { tx, spent, index: at.txinIndex, hashType: at.hashType, midstate }
        expect(toHex(taprootSighash(spend) ?? sha256(fromHex('')))).toBe(expected.sigHash)
        inputs++
      }
    }
    expect(inputs).toBe(7)
  })

  test('leaf hashes', (context) => {
    let leaves = 0
    for (const { given, intermediary } of read(context).scriptPubKey) {
      const hashes = leavesOf(given.scriptTree).map(({ script, leafVersion }) =>
        toHex(tapLeafHash(leafVersion, fromHex(script))),
      )
      expect(hashes).toEqual(intermediary.leafHashes ?? [])
      leaves += hashes.length
    }
    expect(leaves).toBeGreaterThan(8)
  })
})

type Leaf = { readonly script: string; readonly leafVersion: number }

/** Leaves of a vector's tree, which nests pairs in arrays, from left to right. */
function leavesOf(tree: unknown): readonly Leaf[] {
  if (Array.isArray(tree)) return tree.flatMap(leavesOf)
  return tree === null ? [] : [tree as Leaf]
}

test('one output spent twice has two hashes', () => {
  const tx = transactionFromParts({
    inputs: [
      { outpoint: { txid: hashOf('a'), vout: 0 } },
      { outpoint: { txid: hashOf('a'), vout: 1 } },
    ],
    outputs: [output(1n)],
  })
  const hash = (index: number) =>
    toHex(segwitSighash({ tx, index, scriptCode: hashOf('c'), value: sat(1n), hashType: 1 }))
  expect(hash(0)).not.toBe(hash(1))
})
