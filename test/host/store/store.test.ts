/**
 * Goal: both stores keep the promises of the port: order, all or nothing, copies.
 * Method: one table of facts for both, and a model that random steps are held against.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { compareBytes, equalBytes, utf8 } from '../../../src/core/base/bytes.ts'
import { LmdbStore } from '../../../src/host/store/lmdb-store.ts'
import { newJournal, SharedStore } from '../../../src/host/store/shared-store.ts'
import type { Entry, KeyRange, Store } from '../../../src/host/store/store.ts'
import { MemoryStore } from '../../../src/host/store/store.ts'

const root = mkdtempSync(join(tmpdir(), 'ckbtc-store-'))
afterAll(() => rmSync(root, { recursive: true }))

let made = 0
const kinds: readonly (readonly [string, () => Store])[] = [
  ['in memory', () => new MemoryStore()],
  ['in shared memory', () => new SharedStore(newJournal())],
  ['on disk', () => LmdbStore.open(join(root, `${made++}`))],
]

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
const put = (store: Store, ...entries: readonly (readonly [Uint8Array, number])[]): void =>
  store.transaction((writer) => {
    for (const [key, value] of entries) writer.put(key, bytes(value))
  })
const keysOf = (entries: readonly Entry[]): readonly (readonly number[])[] =>
  entries.map(({ key }) => [...key])

describe.each(kinds)('a store %s', (_, make) => {
  test('gives back the last value under a key, and nothing under others', () => {
    const store = make()
    put(store, [utf8('key'), 1], [utf8('key'), 2])
    put(store, [utf8('key'), 3])
    expect(store.get(utf8('key'))).toEqual(bytes(3))
    expect(store.get(utf8('ke'))).toBeUndefined()
    expect(store.get(utf8('keys'))).toBeUndefined()
    store.close()
  })

  test('tells whether a key is there, before and within a transaction', () => {
    const store = make()
    put(store, [utf8('kept'), 1], [utf8('dropped'), 2])
    const seen = store.transaction((writer) => {
      writer.remove(utf8('dropped'))
      writer.put(utf8('empty'), bytes())
      return ['kept', 'dropped', 'empty', 'never'].map((name) => writer.has(utf8(name)))
    })
    expect(seen).toEqual([true, false, true, false])
    expect(['kept', 'dropped', 'empty', 'never'].map((name) => store.has(utf8(name)))).toEqual(seen)
    store.close()
  })

  test('keeps values of every size, an empty one and a large one', () => {
    const store = make()
    const large = new Uint8Array(3_000_000).map((_, i) => i * 7)
    store.transaction((writer) => {
      writer.put(bytes(1), bytes())
      writer.put(bytes(2), large)
    })
    expect(store.get(bytes(1))).toEqual(bytes())
    expect(equalBytes(store.get(bytes(2)) ?? bytes(), large)).toBe(true)
    store.close()
  })

  const around = [bytes(1), bytes(1, 0), bytes(1, 0xff), bytes(1, 0xff, 0), bytes(2), bytes(0xff)]
  const ranges: readonly (readonly [string, KeyRange, readonly (readonly number[])[]])[] = [
    ['all', { prefix: bytes() }, [[1], [1, 0], [1, 255], [1, 255, 0], [2], [255]]],
    ['a prefix, itself included', { prefix: bytes(1) }, [[1], [1, 0], [1, 255], [1, 255, 0]]],
    [
      'a prefix that ends in 255',
      { prefix: bytes(1, 255) },
      [
        [1, 255],
        [1, 255, 0],
      ],
    ],
    ['the last prefix', { prefix: bytes(255) }, [[255]]],
    ['no key', { prefix: bytes(3) }, []],
    [
      'from a key on',
      { prefix: bytes(1), from: bytes(1, 255) },
      [
        [1, 255],
        [1, 255, 0],
      ],
    ],
    [
      'from between keys on',
      { prefix: bytes(1), from: bytes(1, 1) },
      [
        [1, 255],
        [1, 255, 0],
      ],
    ],
    ['from behind the prefix', { prefix: bytes(1), from: bytes(2) }, []],
    ['from before the prefix', { prefix: bytes(2), from: bytes(1) }, [[2]]],
    [
      'the last two',
      { prefix: bytes(1), reverse: true, limit: 2 },
      [
        [1, 255, 0],
        [1, 255],
      ],
    ],
    ['back from a key', { prefix: bytes(1), from: bytes(1, 0), reverse: true }, [[1, 0], [1]]],
    ['back from between', { prefix: bytes(1), from: bytes(1, 1), reverse: true }, [[1, 0], [1]]],
    ['back from behind', { prefix: bytes(2), from: bytes(9), reverse: true }, [[2]]],
    ['back from before', { prefix: bytes(2), from: bytes(1), reverse: true }, []],
    ['none of many', { prefix: bytes(), limit: 0 }, []],
  ]
  test.each(ranges)('ranges over %s', (_, range, expected) => {
    const store = make()
    put(store, ...around.toReversed().map((key, i) => [key, i] as const))
    expect(keysOf(store.range(range))).toEqual(expected)
    expect(store.keys(range).map((key) => [...key])).toEqual(expected)
    store.close()
  })

  test('drops all that a transaction wrote when it throws', () => {
    const store = make()
    put(store, [bytes(1), 1], [bytes(2), 2])
    const broken = new Error('broken off')
    expect(() =>
      store.transaction((writer) => {
        writer.put(bytes(1), bytes(9))
        writer.remove(bytes(2))
        writer.put(bytes(3), bytes(9))
        throw broken
      }),
    ).toThrow(broken)
    expect(store.range({ prefix: bytes() })).toEqual([
      { key: bytes(1), value: bytes(1) },
      { key: bytes(2), value: bytes(2) },
    ])
    put(store, [bytes(4), 4])
    expect(store.get(bytes(4))).toEqual(bytes(4))
    store.close()
  })

  test('shows a transaction what it wrote, and gives back what the work returns', () => {
    const store = make()
    put(store, [bytes(1), 1])
    const seen = store.transaction((writer) => {
      writer.put(bytes(2), bytes(2))
      writer.remove(bytes(1))
      const all = { prefix: bytes() }
      return [writer.get(bytes(1)), writer.get(bytes(2)), writer.range(all), writer.keys(all)]
    })
    expect(seen).toEqual([undefined, bytes(2), [{ key: bytes(2), value: bytes(2) }], [bytes(2)]])
    store.close()
  })

  test('runs no transaction inside another', () => {
    const store = make()
    expect(() => store.transaction(() => put(store, [bytes(1), 1]))).toThrow('holds no other')
    put(store, [bytes(1), 1])
    store.close()
  })

  test('shares no bytes with those who write or read', () => {
    const store = make()
    const [key, value] = [bytes(1), bytes(1)]
    store.transaction((writer) => writer.put(key, value))
    key[0] = 9
    value[0] = 9
    store.get(bytes(1))?.fill(9)
    for (const entry of store.range({ prefix: bytes() })) entry.value.fill(9)
    expect(store.range({ prefix: bytes() })).toEqual([{ key: bytes(1), value: bytes(1) }])
    store.close()
  })

  test('does what a sorted list does', () => {
    const key = fc.uint8Array({ maxLength: 3 }).map((all) => all.map((byte) => byte % 3))
    const step = fc.record({ key, value: fc.option(fc.nat(255), { nil: undefined }) })
    const store = make()
    const model = new Map<string, Entry>()
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), key, key, fc.boolean(), (steps, ...range) => {
        store.transaction((writer) => {
          for (const { key, value } of steps) {
            if (value === undefined) writer.remove(key)
            else writer.put(key, bytes(value))
            if (value === undefined) model.delete(`${key}`)
            else model.set(`${key}`, { key, value: bytes(value) })
          }
        })
        const [prefix, from, reverse] = range
        const sign = reverse ? -1 : 1
        const expected = [...model.values()]
          .toSorted((a, b) => sign * compareBytes(a.key, b.key))
          .filter((entry) => sign * compareBytes(entry.key, from) >= 0)
          .filter((entry) => `${entry.key.subarray(0, prefix.length)}` === `${prefix}`)
        expect(store.range({ prefix, from, reverse })).toEqual(expected)
        for (const entry of expected) expect(store.get(entry.key)).toEqual(entry.value)
      }),
      { numRuns: 200 },
    )
    store.close()
  })
})
