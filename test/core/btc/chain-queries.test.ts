/**
 * Goal: answers follow §9.2 to §9.4 to the number, on forked trees too. Method: small trees,
 * counted by hand.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hash32, toHex } from '../../../src/core/base/bytes.ts'
import type { Block } from '../../../src/core/btc/block.ts'
import { boundedDepth, stabilityCount } from '../../../src/core/btc/block-tree.ts'
import {
  balanceOfScript,
  feePercentiles,
  isSynced,
  missingBlocks,
  tip,
  utxosAtBlock,
  utxosOfScript,
} from '../../../src/core/btc/chain-queries.ts'
import { collectFeeRates, FEE_TRANSACTIONS_MAX, percentilesOf } from '../../../src/core/btc/fees.ts'
import { vsize } from '../../../src/core/btc/transaction.ts'
import type { Utxo } from '../../../src/core/btc/utxo-set.ts'
import { compareUtxos } from '../../../src/core/btc/utxo-set.ts'
import {
  ChainBuilder,
  coinbaseOutput,
  hashOfBlock,
  outputOf,
  scriptOf,
  spend,
  subsidyAt,
} from '../../support/chain-builder.ts'
import { ChainViewHarness } from '../../support/chain-view-harness.ts'

const alice = scriptOf(1)
const COIN = subsidyAt(1)

const heights = (view: ChainViewHarness, script: Uint8Array, confirmations: number) => {
  const answer = utxosOfScript(view.state, script, confirmations)
  return answer.type === 'utxos'
    ? { heights: answer.utxos.map(({ height }) => height), tip: answer.tipHeight }
    : { max: answer.max }
}

describe('stability count', () => {
  it('0 and 1 confirmations differ only where the tip has a sibling', () => {
    const chain = new ChainBuilder()
    const blocks = chain.mineMany(3, { payTo: alice })
    const view = new ChainViewHarness()
    view.follow(...blocks)
    expect(heights(view, alice, 0)).toEqual({ heights: [3, 2, 1], tip: 3 })
    expect(heights(view, alice, 1)).toEqual({ heights: [3, 2, 1], tip: 3 })
    view.follow(chain.mine({ parent: blocks[1] }))
    expect(heights(view, alice, 0)).toEqual({ heights: [3, 2, 1], tip: 3 })
    expect(heights(view, alice, 1)).toEqual({ heights: [2, 1], tip: 2 })
  })

  it('a sibling lowers the count at its height by its own depth', () => {
    const chain = new ChainBuilder()
    const blocks = chain.mineMany(5, { payTo: alice })
    const view = new ChainViewHarness()
    view.follow(...blocks, ...chain.mineMany(2, { parent: blocks[1] }))
    // Counts by height: 0: 6, 1: 5, 2: 4, 3: 3 − 2, 4: 2 − 1, 5: 1.
    const counts = blocks.map(({ header }) => {
      const block = view.state.tree.blocks.get(toHex(hashOfBlock({ header, transactions: [] })))
      return block === undefined ? undefined : stabilityCount(view.state.tree, block)
    })
    expect(counts).toEqual([5, 4, 1, 1, 1])
    expect(heights(view, alice, 1)).toEqual({ heights: [5, 4, 3, 2, 1], tip: 5 })
    expect(heights(view, alice, 2)).toEqual({ heights: [2, 1], tip: 2 })
    expect(heights(view, alice, 5)).toEqual({ heights: [1], tip: 1 })
  })

  it('the anchor is always stable enough: its outputs are there however contested the blocks above', () => {
    const chain = new ChainBuilder()
    const blocks = chain.mineMany(4, { payTo: alice })
    const view = new ChainViewHarness(2)
    view.follow(...blocks)
    expect(view.state.tree.anchor.node.height).toBe(3)
    expect(heights(view, alice, 2)).toEqual({ heights: [3, 2, 1], tip: 3 })
    expect(heights(view, alice, 3)).toEqual({ max: 2 })
    view.follow(chain.mine({ parent: blocks[2], payTo: scriptOf(2) }))
    expect(heights(view, alice, 1)).toEqual({ heights: [3, 2, 1], tip: 3 })
  })

  it('more confirmations than the main chain is long are refused with its length', () => {
    const view = new ChainViewHarness()
    view.follow(...new ChainBuilder().mineMany(6))
    const refusal = { type: 'minConfirmationsTooLarge', given: 8, max: 7 }
    expect(utxosOfScript(view.state, alice, 8)).toEqual(refusal)
    expect(balanceOfScript(view.state, alice, 8)).toEqual(refusal)
    expect(utxosOfScript(view.state, alice, 7).type).toBe('utxos')
  })

  it('a balance counts plain depth, so a fork does not lower it', () => {
    const chain = new ChainBuilder()
    const blocks = chain.mineMany(3, { payTo: alice })
    const view = new ChainViewHarness()
    view.follow(...blocks, chain.mine({ parent: blocks[1] }))
    const balance = (n: number) => {
      const answer = balanceOfScript(view.state, alice, n)
      return answer.type === 'balance' ? answer.balance / COIN : undefined
    }
    expect([0, 1, 2, 3, 4, 5].map(balance)).toEqual([3n, 3n, 2n, 1n, 0n, undefined])
  })

  it('a page answers as of its block, also on a branch that lost', () => {
    const chain = new ChainBuilder()
    const blocks = chain.mineMany(2, { payTo: alice })
    const rival = chain.mine({ parent: blocks[0], payTo: scriptOf(2) })
    const view = new ChainViewHarness()
    view.follow(...blocks, rival, chain.mine({ parent: blocks[1] }))
    const at = (block: Block) => utxosAtBlock(view.state, alice, hashOfBlock(block))
    expect(at(blocks[1] as Block)?.utxos.map(({ height }) => height)).toEqual([2, 1])
    // The rival's count is 1 − 2 < 0: the answer ends before it (D5).
    expect(at(rival)?.tipHeight).toBe(1)
    expect(utxosAtBlock(view.state, alice, hash32(new Uint8Array(32)))).toBeUndefined()
  })
})

it('an output is gone with the block that spends it, above the anchor and below', () => {
  for (const stabilityThreshold of [1, 144]) {
    const chain = new ChainBuilder()
    const blocks = chain.mineMany(101)
    const view = new ChainViewHarness(stabilityThreshold)
    const paid = spend([coinbaseOutput(blocks[0] as Block)], [{ to: alice, value: COIN }])
    const spent = spend([outputOf(paid)], [{ to: scriptOf(2), value: COIN }])
    view.follow(...blocks, chain.mine({ transactions: [paid] }))
    expect(heights(view, alice, 0).heights).toEqual([102])
    view.follow(chain.mine({ transactions: [spent] }))
    expect(heights(view, alice, 0).heights).toEqual([])
    expect(heights(view, scriptOf(2), 0).heights).toEqual([103])
    view.follow(...chain.mineMany(2))
    expect(heights(view, alice, 0).heights).toEqual([])
  }
})

describe('order of outputs', () => {
  const utxo = (height: number, first: number, vout: number): Utxo => ({
    outpoint: { txid: hash32(new Uint8Array(32).fill(0).with(0, first)), vout },
    value: COIN as Utxo['value'],
    script: alice,
    height,
    coinbase: false,
  })

  it('is height descending, then txid in internal order, then index as a number', () => {
    const sorted = [utxo(9, 5, 0), utxo(8, 1, 2), utxo(8, 1, 256), utxo(8, 2, 1), utxo(1, 0, 0)]
    fc.assert(
      fc.property(fc.shuffledSubarray(sorted, { minLength: sorted.length }), (shuffled) => {
        expect(shuffled.toSorted(compareUtxos)).toEqual(sorted)
      }),
    )
  })

  it('holds for answers across the anchor', () => {
    const chain = new ChainBuilder()
    const view = new ChainViewHarness(2)
    view.follow(...chain.mineMany(6, { payTo: alice }))
    expect(heights(view, alice, 0).heights).toEqual([6, 5, 4, 3, 2, 1])
  })
})

describe('fees', () => {
  it('percentiles are those of the specification', () => {
    const ten = percentilesOf([10n, 2n, 9n, 4n, 5n, 6n, 7n, 8n, 3n, 1n])
    expect([0, 1, 10, 11, 50, 51, 99, 100].map((p) => ten[p])).toEqual([
      1n,
      1n,
      1n,
      2n,
      5n,
      6n,
      10n,
      10n,
    ])
    expect(percentilesOf([7n])).toEqual(Array.from({ length: 101 }, () => 7n))
    expect(percentilesOf([])).toEqual([])
  })

  it('an empty chain has none, the last ones stay, and a level of the operator goes before', () => {
    const chain = new ChainBuilder()
    const blocks = chain.mineMany(101)
    const view = new ChainViewHarness(3)
    view.follow(...blocks)
    expect(feePercentiles(view.state)).toEqual({ percentiles: [], source: 'chain' })
    const fee = 1_234n
    const tx = spend([coinbaseOutput(blocks[0] as Block)], [{ to: alice, value: COIN - fee }])
    const rate = (1000n * fee) / BigInt(vsize(tx))
    const paying = chain.mine({ transactions: [tx], fees: fee })
    view.follow(paying)
    const expected = { percentiles: Array.from({ length: 101 }, () => rate), source: 'chain' }
    expect(feePercentiles(view.state)).toEqual(expected)
    view.follow(...chain.mineMany(9)) // The paying block is below the anchor now.
    expect(feePercentiles(view.state)).toEqual(expected)
    view.run({ type: 'setFeeLevel', rateMsatPerVb: 9_000n })
    expect(feePercentiles(view.state).source).toBe('operator')
    expect(new Set(feePercentiles(view.state).percentiles)).toEqual(new Set([9_000n]))
    view.run({ type: 'setFeeLevel', rateMsatPerVb: undefined })
    expect(feePercentiles(view.state)).toEqual(expected)
  })

  it('bitcoin §13.63: with few transactions the percentiles are over those of the main chain', () => {
    const chain = new ChainBuilder()
    const blocks = chain.mineMany(102)
    const view = new ChainViewHarness()
    view.follow(...blocks)
    const pay = (i: number, fee: bigint) =>
      spend([coinbaseOutput(blocks[i] as Block)], [{ to: alice, value: COIN - fee }])
    const lost = chain.mine({ transactions: [pay(0, 999n)], fees: 999n })
    const tx = pay(1, 500n)
    const won = chain.mine({ parent: blocks.at(-1), transactions: [tx], fees: 500n })
    view.follow(lost, won, chain.mine({ parent: won }))
    expect(feePercentiles(view.state).percentiles[50]).toBe(500_000n / BigInt(vsize(tx)))
  })

  it('rates are taken from the tip down, to the limit, the last block cut short', () => {
    const block = (rate: bigint, count: number) => ({
      feeRates: Array.from({ length: count }, () => rate),
    })
    const chain = [block(1n, 10), block(2n, FEE_TRANSACTIONS_MAX - 100), block(3n, 99)]
    const rates = collectFeeRates(chain)
    expect(rates.length).toBe(FEE_TRANSACTIONS_MAX)
    expect(rates.filter((rate) => rate === 1n).length).toBe(1)
    expect(collectFeeRates(chain.slice(2)).length).toBe(99)
  })
})

describe('downloads', () => {
  it('wanted are the blocks of good chains, lowest first, sixteen at a time', () => {
    const chain = new ChainBuilder()
    const blocks = chain.mineMany(20)
    const rival = chain.mine({ parent: blocks[4] })
    const view = new ChainViewHarness()
    view.headers(...blocks, rival)
    const wanted = missingBlocks(view.state)
    expect(wanted.length).toBe(16)
    expect(wanted.slice(0, 5)).toEqual(blocks.slice(0, 5).map(hashOfBlock))
    expect(wanted.slice(5, 7)).toContainEqual(hashOfBlock(rival))
    expect(missingBlocks(view.state, 3)).toEqual(blocks.slice(0, 3).map(hashOfBlock))
    expect(isSynced(view.state)).toBe(false)
    view.bodies(...blocks.slice(0, 17))
    expect(isSynced(view.state)).toBe(false)
    view.bodies(blocks[17] as Block)
    expect(isSynced(view.state)).toBe(true)
    expect(tip(view.state).height).toBe(18)
  })

  it('a branch that is 144 blocks of work behind is not worth its bodies', () => {
    const chain = new ChainBuilder()
    const blocks = chain.mineMany(150)
    const late = chain.mine({ parent: blocks[3] })
    const near = chain.mine({ parent: blocks[10] })
    const view = new ChainViewHarness(200)
    view.follow(...blocks)
    view.headers(late, near)
    expect(missingBlocks(view.state)).toEqual([hashOfBlock(near)])
  })

  it('a branch that is worth its bodies is wanted from its first block on', () => {
    const chain = new ChainBuilder()
    const blocks = chain.mineMany(150)
    const side = chain.mineMany(5, { parent: blocks[3] }) // Heights 5 to 9; from 6 on worth it.
    const view = new ChainViewHarness(200)
    view.follow(...blocks)
    view.headers(...side)
    expect(missingBlocks(view.state)).toEqual(side.map(hashOfBlock))
  })

  it('the bound on the depth of a test network’s tree falls from 500 to δ', () => {
    expect([0, 750, 1500, 9000].map((n) => boundedDepth(n, 144))).toEqual([500, 322, 144, 144])
    expect(boundedDepth(1500, 10_000)).toBe(499)
  })

  it('an output made by the block is found by its outpoint only on its branch', () => {
    const chain = new ChainBuilder()
    const blocks = chain.mineMany(101)
    const view = new ChainViewHarness()
    view.follow(...blocks)
    const tx = spend([coinbaseOutput(blocks[0] as Block)], [{ to: alice, value: COIN }])
    const here = chain.mine({ transactions: [tx] })
    const there = chain.mine({ parent: blocks.at(-1) })
    const child = spend([outputOf(tx)], [{ to: alice, value: COIN }])
    view.follow(here, there)
    expect(view.offer(chain.mine({ parent: there, transactions: [child] })).type).toBe('invalid')
    expect(view.offer(chain.mine({ parent: here, transactions: [child] })).type).toBe('accepted')
  })
})
