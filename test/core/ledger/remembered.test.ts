/**
 * Goal: the queue of remembered transactions finds each hash as long as it is queued, and no other.
 * Method: against a list, with hashes that begin alike, so that they crowd in few slots.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hash32 } from '../../../src/core/base/bytes.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import type { Remembered } from '../../../src/core/ledger/transactions/remembered.ts'
import {
  dequeue,
  emptyRememberedQueue,
  enqueue,
  entriesOf,
  indexOf,
  timeAt,
} from '../../../src/core/ledger/transactions/remembered.ts'

/** Number `i`; `start` is the slot that its hash begins with. */
function entry(i: number, start: number): Remembered {
  const hash = hash32(new Uint8Array(32))
  new DataView(hash.buffer).setUint32(0, start)
  new DataView(hash.buffer).setUint32(28, i)
  return { hash, at: timestampNs(BigInt(i) * 1_000n), index: BigInt(i) + 2n ** 63n }
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('in' as const), start: fc.nat(7) }) },
  // Around the end of the table, where slots go on at its beginning.
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('in' as const), start: fc.constant(2 ** 32 - 2) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('out' as const), count: fc.nat(9) }) },
)

test('every queued hash has its index, every other none, in whatever slots they crowd', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const queue = emptyRememberedQueue()
      const list: Remembered[] = []
      const gone: Remembered[] = []
      for (const [i, step] of steps.entries())
        if (step.type === 'in') {
          enqueue(queue, entry(i, step.start))
          list.push(entry(i, step.start))
        } else {
          const count = Math.min(step.count, list.length)
          dequeue(queue, count)
          gone.push(...list.splice(0, count))
        }
      expect(entriesOf(queue)).toEqual(list)
      expect(list.map(({ hash }) => indexOf(queue, hash))).toEqual(list.map(({ index }) => index))
      expect(gone.map(({ hash }) => indexOf(queue, hash))).toEqual(gone.map(() => undefined))
      expect(list.map((_, age) => timeAt(queue, age))).toEqual(list.map(({ at }) => at))
      expect(timeAt(queue, list.length)).toBeUndefined()
    }),
    { numRuns: 200 },
  )
})

test('hashes that differ in their last byte alone are two', () => {
  const queue = emptyRememberedQueue()
  enqueue(queue, entry(1, 5))
  expect(indexOf(queue, entry(1, 5).hash)).toBe(entry(1, 5).index)
  expect(indexOf(queue, entry(2, 5).hash)).toBeUndefined()
})

test('what was given back is taken again', () => {
  const queue = emptyRememberedQueue()
  for (let i = 0; i < 3_000; i++) enqueue(queue, entry(i, i * 77_777))
  const full = queue.times.length
  dequeue(queue, 2_990)
  expect(queue.times.length).toBeLessThan(full / 2)
  for (let i = 3_000; i < 6_000; i++) enqueue(queue, entry(i, i * 77_777))
  expect(queue.count).toBe(3_010)
  expect(indexOf(queue, entry(2_990, 2_990 * 77_777).hash)).toBe(2_990n + 2n ** 63n)
  expect(indexOf(queue, entry(2_989, 2_989 * 77_777).hash)).toBeUndefined()
})

test('hashes that somebody made begin alike leave as fast as any', () => {
  const queue = emptyRememberedQueue()
  for (let i = 0; i < 12_000; i++) enqueue(queue, entry(i, 5))
  const began = performance.now()
  dequeue(queue, 11_999)
  expect(performance.now() - began).toBeLessThan(300)
  expect(indexOf(queue, entry(11_999, 5).hash)).toBe(entry(11_999, 5).index)
})
