/**
 * Goal: the node follows the chain with most work, back and forth, and loses no transaction on the
 * way.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { equalBytes, toHex } from '../../../../src/core/base/bytes.ts'
import type { Block } from '../../../../src/core/btc/block.ts'
import { headerHash, subsidy } from '../../../../src/core/btc/block.ts'
import { genesisBlock } from '../../../../src/core/btc/genesis.ts'
import { regtest } from '../../../../src/core/btc/network.ts'
import type { NodeEvent } from '../../../../src/core/btc/regtest/node.ts'
import { RegtestNode } from '../../../../src/core/btc/regtest/node.ts'
import { heightPush } from '../../../../src/core/btc/script.ts'
import { outpointKey, txid } from '../../../../src/core/btc/transaction.ts'
import { blockOn, coinbaseCoin, NOW, nodeWithCoins, SUBSIDY, verdict } from './chains.ts'
import { p2wpkhWallet, pay, signedSpend } from './wallets.ts'

const owner = p2wpkhWallet(1)
const other = p2wpkhWallet(2)
const anyScript = Uint8Array.of(0x51)

/** Blocks that build on a given one, each on the one before. */
function branch(node: RegtestNode, from: number, length: number): readonly Block[] {
  const start = node.blockAt(from)
  if (start === undefined) throw new RangeError(`no block at ${from}`)
  const blocks: Block[] = []
  let parent = { header: start.header, height: from }
  for (let i = 0; i < length; i++) {
    const block = blockOn(node, { parent, header: (h) => ({ ...h, time: h.time + 7 }) })
    blocks.push(block)
    parent = { header: block.header, height: parent.height + 1 }
  }
  return blocks
}

test('a new node holds the genesis block of regtest', () => {
  const node = new RegtestNode()
  expect(node.tip()).toMatchObject({ height: 0, hash: regtest.genesis.hash })
  expect(node.blockAt(0)).toEqual(genesisBlock(regtest))
  expect(node.blockAt(1)).toBe(undefined)
})

test('a hundred and one blocks make one coinbase spendable, and a spend confirms', () => {
  const node = nodeWithCoins(owner)
  expect(node.tip().height).toBe(101)
  const coin = coinbaseCoin(node, 1, owner)
  expect(node.utxo(coin.outpoint)).toEqual({
    type: 'unspent',
    value: SUBSIDY,
    script: owner.script,
    height: 1,
    coinbase: true,
  })
  const tx = signedSpend([coin], [pay(other, SUBSIDY - 1_000n)])
  expect(node.submit(tx, NOW)).toEqual({ type: 'accepted', txid: txid(tx) })
  expect(node.transaction(txid(tx))).toEqual({ transaction: tx, confirmations: 0 })
  node.mine(2, anyScript, NOW)
  expect(node.transaction(txid(tx))).toEqual({ transaction: tx, confirmations: 2, height: 102 })
  expect(node.utxo(coin.outpoint)).toEqual({ type: 'spent' })
  expect(node.utxo({ txid: txid(tx), vout: 1 })).toEqual({ type: 'unknown' })
})

test('mined blocks carry their height, real work and times that grow', () => {
  const node = new RegtestNode()
  node.mine(300, anyScript, NOW)
  for (let height = 1; height <= 300; height++) {
    const { header, transactions } = node.blockAt(height) ?? genesisBlock(regtest)
    const script = transactions[0]?.inputs[0]?.scriptSig ?? anyScript
    expect(toHex(script).startsWith(toHex(heightPush(height)))).toBe(true)
    expect(headerHash(header).at(-1)).toBeLessThan(0x80)
    expect(transactions[0]?.outputs[0]?.value).toBe(subsidy(height, regtest))
  }
  // Without a moving clock the median rule lifts the time by a second every six blocks.
  expect(node.tip().header.time - NOW).toBeLessThan(60)
  expect(subsidy(150, regtest)).toBe(2_500_000_000n)
})

test('two blocks of one miner on one parent differ', () => {
  const node = new RegtestNode()
  const [first] = node.mine(1, anyScript, NOW)
  node.reorganise(1, { dropTransactions: true, payToScript: anyScript, nowSeconds: NOW })
  const block = node.blockAt(1)
  expect(block && first && equalBytes(headerHash(block.header), first)).toBe(false)
})

test('of two branches with equal work the first stays, and more work wins', () => {
  const node = nodeWithCoins(owner, 0)
  node.mine(2, anyScript, NOW)
  const before = node.tip()
  const [first, second, third] = branch(node, 100, 3)
  if (first === undefined || second === undefined || third === undefined) return
  expect(node.submitBlock(first, NOW)).toMatchObject({ type: 'accepted', tip: false })
  expect(node.submitBlock(second, NOW)).toMatchObject({ type: 'accepted', tip: false })
  expect(node.tip()).toEqual(before)
  expect(node.submitBlock(third, NOW)).toMatchObject({ type: 'accepted', tip: true })
  expect(node.tip()).toMatchObject({ height: 103, hash: headerHash(third.header) })
  expect(node.blockByHash(before.hash)).toBeDefined()
})

test('a branch that proves invalid is left again, and the old chain with its coins is back', () => {
  const node = nodeWithCoins(owner, 1)
  const tx = signedSpend([coinbaseCoin(node, 1, owner)], [pay(other, SUBSIDY - 1_000n)])
  node.submit(tx, NOW)
  node.mine(1, anyScript, NOW)
  const before = node.tip()
  const [first] = branch(node, 101, 1)
  if (first === undefined) return
  const parent = { header: first.header, height: 102 }
  const greedy = blockOn(node, { parent, reward: SUBSIDY + 1n })
  expect(verdict(node.submitBlock(first, NOW))).toBe('accepted')
  expect(verdict(node.submitBlock(greedy, NOW))).toBe('bad-cb-amount')
  expect(node.tip()).toEqual(before)
  expect(node.transaction(txid(tx))?.confirmations).toBe(1)
  expect(node.mempool()).toEqual([])
  expect(node.utxo({ txid: txid(tx), vout: 0 }).type).toBe('unspent')
})

test('a reorganisation brings transactions back and mines them again', () => {
  const node = nodeWithCoins(owner, 1)
  const parent = signedSpend([coinbaseCoin(node, 1, owner)], [pay(other, SUBSIDY - 1_000n)])
  const coin = { outpoint: { txid: txid(parent), vout: 0 }, output: pay(other, SUBSIDY - 1_000n) }
  const child = signedSpend([{ ...coin, owner: other }], [pay(owner, SUBSIDY - 2_000n)])
  node.submit(parent, NOW)
  node.mine(1, anyScript, NOW)
  node.submit(child, NOW)
  node.mine(1, anyScript, NOW)
  const options = { dropTransactions: false, payToScript: anyScript, nowSeconds: NOW }
  const reply = node.reorganise(2, options)
  expect(reply.type === 'reorganised' && reply.hashes.length).toBe(3)
  expect(node.tip().height).toBe(104)
  expect(node.transaction(txid(parent))?.height).toBe(102)
  expect(node.transaction(txid(child))?.height).toBe(102)
})

test('a heavier branch without them returns transactions to the mempool', () => {
  const node = nodeWithCoins(owner, 1)
  const tx = signedSpend([coinbaseCoin(node, 1, owner)], [pay(other, SUBSIDY - 1_000n)])
  node.submit(tx, NOW)
  node.mine(1, anyScript, NOW)
  for (const block of branch(node, 101, 2)) node.submitBlock(block, NOW)
  expect(node.tip().height).toBe(103)
  expect(node.transaction(txid(tx))).toEqual({ transaction: tx, confirmations: 0 })
  expect(node.utxo(coinbaseCoin(node, 1, owner).outpoint).type).toBe('unspent')
})

test('dropped transactions are gone, and so is what spends them', () => {
  const node = nodeWithCoins(owner, 1)
  const tx = signedSpend([coinbaseCoin(node, 1, owner)], [pay(other, SUBSIDY - 1_000n)])
  const coin = { outpoint: { txid: txid(tx), vout: 0 }, output: pay(other, SUBSIDY - 1_000n) }
  node.submit(tx, NOW)
  node.mine(1, anyScript, NOW)
  node.submit(signedSpend([{ ...coin, owner: other }], [pay(owner, SUBSIDY - 2_000n)]), NOW)
  node.reorganise(1, { dropTransactions: true, payToScript: anyScript, nowSeconds: NOW })
  expect(node.transaction(txid(tx))).toBe(undefined)
  expect(node.mempool()).toEqual([])
  expect(verdict(node.submit(tx, NOW))).toBe('accepted')
})

test('a coinbase spend in the mempool leaves when a reorganisation makes it immature', () => {
  const node = nodeWithCoins(owner, 1)
  node.submit(signedSpend([coinbaseCoin(node, 1, owner)], [pay(other, SUBSIDY - 1_000n)]), NOW)
  for (const block of branch(node, 0, 102)) node.submitBlock(block, NOW)
  expect(node.tip().height).toBe(102)
  expect(node.mempool()).toEqual([])
})

test.each([0, -1, 1.5, 102])('a reorganisation of depth %s is refused', (depth) => {
  const node = nodeWithCoins(owner, 1)
  const options = { dropTransactions: false, payToScript: anyScript, nowSeconds: NOW }
  expect(node.reorganise(depth, options).type).toBe('refused')
  expect(node.tip().height).toBe(101)
})

test('the whole chain can be replaced', () => {
  const node = nodeWithCoins(owner, 1)
  const options = { dropTransactions: false, payToScript: anyScript, nowSeconds: NOW }
  expect(node.reorganise(101, options).type).toBe('reorganised')
  expect(node.tip().height).toBe(102)
})

test('events come in order: transactions as they are taken, each block that joins the chain', () => {
  const node = nodeWithCoins(owner, 1)
  const seen: string[] = []
  const describeEvent = (event: NodeEvent): string => {
    if (event.type === 'dropPeers') return event.type
    return event.type === 'newTransaction'
      ? `tx from ${event.from ?? 'here'}`
      : `block ${toHex(event.hash)}`
  }
  const stop = node.subscribe((event) => seen.push(describeEvent(event)))
  const tx = signedSpend([coinbaseCoin(node, 1, owner)], [pay(other, SUBSIDY - 1_000n)])
  node.submit(tx, NOW, 'peer 1')
  const blocks = branch(node, 100, 2)
  for (const block of blocks) node.submitBlock(block, NOW)
  stop()
  node.mine(1, anyScript, NOW)
  const hashes = blocks.map(({ header }) => `block ${toHex(headerHash(header))}`)
  expect(seen).toEqual(['tx from peer 1', ...hashes])
})

test('coins depend on the chain alone, not on the way to it', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 5 }), (depths) => {
      const node = nodeWithCoins(owner, 1)
      const tx = signedSpend([coinbaseCoin(node, 1, owner)], [pay(other, SUBSIDY - 1_000n)])
      node.submit(tx, NOW)
      node.mine(6, anyScript, NOW)
      for (const depth of depths)
        node.reorganise(depth, {
          dropTransactions: false,
          payToScript: other.script,
          nowSeconds: NOW,
        })
      const replay = new RegtestNode()
      const outpoints = new Map()
      for (let height = 1; height <= node.tip().height; height++) {
        const block = node.blockAt(height)
        if (block === undefined) throw new RangeError(`no block at ${height}`)
        expect(verdict(replay.submitBlock(block, NOW))).toBe('accepted')
        for (const mined of block.transactions)
          for (const vout of mined.outputs.keys()) {
            const outpoint = { txid: txid(mined), vout }
            outpoints.set(outpointKey(outpoint), outpoint)
          }
      }
      for (const outpoint of outpoints.values())
        expect(node.utxo(outpoint)).toEqual(replay.utxo(outpoint))
      expect(node.transaction(txid(tx))?.confirmations).toBeGreaterThan(0)
    }),
    { numRuns: 5 },
  )
})
