/**
 * Goal: a transaction takes the place of others by the rules of Bitcoin Core before its cluster
 * mempool, and a refusal names the exact amounts (specification §10.6).
 */
import { beforeEach, describe, expect, it } from 'vitest'
import { toDisplayHex } from '../../../../src/core/base/bytes.ts'
import { present } from '../../../../src/core/base/errors.ts'
import { moneyText, rateOf, rateText } from '../../../../src/core/btc/regtest/fee-rate.ts'
import { RegtestNode } from '../../../../src/core/btc/regtest/node.ts'
import type { Transaction } from '../../../../src/core/btc/transaction.ts'
import { txid, vsize } from '../../../../src/core/btc/transaction.ts'
import type { Anchor } from './anchors.ts'
import { anchorsOf, mineAnchors, spendAnchors, spendAtRate } from './anchors.ts'
import { blockOn, NOW, verdict } from './chains.ts'

let node: RegtestNode
let coins: readonly Anchor[]
beforeEach(() => {
  node = new RegtestNode()
  coins = mineAnchors(node, 4, NOW)
})

const coin = (index: number): Anchor => present(coins[index], 'a coin was mined')
const offer = (tx: Transaction): string => verdict(node.submit(tx, NOW))
const accept = (tx: Transaction): Transaction => {
  expect(offer(tx)).toBe('accepted')
  return tx
}
const pooled = (tx: Transaction): boolean => node.pooled(txid(tx)) !== undefined
const anchorOf = (tx: Transaction, index = 0): Anchor =>
  present(anchorsOf(tx)[index], 'it has the anchor')
const nameOf = (tx: Transaction): string => toDisplayHex(txid(tx))

describe('a replacement', () => {
  it('bitcoin §13.54: that pays 1 sat less than required is refused with the amounts', () => {
    const first = accept(spendAnchors([coin(0)], { fee: 1_000n }))
    const size = BigInt(vsize(first))
    const low = spendAnchors([coin(0)], { fee: 1_000n + size - 1n })
    expect(offer(low)).toBe(
      `insufficient fee, rejecting replacement ${nameOf(low)}, not enough additional fees to ` +
        `relay; ${moneyText(size - 1n)} < ${moneyText(size)}`,
    )
    expect([pooled(first), node.mempool().length]).toEqual([true, 1])
    accept(spendAnchors([coin(0)], { fee: 1_000n + size }))
    expect([pooled(first), node.mempool().length]).toEqual([false, 1])
  })

  it('needs no signal of what it replaces', () => {
    const first = spendAnchors([coin(0)], { fee: 1_000n })
    const inputs = first.inputs.map((input) => ({ ...input, sequence: 0xffff_ffff }))
    accept({ ...first, inputs })
    accept(spendAnchors([coin(0)], { fee: 2_000n }))
  })

  it('pays for all descendants that leave with the conflict', () => {
    const parent = accept(spendAnchors([coin(0)], { fee: 1_000n }))
    const child = accept(spendAnchors([anchorOf(parent)], { fee: 50_000n }))
    const low = spendAnchors([coin(0)], { fee: 50_999n })
    expect(offer(low)).toBe(
      `insufficient fee, rejecting replacement ${nameOf(low)}, less fees than conflicting txs; ` +
        '0.00050999 < 0.00051',
    )
    accept(spendAnchors([coin(0)], { fee: 51_000n + BigInt(vsize(parent)) }))
    expect([pooled(parent), pooled(child)]).toEqual([false, false])
  })

  it('pays a higher rate than each direct conflict, whatever its fee is', () => {
    const cheap = accept(spendAtRate([coin(0)], 2n))
    const dear = accept(spendAtRate([coin(1)], 20n))
    const both = spendAtRate([coin(0), coin(1)], 20n, { outputs: 20 })
    expect(offer(both)).toBe(
      `insufficient fee, rejecting replacement ${nameOf(both)}; new feerate 0.00020000 BTC/kvB ` +
        '<= old feerate 0.00020000 BTC/kvB',
    )
    accept(spendAtRate([coin(0), coin(1)], 21n, { outputs: 20 }))
    expect([pooled(cheap), pooled(dear)]).toEqual([false, false])
  })

  it('may pay a lower rate than a descendant of the conflict', () => {
    const parent = accept(spendAtRate([coin(0)], 2n))
    const child = accept(spendAtRate([anchorOf(parent)], 40n))
    accept(spendAtRate([coin(0)], 30n, { outputs: 20 }))
    expect(pooled(child)).toBe(false)
  })

  it('compares rates as whole satoshi for 1,000 bytes, as Core does', () => {
    const first = accept(spendAnchors([coin(0)], { fee: 1_000_000n, outputs: 100 }))
    const fee = 1_000_001n
    expect(rateOf({ fee, vsize: vsize(first) })).toBe(
      rateOf({ fee: 1_000_000n, vsize: vsize(first) }),
    )
    expect(offer(spendAnchors([coin(0)], { fee, outputs: 100 }))).toContain('; new feerate')
  })

  it('spends no unconfirmed output that the replaced ones did not spend', () => {
    accept(spendAnchors([coin(0)], { fee: 1_000n }))
    const other = accept(spendAnchors([coin(1)], { fee: 1_000n, outputs: 2 }))
    const adds = spendAnchors([coin(0), anchorOf(other)], { fee: 1_000_000n })
    expect(offer(adds)).toBe(
      `replacement-adds-unconfirmed, replacement ${nameOf(adds)} adds unconfirmed input, idx 1`,
    )
    accept(spendAnchors([anchorOf(other)], { fee: 1_000n }))
    accept(spendAnchors([anchorOf(other), anchorOf(other, 1)], { fee: 1_000_000n }))
  })

  it('does not spend what it would remove', () => {
    const first = accept(spendAnchors([coin(0)], { fee: 1_000n }))
    const eats = spendAnchors([coin(0), anchorOf(first)], { fee: 1_000_000n })
    expect(offer(eats)).toBe(
      `bad-txns-spends-conflicting-tx, ${nameOf(eats)} spends conflicting transaction ` +
        nameOf(first),
    )
  })

  it('removes a hundred entries at most, those that conflicts share counted for each', () => {
    const parents = coins.map((one) => accept(spendAnchors([one], { fee: 1_000n, outputs: 25 })))
    for (const parent of parents)
      for (let i = 0; i < 24; i++) accept(spendAnchors([anchorOf(parent, i)], { fee: 200n }))
    expect(node.mempool()).toHaveLength(100)
    const all = spendAnchors(coins, { fee: 1_000_000n })
    expect(verdict(node.test(all, NOW))).toBe('accepted')
  })

  it('is refused when it would remove more than a hundred', () => {
    const parents = coins.map((one) => accept(spendAnchors([one], { fee: 9_000n, outputs: 26 })))
    for (const parent of parents)
      for (let i = 0; i < 24; i++) accept(spendAnchors([anchorOf(parent, i)], { fee: 200n }))
    // The carve-out lets one more descendant in.
    const [first] = parents
    if (first !== undefined) accept(spendAnchors([anchorOf(first, 24)], { fee: 200n }))
    const all = spendAnchors(coins, { fee: 2_000_000n })
    expect(offer(all)).toBe(
      `too many potential replacements, rejecting replacement ${nameOf(all)}; too many potential ` +
        'replacements (101 > 100)',
    )
  })

  it('bitcoin §13.55: and its original go with the chain, whichever a block confirms', () => {
    const original = accept(spendAnchors([coin(0)], { fee: 1_000n }))
    const replacement = accept(spendAnchors([coin(0)], { fee: 2_000n }))
    const child = accept(spendAnchors([anchorOf(replacement)], { fee: 1_000n }))
    const block = blockOn(node, { transactions: [original], fees: 1_000n })
    expect(verdict(node.submitBlock(block, NOW))).toBe('accepted')
    expect(node.transaction(txid(original))?.confirmations).toBe(1)
    expect([pooled(replacement), pooled(child)]).toEqual([false, false])
    expect(offer(replacement)).toBe('bad-txns-inputs-missingorspent')
  })

  it('bitcoin §13.47: takes an unconfirmed deposit away before a block has it', () => {
    const deposit = accept(spendAnchors([coin(0)], { fee: 1_000n, outputs: 2 }))
    accept(spendAnchors([coin(0)], { fee: 2_000n }))
    node.mine(1, Uint8Array.of(0x51), NOW)
    expect(node.transaction(txid(deposit))).toBeUndefined()
    expect(node.utxo(anchorOf(deposit).outpoint).type).toBe('unknown')
    expect(offer(deposit)).toBe('bad-txns-inputs-missingorspent')
  })
})

describe('amounts and rates are written as Core writes them', () => {
  it.each([
    [0n, '0.00'],
    [1n, '0.00000001'],
    [110n, '0.0000011'],
    [100_000_000n, '1.00'],
    [2_100_000_000_000_000n, '21000000.00'],
    [123_456_789_000n, '1234.56789'],
  ])('%d sat', (amount, text) => expect(moneyText(amount)).toBe(text))

  it('a rate has eight decimals', () => expect(rateText(1_000n)).toBe('0.00001000 BTC/kvB'))
})
