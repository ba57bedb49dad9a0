/** Transactions of version 3 keep to BIP431: one parent, one child, small, and replaceable. */
import { beforeEach, describe, expect, it } from 'vitest'
import { toDisplayHex } from '../../../../src/core/base/bytes.ts'
import { present } from '../../../../src/core/base/errors.ts'
import { RegtestNode } from '../../../../src/core/btc/regtest/node.ts'
import type { Transaction } from '../../../../src/core/btc/transaction.ts'
import { txid, vsize, wtxid } from '../../../../src/core/btc/transaction.ts'
import type { Anchor, AnchorSpend } from './anchors.ts'
import { anchorsOf, mineAnchors, spendAtRate } from './anchors.ts'
import { NOW, verdict } from './chains.ts'

let node: RegtestNode
let coins: readonly Anchor[]
beforeEach(() => {
  node = new RegtestNode()
  coins = mineAnchors(node, 2, NOW)
})

const truc = (from: readonly Anchor[], rate = 10n, parts: Omit<AnchorSpend, 'fee'> = {}) =>
  spendAtRate(from, rate, { version: 3, ...parts })
const coin = (index = 0): Anchor => present(coins[index], 'a coin was mined')
const anchorOf = (tx: Transaction, index = 0): Anchor =>
  present(anchorsOf(tx)[index], 'it has the anchor')
const offer = (tx: Transaction): string => verdict(node.submit(tx, NOW))
const accept = (tx: Transaction): Transaction => {
  expect(offer(tx)).toBe('accepted')
  return tx
}
const pooled = (tx: Transaction): boolean => node.pooled(txid(tx)) !== undefined
const nameOf = (tx: Transaction): string =>
  `tx ${toDisplayHex(txid(tx))} (wtxid=${toDisplayHex(wtxid(tx))})`

describe('a transaction of version 3', () => {
  it('has a parent and a child of version 3 at most', () => {
    const parent = accept(truc([coin()], 10n, { outputs: 2 }))
    const child = accept(truc([anchorOf(parent)]))
    const grandchild = truc([anchorOf(child)])
    expect(offer(grandchild)).toBe(
      `TRUC-violation, ${nameOf(grandchild)} would have too many ancestors`,
    )
    const other = truc([anchorOf(parent, 1), coin(1)], 12n)
    expect(offer(other)).toBe('accepted') // It took the place of its sibling.
    expect(pooled(child)).toBe(false)
  })

  it('spends no unconfirmed output of another version, nor another version its own', () => {
    const plain = accept(spendAtRate([coin()], 10n))
    const upper = truc([anchorOf(plain)])
    expect(offer(upper)).toBe(
      `TRUC-violation, version=3 ${nameOf(upper)} cannot spend from non-version=3 ${nameOf(plain)}`,
    )
    const own = accept(truc([coin(1)]))
    const lower = spendAtRate([anchorOf(own)], 10n)
    expect(offer(lower)).toBe(
      `TRUC-violation, non-version=3 ${nameOf(lower)} cannot spend from version=3 ${nameOf(own)}`,
    )
    node.mine(1, Uint8Array.of(0x51), NOW)
    accept(upper)
    accept(lower)
  })

  it('is 10,000 virtual bytes at most, a child 1,000', () => {
    const large = truc([coin()], 2n, { outputs: 800 })
    expect(offer(large)).toBe(
      `TRUC-violation, version=3 ${nameOf(large)} is too big: ${vsize(large)} > 10000 virtual bytes`,
    )
    const parent = accept(truc([coin()], 2n, { outputs: 700 }))
    const child = truc([anchorOf(parent)], 20n, { outputs: 80 })
    expect(offer(child)).toBe(
      `TRUC-violation, version=3 child ${nameOf(child)} is too big: ${vsize(child)} > 1000 ` +
        'virtual bytes',
    )
    accept(truc([anchorOf(parent)], 20n, { outputs: 70 }))
  })

  it('pushes its sibling out by the rules of replacement, and says so when it cannot', () => {
    const parent = accept(truc([coin()], 10n, { outputs: 2 }))
    const child = accept(truc([anchorOf(parent)], 10n))
    expect(offer(truc([anchorOf(parent, 1)], 10n))).toMatch(
      /^insufficient fee \(including sibling eviction\), rejecting replacement/,
    )
    accept(truc([anchorOf(parent, 1)], 11n))
    expect([pooled(parent), pooled(child)]).toEqual([true, false])
  })

  it('replaces a child in its own place without pushing anybody out', () => {
    const parent = accept(truc([coin()], 10n, { outputs: 2 }))
    const child = accept(truc([anchorOf(parent)], 10n))
    accept(truc([anchorOf(parent), anchorOf(parent, 1)], 12n))
    expect([pooled(parent), pooled(child)]).toEqual([true, false])
  })
})
