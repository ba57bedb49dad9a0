/**
 * Goal: the tree stays small and the anchor safe however difficulty, depth and time play together.
 * Method: bitcoin specification §6; trees of the rules' own numbers, real regtest chains, and a
 * test network with a difficulty that a test can mine.
 */
import { describe, expect, it } from 'vitest'
import { hash32, toHex, u32be } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import type { Block } from '../../../src/core/btc/block.ts'
import { headerHash } from '../../../src/core/btc/block.ts'
import type { CheckedBlock } from '../../../src/core/btc/block-tree.ts'
import {
  attachBlock,
  mainChain,
  moveAnchor,
  newBlockTree,
  nextAnchor,
} from '../../../src/core/btc/block-tree.ts'
import { isDiverged, tip } from '../../../src/core/btc/chain-queries.ts'
import type { TipChange } from '../../../src/core/btc/chain-state.ts'
import { execute, violations } from '../../../src/core/btc/chain-view.ts'
import { genesisBlock } from '../../../src/core/btc/genesis.ts'
import type { HeaderNode } from '../../../src/core/btc/header-tree.ts'
import { newHeaderTree, SIDE_HEADERS_MAX } from '../../../src/core/btc/header-tree.ts'
import type { Network } from '../../../src/core/btc/network.ts'
import { mainnet, regtest, testnet4 } from '../../../src/core/btc/network.ts'
import { mineBlock } from '../../../src/core/btc/regtest/miner.ts'
import { NO_CHANGES } from '../../../src/core/btc/utxo-set.ts'
import { ChainBuilder, hashOfBlock, MINER, NOW, scriptOf } from '../../support/chain-builder.ts'
import { ChainViewHarness } from '../../support/chain-view-harness.ts'

const HARD = 0x1b00ffff // 65,536 times the lowest difficulty.

let named = 0
/** A block of the tree without a body: its height, its difficulty, and who it stands on. */
function block(parent: HeaderNode | undefined, bits: number): CheckedBlock {
  const hash = hash32(new Uint8Array([...u32be(named++), ...new Uint8Array(28)]))
  const { header } = genesisBlock(testnet4)
  const node = {
    hash,
    key: toHex(hash),
    header: { ...header, bits },
    height: (parent?.height ?? -1) + 1,
    work: 0n,
    parent,
  }
  return { node, transactions: [], txids: [], sizeBytes: 0, changes: NO_CHANGES, feeRates: [] }
}

/** `count` blocks in a row on the root, the anchor following at each; the anchor's height after each. */
function grow(
  network: Network,
  { bits, count }: { readonly bits: number; readonly count: number },
) {
  const root = block(undefined, HARD)
  const tree = newBlockTree(network, root)
  const heights: number[] = []
  let most = 0
  for (let parent = root.node; heights.length < count; ) {
    const next = block(parent, bits)
    attachBlock(tree, next)
    parent = next.node
    for (let stable = nextAnchor(tree, 144); stable !== undefined; stable = nextAnchor(tree, 144))
      moveAnchor(tree, stable.node.key)
    heights.push(tree.anchor.node.height)
    most = Math.max(most, tree.blocks.size)
  }
  return { tree, heights, most }
}

describe('stability', () => {
  it('bitcoin §13.6: 5,000 blocks of the lowest difficulty move the anchor of a test network', () => {
    const { tree, heights, most } = grow(testnet4, { bits: testnet4.powLimitBits, count: 5_000 })
    expect(most).toBeLessThanOrEqual(1_500 + 144)
    expect(heights.at(-1)).toBe(5_000 - tree.blocks.size + 1)
    // An anchor of difficulty 65,536 gives way to a child that 404 blocks stand on (TREE-3).
    const first = heights.findIndex((height) => height > 0) + 1
    expect(first).toBe(404)
  })

  it('on mainnet they do not: work alone counts', () => {
    expect(grow(mainnet, { bits: mainnet.powLimitBits, count: 600 }).heights.at(-1)).toBe(0)
    expect(grow(mainnet, { bits: HARD, count: 600 }).heights.at(-1)).toBe(600 - 143)
  })

  it('is δ blocks of the anchor’s difficulty: one hard child is worth many easy ones', () => {
    const root = block(undefined, mainnet.powLimitBits)
    const tree = newBlockTree(mainnet, root)
    const hard = block(root.node, HARD)
    attachBlock(tree, hard)
    expect(nextAnchor(tree, 144)?.node).toBe(hard.node)
    attachBlock(tree, block(root.node, HARD))
    expect(nextAnchor(tree, 144)).toBeUndefined() // As much work beside it.
  })
})

describe('a test network with two difficulties', () => {
  /** Regtest whose genesis is twice as hard as the lowest difficulty. */
  function twoDifficulties(): Network {
    const genesis = { ...regtest.genesis, bits: 0x203fffff }
    const { header } = genesisBlock({ ...regtest, genesis })
    return { ...regtest, genesis: { ...genesis, hash: headerHash(header) } }
  }

  it('bitcoin §13.4: a longer branch with less work is not the main chain', () => {
    const network = twoDifficulties()
    const builder = new ChainBuilder([], network)
    /** `gapS` after its parent: more than 1,200 s make it a block of the lowest difficulty. */
    const mine = (parent: Block | undefined, gapS: number): Block => {
      const node = parent === undefined ? newRoot(builder) : builder.node(parent)
      const made = mineBlock({
        tree: builder.tree,
        parent: node,
        transactions: [],
        fees: 0n,
        payToScript: MINER,
        extraNonce: BigInt(gapS + node.height),
        nowSeconds: node.header.time + gapS,
      })
      builder.know(made.header)
      return made
    }
    const easy: Block[] = []
    for (let i = 0; i < 3; i++) easy.push(mine(easy.at(-1), 1_201))
    const hard = [mine(undefined, 600)]
    hard.push(mine(hard[0], 600))
    expect(easy.map(({ header }) => header.bits)).toEqual(Array(3).fill(0x207fffff))
    expect(hard.map(({ header }) => header.bits)).toEqual(Array(2).fill(0x203fffff))
    const view = new ChainViewHarness(144, network)
    view.follow(...easy)
    expect(tip(view.state).height).toBe(3)
    view.follow(...hard)
    expect(tip(view.state).hash).toEqual(hashOfBlock(hard[1] as Block))
  })

  const newRoot = (builder: ChainBuilder): HeaderNode =>
    present(newHeaderTree(builder.tree.network).best[0], 'genesis') &&
    present(builder.tree.best[0], 'genesis')
})

describe('deep reorganisations', () => {
  /** Like regtest, but with a name that does not let the anchor go back. */
  const strict: Network = { ...regtest, name: 'signet' }

  it('bitcoin §13.5: elsewhere than on regtest, the view diverges and does not switch', () => {
    const chain = new ChainBuilder()
    const common = chain.mineMany(2)
    const old = chain.mineMany(6, { parent: common[1] })
    const rivals = chain.mineMany(8, { parent: common[0], payTo: scriptOf(1) })
    const view = new ChainViewHarness(3, strict)
    view.follow(...common, ...old)
    const before = { anchor: view.state.tree.anchor, tip: tip(view.state) }
    expect(before.anchor.node.height).toBeGreaterThan(2)
    view.headers(...rivals)
    expect(isDiverged(view.state)).toBe(true)
    expect(view.bodies(...rivals).map(({ type }) => type)).not.toContain('accepted')
    expect({ anchor: view.state.tree.anchor, tip: tip(view.state) }).toEqual(before)
    // Both chains of headers stay.
    for (const { header } of [...old, ...rivals])
      expect(view.state.headers.nodes.has(toHex(headerHash(header)))).toBe(true)
    // Once its own chain is ahead again, it goes on.
    view.follow(...chain.mineMany(3, { parent: old.at(-1) }))
    expect(isDiverged(view.state)).toBe(false)
    expect(tip(view.state).height).toBe(11)
  })

  it('on regtest are followed at any depth that is held, and told as one change', () => {
    const chain = new ChainBuilder()
    const start = chain.mine()
    const old = chain.mineMany(300, { parent: start })
    const rivals = chain.mineMany(301, { parent: start, payTo: scriptOf(1) })
    const view = new ChainViewHarness(5)
    view.follow(start, ...old)
    expect(view.state.tree.anchor.node.height).toBeGreaterThan(290)
    view.headers(...rivals)
    view.bodies(...rivals)
    expect(tip(view.state).hash).toEqual(hashOfBlock(rivals.at(-1) as Block))
    const last = changesOf(view).at(-1) as TipChange
    // The old branch stands in the tree until the new one is δ blocks ahead of it.
    expect(view.state.tree.anchor.node.hash).toEqual(hashOfBlock(start))
    const more = chain.mineMany(4, { parent: rivals.at(-1) })
    view.follow(...more)
    const straight = new ChainViewHarness(5)
    straight.follow(start, ...rivals, ...more)
    const outputs = ({ state }: ChainViewHarness) => [...state.utxos.outputs.keys()].sort()
    expect(view.state.tree.anchor.node.hash).toEqual(straight.state.tree.anchor.node.hash)
    expect(outputs(view)).toEqual(outputs(straight))
    expect(last.commonAncestor.hash).toEqual(hashOfBlock(start))
    expect(last.disconnected.map(({ height }) => height)).toEqual(old.map((_, i) => 301 - i))
    expect(last.connected.map(({ hash }) => hash)).toEqual(rivals.map(hashOfBlock))
  })
})

const changesOf = (view: ChainViewHarness): readonly TipChange[] =>
  view.events.filter((event) => event.type === 'tipChanged')

describe('changes of the tip (TREE-8)', () => {
  it('are told once each, in order, each from where the last one led', () => {
    const chain = new ChainBuilder()
    const a = chain.mineMany(3)
    const b = chain.mineMany(4, { parent: a[0] })
    const view = new ChainViewHarness(2)
    view.headers(...a, ...b)
    // Orphans come to rest together: one change.
    view.bodies(a[2] as Block, a[1] as Block, a[0] as Block, a[0] as Block)
    view.bodies(...b)
    const told = changesOf(view)
    expect(told.map(({ old, new: next }) => [old.height, next.height])).toEqual([
      [0, 3],
      [3, 4],
      [4, 5],
    ])
    for (const [i, { old }] of told.entries())
      expect(old).toBe(i === 0 ? view.state.headers.best[0] : told[i - 1]?.new)
    const [first, second] = told as [TipChange, TipChange]
    expect(first.connected.map(({ hash }) => hash)).toEqual(a.map(hashOfBlock))
    expect(first.disconnected).toEqual([])
    expect(second.disconnected.map(({ hash }) => hash)).toEqual(
      [a[2], a[1]].map((each) => hashOfBlock(each as Block)),
    )
    expect(second.commonAncestor.hash).toEqual(hashOfBlock(a[0] as Block))
    expect(second.connected.map(({ hash }) => hash)).toEqual(b.slice(0, 3).map(hashOfBlock))
    expect(view.state.tipTold).toBe(tip(view.state))
    expect(mainChain(view.state.tree).at(-1)?.node).toBe(tip(view.state))
  })
})

it('headers without worth do not add up, and never cost a block its header (HDR-15)', () => {
  const builder = new ChainBuilder()
  const view = new ChainViewHarness(1_000)
  const main = builder.mineMany(160)
  const side = builder.mineMany(2, { parent: main[10] })
  view.follow(...main, ...side)
  const { headers, missing } = view.state
  const { header } = builder.mine({ parent: main[2] })
  // As many again as there is room for, all children of one old block.
  for (let i = 0, accepted = 0; accepted < SIDE_HEADERS_MAX; i++) {
    const merkleRoot = hash32(new Uint8Array([...u32be(i), ...new Uint8Array(28)]))
    const request = { type: 'header', header: { ...header, merkleRoot } } as const
    if (execute(view.state, request, NOW).reply.type === 'accepted') accepted++
  }
  expect(missing.size).toBeLessThan(10)
  expect([...missing.keys()].filter((key) => !headers.nodes.has(key))).toEqual([])
  for (const body of side) expect(headers.nodes.has(toHex(hashOfBlock(body)))).toBe(true)
  expect(violations(view.state)).toEqual([])
  expect(tip(view.state).height).toBe(160)
})
