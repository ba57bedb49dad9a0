/**
 * Goal: whatever the disks of a subnet hold, after a start they hold the same log and go on in a new
 * time line; a start that is cut off is made again.
 * Method: four disks in memory, one letter a slot; stores that fail at any write.
 */
import { describe, expect, test } from 'vitest'
import { concat, toHex, u64be, utf8 } from '../../../src/core/base/bytes.ts'
import { HostDisk, present } from '../../../src/core/base/errors.ts'
import { encodeGenesis } from '../../../src/core/tecdsa/membership.ts'
import { NodeDisk } from '../../../src/host/disks/node-disk.ts'
import { restoreSubnet } from '../../../src/host/disks/restore.ts'
import { storeDamaged } from '../../../src/host/store/problem.ts'
import type { Store } from '../../../src/host/store/store.ts'
import { MemoryStore } from '../../../src/host/store/store.ts'
import { diskWith, genesis, replayed, write } from './disks.ts'

type Disks = Map<number, NodeDisk>
const disksOf = (...letters: readonly string[]): Disks =>
  new Map(letters.map((log, node) => [node, diskWith(log)]))

const slotKey = (number: bigint): Uint8Array => concat(utf8('slot/'), u64be(number))

/** Another item under the hash of a slot. */
function spoil(store: Store, number: bigint): void {
  store.transaction((writer) => {
    const value = present(writer.get(slotKey(number)), 'the slot')
    value[value.length - 1] = 0x58
    writer.put(slotKey(number), value)
  })
}

/** Incarnations 100, 101, … */
function counter(): () => bigint {
  let next = 100n
  return () => next++
}
const restore = (disks: Disks, draw = counter()) => restoreSubnet({ nodes: 4, disks, draw })
const logsOf = (disks: Disks): readonly string[] => [...disks.values()].map((d) => replayed(d))

test('all disks hold one log, and the new time line begins behind it', () => {
  const disks = disksOf('abcd', 'abc', 'a', 'abX')
  const restored = restore(disks)
  expect(logsOf(disks)).toEqual(Array.from({ length: 4 }, () => '[7]abc[100]'))
  const { position, start, nodes, changes } = restored
  expect(nodes).toEqual([0, 1, 2, 3])
  expect(start).toEqual({ incarnation: 100n, first: 3n, previous: position.previous })
  for (const { log } of disks.values()) {
    expect(log.position).toEqual(position)
    expect(log.starts.at(-1)).toEqual(start)
  }
  expect(changes).toEqual([
    { node: 0, dropped: 1n, caughtUp: 0n },
    { node: 2, dropped: 0n, caughtUp: 2n },
    { node: 3, dropped: 1n, caughtUp: 1n },
  ])
})

test('slots keep the time line they were decided in, over many starts', () => {
  const disks = disksOf('ab', 'ab', 'ab', 'ab')
  const draw = counter()
  restore(disks, draw)
  for (const node of [0, 1, 2]) write(present(disks.get(node), 'a disk'), 'cd')
  restore(disks, draw) // Nothing is decided in this one.
  restore(disks, draw)
  for (const node of [1, 2, 3]) write(present(disks.get(node), 'a disk'), 'e')
  restore(disks, draw)
  expect(new Set(logsOf(disks))).toEqual(new Set(['[7]ab[100]cd[102]e[103]']))
})

test('a node that was away for several starts is brought along', () => {
  const disks = disksOf('ab', 'ab', 'ab', 'ab')
  const away = present(disks.get(3), 'a disk')
  disks.delete(3)
  const draw = counter()
  restore(disks, draw)
  for (const disk of disks.values()) write(disk, 'cd')
  restore(disks, draw)
  for (const disk of disks.values()) write(disk, 'e')
  disks.set(3, away)
  write(away, 'XYZ') // Of a time line that nobody else has.
  const { changes } = restore(disks, draw)
  expect(new Set(logsOf(disks))).toEqual(new Set(['[7]ab[100]cd[101]e[102]']))
  expect(changes).toEqual([{ node: 3, dropped: 3n, caughtUp: 3n }])
})

test('what is on the disks is what their nodes find when they open them', () => {
  const stores = Array.from({ length: 4 }, () => new MemoryStore())
  const disks: Disks = new Map(stores.map((store, node) => [node, diskWith('abc', store)]))
  present(disks.get(1), 'a disk').cut(1n)
  restore(disks)
  const reopened: Disks = new Map(stores.map((store, node) => [node, new NodeDisk(store)]))
  expect(logsOf(reopened)).toEqual(logsOf(disks))
})

test('a source that cannot be read to its end is left for another', () => {
  const stores = Array.from({ length: 4 }, () => new MemoryStore())
  const disks: Disks = new Map(
    stores.map((store, node) => [node, diskWith(node === 3 ? 'a' : 'abcd', store)]),
  )
  spoil(present(stores[0], 'a store'), 1n)
  spoil(present(stores[1], 'a store'), 2n)
  restore(disks)
  expect(replayed(present(disks.get(3), 'a disk'))).toBe('[7]abcd[100]')
})

test('a disk that turns out to be damaged stays behind, and the others start', () => {
  const stores = Array.from({ length: 4 }, () => new MemoryStore())
  const disks: Disks = new Map(stores.map((store, node) => [node, diskWith('abc', store)]))
  spoil(present(stores[1], 'a store'), 2n)
  const { nodes, unfit } = restore(disks)
  expect(nodes).toEqual([0, 2, 3])
  expect(unfit).toMatchObject([{ node: 1, problem: { code: 'HOST_DISK' } }])
  expect(nodes.map((node) => replayed(present(disks.get(node), 'a disk')))).toEqual(
    nodes.map(() => '[7]abc[100]'),
  )
  spoil(present(stores[2], 'a store'), 2n)
  expect(() => restore(disks)).toThrow('slot 2 does not have its hash')
})

test('a disk whose hashes cannot be read is left out of the count', () => {
  const store = new MemoryStore()
  const disks = disksOf('abc', 'ab', 'abc')
  diskWith('abXY', store)
  const broken = new NodeDisk({
    name: store.name,
    get: (key) => {
      if (toHex(key) === toHex(slotKey(1n))) throw storeDamaged(store.name, 'its medium')
      return store.get(key)
    },
    has: (key) => store.has(key),
    range: (range) => store.range(range),
    keys: (range) => store.keys(range),
    transaction: (work) => store.transaction(work),
    close: () => store.close(),
  })
  disks.set(3, broken)
  expect(restore(disks)).toMatchObject({ nodes: [0, 1, 2], unfit: [{ node: 3 }] })
  disks.delete(0)
  expect(() => restore(disks)).toThrow('2 of 4 copies of the log can be read')
})

test('a disk that has lost the secret of its node stays behind', () => {
  const disks = disksOf('abc', 'abc', 'abc')
  const robbed = new NodeDisk(new MemoryStore())
  robbed.found(encodeGenesis(genesis))
  write(robbed, 'abc')
  disks.set(3, robbed)
  expect(restore(disks)).toMatchObject({ nodes: [0, 1, 2], unfit: [{ node: 3 }] })
  disks.delete(2)
  expect(() => restore(disks)).toThrow('2 of 4 copies of the log can be read')
})

test('a disk of another subnet stays behind', () => {
  const disks = disksOf('abc', 'abc', 'abc')
  const other = new NodeDisk(new MemoryStore())
  other.writeSeed(utf8('secret'))
  other.found(encodeGenesis({ ...genesis, entropy: new Uint8Array(32) }))
  disks.set(3, other)
  expect(restore(disks)).toMatchObject({ nodes: [0, 1, 2], unfit: [{ node: 3 }] })
})

test('a copy with a hole is filled up from there on', () => {
  const store = new MemoryStore()
  const disks = disksOf('abcd', 'abcd', 'abcd')
  disks.set(3, diskWith('abcd', store))
  store.transaction((writer) => writer.remove(slotKey(1n)))
  restore(disks)
  expect(new Set(logsOf(disks))).toEqual(new Set(['[7]abcd[100]']))
})

describe('a start is refused', () => {
  const refusal = (disks: Disks): unknown => {
    try {
      return restore(disks)
    } catch (error) {
      return error
    }
  }

  test('with too few disks, and says how many it needs', () => {
    const disks = new Map([...disksOf('abc', 'abc', 'abc', 'abc')].slice(0, 2))
    expect(refusal(disks)).toMatchObject({
      code: 'HOST_DISK',
      message: '2 of 4 copies of the log can be read, a start needs 3',
      details: { copies: 2, copiesNeeded: 3 },
    })
  })

  test('for want of room, without advice to discard anything', () => {
    const lack = new HostDisk('node-1', 'no space left', undefined)
    const unopened = [storeDamaged('node-2', 'its medium'), lack]
    const [disks, draw] = [disksOf('abc', 'abc'), counter()]
    expect(() => restoreSubnet({ nodes: 4, disks, unopened, draw })).toThrow(lack)
    expect(lack.command).toBeUndefined()
  })

  test('when disks contradict each other, and nothing is changed', () => {
    const disks = disksOf('abX', 'abX', 'abc', 'abc')
    const before = logsOf(disks)
    expect(refusal(disks)).toMatchObject({ code: 'HOST_DISK' })
    expect(logsOf(disks)).toEqual(before)
  })

  test('when nobody holds what is missing', () => {
    const stores = Array.from({ length: 4 }, () => new MemoryStore())
    const disks: Disks = new Map(
      stores.map((store, node) => [node, diskWith(node > 1 ? 'a' : 'abcd', store)]),
    )
    for (const store of stores.slice(0, 2)) spoil(store, 2n)
    expect(refusal(disks)).toMatchObject({ code: 'HOST_DISK', details: { flaws: { length: 2 } } })
    expect(replayed(present(disks.get(3), 'a disk'))).toBe('[7]a')
  })
})

/** Stores of one process that ends at the `count`-th transaction from now, before or after it. */
function endingAt(count: number, stores: readonly Store[]): readonly Store[] {
  let left = count
  return stores.map((store) => ({
    name: store.name,
    get: (key) => store.get(key),
    has: (key) => store.has(key),
    range: (range) => store.range(range),
    keys: (range) => store.keys(range),
    close: () => store.close(),
    transaction: (work) => {
      left -= 1
      if (left < 0) throw new RangeError('the process has ended')
      return store.transaction(work)
    },
  }))
}

test('a start that is cut off anywhere is made again to the same end', () => {
  const logs = ['abcd', 'abcXY', 'ab', 'abcd']
  let cuts = 0
  for (let count = 0; ; count++) {
    const stores = logs.map(() => new MemoryStore())
    for (const [node, letters] of logs.entries()) diskWith(letters, stores[node])
    const open = (all: readonly Store[]): Disks =>
      new Map(all.map((store, node) => [node, new NodeDisk(store)]))
    let wasCut = false
    try {
      restore(open(endingAt(count, stores)))
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      wasCut = true
      cuts += 1
    }
    const disks = open(stores)
    restore(disks, () => 200n)
    expect(new Set(logsOf(disks))).toEqual(new Set(['[7]abcd[200]']))
    if (!wasCut) break
  }
  expect(cuts).toBe(7) // One cut, two copies, four start records.
})
