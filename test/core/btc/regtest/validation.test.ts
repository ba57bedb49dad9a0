/**
 * Goal: a block or transaction that breaks one rule is refused with Bitcoin Core's word for that
 * rule.
 * Method: a right block is broken in one place each time; the unbroken one is accepted at the end
 * of each table.
 */
import { describe, expect, test } from 'vitest'
import { concat, hash32 } from '../../../../src/core/base/bytes.ts'
import { sha256 } from '../../../../src/core/base/hash.ts'
import type { Sat } from '../../../../src/core/base/units.ts'
import type { Block, BlockHeader } from '../../../../src/core/btc/block.ts'
import { blockWeight, commitmentScript, encodeBlock } from '../../../../src/core/btc/block.ts'
import type { RegtestNode } from '../../../../src/core/btc/regtest/node.ts'
import { p2wshScript } from '../../../../src/core/btc/script.ts'
import type { Transaction } from '../../../../src/core/btc/transaction.ts'
import { NULL_VOUT, stripWitness, txid } from '../../../../src/core/btc/transaction.ts'
import type { BlockParts } from './chains.ts'
import {
  blockOn,
  coinbaseCoin,
  NOW,
  nodeWithCoins,
  SUBSIDY,
  solved,
  unsolved,
  verdict,
} from './chains.ts'
import { coinOf, p2pkhWallet, p2wpkhWallet, pay, signedSpend } from './wallets.ts'

const owner = p2wpkhWallet(1)
const legacyOwner = p2pkhWallet(1)
const FEE = 1_000n
const nothing = { txid: hash32(new Uint8Array(32)), vout: NULL_VOUT }
const anyScript = Uint8Array.of(0x51)

/** A right spend of the first coinbase, and one of its output. */
function twoSpends(node: RegtestNode) {
  const parent = signedSpend([coinbaseCoin(node, 1, owner)], [pay(owner, SUBSIDY - FEE)])
  const coin = coinOf(parent, { id: txid(parent), vout: 0, owner })
  const child = signedSpend([coin], [pay(owner, SUBSIDY - 2n * FEE)])
  return { parent, child }
}

const withHeader = (change: Partial<BlockHeader>): BlockParts => ({
  header: (header) => ({ ...header, ...change }),
})

const withCoinbase = (change: (tx: Transaction) => Transaction): BlockParts => ({
  coinbase: change,
})

const withOutputs = (values: readonly bigint[]): BlockParts =>
  withCoinbase((tx) => ({
    ...tx,
    outputs: [
      ...tx.outputs,
      ...values.map((value) => ({ value: value as Sat, script: anyScript })),
    ],
  }))

type Case = readonly [reason: string, make: (node: RegtestNode) => BlockParts]

const BLOCK_CASES: readonly Case[] = [
  ['bad-diffbits', () => withHeader({ bits: 0x2070_0000 })],
  ['high-hash', () => withHeader({ bits: 0x2100_8000 })],
  ['time-too-old', (node) => withHeader({ time: node.tip().header.time - 600 })],
  ['time-too-new', () => withHeader({ time: NOW + 7_201 + 100 })],
  ['bad-version', () => withHeader({ version: 3 })],
  ['bad-version', () => withHeader({ version: -1 })],
  ['prev-blk-not-found', () => withHeader({ previous: hash32(new Uint8Array(32).fill(9)) })],
  ['bad-txnmrklroot', () => withHeader({ merkleRoot: hash32(new Uint8Array(32).fill(9)) })],
  [
    'bad-cb-height',
    () => withCoinbase((tx) => changeScript(tx, Uint8Array.of(0x02, 0xff, 0xff, 0))),
  ],
  ['bad-cb-length', () => withCoinbase((tx) => changeScript(tx, Uint8Array.of(0x51)))],
  ['bad-cb-length', () => withCoinbase((tx) => changeScript(tx, new Uint8Array(101)))],
  ['bad-cb-amount', () => ({ reward: SUBSIDY + 1n })],
  ['bad-cb-missing', () => withCoinbase((tx) => ({ ...tx, inputs: tx.inputs.map(fromSomewhere) }))],
  ['bad-txns-vout-negative', () => withOutputs([-1n])],
  ['bad-txns-vout-toolarge', () => withOutputs([2_100_000_000_000_001n])],
  ['bad-txns-txouttotal-toolarge', () => withOutputs([2_100_000_000_000_000n])],
  ['bad-txns-vout-empty', () => withCoinbase((tx) => ({ ...stripWitness(tx), outputs: [] }))],
  ['bad-witness-nonce-size', () => withCoinbase((tx) => withReserved(tx, [new Uint8Array(31)]))],
  ['bad-witness-nonce-size', () => withCoinbase(stripWitness)],
  ['bad-witness-merkle-match', () => withCoinbase((tx) => withReserved(tx, [ONES]))],
  ['bad-txns-nonfinal', () => withCoinbase((tx) => ({ ...withSequence(tx, 0), lockTime: 500 }))],
  ['bad-txns-inputs-missingorspent', (node) => ({ transactions: [twoSpends(node).child] })],
]

const ONES = new Uint8Array(32).fill(1)

const changeScript = (tx: Transaction, scriptSig: Uint8Array): Transaction => ({
  ...tx,
  inputs: tx.inputs.map((input) => ({ ...input, scriptSig })),
})
const fromSomewhere = (input: Transaction['inputs'][number]) => ({
  ...input,
  outpoint: { ...nothing, vout: 0 },
})
const withReserved = (tx: Transaction, witness: readonly Uint8Array[]): Transaction => ({
  ...tx,
  inputs: tx.inputs.map((input) => ({ ...input, witness })),
})
const withSequence = (tx: Transaction, sequence: number): Transaction => ({
  ...tx,
  inputs: tx.inputs.map((input) => ({ ...input, sequence })),
})

describe('a block is refused by the rule that it breaks', () => {
  const node = nodeWithCoins(owner)

  test.each(BLOCK_CASES)('%s', (reason, make) => {
    expect(verdict(node.submitBlock(blockOn(node, make(node)), NOW))).toBe(reason)
  })

  test('high-hash, for a hash above the target', () => {
    const { header, transactions } = blockOn(node)
    const reply = node.submitBlock({ transactions, header: unsolved(header) }, NOW)
    expect(verdict(reply)).toBe('high-hash')
  })

  test('bad-cb-multiple, for a second coinbase', () => {
    const second = blockOn(node).transactions
    expect(verdict(node.submitBlock(blockOn(node, { transactions: second }), NOW))).toBe(
      'bad-cb-multiple',
    )
  })

  test('bad-blk-length, for a block without transactions', () => {
    const { header } = blockOn(node)
    const empty = {
      transactions: [],
      header: solved({ ...header, merkleRoot: hash32(new Uint8Array(32)) }),
    }
    expect(verdict(node.submitBlock(empty, NOW))).toBe('bad-blk-length')
  })

  test('bad-blk-sigops, for more than 80,000 of cost', () => {
    const withSigops = (sizes: readonly number[]): BlockParts => {
      const outputs = sizes.map((size) => ({
        value: 0n as Sat,
        script: new Uint8Array(size).fill(0xac),
      }))
      const coinbase = (tx: Transaction) => ({ ...tx, outputs: [...tx.outputs, ...outputs] })
      return withCoinbase(coinbase)
    }
    // Each CHECKSIG of an output costs four.
    const oneMore = blockOn(node, withSigops([9_999, 9_999, 3]))
    expect(verdict(node.submitBlock(oneMore, NOW))).toBe('bad-blk-sigops')
    const other = nodeWithCoins(owner)
    const most = blockOn(other, withSigops([9_999, 9_999, 2]))
    expect(verdict(other.submitBlock(most, NOW))).toBe('accepted')
  })

  test('duplicate, for a block that is known', () => {
    const tip = node.blockByHash(node.tip().hash)
    expect(tip && verdict(node.submitBlock(tip, NOW))).toBe('duplicate')
  })

  test('bad-prevblk, for a block on one that was found invalid', () => {
    const bad = blockOn(node, { reward: SUBSIDY + 2n })
    expect(verdict(node.submitBlock(bad, NOW))).toBe('bad-cb-amount')
    const parent = { header: bad.header, height: node.tip().height + 1 }
    expect(verdict(node.submitBlock(blockOn(node, { parent }), NOW))).toBe('bad-prevblk')
    expect(verdict(node.submitBlock(bad, NOW))).toBe('bad-prevblk')
  })

  test('Block decode failed, for every prefix and for a byte too many', () => {
    const bytes = encodeBlock(blockOn(node))
    for (let size = 0; size < bytes.length; size++)
      expect(verdict(node.submitBlock(bytes.subarray(0, size), NOW))).toBe('Block decode failed')
    expect(verdict(node.submitBlock(concat(bytes, Uint8Array.of(0)), NOW))).toBe(
      'Block decode failed',
    )
  })

  test('none of these changed the chain, and the unbroken block is accepted', () => {
    expect(node.tip().height).toBe(101)
    const { parent, child } = twoSpends(node)
    const block = blockOn(node, { transactions: [parent, child], fees: 2n * FEE })
    expect(verdict(node.submitBlock(encodeBlock(block), NOW))).toBe('accepted')
    expect(node.tip().height).toBe(102)
  })
})

type SpendCase = readonly [reason: string, make: (node: RegtestNode) => Transaction]

const coinbaseSpend = (node: RegtestNode, value: bigint, change = {}) =>
  signedSpend([coinbaseCoin(node, 1, owner)], [pay(owner, value)], change)

const SPEND_CASES: readonly SpendCase[] = [
  ['bad-txns-in-belowout', (node) => coinbaseSpend(node, SUBSIDY + 1n)],
  [
    'bad-txns-premature-spend-of-coinbase',
    (node) => signedSpend([coinbaseCoin(node, 4, owner)], [pay(owner, 1_000n)]),
  ],
  ['bad-txns-nonfinal', (node) => coinbaseSpend(node, SUBSIDY, { lockTime: 103 })],
  ['bad-txns-nonfinal', (node) => coinbaseSpend(node, SUBSIDY, { lockTime: NOW + 7_200 })],
  ['bad-txns-nonfinal', (node) => coinbaseSpend(node, SUBSIDY, { sequence: 103 })],
  [
    'bad-txns-nonfinal',
    (node) => {
      // Genesis is of 2011, so only a coin above block 1 has a young median time below it.
      const coin = coinbaseCoin(node, 2, owner)
      return signedSpend([coin], [pay(owner, SUBSIDY)], { sequence: 0x0040_0001 })
    },
  ],
  [
    'bad-txns-inputs-duplicate', // CVE-2018-17144.
    (node) => {
      const coin = coinbaseCoin(node, 1, owner)
      return signedSpend([coin, coin], [pay(owner, SUBSIDY)])
    },
  ],
  [
    'bad-txns-prevout-null',
    (node) => {
      const coin = { ...coinbaseCoin(node, 1, owner), outpoint: nothing }
      return signedSpend([coinbaseCoin(node, 1, owner), coin], [pay(owner, SUBSIDY)])
    },
  ],
  ['bad-txns-vout-empty', (node) => signedSpend([coinbaseCoin(node, 1, owner)], [])],
]

describe('a block is refused for a transaction in it', () => {
  const fresh = nodeWithCoins(owner, 2)

  test.each(SPEND_CASES)('%s', (reason, make) => {
    const transactions = [make(fresh)]
    expect(verdict(fresh.submitBlock(blockOn(fresh, { transactions }), NOW))).toBe(reason)
    expect(fresh.tip().height).toBe(102)
  })

  test('a lock time of the block before, and a relative lock that has passed, are final', () => {
    const tx = coinbaseSpend(fresh, SUBSIDY, { lockTime: 102, sequence: 102 })
    expect(verdict(fresh.submitBlock(blockOn(fresh, { transactions: [tx] }), NOW))).toBe('accepted')
  })
})

describe('edge cases of blocks (specification §13)', () => {
  test('bitcoin §13.21: duplicated trailing transactions are mutation, and the true block is accepted', () => {
    const node = nodeWithCoins(owner)
    const { parent, child } = twoSpends(node)
    const block = blockOn(node, { transactions: [parent, child], fees: 2n * FEE })
    const longer = { ...block, transactions: [...block.transactions, child] }
    expect(verdict(node.submitBlock(longer, NOW))).toBe('bad-txns-duplicate')
    expect(verdict(node.submitBlock(block, NOW))).toBe('accepted')
  })

  test('bitcoin §13.22: stripped witnesses are mutation, and the true block is accepted', () => {
    const node = nodeWithCoins(owner)
    const block = blockOn(node, { transactions: [twoSpends(node).parent], fees: FEE })
    const stripped: Block = { ...block, transactions: block.transactions.map(stripWitness) }
    expect(verdict(node.submitBlock(stripped, NOW))).toBe('bad-witness-nonce-size')
    expect(verdict(node.submitBlock(block, NOW))).toBe('accepted')
  })

  test('bitcoin §13.22: witnesses without a commitment are unexpected', () => {
    const node = nodeWithCoins(owner)
    const transactions = [twoSpends(node).parent]
    const block = blockOn(node, { transactions, fees: FEE, commitment: false })
    expect(verdict(node.submitBlock(block, NOW))).toBe('unexpected-witness')
  })

  test('bitcoin §13.23: of two commitments the last counts', () => {
    const node = nodeWithCoins(owner)
    const wrong = { value: 0n as Sat, script: commitmentScript(hash32(ONES)) }
    const wrongFirst = (tx: Transaction) => ({ ...tx, outputs: [wrong, ...tx.outputs] })
    const wrongLast = (tx: Transaction) => ({ ...tx, outputs: [...tx.outputs, wrong] })
    const bad = blockOn(node, withCoinbase(wrongLast))
    expect(verdict(node.submitBlock(bad, NOW))).toBe('bad-witness-merkle-match')
    const good = blockOn(node, withCoinbase(wrongFirst))
    expect(verdict(node.submitBlock(good, NOW))).toBe('accepted')
  })

  test('bitcoin §13.26: a coinbase may take subsidy and fees, and not one satoshi more', () => {
    const node = nodeWithCoins(owner)
    const transactions = [twoSpends(node).parent]
    const reward = SUBSIDY + FEE
    const tooMuch = blockOn(node, { transactions, reward: reward + 1n })
    expect(verdict(node.submitBlock(tooMuch, NOW))).toBe('bad-cb-amount')
    expect(verdict(node.submitBlock(blockOn(node, { transactions, reward }), NOW))).toBe('accepted')
  })

  test('bitcoin §13.27: a coinbase is spendable in the hundredth block after its own, not in the one before', () => {
    const node = nodeWithCoins(owner, 0)
    const height = node.tip().height + 1
    node.mine(1, owner.script, NOW)
    node.mine(98, anyScript, NOW)
    const tx = signedSpend([coinbaseCoin(node, height, owner)], [pay(owner, SUBSIDY - FEE)])
    const early = blockOn(node, { transactions: [tx], fees: FEE, reward: 0n })
    expect(verdict(node.submitBlock(early, NOW))).toBe('bad-txns-premature-spend-of-coinbase')
    expect(verdict(node.submit(tx, NOW))).toBe('bad-txns-premature-spend-of-coinbase')
    node.mine(1, anyScript, NOW)
    const inTime = blockOn(node, { transactions: [tx], reward: 0n })
    expect(verdict(node.submitBlock(inTime, NOW))).toBe('accepted')
  })

  test('bitcoin §13.29: an output that carries data never enters the set', () => {
    const node = nodeWithCoins(owner)
    const data = { value: 5n as Sat, script: Uint8Array.of(0x6a, 1, 7) }
    const tx = signedSpend([coinbaseCoin(node, 1, owner)], [data, pay(owner, SUBSIDY - FEE)])
    node.submit(tx, NOW)
    node.mine(1, anyScript, NOW)
    expect(node.utxo({ txid: txid(tx), vout: 0 }).type).toBe('spent')
    expect(node.utxo({ txid: txid(tx), vout: 1 }).type).toBe('unspent')
    expect(node.utxo({ txid: txid(tx), vout: 2 }).type).toBe('unknown')
  })

  test('bitcoin §13.30: four million of weight is the most', () => {
    const node = nodeWithCoins(roomy)
    expect(verdict(node.submitBlock(blockOfWeight(node, 4_000_001), NOW))).toBe('bad-blk-weight')
    expect(verdict(node.submitBlock(blockOfWeight(node, 4_000_000), NOW))).toBe('accepted')
  })

  test('bitcoin §13.33: a child follows its parent in a block, and the output between never shows', () => {
    const node = nodeWithCoins(owner)
    const { parent, child } = twoSpends(node)
    const right = blockOn(node, { transactions: [parent, child], fees: 2n * FEE })
    expect(verdict(node.submitBlock(right, NOW))).toBe('accepted')
    expect(node.utxo({ txid: txid(parent), vout: 0 }).type).toBe('spent')
  })

  test('bitcoin §13.34: a child never stands before its parent', () => {
    const node = nodeWithCoins(owner)
    const { parent, child } = twoSpends(node)
    const reversed = blockOn(node, { transactions: [child, parent], fees: 2n * FEE })
    expect(verdict(node.submitBlock(reversed, NOW))).toBe('bad-txns-inputs-missingorspent')
  })

  test('bitcoin §13.25: the same output spent twice by one transaction makes a block invalid', () => {
    const node = nodeWithCoins(owner)
    const coin = coinbaseCoin(node, 1, owner)
    const twice = signedSpend([coin, coin], [pay(owner, SUBSIDY)])
    const block = blockOn(node, { transactions: [twice] })
    expect(verdict(node.submitBlock(block, NOW))).toBe('bad-txns-inputs-duplicate')
  })

  test('an output is spent once, within a block and across blocks', () => {
    const node = nodeWithCoins(legacyOwner)
    const coin = coinbaseCoin(node, 1, legacyOwner)
    const first = signedSpend([coin], [pay(owner, SUBSIDY - FEE)])
    const second = signedSpend([coin], [pay(owner, SUBSIDY - 2n * FEE)])
    const both = blockOn(node, { transactions: [first, second], reward: 0n })
    expect(verdict(node.submitBlock(both, NOW))).toBe('bad-txns-inputs-missingorspent')
    expect(verdict(node.submitBlock(blockOn(node, { transactions: [first] }), NOW))).toBe(
      'accepted',
    )
    expect(verdict(node.submitBlock(blockOn(node, { transactions: [second] }), NOW))).toBe(
      'bad-txns-inputs-missingorspent',
    )
  })
})

/** Anyone may spend: the script drops the one item before it, of any size. */
const code = Uint8Array.of(0x75, 0x51)
const roomy = { name: 'P2WSH drop', script: p2wshScript(sha256(code)), sign: () => ({}) }

/** A block of an exact weight: a byte of an output weighs four, a byte of a witness one. */
function blockOfWeight(node: RegtestNode, wanted: number): Block {
  const build = (outputBytes: number, witnessBytes: number) => {
    const spend = signedSpend([coinbaseCoin(node, 1, roomy)], [pay(owner, SUBSIDY - FEE)])
    const padded = withReserved(spend, [new Uint8Array(witnessBytes), code])
    const padding = { value: 0n as Sat, script: new Uint8Array(outputBytes).fill(0x6a) }
    const coinbase = (tx: Transaction) => ({ ...tx, outputs: [...tx.outputs, padding] })
    return blockOn(node, { transactions: [padded], fees: FEE, coinbase })
  }
  const missing = wanted - blockWeight(build(70_000, 1))
  const block = build(70_000 + Math.floor(missing / 4), 1 + (missing % 4))
  expect(blockWeight(block)).toBe(wanted)
  return block
}
