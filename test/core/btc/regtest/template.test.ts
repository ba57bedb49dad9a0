/** The next block takes the packages that pay most, and stays within its limits (RN-9). */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../../src/core/base/bytes.ts'
import type { MempoolEntry } from '../../../../src/core/btc/regtest/pool.ts'
import { Pool, sumsOf } from '../../../../src/core/btc/regtest/pool.ts'
import { selectTransactions, WEIGHT_RESERVED } from '../../../../src/core/btc/regtest/template.ts'
import { txid, weight } from '../../../../src/core/btc/transaction.ts'
import { entryOn } from './entries.ts'

const poolOf = (entries: readonly MempoolEntry[]): Pool => {
  const pool = new Pool()
  for (const entry of entries) pool.add(entry)
  return pool
}
const chosen = (entries: readonly MempoolEntry[], limits = {}): readonly number[] =>
  selectTransactions(poolOf(entries), limits).transactions.map((tx) =>
    entries.findIndex((entry) => entry.transaction === tx),
  )

describe('the template of a block', () => {
  it('takes a poor parent for the sake of its child, and the child of a taken parent alone', () => {
    const parent = entryOn([], { fee: 100 })
    const rich = entryOn([parent], { fee: 2_000 })
    const other = entryOn([], { fee: 500 })
    // With the parent in the block already, this child pays 600 for itself, more than the other.
    const late = entryOn([parent], { fee: 600 })
    const entries = [other, parent, rich, late]
    expect(chosen(entries)).toEqual([1, 2, 3, 0])
  })

  it('counts a package for no more than its last entry pays alone', () => {
    const parent = entryOn([], { fee: 1_000 })
    const child = entryOn([parent], { fee: 200 })
    const other = entryOn([], { fee: 400 })
    expect(chosen([parent, child, other])).toEqual([0, 2, 1])
  })

  it('asks of a package what the block lacks of it, not what it has', () => {
    const rich = entryOn([], { fee: 5_000 })
    const poor = entryOn([rich], { fee: 100 })
    const child = entryOn([poor], { fee: 1_000 })
    const other = entryOn([], { fee: 700 })
    // Without the rich one, child and poor parent pay 550 each.
    expect(chosen([rich, poor, child, other])).toEqual([0, 3, 1, 2])
  })

  it('takes the older of equals', () => {
    const entries = [1, 2, 3, 4].map(() => entryOn([], { fee: 100 }))
    expect(chosen(entries)).toEqual([0, 1, 2, 3])
  })

  it('skips what does not fit, by weight and by signature operations, and goes on', () => {
    const entries = [
      entryOn([], { fee: 900 }),
      entryOn([], { fee: 800, sigopsCost: 300 }),
      entryOn([], { fee: 700, sigopsCost: 100 }),
    ]
    const each = weight(entries[0]?.transaction ?? entryOn([], { fee: 0 }).transaction)
    expect(chosen(entries, { weightMax: WEIGHT_RESERVED + 2 * each })).toEqual([0, 1])
    expect(chosen(entries, { weightMax: WEIGHT_RESERVED + each - 1 })).toEqual([])
    expect(chosen(entries, { sigopsMax: 400 + 299 })).toEqual([0, 2])
    expect(chosen(entries, { sigopsMax: 400 + 400 })).toEqual([0, 1, 2])
  })

  it('holds parents before children, every entry once, and their fees, for any pool', () => {
    const shape = fc.array(
      fc.record({
        fee: fc.integer({ min: 1, max: 9_999 }),
        vsize: fc.integer({ min: 60, max: 900 }),
        parents: fc.array(fc.nat(), { maxLength: 3 }),
      }),
      { maxLength: 24 },
    )
    fc.assert(
      fc.property(shape, fc.integer({ min: 0, max: 24 }), (members, room) => {
        const entries: MempoolEntry[] = []
        for (const { parents, ...rest } of members) {
          const above =
            entries.length === 0 ? [] : parents.flatMap((i) => entries[i % entries.length] ?? [])
          entries.push(entryOn([...new Set(above)], rest))
        }
        const pool = poolOf(entries)
        const each = Math.max(0, ...entries.map(({ transaction }) => weight(transaction)))
        const weightMax = WEIGHT_RESERVED + room * each
        const { transactions, fees } = selectTransactions(pool, { weightMax })
        const seen = new Set<string>()
        for (const tx of transactions) {
          for (const parent of pool.parents(tx)) expect(seen).toContain(toHex(parent.txid))
          seen.add(toHex(txid(tx)))
        }
        expect(seen.size).toBe(transactions.length)
        const inBlock = entries.filter((entry) => seen.has(toHex(entry.txid)))
        expect(fees).toBe(sumsOf(inBlock).fee)
        const total = transactions.reduce((sum, tx) => sum + weight(tx), 0)
        expect(total).toBeLessThanOrEqual(room * each)
        if (room >= entries.length) expect(transactions).toHaveLength(entries.length)
      }),
      { numRuns: 60 },
    )
  })
})
