/**
 * Goal: nobody hears of a block that is not kept, and a kept chain is the same chain in the next
 * life.
 */
import { expect, test } from 'vitest'
import { toHex } from '../../../../src/core/base/bytes.ts'
import { BadEncoding, present } from '../../../../src/core/base/errors.ts'
import type { Block } from '../../../../src/core/btc/block.ts'
import { headerHash } from '../../../../src/core/btc/block.ts'
import type { ChainChange } from '../../../../src/core/btc/regtest/node.ts'
import { RegtestNode } from '../../../../src/core/btc/regtest/node.ts'
import { txid } from '../../../../src/core/btc/transaction.ts'
import { blockOn, coinbaseCoin, NOW, nodeWithCoins, SUBSIDY } from './chains.ts'
import { p2wpkhWallet, pay, signedSpend } from './wallets.ts'

const owner = p2wpkhWallet(1)
const other = p2wpkhWallet(2)
const anyScript = Uint8Array.of(0x51)
const dropping = { dropTransactions: true, payToScript: anyScript, nowSeconds: NOW }

const blocksOf = (node: RegtestNode): readonly Block[] =>
  Array.from({ length: node.tip().height }, (_, i) =>
    present(node.blockAt(i + 1), 'a block at each height'),
  )

/** A node that keeps its chain in a list, with what it does in the order it does it. */
function keepingNode({ refuse = () => false }: { readonly refuse?: () => boolean } = {}) {
  const acts: string[] = []
  const changes: ChainChange[] = []
  const kept: Block[] = []
  const node = new RegtestNode({
    keep: (change) => {
      if (refuse()) throw new RangeError('no room')
      acts.push(`keep ${change.height}+${change.blocks.length}`)
      changes.push(change)
      kept.splice(change.height - 1, Number.POSITIVE_INFINITY, ...change.blocks)
    },
  })
  node.subscribe((event) => acts.push(event.type))
  return { node, acts, changes, kept }
}

test('a block is kept before anybody hears of it', () => {
  const { node, acts } = keepingNode()
  node.mine(2, anyScript, NOW)
  node.submitBlock(blockOn(node), NOW)
  expect(acts).toEqual(['keep 1+2', 'newTip', 'newTip', 'keep 3+1', 'newTip'])
})

test('a block that lies aside is neither kept nor told', () => {
  const { node, acts } = keepingNode()
  node.mine(2, anyScript, NOW)
  const parent = { header: present(node.blockAt(1), 'the first block').header, height: 1 }
  expect(node.submitBlock(blockOn(node, { parent }), NOW)).toMatchObject({ tip: false })
  expect(acts).toHaveLength(3)
})

test('what could not be kept is told to nobody, and is kept with the next block', () => {
  let full = false
  const { node, acts, kept } = keepingNode({ refuse: () => full })
  node.mine(1, anyScript, NOW)
  full = true
  expect(() => node.mine(1, anyScript, NOW)).toThrow('no room')
  expect(acts).toEqual(['keep 1+1', 'newTip'])
  full = false
  node.mine(1, anyScript, NOW)
  expect(acts).toEqual(['keep 1+1', 'newTip', 'keep 2+2', 'newTip'])
  expect(kept).toEqual(blocksOf(node))
})

test('a reorganisation is one change, and the shorter chain in between is nowhere', () => {
  const { node, acts, kept } = keepingNode()
  node.mine(5, anyScript, NOW)
  acts.length = 0
  const oldTip = node.tip()
  const reply = node.reorganise(3, dropping)
  expect(reply).toMatchObject({ type: 'reorganised', oldTip, newTip: node.tip(), unconfirmed: [] })
  expect(acts).toEqual(['keep 3+4', 'newTip', 'newTip', 'newTip', 'newTip'])
  expect(kept).toEqual(blocksOf(node))
})

test('a reorganisation names the transactions that are no longer in a block', () => {
  const node = nodeWithCoins(owner, 2)
  const [first, second] = [1, 2].map((height) =>
    signedSpend([coinbaseCoin(node, height, owner)], [pay(other, SUBSIDY - 1_000n)]),
  )
  const transactions = [present(first, 'the first'), present(second, 'the second')]
  for (const tx of transactions) {
    node.submit(tx, NOW)
    node.mine(1, anyScript, NOW)
  }
  const again = node.reorganise(2, { ...dropping, dropTransactions: false })
  expect(again.type === 'reorganised' && again.unconfirmed).toEqual([])
  // Both were mined again in the first block of the new branch.
  const dropped = node.reorganise(3, dropping)
  const names = (dropped.type === 'reorganised' ? dropped.unconfirmed : []).map(toHex)
  expect(names.sort()).toEqual(transactions.map((tx) => toHex(txid(tx))).sort())
})

test('the next life has the same chain, coins and transactions, and goes on', () => {
  const node = nodeWithCoins(owner, 2)
  const coin = coinbaseCoin(node, 1, owner)
  const tx = signedSpend([coin], [pay(other, SUBSIDY - 1_000n)])
  node.submit(tx, NOW)
  node.mine(1, anyScript, NOW)
  const next = new RegtestNode({ blocks: blocksOf(node) })
  expect(next.tip()).toEqual(node.tip())
  expect(next.utxo(coin.outpoint)).toEqual({ type: 'spent' })
  expect(next.transaction(txid(tx))).toEqual(node.transaction(txid(tx)))
  next.mine(1, anyScript, NOW)
  expect(next.tip().height).toBe(104)
  // Scripts of new blocks are run again.
  const stolen = signedSpend([coinbaseCoin(next, 2, other)], [pay(other, SUBSIDY - 1_000n)])
  expect(next.submitBlock(blockOn(next, { transactions: [stolen], fees: 1_000n }), NOW).type).toBe(
    'refused',
  )
})

test('a life that replaces blocks of an earlier one within its second makes others', () => {
  const node = new RegtestNode()
  node.mine(3, anyScript, NOW)
  const next = new RegtestNode({ blocks: blocksOf(node) })
  const old = blocksOf(node).map(({ header }) => toHex(headerHash(header)))
  const reply = next.reorganise(3, dropping)
  const hashes = (reply.type === 'reorganised' ? reply.hashes : []).map(toHex)
  expect(hashes).toHaveLength(4)
  expect(hashes.filter((hash) => old.includes(hash))).toEqual([])
})

const damages: readonly (readonly [string, (blocks: Block[]) => unknown, string])[] = [
  ['one is missing', (blocks) => blocks.splice(1, 1), 'block 2: prev-blk-not-found'],
  ['the first is missing', (blocks) => blocks.shift(), 'block 1: prev-blk-not-found'],
  ['two are exchanged', (blocks) => blocks.reverse(), 'block 1: prev-blk-not-found'],
  ['one is there twice', (blocks) => blocks.splice(1, 0, ...blocks.slice(0, 1)), 'duplicate'],
  [
    'one has another body',
    (blocks) => {
      const [first, second] = blocks
      if (first && second) blocks[1] = { ...second, transactions: first.transactions }
    },
    'block 2: bad-txnmrklroot',
  ],
  [
    'one has another head',
    (blocks) => {
      const [first] = blocks
      if (first) blocks[0] = { ...first, header: { ...first.header, time: first.header.time + 1 } }
    },
    'block',
  ],
]
test.each(damages)('a chain in which %s is refused', (_, damage, reason) => {
  const node = new RegtestNode()
  node.mine(4, anyScript, NOW)
  const blocks = [...blocksOf(node)]
  damage(blocks)
  expect(() => new RegtestNode({ blocks })).toThrow(BadEncoding)
  expect(() => new RegtestNode({ blocks })).toThrow(reason)
})
