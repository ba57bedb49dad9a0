/** Items of a node that the log has not ordered yet. */
import { expect, test } from 'vitest'
import { Unserved } from '../../../src/core/subnet/unserved.ts'

const item = (n: number): Uint8Array => Uint8Array.of(n, n >> 8)

test('an item is handed in again when sixteen slots went by without it, and then after sixteen more', () => {
  const unserved = new Unserved()
  unserved.add(item(1), 0n)
  const again = Array.from({ length: 40 }, (_, slot) => unserved.afterSlot(BigInt(slot), []).length)
  expect(again.flatMap((count, slot) => (count > 0 ? [slot] : []))).toEqual([16, 32])
})

test('an item that a slot held is not handed in again', () => {
  const unserved = new Unserved()
  unserved.add(item(1), 0n)
  unserved.add(item(2), 0n)
  expect(unserved.afterSlot(1n, [item(1)])).toEqual([])
  expect(unserved.afterSlot(20n, [])).toEqual([item(2)])
})

test('no more than a thousand items are remembered, the newest', () => {
  const unserved = new Unserved()
  for (let n = 0; n < 1_003; n++) unserved.add(item(n), 0n)
  const again = unserved.afterSlot(16n, [])
  expect(again).toHaveLength(1_000)
  expect(again[0]).toEqual(item(3))
})
