/**
 * Goal: the mempool stays within its limits: families of transactions, size, age, orphans; and says
 * what it asks for while it is full (specification RN-7, §10.6).
 */
import { describe, expect, it } from 'vitest'
import { toDisplayHex } from '../../../../src/core/base/bytes.ts'
import { present } from '../../../../src/core/base/errors.ts'
import { MEMPOOL_EXPIRY_S } from '../../../../src/core/btc/regtest/mempool.ts'
import { MinimumRate } from '../../../../src/core/btc/regtest/minimum-rate.ts'
import type { RegtestOptions } from '../../../../src/core/btc/regtest/node.ts'
import { RegtestNode } from '../../../../src/core/btc/regtest/node.ts'
import { p2wshScript } from '../../../../src/core/btc/script.ts'
import type { Transaction } from '../../../../src/core/btc/transaction.ts'
import { txid, vsize } from '../../../../src/core/btc/transaction.ts'
import type { Anchor } from './anchors.ts'
import { anchorsOf, mineAnchors, spendAnchors, spendAtRate } from './anchors.ts'
import { blockOn, NOW, verdict } from './chains.ts'

const anyScript = Uint8Array.of(0x51)

function world(count: number, mempool: RegtestOptions['mempool'] = {}) {
  const node = new RegtestNode({ mempool })
  const coins = mineAnchors(node, count, NOW)
  const offer = (tx: Transaction, now = NOW): string => verdict(node.submit(tx, now))
  return {
    node,
    offer,
    coin: (index = 0): Anchor => present(coins[index], 'a coin was mined'),
    pooled: (tx: Transaction): boolean => node.pooled(txid(tx)) !== undefined,
    accept: (tx: Transaction, now = NOW): Transaction => {
      expect(offer(tx, now)).toBe('accepted')
      return tx
    },
  }
}

const anchorOf = (tx: Transaction, index = 0): Anchor =>
  present(anchorsOf(tx)[index], 'it has the anchor')
const nameOf = (tx: Transaction): string => toDisplayHex(txid(tx))
/** Of about so many virtual bytes; not standard. */
const sized = (from: readonly Anchor[], size: number) =>
  spendAtRate(from, 1n, { padding: size - 80, outputs: 2 })

describe('a minimum that is raised while the node runs', () => {
  it('evicts what pays less with all that builds on it, and is asked of what comes', () => {
    const { node, offer, accept, pooled, coin } = world(3)
    const cheap = accept(spendAtRate([coin(0)], 5n))
    const child = accept(spendAtRate([anchorOf(cheap)], 40n))
    const dear = accept(spendAtRate([coin(1)], 20n))
    expect(node.setRelayRate(20_000n)).toEqual([txid(cheap), txid(child)])
    expect([cheap, child, dear].map(pooled)).toEqual([false, false, true])
    expect(node.mempoolInfo(NOW).minimumRateSatPerKvb).toBe(20_000n)
    expect(offer(cheap)).toMatch(/^min relay fee not met, \d+ < \d+$/)
    expect(node.setRelayRate(1_000n)).toEqual([])
    accept(cheap)
  })
})

describe('a chain of unconfirmed transactions', () => {
  it('bitcoin §13.57: ends with its 25th; the 26th is accepted after a block, not lost', () => {
    const { node, offer, accept, coin } = world(1)
    let tx = accept(spendAnchors([coin()], { fee: 1_000n }))
    for (let length = 2; length <= 25; length++)
      tx = accept(spendAnchors([anchorOf(tx)], { fee: 1_000n }))
    const next = spendAnchors([anchorOf(tx)], { fee: 1_000n })
    expect(offer(next)).toBe('too-long-mempool-chain, too many unconfirmed ancestors [limit: 25]')
    node.mine(1, anyScript, NOW)
    expect(node.mempool()).toEqual([])
    accept(next)
  })

  it('has 25 descendants of one ancestor, and one more of a single small child', () => {
    const { offer, accept, coin } = world(1, { acceptNonstandard: true })
    const parent = accept(spendAnchors([coin()], { fee: 5_000n, outputs: 28 }))
    const children = Array.from({ length: 24 }, (_, i) =>
      accept(spendAnchors([anchorOf(parent, i)], { fee: 1_000n })),
    )
    const [first] = children
    if (first === undefined) throw new RangeError('there are children')
    const full = `too-long-mempool-chain, too many descendants for tx ${nameOf(parent)} [limit: 25]`
    // Too large, or with two ancestors: not the carve-out's.
    expect(offer(sized([anchorOf(parent, 24)], 10_100))).toBe(full)
    expect(offer(spendAnchors([anchorOf(first)], { fee: 1_000n }))).toMatch(/^too-long/)
    accept(spendAnchors([anchorOf(parent, 24)], { fee: 1_000n }))
    expect(offer(spendAnchors([anchorOf(parent, 25)], { fee: 1_000n }))).toBe(full)
  })

  it('is 101,000 virtual bytes at most, counted from both ends', () => {
    const { node, offer, accept, coin } = world(1, { acceptNonstandard: true })
    const first = accept(sized([coin()], 50_000))
    const second = accept(sized([anchorOf(first)], 40_000))
    const descendants = /^too-long-mempool-chain, exceeds descendant size limit for tx [0-9a-f]{64}/
    expect(offer(sized([anchorOf(second)], 12_000))).toMatch(descendants)
    expect(offer(sized([anchorOf(first, 1)], 12_000))).toMatch(descendants)
    const third = accept(sized([anchorOf(second)], 10_800))
    const used = node.mempool().reduce((sum, entry) => sum + entry.vsize, 0)
    expect(101_000 - used).toBeGreaterThan(70)
    expect(offer(sized([anchorOf(third), anchorOf(first, 1)], 300))).toMatch(descendants)
  })

  it('has an ancestor limit of its own where the families are apart', () => {
    const { offer, accept, coin } = world(2, { acceptNonstandard: true })
    const parents = [0, 1].map((index) => accept(sized([coin(index)], 60_000)))
    const both = parents.map((parent) => anchorOf(parent))
    expect(offer(sized(both, 300))).toBe(
      'too-long-mempool-chain, exceeds ancestor size limit [limit: 101000]',
    )
  })

  it('may change its end: one that replaces exactly one other needs no room', () => {
    const { accept, coin, pooled } = world(1)
    const parent = accept(spendAnchors([coin()], { fee: 5_000n, outputs: 26 }))
    const children = Array.from({ length: 25 }, (_, i) =>
      accept(spendAnchors([anchorOf(parent, i)], { fee: 1_000n })),
    )
    accept(spendAnchors([anchorOf(parent, 3)], { fee: 9_000n }))
    expect(children.map(pooled).filter((there) => !there)).toHaveLength(1)
  })
})

describe('a full mempool', () => {
  const small = { vsizeMax: 2_000 }
  const fee = (rate: bigint, index: number, w: ReturnType<typeof world>) =>
    spendAtRate([w.coin(index)], rate, { outputs: 30 })

  it('drops the package that pays least, and takes nothing below it any more', () => {
    const w = world(6, small)
    const parent = w.accept(fee(2n, 0, w))
    const child = w.accept(spendAtRate([anchorOf(parent)], 3n))
    const rich = [3, 4, 5].map((rate, i) => w.accept(fee(BigInt(rate) * 10n, i + 1, w)))
    expect(rich.map(w.pooled)).toEqual([true, true, true])
    const next = w.accept(fee(20n, 4, w))
    expect([w.pooled(parent), w.pooled(child), w.pooled(next)]).toEqual([false, false, true])
    // The package paid some 2,200 sat/kvB; the next one pays 1,000 more than that.
    const { minimumRateSatPerKvb, vsize: used } = w.node.mempoolInfo(NOW)
    expect(minimumRateSatPerKvb).toBeGreaterThan(3_000n)
    expect(minimumRateSatPerKvb).toBeLessThan(3_400n)
    expect(used).toBeLessThanOrEqual(2_000)
    expect(w.offer(fee(3n, 5, w))).toMatch(/^mempool min fee not met, \d+ < \d+$/)
  })

  it('refuses what would be dropped at once', () => {
    const w = world(6, small)
    for (const index of [0, 1, 2, 3]) w.accept(fee(10n, index, w))
    expect(w.offer(fee(2n, 4, w))).toBe('mempool full')
    expect(w.node.mempool()).toHaveLength(4)
  })

  it('has a number of entries as well, however small they are', () => {
    const w = world(6, { entriesMax: 4 })
    const all = [5, 2, 7, 4, 6].map((rate, i) => w.accept(spendAtRate([w.coin(i)], BigInt(rate))))
    expect(all.map(w.pooled)).toEqual([true, false, true, true, true])
    expect(w.offer(spendAtRate([w.coin(5)], 2n))).toMatch(/^mempool min fee not met/)
  })

  it('keeps a poor parent whose child pays for both', () => {
    const w = world(6, small)
    const parent = w.accept(fee(1n, 0, w))
    const child = w.accept(spendAtRate([anchorOf(parent)], 200n))
    const poor = w.accept(fee(5n, 1, w))
    for (const index of [2, 3, 4]) w.accept(fee(20n, index, w))
    expect([w.pooled(parent), w.pooled(child), w.pooled(poor)]).toEqual([true, true, false])
  })

  it('asks for half as much after each half-life, once a block has come', () => {
    const rate = new MinimumRate()
    rate.raise(7_000n)
    expect(rate.at(NOW + 10 ** 6, 1)).toBe(8_000n)
    rate.blockCame(NOW)
    expect(rate.at(NOW, 1)).toBe(8_000n)
    expect(rate.at(NOW + 12 * 3_600, 1)).toBe(4_000n)
    expect(rate.at(NOW + 18 * 3_600, 0.4)).toBe(2_000n)
    expect(rate.at(NOW + 21 * 3_600, 0.2)).toBe(1_000n)
    expect(rate.at(NOW + 24 * 3_600, 0.2)).toBe(1_000n) // 500: not below the increment.
    expect(rate.at(NOW + 25 * 3_600, 0.2)).toBe(0n)
  })

  it('forgets entries after fourteen days, with what builds on them', () => {
    const w = world(3)
    const old = w.accept(spendAnchors([w.coin()], { fee: 1_000n }))
    const child = w.accept(spendAnchors([anchorOf(old)], { fee: 1_000n }), NOW + 100)
    const last = NOW + MEMPOOL_EXPIRY_S
    const young = w.accept(spendAnchors([w.coin(1)], { fee: 1_000n }), last)
    expect([w.pooled(old), w.pooled(child)]).toEqual([true, true])
    w.accept(spendAnchors([w.coin(2)], { fee: 1_000n }), last + 601)
    expect([w.pooled(old), w.pooled(child), w.pooled(young)]).toEqual([false, false, true])
  })
})

describe('settings of the mempool', () => {
  it('may ask for another minimum', () => {
    const w = world(2, { relayRateSatPerKvb: 100n })
    const size = vsize(spendAnchors([w.coin()], { fee: 0n }))
    const least = BigInt(Math.ceil(size / 10))
    const low = spendAnchors([w.coin()], { fee: least - 1n })
    expect(w.offer(low)).toBe(`min relay fee not met, ${least - 1n} < ${least}`)
    w.accept(spendAnchors([w.coin()], { fee: least }))
  })

  it('may accept what is not standard, but nothing below 65 bytes and no broken script', () => {
    const w = world(1, { acceptNonstandard: true })
    const tx = spendAnchors([w.coin()], { fee: 1_000n })
    const strange = {
      ...tx,
      version: 9,
      outputs: tx.outputs.map((o) => ({ ...o, script: anyScript })),
    }
    expect(verdict(world(1).node.submit(strange, NOW))).toBe('version')
    w.accept(strange)
    const tiny = { ...tx, outputs: tx.outputs.slice(0, 1) }
    expect(w.offer(tiny)).toBe('tx-size-small')
  })

  it('that accept what is not standard do not accept more signature operations', () => {
    const w = world(1, { acceptNonstandard: true })
    const tx = spendAnchors([w.coin()], { fee: 100_000n })
    const script = new Uint8Array(4_001).fill(0xac)
    const heavy = { ...tx, outputs: tx.outputs.map((o) => ({ ...o, script })) }
    expect(w.offer(heavy)).toBe('bad-txns-too-many-sigops, 32008')
  })
})

describe('an orphan', () => {
  const peer = 'peer 1'
  /** A parent, its child and its grandchild, none of them offered yet. */
  const chainOf = (coin: Anchor) => {
    const parent = spendAnchors([coin], { fee: 1_000n })
    const child = spendAnchors([anchorOf(parent)], { fee: 1_000n })
    return { parent, child, grandchild: spendAnchors([anchorOf(child)], { fee: 1_000n }) }
  }

  it('names its missing parents, waits, and enters behind them', () => {
    const { node, coin, pooled } = world(1)
    const { parent, child, grandchild } = chainOf(coin())
    for (const tx of [grandchild, child])
      expect(node.submit(tx, NOW, peer)).toMatchObject({
        reason: 'bad-txns-inputs-missingorspent',
        missing: tx.inputs.map(({ outpoint }) => outpoint.txid),
      })
    expect(node.orphans.size).toBe(2)
    const heard: unknown[] = []
    node.subscribe((event) => event.type === 'newTransaction' && heard.push(event.from))
    node.submit(parent, NOW, 'peer 2')
    expect([parent, child, grandchild].map(pooled)).toEqual([true, true, true])
    expect(heard).toEqual(['peer 2', peer, peer])
    expect(node.orphans.size).toBe(0)
  })

  it('is not kept for who sends it without being a peer, nor where it can never be valid', () => {
    const { node, coin } = world(1)
    const { parent, child } = chainOf(coin())
    expect(node.submit(child, NOW)).toMatchObject({ missing: [txid(parent)] })
    const beyond = { ...anchorOf(parent), outpoint: { txid: txid(parent), vout: 9 } }
    node.submit(parent, NOW)
    const reply = node.submit(spendAnchors([beyond], { fee: 1_000n }), NOW, peer)
    expect(reply).toEqual({ type: 'refused', reason: 'bad-txns-inputs-missingorspent' })
    expect(node.orphans.size).toBe(0)
  })

  it('enters when a block holds its parent', () => {
    const { node, coin, pooled } = world(1)
    const { parent, child } = chainOf(coin())
    node.submit(child, NOW, peer)
    node.submitBlock(blockOn(node, { transactions: [parent], fees: 1_000n }), NOW)
    expect([pooled(child), node.orphans.size]).toEqual([true, 0])
  })

  it('goes when a block holds or contradicts it, when its peer goes, and after twenty minutes', () => {
    const { node, coin } = world(2)
    const one = chainOf(coin())
    const two = chainOf(coin(1))
    const send = (...sent: readonly Transaction[]) => {
      for (const tx of sent) node.submit(tx, NOW, peer)
    }
    send(one.child, one.grandchild, two.child)
    expect(node.orphans.size).toBe(3)
    const transactions = [one.parent, one.child]
    node.submitBlock(blockOn(node, { transactions, fees: 2_000n }), NOW)
    expect(node.orphans.size).toBe(1) // The grandchild has entered.
    node.forgetPeer(peer)
    expect(node.orphans.size).toBe(0)
    send(two.child)
    node.submit(two.grandchild, NOW + 1_200, peer)
    expect(node.orphans.has(two.child.inputs[0]?.outpoint.txid ?? txid(two.child))).toBe(false)
    expect(node.orphans.size).toBe(1)
  })

  it('shares a hundred places: who holds most loses the oldest', () => {
    const { node, coin } = world(1)
    const { parent } = chainOf(coin())
    const unknown = spendAnchors([anchorOf(parent)], { fee: 1_000n, outputs: 200 })
    const orphan = (index: number) => spendAnchors([anchorOf(unknown, index)], { fee: 500n })
    node.submit(orphan(0), NOW, 'quiet')
    for (let index = 1; index < 150; index++) node.submit(orphan(index), NOW, 'loud')
    expect(node.orphans.size).toBe(100)
    const there = (index: number) => node.orphans.has(wtxidOf(orphan(index)))
    expect([0, 1, 50, 51, 149].map(there)).toEqual([true, false, false, true, true])
  })

  it('of many inputs costs one look at each of them', () => {
    const node = new RegtestNode({ mempool: { acceptNonstandard: true } })
    const parent = txid(spendAnchors([], { fee: 0n }))
    const outpoints = Array.from({ length: 8_000 }, (_, vout) => ({ txid: parent, vout }))
    const tx = spendAnchors(
      outpoints.map((outpoint) => ({ outpoint, value: 1n })),
      { fee: 0n },
    )
    // Twenty seconds, where each input is looked for among all the others.
    const reply = node.submit(tx, NOW, 'peer')
    expect(reply).toMatchObject({ type: 'refused', missing: [parent] })
  })

  it('heavier than a standard transaction is not kept', () => {
    const { node, coin } = world(1, { acceptNonstandard: true })
    const { parent } = chainOf(coin())
    const child = spendAnchors([anchorOf(parent)], { fee: 1_000n })
    const script = p2wshScript(new Uint8Array(32))
    const outputs = Array.from({ length: 2_400 }, () => ({
      value: child.outputs[1]?.value,
      script,
    }))
    const heavy = {
      ...child,
      outputs: outputs.flatMap(({ value }) => (value === undefined ? [] : [{ value, script }])),
    }
    expect(node.submit(heavy, NOW, peer).type).toBe('refused')
    expect(node.orphans.size).toBe(0)
  })
})

const wtxidOf = (tx: Transaction) => txid(tx) // No witness, so they are the same.
