/**
 * Goal: a node's headers are there after any stop, and damage costs no more than what lies above it.
 * Method: a tree that grows and reorganises, its keeper, and new trees from the same store.
 */
import { describe, expect, it, test } from 'vitest'
import { concat, u32be, utf8 } from '../../../src/core/base/bytes.ts'
import { HostDisk } from '../../../src/core/base/errors.ts'
import { Seed } from '../../../src/core/base/seed.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import type { BlockHeader } from '../../../src/core/btc/block.ts'
import type { HeaderTree } from '../../../src/core/btc/header-tree.ts'
import { addHeader, judgeHeader, newHeaderTree } from '../../../src/core/btc/header-tree.ts'
import { startBitcoinConnection } from '../../../src/host/bitcoin/connection.ts'
import { HeaderKeeper, PAGE_HEADERS } from '../../../src/host/bitcoin/header-keeper.ts'
import type { Store } from '../../../src/host/store/store.ts'
import { MemoryStore } from '../../../src/host/store/store.ts'
import { EasyChain, easyNetwork } from '../../support/easy-headers.ts'

const network = easyNetwork()
const main = new EasyChain(network).grow(300)
const page = (index: number): Uint8Array => concat(utf8('bitcoin-headers/'), u32be(index))

/** One life of an adapter's tree and its keeper. */
class Life {
  readonly tree: HeaderTree = newHeaderTree(network)
  readonly keeper: HeaderKeeper

  constructor(store: Store) {
    this.keeper = new HeaderKeeper(store)
    for (const headers of this.keeper.load()) this.#judge(headers)
    this.keeper.adopt(this.tree.best)
  }

  get height(): number {
    return this.tree.best.length - 1
  }

  learn(chain: EasyChain, from: number, to: number): void {
    this.#judge(chain.headers.slice(from + 1, to + 1))
    this.keeper.keep(this.tree.best)
  }

  #judge(headers: readonly BlockHeader[]): void {
    for (const header of headers) {
      const verdict = judgeHeader(this.tree, header, main.time)
      if (verdict.type === 'valid') addHeader(this.tree, verdict.node)
    }
  }
}

const kept = (store: Store): readonly string[] => new Life(store).tree.best.map(({ key }) => key)

describe('the next life begins', () => {
  it('with what the last one had, page by page', () => {
    const store = new MemoryStore()
    const life = new Life(store)
    for (const [from, to] of [
      [0, 1],
      [1, PAGE_HEADERS],
      [PAGE_HEADERS, PAGE_HEADERS + 1],
      [PAGE_HEADERS + 1, 300],
    ] as const) {
      life.learn(main, from, to)
      expect(kept(store)).toEqual(life.tree.best.map(({ key }) => key))
    }
    const second = new Life(store)
    expect(second.height).toBe(300)
    second.learn(new EasyChain(network, 1, main, 290).grow(15), 290, 305)
    expect(kept(store)).toEqual(second.tree.best.map(({ key }) => key))
  })

  it('after a reorganisation to fewer pages, without what it left', () => {
    const store = new MemoryStore()
    const life = new Life(store)
    life.learn(main, 0, 300)
    // As after a block was found invalid far below: the best chain is the shorter one now.
    life.keeper.keep(life.tree.best.slice(0, 100))
    expect(new Life(store).height).toBe(99)
    expect(store.has(page(0))).toBe(true)
    expect(store.has(page(1))).toBe(false)
  })

  test.each<[string, (store: MemoryStore) => void, number]>([
    ['a page is missing', (store) => store.transaction((writer) => writer.remove(page(1))), 128],
    [
      'a page is cut',
      (store) =>
        store.transaction((writer) =>
          writer.put(page(1), (store.get(page(1)) as Uint8Array).slice(0, 401)),
        ),
      133,
    ],
    [
      'a page is empty',
      (store) => store.transaction((writer) => writer.put(page(1), new Uint8Array(0))),
      128,
    ],
    [
      'a byte is another',
      (store) =>
        store.transaction((writer) =>
          writer.put(page(1), (store.get(page(1)) as Uint8Array).with(80 * 20 + 10, 1)),
        ),
      148,
    ],
    [
      'the last page holds something else',
      (store) => store.transaction((writer) => writer.put(page(2), new Uint8Array(10_000))),
      256,
    ],
  ])(
    'below the damage where %s, and is whole after the headers have come again',
    (_, damage, height) => {
      const store = new MemoryStore()
      new Life(store).learn(main, 0, 300)
      damage(store)
      const life = new Life(store)
      expect(life.height).toBe(height)
      life.learn(main, height, 300)
      expect(new Life(store).height).toBe(300)
    },
  )
})

it('a disk that is full ends nothing: what could not be kept is kept later', () => {
  const store = new MemoryStore()
  let isFull = true
  const disk: Store = {
    name: 'a small disk',
    get: (key) => store.get(key),
    has: (key) => store.has(key),
    range: (range) => store.range(range),
    keys: (range) => store.keys(range),
    transaction: (work) => {
      if (isFull) throw new HostDisk('a small disk', 'no space is left', undefined)
      return store.transaction(work)
    },
    close: () => undefined,
  }
  const life = new Life(disk)
  life.learn(main, 0, 200)
  expect(new Life(disk).height).toBe(0)
  isFull = false
  life.learn(main, 200, 201)
  expect(new Life(disk).height).toBe(201)
})

it('a connection begins with them before it asks anybody, and tells of them again', async () => {
  const store = new MemoryStore()
  new Life(store).learn(main, 0, 300)
  const damaged = new MemoryStore()
  new Life(damaged).learn(main, 0, 300)
  damaged.transaction((writer) => writer.put(page(1), new Uint8Array(80)))
  const heights = []
  for (const disk of [store, damaged]) {
    const told: BlockHeader[] = []
    const connection = startBitcoinConnection({
      network,
      peers: [],
      seed: Seed.fromBytes(new Uint8Array(32)),
      userAgent: '/test/',
      push: false,
      clock: () => timestampNs(BigInt(main.time) * 1_000_000_000n),
      keeper: new HeaderKeeper(disk),
      onHeaders: (headers) => told.push(...headers),
      onBlock: () => undefined,
    })
    expect(connection.bestHeight()).toBe(0)
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    heights.push(connection.bestHeight())
    expect(told).toEqual(main.after(0, connection.bestHeight()))
    connection.close()
  }
  expect(heights).toEqual([300, 128])
})
