/**
 * Goal: who tests with the node can have any chain: blocks of a given list, valid or not, branches
 * beside the best one, blocks declared invalid and valid again (RN-12, RN-14, RN-15).
 */
import { beforeEach, describe, expect, it } from 'vitest'
import { toHex } from '../../../../src/core/base/bytes.ts'
import { present } from '../../../../src/core/base/errors.ts'
import type { Block } from '../../../../src/core/btc/block.ts'
import { headerHash } from '../../../../src/core/btc/block.ts'
import { addHeader, judgeHeader, newHeaderTree } from '../../../../src/core/btc/header-tree.ts'
import { regtest } from '../../../../src/core/btc/network.ts'
import type { NodeEvent } from '../../../../src/core/btc/regtest/node.ts'
import { RegtestNode } from '../../../../src/core/btc/regtest/node.ts'
import type { Transaction } from '../../../../src/core/btc/transaction.ts'
import { txid, weight } from '../../../../src/core/btc/transaction.ts'
import type { Anchor } from './anchors.ts'
import { anchorsOf, mineAnchors, spendAnchors, spendAtRate } from './anchors.ts'
import { NOW, SUBSIDY, verdict } from './chains.ts'

const anyScript = Uint8Array.of(0x51)
const job = { payToScript: anyScript, nowSeconds: NOW }

let node: RegtestNode
let coins: readonly Anchor[]
let events: NodeEvent[]
beforeEach(() => {
  node = new RegtestNode()
  coins = mineAnchors(node, 3, NOW)
  events = []
  node.subscribe((event) => events.push(event))
})

const coin = (index = 0): Anchor => present(coins[index], 'a coin was mined')
const anchorOf = (tx: Transaction): Anchor => present(anchorsOf(tx)[0], 'it has an anchor')
const blockAt = (height: number): Block => present(node.blockAt(height), 'a block is there')
const hashAt = (height: number) => headerHash(blockAt(height).header)
const pooled = (tx: Transaction): boolean => node.pooled(txid(tx)) !== undefined
const submit = (tx: Transaction): Transaction => {
  expect(verdict(node.submit(tx, NOW))).toBe('accepted')
  return tx
}
const confirmations = (tx: Transaction): number | undefined =>
  node.transaction(txid(tx))?.confirmations

describe('a block of a given list', () => {
  it('holds these transactions in this order, and their fees are its miner’s', () => {
    const parent = spendAnchors([coin()], { fee: 100n })
    const child = spendAnchors([anchorOf(parent)], { fee: 200n })
    const waits = submit(spendAnchors([coin(1)], { fee: 1_000n }))
    expect(verdict(node.generateBlock([parent, child], job))).toBe('accepted')
    const [reward, ...rest] = blockAt(104).transactions
    expect(rest).toEqual([parent, child])
    expect(reward?.outputs[0]?.value).toBe(SUBSIDY + 300n)
    expect(pooled(waits)).toBe(true)
  })

  it('is refused in the words of the rule that it breaks, and the chain stays', () => {
    const parent = spendAnchors([coin()], { fee: 100n })
    const child = spendAnchors([anchorOf(parent)], { fee: 200n })
    for (const [transactions, reason] of [
      [[child, parent], 'bad-txns-inputs-missingorspent'],
      [[parent, spendAnchors([coin()], { fee: 300n })], 'bad-txns-inputs-missingorspent'],
      [[parent, parent], 'bad-txns-inputs-missingorspent'],
    ] as const)
      expect(verdict(node.generateBlock(transactions, job))).toBe(reason)
    expect([node.tip().height, events]).toEqual([103, []])
  })

  it('may be served without being judged: peers hear of it, the node does not follow it', () => {
    const broken = node.makeBlock([spendAnchors([coin(), coin()], { fee: 1n })], job)
    const tip = node.tip()
    const hash = node.serveUnchecked(broken)
    expect(events).toEqual([{ type: 'sideBlock', hash, header: broken.header }])
    expect(node.blockByHash(hash)).toBe(broken)
    expect(node.tip()).toEqual(tip)
    expect(broken.header.previous).toEqual(tip.hash)
    node.mine(1, anyScript, NOW)
    expect(node.tip().height).toBe(tip.height + 1)
  })

  it('that nobody judged is forgotten when many have come after it', () => {
    const hashes = Array.from({ length: 17 }, () => node.serveUnchecked(node.makeBlock([], job)))
    const there = hashes.map((hash) => node.blockByHash(hash) !== undefined)
    expect(there.indexOf(true)).toBe(1)
    expect(there.filter((is) => is)).toHaveLength(16)
  })

  it('is of limited weight where that is asked for', () => {
    const low = submit(spendAtRate([coin()], 2n))
    const high = submit(spendAtRate([coin(1)], 9n))
    node.blockWeightMax = 4_000 + weight(high)
    node.mine(1, anyScript, NOW)
    expect([confirmations(low), confirmations(high)]).toEqual([0, 1])
    node.blockWeightMax = undefined
    node.mine(1, anyScript, NOW)
    expect(confirmations(low)).toBe(1)
  })
})

describe('a fork', () => {
  it('of equal work lies aside: the first received stays, and peers hear of both', () => {
    const tip = node.tip()
    const reply = node.fork(101, 2, job)
    const hashes = reply.type === 'forked' ? reply.hashes : []
    expect(hashes).toHaveLength(2)
    expect(node.tip()).toEqual(tip)
    expect(events.map((event) => event.type)).toEqual(['sideBlock', 'sideBlock'])
    expect(
      hashes.map((hash) => node.blockByHash(hash)?.header.previous).map((p) => p && toHex(p)),
    ).toEqual([hashAt(101), present(hashes[0], 'the first')].map(toHex))
  })

  it.each([
    [101, 3],
    [103, 1],
    [104, 1],
    [-1, 1],
    [101, 0],
    [101, 0.5],
  ])('at height %d of %d blocks is refused', (height, count) => {
    expect(node.fork(height, count, job).type).toBe('refused')
    expect(events).toEqual([])
  })
})

describe('a block that is declared invalid', () => {
  it('leaves with all above it, and comes back when it is reconsidered', () => {
    const tx = submit(spendAnchors([coin()], { fee: 1_000n }))
    node.mine(3, anyScript, NOW)
    const tip = node.tip()
    expect(verdict(node.invalidate(hashAt(104), NOW))).toBe('accepted')
    expect([node.tip().height, pooled(tx)]).toEqual([103, true])
    expect(verdict(node.submitBlock(present(node.blockByHash(tip.hash), 'kept'), NOW))).toBe(
      'bad-prevblk',
    )
    expect(verdict(node.reconsider(hashAt(103), NOW))).toBe('accepted')
    expect([node.tip(), pooled(tx), confirmations(tx)]).toEqual([tip, false, 3])
  })

  it('gives way to the branch with most work that is left', () => {
    const reply = node.fork(101, 2, job)
    const [, last] = reply.type === 'forked' ? reply.hashes : []
    node.invalidate(node.tip().hash, NOW)
    expect(node.tip().hash).toEqual(last)
  })

  it('comes back with the one above it that was reconsidered', () => {
    const hashes = [102, 103].map(hashAt)
    node.invalidate(present(hashes[0], 'the lower'), NOW)
    node.reconsider(present(hashes[1], 'the upper'), NOW)
    expect(node.tip().hash).toEqual(hashes[1])
  })

  it('and is really invalid stays so', () => {
    const double = [spendAnchors([coin()], { fee: 1n }), spendAnchors([coin()], { fee: 2n })]
    const broken = node.makeBlock(double, job)
    expect(verdict(node.submitBlock(broken, NOW))).toBe('bad-txns-inputs-missingorspent')
    const hash = headerHash(broken.header)
    expect(verdict(node.reconsider(hash, NOW))).toBe('accepted')
    expect([node.tip().height, node.isInvalid(hash)]).toEqual([103, true])
  })

  it('is a known one, and not genesis', () => {
    expect(verdict(node.invalidate(hashAt(0), NOW))).toBe('genesis is valid')
    expect(verdict(node.reconsider(headerHash(node.makeBlock([], job).header), NOW))).toBe(
      'Block not found',
    )
  })
})

describe('a reorganisation', () => {
  const options = { ...job, dropTransactions: false }

  it('bitcoin §13.56: returns what it removes, so that it is announced and mined again', () => {
    const tx = submit(spendAnchors([coin()], { fee: 1_000n }))
    node.mine(2, anyScript, NOW)
    expect(node.reorganise(2, { ...options, keepMempool: true })).toMatchObject({
      unconfirmed: [txid(tx)],
    })
    expect([pooled(tx), node.tip().height]).toEqual([true, 106])
    node.mine(1, anyScript, NOW)
    expect(confirmations(tx)).toBe(1)
  })

  it('drops the transactions that are named, with what builds on them, and no others', () => {
    const [first, second] = [0, 1].map((i) => submit(spendAnchors([coin(i)], { fee: 1_000n })))
    if (first === undefined || second === undefined) throw new RangeError('two transactions')
    const child = submit(spendAnchors([anchorOf(first)], { fee: 1_000n }))
    node.mine(1, anyScript, NOW)
    node.reorganise(1, { ...options, drop: [txid(first)] })
    expect([first, child, second].map(confirmations)).toEqual([undefined, undefined, 2])
    expect(node.mempool()).toEqual([])
  })

  it('has the length that is asked for; a short one outlasts the blocks it replaced', () => {
    expect(node.reorganise(2, { ...options, length: 5 })).toMatchObject({ type: 'reorganised' })
    expect(node.tip().height).toBe(106)
    const old = node.tip()
    node.reorganise(3, { ...options, length: 1 })
    expect(node.tip().height).toBe(104)
    node.mine(1, anyScript, NOW)
    expect([node.tip().height, node.isInvalid(old.hash)]).toEqual([105, true])
    expect(node.reorganise(1, { ...options, length: 0 }).type).toBe('refused')
  })

  it('returns transactions that pay too little for the mempool, whatever they pay', () => {
    const free = spendAnchors([coin()], { fee: 0n })
    expect(verdict(node.submit(free, NOW))).toMatch(/^min relay fee not met/)
    expect(verdict(node.generateBlock([free], job))).toBe('accepted')
    node.reorganise(1, { ...options, keepMempool: true })
    expect(pooled(free)).toBe(true)
  })

  it('leaves a parent of version 3 one child, for every entry is judged anew', () => {
    const parent = submit(spendAtRate([coin()], 10n, { version: 3, outputs: 2 }))
    node.mine(1, anyScript, NOW)
    for (const anchor of anchorsOf(parent)) submit(spendAtRate([anchor], 10n, { version: 3 }))
    node.reorganise(1, { ...options, keepMempool: true })
    expect(node.mempool().map((entry) => node.family(entry).descendants.count)).toEqual([2, 1])
  })
})

it('thousands of blocks at one moment do not run into the two-hour rule of others (RN-11)', () => {
  const many = new RegtestNode()
  many.mine(2_000, anyScript, NOW)
  const { header } = many.tip()
  expect(header.time).toBeLessThan(NOW + 400)
  const tree = newHeaderTree(regtest)
  for (const one of many.headersAfter([], many.tip().hash)) {
    const found = judgeHeader(tree, one, NOW)
    expect(found.type).toBe('valid')
    if (found.type === 'valid') addHeader(tree, found.node)
  }
})
