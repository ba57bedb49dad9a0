import { Block as PeerBlock } from 'bitcoinjs-lib'
import { describe, expect, test } from 'vitest'
import { concat, toDisplayHex, toHex } from '../../../src/core/base/bytes.ts'
import { BadEncoding, present } from '../../../src/core/base/errors.ts'
import type { Block, BlockFlaw } from '../../../src/core/btc/block.ts'
import {
  blockWeight,
  checkBlock,
  commitmentScript,
  decodeBlock,
  encodeBlock,
  findCommitment,
  headerHash,
  subsidy,
  txidsOf,
  witnessCommitment,
} from '../../../src/core/btc/block.ts'
import { merkleRoot } from '../../../src/core/btc/merkle.ts'
import { mainnet, regtest, testnet3 } from '../../../src/core/btc/network.ts'
import { pushData } from '../../../src/core/btc/script.ts'
import type { Transaction } from '../../../src/core/btc/transaction.ts'
import {
  strippedSize,
  stripWitness,
  transactionFromParts,
} from '../../../src/core/btc/transaction.ts'
import { vectorBytes } from '../../support/vectors.ts'
import { blockOf, coinbase, hashOf, output, payment, withRoot, zeroHash } from './builders.ts'
import { expectStrict, expectTotal } from './strict-decoder.ts'

const HEIGHT = 200
const good = blockOf(HEIGHT, [payment('a'), payment('b'), payment('c')])
const check = (block: Block, height = HEIGHT, network = regtest) =>
  checkBlock(block, { network, height })

/** The block with other transactions and the merkle root that fits them. */
const having = (...transactions: readonly Transaction[]): Block =>
  withRoot({ ...good, transactions })

const [first, a, b, c] = good.transactions as [Transaction, Transaction, Transaction, Transaction]

/** The coinbase with another witness commitment output in front or behind. */
const withOutputs = (tx: Transaction, ...scripts: readonly Uint8Array[]): Transaction => ({
  ...tx,
  outputs: [...tx.outputs, ...scripts.map((script) => output(0n, script))],
})

describe('codec', () => {
  const codec = { bytes: encodeBlock(good), decode: decodeBlock, encode: encodeBlock }
  test('blocks are read strictly', () => expectStrict(codec))
  test('hostile bytes are refused or mean exactly what they say', () => expectTotal(codec))

  test('a block of no transactions decodes; the rules refuse it', () => {
    const empty = decodeBlock(encodeBlock({ ...good, transactions: [] }))
    expect(check(empty)).toEqual({ kind: 'mutated', reason: 'bad-txnmrklroot' })
    expect(check(having())).toEqual({ kind: 'invalid', reason: 'bad-blk-length' })
  })

  test('a count of transactions longer than needed is refused', () => {
    const bytes = encodeBlock(good)
    const padded = concat(bytes.subarray(0, 80), Uint8Array.of(0xfd, 4, 0), bytes.subarray(81))
    expect(() => decodeBlock(padded)).toThrow(BadEncoding)
  })
})

describe('checkBlock', () => {
  test('a block that keeps every rule passes, with its ids at hand or without', () => {
    expect(check(good)).toBeUndefined()
    expect(
      checkBlock(good, { network: regtest, height: HEIGHT, txids: txidsOf(good) }),
    ).toBeUndefined()
    expect(check(blockOf(HEIGHT, []))).toBeUndefined()
    expect(check(having(coinbase(HEIGHT, [output(1n)])), HEIGHT)?.reason).toBe('unexpected-witness')
    expect(check(having(stripWitness(coinbase(HEIGHT, [output(1n)]))))).toBeUndefined()
  })

  const oversized = payment('big')
  const huge: Transaction = {
    ...stripWitness(oversized),
    outputs: [output(1n, new Uint8Array(990_000))],
  }
  const badPayment = { ...b, inputs: [...b.inputs, ...b.inputs] }
  const node64 = transactionFromParts({
    inputs: [{ outpoint: { txid: hashOf('node'), vout: 0 } }],
    outputs: [output(1n, new Uint8Array(4))],
  })
  const bare = stripWitness(coinbase(HEIGHT, [output(1n)]))

  const flaws: readonly [string, BlockFlaw['kind'], BlockFlaw['reason'], Block][] = [
    ['another body', 'mutated', 'bad-txnmrklroot', { ...good, transactions: [first, a, b] }],
    [
      'the last two transactions twice (CVE-2012-2459)',
      'mutated',
      'bad-txns-duplicate',
      {
        header: having(first, a, b, c, ...[payment('d'), payment('e')]).header,
        transactions: [first, a, b, c, ...twice(payment('d'), payment('e'))],
      },
    ],
    ['no coinbase', 'invalid', 'bad-cb-missing', having(a, b)],
    ['inner nodes of the tree as transactions', 'mutated', 'bad-cb-missing', having(node64, a)],
    ['two coinbases', 'invalid', 'bad-cb-multiple', having(first, a, bare)],
    [
      'a stripped size of over a million bytes',
      'invalid',
      'bad-blk-length',
      having(first, huge, huge),
    ],
    [
      'an outpoint spent twice',
      'invalid',
      'bad-txns-inputs-duplicate',
      having(first, a, badPayment),
    ],
    [
      'the height of another block',
      'invalid',
      'bad-cb-height',
      having(coinbase(HEIGHT + 1, first.outputs), a),
    ],
    [
      'a witness stripped',
      'mutated',
      'bad-witness-merkle-match',
      { ...good, transactions: [first, a, b, stripWitness(c)] },
    ],
    [
      'all witnesses stripped',
      'mutated',
      'bad-witness-nonce-size',
      { ...good, transactions: good.transactions.map(stripWitness) },
    ],
    [
      'a witness changed',
      'mutated',
      'bad-witness-merkle-match',
      { ...good, transactions: [first, a, b, withWitness(c, [Uint8Array.of(1)])] },
    ],
    [
      'a reserved value of 31 bytes',
      'mutated',
      'bad-witness-nonce-size',
      { ...good, transactions: [withWitness(first, [new Uint8Array(31)]), a, b, c] },
    ],
    [
      'two reserved values',
      'mutated',
      'bad-witness-nonce-size',
      { ...good, transactions: [withWitness(first, [zeroHash, zeroHash]), a, b, c] },
    ],
    [
      'another reserved value',
      'mutated',
      'bad-witness-merkle-match',
      { ...good, transactions: [withWitness(first, [hashOf('x')]), a, b, c] },
    ],
    ['witnesses without a commitment', 'mutated', 'unexpected-witness', having(bare, a)],
    [
      'a later commitment that does not match',
      'mutated',
      'bad-witness-merkle-match',
      having(withOutputs(first, commitmentScript(hashOf('x'))), a, b, c),
    ],
    [
      'a weight of over four million',
      'invalid',
      'bad-blk-weight',
      blockOf(HEIGHT, [withWitness(a, [new Uint8Array(4_000_000)])]),
    ],
  ]
  test.each(flaws)('%s: %s, %s', (_, kind, reason, block) => {
    expect(check(block)).toEqual({ kind, reason })
  })

  test('bitcoin §13.30: a weight of exactly four million passes, one more does not', () => {
    const sized = (size: number) => blockOf(HEIGHT, [withWitness(a, [new Uint8Array(size)])])
    const room = 4_000_000 - blockWeight(sized(3_000_000))
    expect(blockWeight(sized(3_000_000 + room))).toBe(4_000_000)
    expect(check(sized(3_000_000 + room))).toBeUndefined()
    expect(check(sized(3_000_001 + room))?.reason).toBe('bad-blk-weight')
  })

  test('bitcoin §13.23: of two commitments the last counts', () => {
    const early = coinbase(HEIGHT, [output(0n, commitmentScript(hashOf('x')))])
    const commitment = witnessCommitment([early, a], zeroHash)
    expect(check(having(withOutputs(early, commitmentScript(commitment)), a))).toBeUndefined()
  })

  test('bytes after a commitment do not matter, a shorter script is none', () => {
    const script = commitmentScript(hashOf('x'))
    const carrying = (...scripts: Uint8Array[]) =>
      findCommitment(withOutputs(coinbase(1, []), ...scripts))
    expect(carrying(concat(script, Uint8Array.of(1, 2)))).toEqual(hashOf('x'))
    expect(carrying(script, script.subarray(0, 37))).toEqual(hashOf('x'))
    expect(carrying(script.subarray(0, 37))).toBeUndefined()
    expect(carrying()).toBeUndefined()
  })

  test('before SegWit there are no witnesses and no commitment; before BIP34 no height', () => {
    const old = having(stripWitness(first), ...[a, b].map(stripWitness))
    const height = mainnet.forks.segwit - 1
    const atHeight = having(stripWitness(coinbase(height, first.outputs)), stripWitness(a))
    expect(check(atHeight, height, mainnet)).toBeUndefined()
    expect(check(having(stripWitness(coinbase(height, [])), a), height, mainnet)?.reason).toBe(
      'bad-txns-vout-empty',
    )
    expect(check(old, mainnet.forks.bip34 - 1, mainnet)).toBeUndefined()
    expect(check(old, mainnet.forks.bip34, mainnet)?.reason).toBe('bad-cb-height')
    const withWitnesses = having(stripWitness(coinbase(height, first.outputs)), a)
    expect(check(withWitnesses, height, mainnet)).toEqual({
      kind: 'mutated',
      reason: 'unexpected-witness',
    })
  })

  test('each height from 1 to 70,000 has one coinbase prefix', () => {
    for (const height of [1, 16, 17, 127, 128, 255, 256, 32_767, 32_768, 65_535, 70_000]) {
      expect(check(blockOf(height, []), height), `height ${height}`).toBeUndefined()
      expect(check(blockOf(height, []), height + 1)?.reason).toBe('bad-cb-height')
    }
  })

  test('bitcoin §13.70: a coinbase that counts beyond 32 bits has another height', () => {
    const high = concat(pushData(Uint8Array.of(HEIGHT & 0xff, HEIGHT >> 8, 0, 0, 1)), hashOf('x'))
    for (const scriptSig of [high, Uint8Array.of(5), Uint8Array.of(0x4e, 255, 255, 255, 255)]) {
      const [input, ...rest] = first.inputs
      const odd = { ...first, inputs: [{ ...present(input, 'one'), scriptSig }, ...rest] }
      const reason = scriptSig.length < 2 ? 'bad-cb-length' : 'bad-cb-height'
      expect(check(having(odd, a, b, c))).toEqual({ kind: 'invalid', reason })
    }
  })

  test('a flaw of the body that the merkle root does not cover never condemns the header', () => {
    // Stripped and altered bodies of a valid header: each must be a mutation.
    const bodies = [[], [a], [a, b], [first], [first, a, b, c, c], [bare, a, b, c]]
    for (const transactions of bodies)
      expect(check({ ...good, transactions })?.kind).toBe('mutated')
  })

  test('the 64-byte transaction of the table has that size', () => {
    expect(strippedSize(node64)).toBe(64)
  })
})

function twice<T>(...items: readonly T[]): readonly T[] {
  return [...items, ...items]
}

function withWitness(tx: Transaction, witness: readonly Uint8Array[]): Transaction {
  return { ...tx, inputs: tx.inputs.map((input) => ({ ...input, witness })) }
}

describe('subsidy (§5.3)', () => {
  test.each([
    [0, 5_000_000_000n, mainnet],
    [209_999, 5_000_000_000n, mainnet],
    [210_000, 2_500_000_000n, mainnet],
    [840_000, 312_500_000n, mainnet],
    [6_929_999, 1n, mainnet],
    [6_930_000, 0n, mainnet],
    [13_440_000, 0n, mainnet],
    [149, 5_000_000_000n, regtest],
    [150, 2_500_000_000n, regtest],
  ])('block %d pays %s', (height, amount, network) => {
    expect(subsidy(height, network)).toBe(amount)
  })

  test('all mainnet subsidies together stay below 21 million coins', () => {
    let total = 0n
    for (let era = 0; era < 70; era++) total += 210_000n * subsidy(era * 210_000, mainnet)
    expect(total).toBe(2_099_999_997_690_000n)
  })
})

describe('real blocks', () => {
  const blocks = [
    {
      height: 300_025,
      network: mainnet,
      hash: '0000000000000000821c4e0acc40f88bedbce3b73ba2358b5ade58a9022cc78c',
      count: 461,
    },
    {
      height: 928_828,
      network: testnet3,
      hash: '00000000000cee3a01a2821fe68eaa06000e8c744320efca8fcff9c4b9cf76c2',
      count: 201,
    },
  ]
  test.for(blocks)('$network.name block $height', (expected, context) => {
    const bytes = vectorBytes(context, `bitcoin-blocks/block${expected.height}.raw`)
    const block = decodeBlock(bytes)
    expect(toHex(encodeBlock(block))).toBe(toHex(bytes))
    expect(toDisplayHex(headerHash(block.header))).toBe(expected.hash)
    expect(block.transactions.length).toBe(expected.count)
    expect(merkleRoot(txidsOf(block)).root).toEqual(block.header.merkleRoot)
    expect(check(block, expected.height, expected.network)).toBeUndefined()
    expect(check(block, expected.height + 1, expected.network)?.reason).toBe('bad-cb-height')

    const peer = PeerBlock.fromBuffer(bytes)
    expect(peer.weight()).toBe(blockWeight(block))
    expect(peer.transactions?.map((tx) => tx.getId())).toEqual(txidsOf(block).map(toDisplayHex))
  })
})

test('bitcoinjs-lib finds the same merkle root and witness commitment in our blocks', () => {
  const accepts = (block: Block) => PeerBlock.fromBuffer(encodeBlock(block)).checkTxRoots()
  expect(accepts(good)).toBe(true)
  expect(accepts(blockOf(HEIGHT, []))).toBe(true)
  expect(accepts({ ...good, transactions: [first, a, b, withWitness(c, [zeroHash])] })).toBe(false)
})
