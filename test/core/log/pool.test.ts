/** Items that wait for a slot: turns, waiting, bounds. Source: threshold §§17.4, 23. */
import { describe, expect, it, test } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { VAIN_SLOTS_MAX } from '../../../src/core/log/credit.ts'
import {
  ORDERED_MAX,
  OWN_ITEMS_MAX,
  OWN_SIZE_MAX,
  Pool,
  STORED_ITEMS_MAX,
  STORED_SIZE_MAX,
} from '../../../src/core/log/pool.ts'

const [NODES, ME] = [4, 0]
const MIB = 1024 * 1024

function itemOf(name: number, size = 8): { hash: ReturnType<typeof sha256>; body: Uint8Array } {
  const body = new Uint8Array(size)
  new DataView(body.buffer).setUint32(0, name)
  return { hash: sha256(body), body }
}
const names = (hashes: readonly Uint8Array[]): readonly string[] => hashes.map(toHex)
const hashesOf = (...items: readonly number[]): readonly string[] =>
  items.map((name) => toHex(itemOf(name).hash))

test('own items are proposed at once, those of others when still unserved after the next slot', () => {
  const pool = new Pool(NODES, ME)
  pool.add(ME, itemOf(1), 5n)
  pool.add(2, itemOf(2), 5n)
  expect([5n, 6n, 7n].map((slot) => names(pool.choose(slot)))).toEqual([
    hashesOf(1),
    hashesOf(1),
    hashesOf(1, 2),
  ])
})

test('room is shared out by the node an item came from, in turn, oldest first', () => {
  const pool = new Pool(NODES, ME)
  for (const name of [10, 11, 12]) pool.add(1, itemOf(name), 0n)
  for (const name of [20, 21]) pool.add(2, itemOf(name), 0n)
  pool.add(3, itemOf(30), 0n)
  pool.add(ME, itemOf(1), 0n)
  expect(names(pool.choose(5n))).toEqual(hashesOf(1, 10, 20, 30, 11, 21, 12))
  expect(names(pool.choose(7n))).toEqual(hashesOf(1, 30, 10, 20, 11, 21, 12))
})

test('large items of some nodes do not keep out those of the others for ever', () => {
  const pool = new Pool(7, 6)
  for (const node of [0, 1]) pool.add(node, itemOf(node, 4 * MIB), 0n)
  pool.add(2, itemOf(2), 0n)
  pool.add(6, itemOf(6), 0n)
  const slots = Array.from({ length: 7 }, (_, i) => names(pool.choose(BigInt(7 + i))))
  expect(slots.every((chosen) => chosen[0] === hashesOf(6)[0])).toBe(true)
  expect(slots.some((chosen) => chosen.includes(toHex(itemOf(2).hash)))).toBe(true)
})

test('an item of two nodes is named once', () => {
  const pool = new Pool(NODES, ME)
  for (const node of [ME, 1]) pool.add(node, itemOf(1), 0n)
  expect(names(pool.choose(9n))).toEqual(hashesOf(1))
})

describe('the store of one node', () => {
  it('holds so many items, and those of others have their room', () => {
    const pool = new Pool(NODES, ME)
    for (let i = 0; i < STORED_ITEMS_MAX; i++) expect(pool.add(1, itemOf(i), 0n)).toBe(true)
    expect(pool.add(1, itemOf(5_000), 0n)).toBe(false)
    expect(pool.add(2, itemOf(5_000), 0n)).toBe(true)
  })

  it('holds so many bytes, and again when a slot took some', () => {
    const pool = new Pool(NODES, ME)
    const large = [0, 1].map((name) => itemOf(name, STORED_SIZE_MAX / 2))
    for (const item of large) expect(pool.add(1, item, 0n)).toBe(true)
    expect(pool.add(1, itemOf(5), 0n)).toBe(false)
    for (const { hash } of large.slice(1)) pool.ordered(hash)
    expect([pool.add(1, itemOf(5), 0n), pool.bytes]).toEqual([true, STORED_SIZE_MAX / 2 + 8])
  })
})

describe('the store of own items', () => {
  it('has room for all that users may hand in at one node, and an end', () => {
    const pool = new Pool(NODES, ME)
    const few = [0, 1, 2, 3].map((name) => itemOf(name, OWN_SIZE_MAX / 4))
    for (const item of few) expect(pool.add(ME, item, 0n)).toBe(true)
    expect(pool.add(ME, itemOf(9), 0n)).toBe(false)
    const many = new Pool(NODES, ME)
    for (let i = 0; i < OWN_ITEMS_MAX; i++) expect(many.add(ME, itemOf(i), 0n)).toBe(true)
    expect(many.add(ME, itemOf(OWN_ITEMS_MAX), 0n)).toBe(false)
  })

  it('takes one again in a later slot, so that it is sent again; of others none', () => {
    const pool = new Pool(NODES, ME)
    const add = (from: number, slot: bigint): boolean => pool.add(from, itemOf(1), slot)
    expect([add(ME, 5n), add(ME, 5n), add(ME, 6n), add(ME, 6n)]).toEqual([true, false, true, false])
    expect([add(2, 5n), add(2, 6n), add(2, 9n)]).toEqual([true, false, false])
    // It has waited since it came first.
    const other = new Pool(NODES, ME)
    for (const slot of [5n, 6n, 7n]) other.add(2, itemOf(1), slot)
    expect(names(other.choose(7n))).toEqual(hashesOf(1))
  })
})

describe('haste', () => {
  /** Items of a node in as many slots as are told. */
  function having(from: number, slots: readonly ('quiet' | 'counts')[]): Pool {
    const pool = new Pool(NODES, ME)
    for (const [i, slot] of slots.entries()) {
      pool.add(from, itemOf(i), BigInt(i))
      pool.ordered(itemOf(i).hash)
      pool.executed(slot === 'quiet')
    }
    pool.add(from, itemOf(slots.length), BigInt(slots.length))
    return pool
  }
  const quiet = (count: number) => Array<'quiet'>(count).fill('quiet')

  it('is made for items of a node until so many slots with them were in vain', () => {
    expect(having(2, quiet(VAIN_SLOTS_MAX - 1)).isUrgent).toBe(true)
    const pool = having(2, quiet(VAIN_SLOTS_MAX))
    expect([pool.isUrgent, pool.isEmpty]).toEqual([false, false])
    pool.add(1, itemOf(99), 50n)
    expect(pool.isUrgent).toBe(true)
  })

  it('is made again after a slot with an item of it in which one counted', () => {
    const slots = [...quiet(VAIN_SLOTS_MAX), 'counts', 'quiet'] as const
    expect(having(2, slots).isUrgent).toBe(true)
  })

  it('is always made for own ones', () => {
    expect(having(ME, quiet(3 * VAIN_SLOTS_MAX)).isUrgent).toBe(true)
  })
})

test('what a slot holds waits at no node any more, and does not come back', () => {
  const pool = new Pool(NODES, ME)
  for (const node of [ME, 1]) pool.add(node, itemOf(1), 0n)
  pool.ordered(itemOf(1).hash)
  expect([pool.isEmpty, pool.add(2, itemOf(1), 0n), pool.own()]).toEqual([true, false, []])
})

test('the newest ordered items are known, and the oldest is forgotten', () => {
  const pool = new Pool(NODES, ME)
  for (let i = 0; i <= ORDERED_MAX; i++) pool.ordered(itemOf(i).hash)
  expect([pool.add(1, itemOf(1), 0n), pool.add(1, itemOf(0), 0n)]).toEqual([false, true])
})
