/** Goal: the best chain is the one with most work, and a tree of others' headers stays bounded. */
import { describe, expect, it } from 'vitest'
import type { BlockHash } from '../../../src/core/base/bytes.ts'
import { hash32, toHex } from '../../../src/core/base/bytes.ts'
import type { Block, BlockHeader } from '../../../src/core/btc/block.ts'
import { workOfBits } from '../../../src/core/btc/header.ts'
import type { HeaderNode, HeaderTree } from '../../../src/core/btc/header-tree.ts'
import {
  addHeader,
  ancestorAt,
  bestHeader,
  findHeader,
  judgeHeader,
  locator,
  markInvalid,
  medianTimeOf,
  newHeaderTree,
  pruneSides,
  SIDE_HEADERS_MAX,
} from '../../../src/core/btc/header-tree.ts'
import type { Network } from '../../../src/core/btc/network.ts'
import { mainnet, networks, regtest } from '../../../src/core/btc/network.ts'
import { ChainBuilder, hashOfBlock, NOW_S } from '../../support/chain-builder.ts'
import { EasyChain, easyNetwork } from '../../support/easy-headers.ts'

const judged = (builder: ChainBuilder, header: BlockHeader, now = NOW_S) => {
  const verdict = judgeHeader(builder.tree, header, now)
  return verdict.type === 'invalid' ? verdict.reason : verdict.type
}

/** A header on `parent` that is valid but for what `change` does to it; mined again after. */
function altered(builder: ChainBuilder, parent: Block, change: Partial<BlockHeader>): BlockHeader {
  const good = builder.mine({ parent })
  return builder.solved({ ...good.header, ...change })
}

describe('judging a header', () => {
  const builder = new ChainBuilder()
  const blocks = builder.mineMany(12)
  const parent = blocks[11] as Block
  const median = medianTimeOf(builder.tree, builder.node(parent))

  it('bitcoin §13.14: a time equal to the median of the last eleven is refused', () => {
    expect(judged(builder, altered(builder, parent, { time: median }))).toBe('time-too-old')
  })

  it.each<[string, string, Partial<BlockHeader>]>([
    ['other bits than required', 'bad-diffbits', { bits: 0x207ffffe }],
    ['a version from before the soft forks', 'bad-version', { version: 3 }],
    ['a negative version', 'bad-version', { version: -1 }],
    ['a parent nobody knows', 'unknownParent', { previous: hash32(new Uint8Array(32).fill(9)) }],
  ])('%s is refused', (_, reason, change) => {
    expect(judged(builder, altered(builder, parent, change))).toBe(reason)
  })

  it.each([
    ['sign bit', 0x20ffffff],
    ['zero', 0x20000000],
    ['overflow', 0xff7fffff],
    ['above the limit', 0x21008000],
  ])('bitcoin §13.17: bits with %s are no target', (_, bits) => {
    expect(judged(builder, { ...parent.header, previous: hashOfBlock(parent), bits })).toBe(
      'high-hash',
    )
  })

  it('a hash above the target is refused', () => {
    const { header } = builder.mine({ parent })
    const nonces = Array.from({ length: 40 }, (_, nonce) => judged(builder, { ...header, nonce }))
    expect(new Set(nonces)).toContain('high-hash')
  })

  it('one second over the median is enough', () => {
    expect(judged(builder, altered(builder, parent, { time: median + 1 }))).toBe('known')
  })
})

describe('the best chain', () => {
  it('changes only for more work, and back', () => {
    const builder = new ChainBuilder()
    const { tree } = builder
    const a = builder.mine()
    const b = builder.mine({ parent: a })
    const rival = builder.mine({ parent: a })
    expect(bestHeader(tree).hash).toEqual(hashOfBlock(b))
    const longer = builder.mine({ parent: rival })
    expect(bestHeader(tree).hash).toEqual(hashOfBlock(longer))
    expect(tree.best.map(({ height }) => height)).toEqual([0, 1, 2, 3])
    expect(tree.best[2]?.hash).toEqual(hashOfBlock(rival))
    expect(bestHeader(tree).work).toBe(4n * workOfBits(regtest.powLimitBits))
    builder.mineMany(2, { parent: b })
    expect(tree.best[2]?.hash).toEqual(hashOfBlock(b))
  })

  it('leaves an invalid block and all that builds on it, for the next best', () => {
    const builder = new ChainBuilder()
    const { tree } = builder
    const [a, b] = builder.mineMany(5)
    const rival = builder.mine({ parent: a })
    markInvalid(tree, builder.node(b))
    expect(bestHeader(tree).hash).toEqual(hashOfBlock(rival))
    expect(tree.invalid.size).toBe(4)
    expect(judged(builder, (b as Block).header)).toBe('bad-prevblk')
  })

  it('ancestors are found from either branch', () => {
    const builder = new ChainBuilder()
    const main = builder.mineMany(6)
    const side = builder.mineMany(3, { parent: main[1] })
    const from = builder.node(side[2])
    expect(ancestorAt(builder.tree, from, 3)?.hash).toEqual(hashOfBlock(side[0] as Block))
    expect(ancestorAt(builder.tree, from, 2)?.hash).toEqual(hashOfBlock(main[1] as Block))
    expect(ancestorAt(builder.tree, from, 6)).toBeUndefined()
  })

  it('a locator goes back one by one, then in doubling steps, to genesis', () => {
    const builder = new ChainBuilder()
    builder.mineMany(100)
    const at = locator(builder.tree).map((hash) => findHeader(builder.tree, hash)?.height)
    expect(at).toEqual([100, 99, 98, 97, 96, 95, 94, 93, 91, 87, 79, 63, 31, 0])
    expect(locator(newHeaderTree(regtest)).length).toBe(1)
  })
})

it('every network starts at its genesis hash', () => {
  for (const network of Object.values(networks))
    expect(bestHeader(newHeaderTree(network)).hash).toEqual(network.genesis.hash)
  expect(bestHeader(newHeaderTree(mainnet)).work).toBe(0x100010001n)
})

it('headers off the best chain are bounded; the weak ones go first', () => {
  const builder = new ChainBuilder()
  const { tree } = builder
  const blocks = builder.mineMany(200)
  const near = builder.mine({ parent: blocks[150] })
  // Many children of one old block: cheap to make, worth nothing.
  const { header } = builder.mine({ parent: blocks[2] })
  let merkle = 0
  while (tree.nodes.size - tree.best.length < SIDE_HEADERS_MAX - 1) {
    const root = new Uint8Array(32)
    new DataView(root.buffer).setUint32(0, merkle++)
    const verdict = judgeHeader(tree, { ...header, merkleRoot: hash32(root) }, NOW_S)
    if (verdict.type === 'valid') addHeader(tree, verdict.node)
  }
  builder.mine({ parent: blocks[2] })
  expect(tree.nodes.size - tree.best.length).toBe(1)
  expect(findHeader(tree, hashOfBlock(near))).toBeDefined()
  expect(bestHeader(tree).height).toBe(200)
})

describe('pruning (HDR-15)', () => {
  /** A tree that holds these chains, the first of them first. */
  function treeOf(network: Network, ...chains: readonly EasyChain[]): HeaderTree {
    const tree = newHeaderTree(network)
    for (const { headers } of chains)
      for (const header of headers.slice(1)) {
        const verdict = judgeHeader(tree, header, NOW_S)
        if (verdict.type === 'valid') addHeader(tree, verdict.node)
      }
    return tree
  }
  const sides = (tree: HeaderTree): number => tree.nodes.size - tree.best.length

  it('keeps the branches of most work while there is room, with all that leads to them', () => {
    const network = easyNetwork()
    const main = new EasyChain(network).grow(40)
    const forks = [5, 9, 7, 6].map((count, i) =>
      new EasyChain(network, i + 1, main, 20).grow(count),
    )
    const tree = treeOf(network, main, ...forks)
    pruneSides(tree, { keptMax: 17 })
    expect(forks.map(({ hashes }) => findHeader(tree, hashes.at(-1) as BlockHash)?.height)).toEqual(
      [undefined, 29, 27, undefined],
    )
    expect(sides(tree)).toBe(16)
    // The heaviest stays, however long it is.
    pruneSides(tree, { keptMax: 5 })
    expect(sides(tree)).toBe(9)
  })

  it('keeps what is needed and what leads there, whatever its work, beside the others', () => {
    const main = new EasyChain(easyNetwork()).grow(200)
    const forks = [3, 2, 2].map((count, i) =>
      new EasyChain(main.network, i + 1, main, i === 0 ? 5 : 190).grow(count),
    )
    const tree = treeOf(main.network, main, ...forks)
    const needed = [toHex(forks[0]?.hashes[7] as BlockHash)]
    pruneSides(tree, { keptMax: 4, needed })
    expect(forks.map(({ hashes }) => findHeader(tree, hashes.at(-1) as BlockHash)?.height)).toEqual(
      [undefined, 192, 192],
    )
    expect(sides(tree)).toBe(2 + 4)
    pruneSides(tree, { keptMax: 4 })
    expect(sides(tree)).toBe(4)
  })

  it('keeps what was proven invalid only where nothing else needs the room', () => {
    const main = new EasyChain(easyNetwork()).grow(40)
    const [bad, good] = [9, 2].map((count, i) =>
      new EasyChain(main.network, i + 1, main, 35).grow(count),
    )
    const tree = treeOf(main.network, main, bad as EasyChain)
    markInvalid(tree, findHeader(tree, bad?.hashes[36] as BlockHash) as HeaderNode)
    for (const header of good?.headers.slice(36) ?? []) {
      const verdict = judgeHeader(tree, header, NOW_S)
      if (verdict.type === 'valid') addHeader(tree, verdict.node)
    }
    pruneSides(tree, { keptMax: 9 })
    expect(findHeader(tree, good?.hashes.at(-1) as BlockHash)).toBeDefined()
    expect([sides(tree), tree.invalid.size]).toEqual([2, 0])
  })

  it('of equal work keeps the same, in whatever order they came', () => {
    const network = easyNetwork()
    const main = new EasyChain(network).grow(40)
    const forks = [1, 2, 3].map((i) => new EasyChain(network, i, main, 20).grow(5))
    const left = [forks, forks.toReversed()].map((ordered) => {
      const tree = treeOf(network, main, ...ordered)
      pruneSides(tree, { keptMax: 10 })
      return [...tree.nodes.keys()].toSorted()
    })
    expect(left[0]?.length).toBe(41 + 10)
    expect(left[0]).toEqual(left[1])
  })

  it('drops a branch that is old, where blocks cost something, and no other', () => {
    const real = easyNetwork(1n)
    const main = new EasyChain(real).grow(2_100)
    const [old, new_] = [83, 84].map((at) => new EasyChain(real, 1, main, at).grow(2_000))
    expect(
      [real, easyNetwork()].map((network) => {
        const trees = [old, new_].map((fork) => treeOf(network, main, fork as EasyChain))
        for (const tree of trees) pruneSides(tree)
        return trees.map(sides)
      }),
    ).toEqual([
      [0, 2_000],
      [2_000, 2_000],
    ])
  })
})
