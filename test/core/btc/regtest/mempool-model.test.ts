/**
 * Goal: whatever happens, the mempool is what a fresh one would be that is offered its entries again.
 * Method: random transactions, replacements, blocks, reorganisations; after each step the pool is
 * compared with sums taken anew, and with a second node on the same chain.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toHex } from '../../../../src/core/base/bytes.ts'
import { present } from '../../../../src/core/base/errors.ts'
import type { Block } from '../../../../src/core/btc/block.ts'
import { RegtestNode } from '../../../../src/core/btc/regtest/node.ts'
import { sumsOf } from '../../../../src/core/btc/regtest/pool.ts'
import type { Transaction } from '../../../../src/core/btc/transaction.ts'
import { outpointKey } from '../../../../src/core/btc/transaction.ts'
import type { Anchor } from './anchors.ts'
import { anchorsOf, mineAnchors, spendAtRate } from './anchors.ts'
import { blockOn, NOW, verdict } from './chains.ts'

const anyScript = Uint8Array.of(0x51)

const act = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      type: fc.constant('spend' as const),
      /** Which of the anchors seen so far, from the newest. */
      coins: fc.array(fc.nat(12), { minLength: 1, maxLength: 3 }),
      rate: fc.integer({ min: 1, max: 300 }),
      outputs: fc.integer({ min: 1, max: 5 }),
      isTruc: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('mine' as const), share: fc.nat(4) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('reorganise' as const),
      depth: fc.integer({ min: 1, max: 3 }),
      drops: fc.boolean(),
    }),
  },
)
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never

class World {
  readonly node = new RegtestNode({ mempool: { vsizeMax: 3_000 } })
  readonly anchors: Anchor[] = [...mineAnchors(this.node, 4, NOW)]
  now = NOW
  taken = 0
  replacements = 0

  perform(step: Act): void {
    this.now += 30
    switch (step.type) {
      case 'spend': {
        const tx = this.#spend(step)
        const before = this.node.mempool().length
        if (tx === undefined || this.node.submit(tx, this.now).type === 'refused') return
        this.anchors.push(...anchorsOf(tx))
        this.taken += 1
        if (this.node.mempool().length <= before) this.replacements += 1
        return
      }
      case 'mine': {
        // The first entries of the pool: parents are among them before their children.
        const pooled = this.node.mempool().map(({ transaction }) => transaction)
        const transactions = pooled.slice(0, Math.ceil((pooled.length * step.share) / 4))
        const fees = this.node.mempool().slice(0, transactions.length)
        const block = blockOn(this.node, { transactions, fees: sumsOf(fees).fee })
        expect(verdict(this.node.submitBlock(block, this.now))).toBe('accepted')
        return
      }
      case 'reorganise':
        this.node.reorganise(step.depth, {
          dropTransactions: step.drops,
          payToScript: anyScript,
          nowSeconds: this.now,
        })
    }
  }

  #spend({
    coins,
    rate,
    outputs,
    isTruc,
  }: Extract<Act, { type: 'spend' }>): Transaction | undefined {
    const { length } = this.anchors
    const picked = new Map(
      coins.map((back) => {
        const anchor = present(this.anchors[length - 1 - (back % length)], 'a coin is there')
        return [outpointKey(anchor.outpoint), anchor]
      }),
    )
    const from = [...picked.values()]
    if (from.reduce((sum, { value }) => sum + value, 0n) < 100_000n) return undefined
    return spendAtRate(from, BigInt(rate), { outputs, version: isTruc ? 3 : 2 })
  }
}

const blocksOf = (node: RegtestNode): readonly Block[] =>
  Array.from({ length: node.tip().height }, (_, i) =>
    present(node.blockAt(i + 1), 'a block at each height'),
  )

/** What is wrong with the pool; one comparison for all of it, for there are many. */
function flawsOf({ node, now }: World): readonly string[] {
  const entries = node.mempool()
  const there = new Map(entries.map((entry) => [toHex(entry.txid), entry]))
  const spent = new Set<string>()
  const ancestorsOf = new Map<Entry, ReadonlySet<Entry>>()
  const flaws: string[] = []
  for (const entry of entries) {
    const above = new Set([entry])
    for (const { outpoint } of entry.transaction.inputs) {
      const key = outpointKey(outpoint)
      if (spent.has(key)) flaws.push(`${key} is spent twice`)
      spent.add(key)
      const parent = there.get(toHex(outpoint.txid))
      const higher = parent && ancestorsOf.get(parent)
      if (parent === undefined && node.utxo(outpoint).type !== 'unspent')
        flaws.push(`${key} is not there`)
      else if (parent !== undefined && higher === undefined) flaws.push(`${key} comes later`)
      for (const one of higher ?? []) above.add(one)
    }
    ancestorsOf.set(entry, above)
  }
  for (const entry of entries) {
    const below = entries.filter((other) => ancestorsOf.get(other)?.has(entry) === true)
    const { ancestors, descendants } = node.family(entry)
    if (!isSame(ancestors, sumsOf(ancestorsOf.get(entry) ?? []))) flaws.push('wrong ancestors')
    if (!isSame(descendants, sumsOf(below))) flaws.push('wrong descendants')
  }
  const { vsize, size, vsizeMax } = node.mempoolInfo(now)
  if (size !== entries.length || vsize !== sumsOf(entries).vsize) flaws.push('wrong totals')
  if (vsize > vsizeMax) flaws.push('beyond its limit')
  return flaws
}

type Entry = ReturnType<RegtestNode['mempool']>[number]
type Sums = ReturnType<typeof sumsOf>

const isSame = (a: Sums, b: Sums): boolean =>
  a.count === b.count && a.vsize === b.vsize && a.fee === b.fee

/** A second node on the same chain takes the same entries in the same order. */
function expectModel({ node, now }: World): void {
  const model = new RegtestNode({ blocks: blocksOf(node), mempool: { vsizeMax: 3_000 } })
  for (const { transaction } of node.mempool())
    expect(verdict(model.submit(transaction, now))).toBe('accepted')
  const idsOf = (of: RegtestNode) => of.mempool().map((entry) => toHex(entry.txid))
  expect(idsOf(model)).toEqual(idsOf(node))
}

test('the pool equals the naive model after any acts, and its sums are exact', () => {
  let taken = 0
  let replaced = 0
  fc.assert(
    fc.property(fc.array(act, { minLength: 25, maxLength: 60, size: 'max' }), (steps) => {
      const world = new World()
      for (const step of steps) {
        world.perform(step)
        expect(flawsOf(world)).toEqual([])
      }
      expectModel(world)
      taken += world.taken
      replaced += world.replacements
    }),
    { numRuns: 14, seed: 7 },
  )
  // The runs do reach what they are for.
  expect(taken).toBeGreaterThan(60)
  expect(replaced).toBeGreaterThan(3)
})
