/** The store that an ephemeral node keeps its records in. */
import { expect, it } from 'vitest'
import { MemoryStore } from '../../src/host/store.ts'

it('records come back ascending by key, in whatever order they were put', () => {
  const store = new MemoryStore()
  for (const [index, key] of ['b', 'a/2', 'B', 'a', 'a/10'].entries())
    store.put(key, Uint8Array.of(index))
  expect(store.entries().map(([key]) => key)).toEqual(['B', 'a', 'a/10', 'a/2', 'b'])
  expect(new Map(store.entries()).get('a/2')).toEqual(Uint8Array.of(1))
})

it('the last record under a key counts', () => {
  const store = new MemoryStore()
  store.put('key', Uint8Array.of(1))
  store.put('key', Uint8Array.of(2))
  expect(store.entries()).toEqual([['key', Uint8Array.of(2)]])
})

it('what was read before does not change with what is put later', () => {
  const store = new MemoryStore()
  const before = store.entries()
  store.put('key', Uint8Array.of(1))
  expect(before).toEqual([])
})
