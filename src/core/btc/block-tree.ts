/**
 * Blocks above the stability anchor: main chain, depths, stability. Source: `docs/spec/bitcoin.md`
 * §6, §9.2.
 */
import type { Txid } from '../base/bytes.ts'
import { assert, present } from '../base/errors.ts'
import type { View } from '../base/view.ts'
import { difficulty } from './header.ts'
import type { HeaderNode } from './header-tree.ts'
import type { Network } from './network.ts'
import type { Transaction } from './transaction.ts'
import type { BlockChanges, Utxo } from './utxo-set.ts'

/** A block that passed every check, with what it does to the outputs of its branch. */
export type CheckedBlock = {
  readonly node: HeaderNode
  readonly transactions: readonly Transaction[]
  readonly txids: readonly Txid[]
  readonly sizeBytes: number
  readonly changes: BlockChanges
  /** Millisatoshi per virtual byte, in block order without the coinbase. */
  readonly feeRates: readonly bigint[]
}

export type TreeBlock = CheckedBlock & {
  /** Undefined for the anchor alone. */
  parent: TreeBlock | undefined
  /** In order of arrival. */
  readonly children: TreeBlock[]
  /** Blocks on the longest path to a leaf, this one included. */
  depth: number
  /** Largest sum of difficulties on a path to a leaf, this one included. */
  workDepth: bigint
}

export type BlockTree = {
  readonly network: Network
  /** Root of the tree: the highest final block; its own changes are not in the UTXO set yet. */
  anchor: TreeBlock
  readonly blocks: Map<string, TreeBlock>
  readonly byHeight: Map<number, TreeBlock[]>
}

/** TREE-3: where difficulty may collapse, the tree stays bounded by these. */
const BOUNDED_DEPTH_START = 500
const BOUNDED_BLOCKS_MAX = 1500

export function newBlockTree(network: Network, root: CheckedBlock): BlockTree {
  const anchor = leafOf(network, root, undefined)
  return {
    network,
    anchor,
    blocks: new Map([[root.node.key, anchor]]),
    byHeight: new Map([[root.node.height, [anchor]]]),
  }
}

const leafOf = (
  network: Network,
  block: CheckedBlock,
  parent: TreeBlock | undefined,
): TreeBlock => ({
  ...block,
  parent,
  children: [],
  depth: 1,
  workDepth: difficulty(block.node.header.bits, network),
})

/** Attaches a block to its parent, which is in the tree. */
export function attachBlock(tree: BlockTree, block: CheckedBlock): void {
  const parent = present(tree.blocks.get(block.node.parent?.key ?? ''), 'the parent is in the tree')
  assert(!tree.blocks.has(block.node.key), 'a block is attached once')
  const leaf = leafOf(tree.network, block, parent)
  parent.children.push(leaf)
  tree.blocks.set(block.node.key, leaf)
  const level = tree.byHeight.get(block.node.height)
  if (level === undefined) tree.byHeight.set(block.node.height, [leaf])
  else level.push(leaf)
  deepen(tree, leaf)
}

/** Carries a new leaf's depth towards the anchor. */
function deepen(tree: BlockTree, leaf: TreeBlock): void {
  let child = leaf
  while (child !== tree.anchor) {
    const parent = present(child.parent, 'only the anchor has no parent in the tree')
    const own = difficulty(parent.node.header.bits, tree.network)
    if (child.depth + 1 > parent.depth) parent.depth = child.depth + 1
    if (child.workDepth + own > parent.workDepth) parent.workDepth = child.workDepth + own
    child = parent
  }
}

/** From the anchor to the tip: by work, then by length, then by arrival (TREE-1). */
export function mainChain(tree: View<BlockTree>): readonly View<TreeBlock>[] {
  const chain = [tree.anchor]
  for (const block of chain) {
    const { children } = block
    const next = children.length > 1 ? byStrength(children)[0] : children[0]
    if (next !== undefined) chain.push(next)
  }
  return chain
}

/** Strongest first; the sort is stable, so that equals keep their order of arrival. */
const byStrength = (blocks: readonly View<TreeBlock>[]): readonly View<TreeBlock>[] =>
  blocks.toSorted((a, b) => Number(b.workDepth - a.workDepth) || b.depth - a.depth)

/** From the anchor to a block of the tree. */
export function branchTo(
  tree: View<BlockTree>,
  block: View<TreeBlock>,
): readonly View<TreeBlock>[] {
  const branch = [block]
  for (let at = block; at !== tree.anchor; branch.push(at))
    at = present(at.parent, 'only the anchor has no parent in the tree')
  return branch.reverse()
}

/**
 * How many blocks the branch is ahead of any other at this block's height; may be negative (§9.2
 * step 2).
 */
export function stabilityCount(tree: View<BlockTree>, block: View<TreeBlock>): number {
  const level = tree.byHeight.get(block.node.height) ?? []
  const others = level.filter((other) => other !== block).map(({ depth }) => depth)
  return block.depth - Math.max(0, ...others)
}

/** An output as a block on top of `tip` would find it, the set below the anchor included. */
export function branchOutput(
  tree: View<BlockTree>,
  tip: View<TreeBlock>,
  stable: (key: string) => Utxo | undefined,
): (key: string) => Utxo | undefined {
  const newestFirst = branchTo(tree, tip).toReversed()
  return (key) => {
    for (const { changes } of newestFirst) {
      const created = changes.created.get(key)
      if (created !== undefined) return created
      if (changes.spent.has(key)) return undefined
    }
    return stable(key)
  }
}

/** The child that is stable enough to become the anchor, if one is (TREE-2, TREE-3). */
export function nextAnchor(
  tree: View<BlockTree>,
  stabilityThreshold: number,
): View<TreeBlock> | undefined {
  const [best, second] = byStrength(tree.anchor.children)
  if (best === undefined) return undefined
  const enough = BigInt(stabilityThreshold) * difficulty(tree.anchor.node.header.bits, tree.network)
  if (best.workDepth >= enough && best.workDepth - (second?.workDepth ?? 0n) >= enough) return best
  if (!tree.network.minDifficultyBlocks) return undefined
  const depthEnough = boundedDepth(tree.blocks.size, stabilityThreshold)
  return best.depth >= depthEnough && best.depth - (second?.depth ?? 0) >= depthEnough
    ? best
    : undefined
}

/** TREE-3: from 500 down to δ as the tree fills. */
export function boundedDepth(blocks: number, stabilityThreshold: number): number {
  const least = Math.min(stabilityThreshold, BOUNDED_DEPTH_START - 1)
  const filled = Math.min(1, blocks / BOUNDED_BLOCKS_MAX)
  return Math.round(BOUNDED_DEPTH_START - filled * (BOUNDED_DEPTH_START - least))
}

/**
 * Makes a child the root. Its siblings' branches leave the tree with the old anchor, and are
 * returned.
 */
export function moveAnchor(tree: BlockTree, key: string): readonly TreeBlock[] {
  const old = tree.anchor
  const anchor = present(
    old.children.find(({ node }) => node.key === key),
    'the new anchor is a child of the old one',
  )
  const lost = old.children.filter((child) => child !== anchor)
  for (const block of lost) lost.push(...block.children)
  for (const { node } of [old, ...lost]) {
    tree.blocks.delete(node.key)
    const level = (tree.byHeight.get(node.height) ?? []).filter((other) => other.node !== node)
    if (level.length === 0) tree.byHeight.delete(node.height)
    else tree.byHeight.set(node.height, level)
  }
  old.children.length = 0 // With these two links every block since genesis would stay in memory.
  anchor.parent = undefined
  tree.anchor = anchor
  return lost
}

/** Puts the parent of the anchor back as root: the way out of a deep reorganisation (TREE-7). */
export function retreatAnchor(tree: BlockTree, block: CheckedBlock): void {
  const child = tree.anchor
  assert(child.node.parent === block.node, 'the anchor goes back to its parent')
  const anchor = leafOf(tree.network, block, undefined)
  anchor.children.push(child)
  child.parent = anchor
  tree.anchor = anchor
  tree.blocks.set(block.node.key, anchor)
  tree.byHeight.set(block.node.height, [anchor])
  deepen(tree, child)
}
