import { Transaction as PeerTransaction } from 'bitcoinjs-lib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, toDisplayHex, toHex } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import type { Sat } from '../../../src/core/base/units.ts'
import { MONEY_MAX } from '../../../src/core/base/units.ts'
import {
  p2pkhScript,
  p2shScript,
  p2trScript,
  p2wpkhScript,
  p2wshScript,
} from '../../../src/core/btc/script.ts'
import type { Transaction } from '../../../src/core/btc/transaction.ts'
import {
  checkTransaction,
  decodeTransaction,
  encodeStripped,
  encodeTransaction,
  isCoinbase,
  NULL_VOUT,
  outpointKey,
  strippedSize,
  stripWitness,
  totalSize,
  transactionFromParts,
  txid,
  vsize,
  weight,
  wtxid,
} from '../../../src/core/btc/transaction.ts'
import { vectorJson } from '../../support/vectors.ts'
import { coinbase, hashOf, output, payment, zeroHash } from './builders.ts'
import { expectStrict, expectTotal } from './strict-decoder.ts'

const codec = { decode: decodeTransaction, encode: encodeTransaction }

describe('codec', () => {
  test('both forms are read strictly', () => {
    expectStrict({ bytes: encodeTransaction(payment('a')), ...codec })
    expectStrict({ bytes: encodeStripped(payment('a')), ...codec })
  })

  test('hostile bytes are refused or mean exactly what they say', () => {
    expectTotal({ bytes: encodeTransaction(payment('a')), ...codec, runs: 1_000 })
    expectTotal({ bytes: encodeStripped(payment('a')), ...codec, runs: 1_000 })
  })

  const stripped = toHex(encodeStripped(payment('a')))
  const full = toHex(encodeTransaction(payment('a')))
  test.each([
    ['bitcoin §13.32: a witness flag of 0', full.replace(/^(.{8})0001/, '$10000')],
    ['bitcoin §13.32: a witness flag of 2', full.replace(/^(.{8})0001/, '$10002')],
    ['no inputs and no outputs', '02000000000000000000'],
    ['only empty witness stacks', stripped.replace(/^(.{8})(.*)(.{8})$/, '$10001$200$3')],
    ['a count of inputs in three bytes', stripped.replace(/^(.{8})01/, '$1fd0100')],
    ['more inputs than bytes', stripped.replace(/^(.{8})01/, '$1fe00000002')],
  ])('%s is malformed', (_, hex) => {
    expect(hex).not.toBe(full)
    expect(hex).not.toBe(stripped)
    expect(() => decodeTransaction(fromHex(hex))).toThrow(BadEncoding)
  })
})

describe('ids and sizes', () => {
  test('the txid leaves the witness out, the wtxid does not', () => {
    const tx = payment('a')
    expect(txid(tx)).toEqual(txid(stripWitness(tx)))
    expect(wtxid(tx)).not.toEqual(txid(tx))
    expect(wtxid(stripWitness(tx))).toEqual(txid(tx))
  })

  test('sizes are those of the encodings', () => {
    for (const tx of [payment('a'), stripWitness(payment('a')), coinbase(300, [output(1n)])]) {
      expect(strippedSize(tx)).toBe(encodeStripped(tx).length)
      expect(totalSize(tx)).toBe(encodeTransaction(tx).length)
      expect(weight(tx)).toBe(3 * encodeStripped(tx).length + encodeTransaction(tx).length)
    }
  })

  test('an outpoint has one key, and the key tells txid and index apart', () => {
    const [a, b] = [hashOf('a'), hashOf('b')]
    const keys = [
      { txid: a, vout: 1 },
      { txid: a, vout: 11 },
      { txid: b, vout: 1 },
    ].map(outpointKey)
    expect(new Set(keys).size).toBe(3)
    expect(outpointKey({ txid: a.slice() as typeof a, vout: 1 })).toBe(keys[0])
  })

  test('bitcoinjs-lib reads and identifies every transaction as we do', () => {
    const bytes = fc.uint8Array({ maxLength: 300 })
    const inputs = fc.array(
      fc.record({
        outpoint: fc.record({ txid: fc.string().map(hashOf), vout: fc.nat(NULL_VOUT) }),
        scriptSig: bytes,
        sequence: fc.nat(0xffff_ffff),
        witness: fc.array(bytes, { maxLength: 4 }),
      }),
      { minLength: 1, maxLength: 4 },
    )
    const value = fc.bigInt(0n, MONEY_MAX).map((amount) => amount as Sat)
    const outputs = fc.array(fc.record({ value, script: bytes }), { maxLength: 4 })
    const parts = { version: fc.nat(0x7fff_ffff), inputs, outputs, lockTime: fc.nat(0xffff_ffff) }
    fc.assert(
      fc.property(fc.record(parts), (tx) => {
        const encoded = encodeTransaction(tx)
        const peer = PeerTransaction.fromBuffer(encoded)
        expect(peer.toHex()).toBe(toHex(encoded))
        expect(peer.getId()).toBe(toDisplayHex(txid(tx)))
        expect(toHex(peer.getHash(true))).toBe(toHex(wtxid(tx)))
        expect(peer.weight()).toBe(weight(tx))
        expect(peer.virtualSize()).toBe(vsize(tx))
        expect(decodeTransaction(encoded)).toEqual(tx)
      }),
      { numRuns: 200 },
    )
  })
})

/**
 * Worst case of minter specification §10.2: a signature of 73 bytes and a key of 33 in each input.
 */
function withdrawal(inputs: number, scripts: readonly Uint8Array[]): Transaction {
  return transactionFromParts({
    inputs: Array.from({ length: inputs }, (_, i) => ({
      outpoint: { txid: hashOf(`coin ${i}`), vout: i },
      witness: [new Uint8Array(73), new Uint8Array(33)],
    })),
    outputs: scripts.map((script) => output(1_000n, script)),
  })
}

describe('vsize of withdrawals (minter specification §10.2)', () => {
  const twenty = new Uint8Array(20)
  const thirtyTwo = new Uint8Array(32)
  const change = p2wpkhScript(twenty)
  test.each([
    [1, [p2wpkhScript(twenty)], 141],
    [1, [p2pkhScript(twenty)], 144],
    [1, [p2shScript(twenty)], 142],
    [1, [p2trScript(thirtyTwo)], 153],
    [1, [p2wshScript(thirtyTwo)], 153],
    [2, [p2wpkhScript(twenty)], 209],
    [2, [p2pkhScript(twenty)], 212],
    [1_000, [p2wpkhScript(twenty)], 68_325],
    [1_000, new Array<Uint8Array>(100).fill(p2trScript(thirtyTwo)), 72_594],
  ])('%d inputs, these outputs and change: %#', (inputs, scripts, expected) => {
    expect(vsize(withdrawal(inputs, [...scripts, change]))).toBe(expected)
  })
})

describe('sanity (§5.2)', () => {
  const [input] = payment('a').inputs
  const good = payment('a')
  const unchecked = (value: bigint) => ({ value: value as Sat, script: new Uint8Array(0) })
  const nullInput = { outpoint: { txid: zeroHash, vout: NULL_VOUT } }
  const coinbaseOf = (length: number) =>
    transactionFromParts({
      inputs: [{ ...nullInput, scriptSig: new Uint8Array(length) }],
      outputs: [output(1n)],
    })

  test('a payment, a coinbase and the bounds themselves are sane', () => {
    expect(checkTransaction(good)).toBeUndefined()
    expect(checkTransaction(coinbase(1, [output(1n)]))).toBeUndefined()
    expect(checkTransaction({ ...good, outputs: [unchecked(MONEY_MAX)] })).toBeUndefined()
    expect(checkTransaction({ ...good, outputs: [unchecked(0n)] })).toBeUndefined()
    expect(checkTransaction(coinbaseOf(2))).toBeUndefined()
    expect(checkTransaction(coinbaseOf(100))).toBeUndefined()
    expect(checkTransaction(ofStrippedSize(1_000_000))).toBeUndefined()
  })

  const flaws: readonly [string, Transaction][] = [
    ['bad-txns-vin-empty', { ...good, inputs: [] }],
    ['bad-txns-vout-empty', { ...good, outputs: [] }],
    ['bad-txns-oversize', ofStrippedSize(1_000_001)],
    ['bad-txns-vout-negative', { ...good, outputs: [unchecked(-1n)] }],
    ['bad-txns-vout-toolarge', { ...good, outputs: [unchecked(MONEY_MAX + 1n)] }],
    ['bad-txns-txouttotal-toolarge', { ...good, outputs: [unchecked(MONEY_MAX), unchecked(1n)] }],
    ['bad-txns-inputs-duplicate', { ...good, inputs: [...good.inputs, ...good.inputs] }],
    ['bad-cb-length', coinbaseOf(1)],
    ['bad-cb-length', coinbaseOf(101)],
    [
      'bad-txns-prevout-null',
      transactionFromParts({
        inputs: [...(input ? [input] : []), nullInput],
        outputs: [output(1n)],
      }),
    ],
  ]
  test.each(flaws)('%s', (reason, tx) => {
    expect(checkTransaction(tx)).toBe(reason)
  })

  test('a null id with another index, or the index with another id, is no coinbase', () => {
    const spending = (outpoint: { txid: typeof zeroHash; vout: number }) =>
      isCoinbase(transactionFromParts({ inputs: [{ outpoint }], outputs: [output(1n)] }))
    expect(spending({ txid: zeroHash, vout: 0 })).toBe(false)
    expect(spending({ txid: hashOf('a'), vout: NULL_VOUT })).toBe(false)
    expect(spending({ txid: zeroHash, vout: NULL_VOUT })).toBe(true)
  })

  function ofStrippedSize(size: number): Transaction {
    const base = { ...payment('a'), outputs: [output(1n, new Uint8Array(0x1_0000))] }
    const rest = 0x1_0000 + size - strippedSize(base)
    return { ...base, outputs: [output(1n, new Uint8Array(rest))] }
  }
})

/** Rows of one string are comments; of the others the second element is the transaction. */
type TransactionRow = readonly [string] | readonly [unknown, string, string]

describe('Bitcoin Core vectors', () => {
  test('every valid transaction decodes, re-encodes and is sane', (context) => {
    const rows = vectorJson<TransactionRow[]>(context, 'bitcoin-core/tx_valid.json')
    const cases = rows.flatMap((row) => (row.length === 1 ? [] : [row[1]]))
    expect(cases.length).toBeGreaterThan(100)
    for (const hex of cases) {
      const tx = decodeTransaction(fromHex(hex))
      expect(toHex(encodeTransaction(tx))).toBe(hex.toLowerCase())
      expect(checkTransaction(tx), hex).toBeUndefined()
    }
  })

  test('of the invalid ones exactly those that need no scripts fail the sanity check', (context) => {
    const rows = vectorJson<TransactionRow[]>(context, 'bitcoin-core/tx_invalid.json')
    const cases = rows.flatMap((row) => (row.length === 1 ? [] : [[row[1], row[2]] as const]))
    const reasons = cases.flatMap(([hex, flags]) => {
      const reason = checkTransaction(decodeTransaction(fromHex(hex)))
      expect(reason === undefined, hex).toBe(flags !== 'BADTX')
      return reason ?? []
    })
    expect(reasons).toEqual([
      'bad-txns-vout-empty',
      'bad-txns-vout-negative',
      'bad-txns-vout-toolarge',
      'bad-txns-txouttotal-toolarge',
      'bad-txns-inputs-duplicate',
      'bad-cb-length',
      'bad-cb-length',
      'bad-txns-prevout-null',
      'bad-txns-prevout-null',
    ])
  })
})
