/**
 * Goal: the sums of every entry's family are what a count over all links gives, after any additions,
 * removals and confirmations.
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { MempoolEntry } from '../../../../src/core/btc/regtest/pool.ts'
import { Pool, sumsOf } from '../../../../src/core/btc/regtest/pool.ts'
import { entryOn } from './entries.ts'

const act = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('add' as const),
      fee: fc.integer({ min: 1, max: 999 }),
      vsize: fc.integer({ min: 60, max: 900 }),
      parents: fc.array(fc.nat(), { maxLength: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('remove' as const),
      which: fc.array(fc.nat(), { minLength: 1, maxLength: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('confirm' as const), which: fc.nat() }) },
)

const pick = (entries: readonly MempoolEntry[], index: number): readonly MempoolEntry[] =>
  entries.slice(index % Math.max(1, entries.length)).slice(0, 1)

function expectExact(pool: Pool): void {
  for (const entry of pool.entries()) {
    const ancestors = [entry, ...pool.ancestors(entry.transaction)]
    expect(pool.family(entry)).toMatchObject({
      ancestors: sumsOf(ancestors),
      descendants: sumsOf(pool.withDescendants([entry])),
    })
  }
  const { count, vsize } = sumsOf(pool.entries())
  expect([pool.size, pool.vsize]).toEqual([count, vsize])
}

it('families weigh what their members weigh, whatever has come and gone', () => {
  fc.assert(
    fc.property(fc.array(act, { minLength: 10, maxLength: 40 }), (acts) => {
      const pool = new Pool()
      for (const step of acts) {
        const entries = pool.entries()
        if (step.type === 'add') {
          const parents = new Set(step.parents.flatMap((index) => pick(entries, index)))
          pool.add(entryOn([...parents], step))
        } else if (step.type === 'remove')
          pool.remove(step.which.flatMap((index) => pick(entries, index)))
        else {
          // What nothing in the pool is above: a block confirms parents first.
          const roots = entries.filter((entry) => pool.parents(entry.transaction).length === 0)
          for (const entry of pick(roots, step.which)) pool.confirm(entry)
        }
        expectExact(pool)
      }
    }),
    { numRuns: 40 },
  )
})

it('a child is confirmed after its parents only', () => {
  const pool = new Pool()
  const parent = entryOn([], { fee: 1 })
  const child = entryOn([parent], { fee: 1 })
  for (const entry of [parent, child]) pool.add(entry)
  expect(() => pool.confirm(child)).toThrow('a block confirms parents first')
})
