/**
 * Headers as a tree with cumulative work and the best chain through it. Source:
 * `docs/spec/bitcoin.md` §3.5 HD-1, §4.
 */
import type { BlockHash } from '../base/bytes.ts'
import { toHex } from '../base/bytes.ts'
import { assert, present } from '../base/errors.ts'
import type { View } from '../base/view.ts'
import type { BlockHeader } from './block.ts'
import { headerHash } from './block.ts'
import { genesisBlock } from './genesis.ts'
import type { Ancestor, HeaderReject } from './header.ts'
import { checkHeader, parentMedianTime, workOfBits } from './header.ts'
import type { Network } from './network.ts'

/** Headers off the best chain that are kept: enough for the deepest reorganisation we follow. */
export const SIDE_HEADERS_MAX = 10_080
/** What is left of them when they are pruned, so that this is not done for every header. */
const SIDE_KEPT_MAX = SIDE_HEADERS_MAX / 2
/** How far below the tip of a network with a minimum of work a branch may begin (HDR-15). */
const SIDE_DEPTH_MAX = 2_016
/** A branch is worth following if it lacks at most this many blocks of work (HDR-12). */
export const WORK_MARGIN_BLOCKS = 144n
/** Locator entries that go back one by one before the steps double (HD-1). */
const LOCATOR_DENSE = 8

export type HeaderNode = {
  readonly hash: BlockHash
  /** `hash` in hexadecimal, internal order: the key of every map of blocks. */
  readonly key: string
  readonly header: BlockHeader
  readonly height: number
  /** Cumulative, genesis included (HDR-4). */
  readonly work: bigint
  readonly parent: HeaderNode | undefined
}

/** Grows only by `addHeader`; the functions below that take a view write nothing. */
export type HeaderTree = {
  readonly network: Network
  readonly nodes: Map<string, HeaderNode>
  readonly children: Map<string, HeaderNode[]>
  /** The chain with most work, by height; of equals the one received first. */
  readonly best: HeaderNode[]
  /** Headers whose block was proven invalid, and all that build on them. */
  readonly invalid: Set<string>
}

export type HeaderVerdict =
  | { readonly type: 'valid'; readonly node: HeaderNode }
  | { readonly type: 'known'; readonly node: HeaderNode }
  | { readonly type: 'unknownParent' }
  | { readonly type: 'invalid'; readonly reason: HeaderReject | 'bad-prevblk' }
  /** Too far in the future for now: nobody's fault, to be tried again (HDR-10). */
  | { readonly type: 'early' }
  /** No room for another header off the best chain. */
  | { readonly type: 'full' }

export function newHeaderTree(network: Network): HeaderTree {
  const node = genesisNode(network)
  return {
    network,
    nodes: new Map([[node.key, node]]),
    children: new Map(),
    best: [node],
    invalid: new Set(),
  }
}

function genesisNode(network: Network): HeaderNode {
  const { header } = genesisBlock(network)
  const hash = headerHash(header)
  const key = toHex(hash)
  assert(key === toHex(network.genesis.hash), 'the genesis header has the hash of the table')
  return { hash, key, header, height: 0, work: workOfBits(header.bits), parent: undefined }
}

export const bestHeader = (tree: View<HeaderTree>): HeaderNode =>
  present(tree.best.at(-1), 'a header tree has a genesis')

export const findHeader = (tree: View<HeaderTree>, hash: BlockHash): HeaderNode | undefined =>
  tree.nodes.get(toHex(hash))

/** The node's ancestor at `height`, itself included; undefined above it. */
export function ancestorAt(
  tree: View<HeaderTree>,
  node: HeaderNode,
  height: number,
): HeaderNode | undefined {
  let at: HeaderNode | undefined = node
  while (at !== undefined && at.height > height) {
    if (tree.best[at.height] === at) return tree.best[height]
    at = at.parent
  }
  return at?.height === height ? at : undefined
}

export const isOnBestChain = (tree: View<HeaderTree>, node: HeaderNode): boolean =>
  tree.best[node.height] === node

/**
 * Headers by height on the branch that ends in `tip`; remembers its place, for callers go back in
 * steps.
 */
export function branchOf(tree: View<HeaderTree>, tip: HeaderNode): Ancestor {
  let place = tip
  return (height) => {
    const from = height <= place.height ? place : tip
    place = present(ancestorAt(tree, from, height), `the branch has a header at ${height}`)
    return place.header
  }
}

/** Median time past of a block: of its own time and the ten before it (BIP113). */
export const medianTimeOf = (tree: View<HeaderTree>, node: HeaderNode): number =>
  parentMedianTime({ height: node.height + 1, ancestor: branchOf(tree, node) })

/** Judges a header of others against the rules of §4; the tree does not change. */
export function judgeHeader(
  tree: View<HeaderTree>,
  header: BlockHeader,
  nowSeconds: number,
  hash = headerHash(header),
): HeaderVerdict {
  const key = toHex(hash)
  const known = tree.nodes.get(key)
  if (known !== undefined)
    return tree.invalid.has(key) ? badAncestor : { type: 'known', node: known }
  const parent = findHeader(tree, header.previous)
  if (parent === undefined) return { type: 'unknownParent' }
  if (tree.invalid.has(parent.key)) return badAncestor
  const height = parent.height + 1
  const ancestor = branchOf(tree, parent)
  const reason = checkHeader(header, { network: tree.network, height, ancestor, nowSeconds, hash })
  if (reason === 'time-too-new') return { type: 'early' }
  if (reason !== undefined) return { type: 'invalid', reason }
  if (sideCount(tree) >= SIDE_HEADERS_MAX && parent !== bestHeader(tree)) return { type: 'full' }
  const work = parent.work + workOfBits(header.bits)
  return { type: 'valid', node: { hash, key, header, height, work, parent } }
}

const badAncestor = { type: 'invalid', reason: 'bad-prevblk' } as const

const sideCount = (tree: View<HeaderTree>): number => tree.nodes.size - tree.best.length

/**
 * Adds a node that `judgeHeader` found valid. Where that makes it necessary to prune, the branches of
 * the `needed` keys stay.
 */
export function addHeader(tree: HeaderTree, node: HeaderNode, needed: Iterable<string> = []): void {
  assert(node.parent !== undefined, 'an added header has a parent')
  if (tree.nodes.has(node.key)) return
  tree.nodes.set(node.key, node)
  const siblings = tree.children.get(node.parent.key)
  if (siblings === undefined) tree.children.set(node.parent.key, [node])
  else siblings.push(node)
  if (node.work > bestHeader(tree).work) makeBest(tree, node)
  if (sideCount(tree) >= SIDE_HEADERS_MAX) pruneSides(tree, { needed })
}

function makeBest(tree: HeaderTree, tip: HeaderNode): void {
  const branch = branchAside(tree, tip)
  tree.best.length = tip.height + 1 - branch.length
  tree.best.push(...branch.toReversed())
}

/** Work that a branch must reach to be stored by choice and downloaded (HDR-12). */
export function worthwhileWork(tree: View<HeaderTree>): bigint {
  const { work, header } = bestHeader(tree)
  const below = work - WORK_MARGIN_BLOCKS * workOfBits(header.bits)
  return below > tree.network.minimumWork ? below : tree.network.minimumWork
}

/**
 * Drops side branches: those of too little work, on a network with a minimum of it those that left
 * the best chain long ago, and the lightest of the rest, so that there is room again (HDR-15). What
 * was proven invalid is lighter than anything. `needed`: keys of nodes that stay with what leads to
 * them, beside `keptMax` others; the heaviest of these stays, unless none may.
 */
export function pruneSides(
  tree: HeaderTree,
  {
    keptMax = SIDE_KEPT_MAX,
    needed = [],
  }: { readonly keptMax?: number; readonly needed?: Iterable<string> } = {},
): void {
  const enough = worthwhileWork(tree)
  const isReal = tree.network.minimumWork > 0n
  const lowest = isReal ? bestHeader(tree).height - SIDE_DEPTH_MAX : 0
  const kept = new Set<HeaderNode>()
  for (const key of needed) {
    let at = tree.nodes.get(key)
    for (; at !== undefined && !isOnBestChain(tree, at) && !kept.has(at); at = at.parent)
      kept.add(at)
  }
  let chosen = 0
  for (const leaf of sideLeaves(tree)) {
    if (leaf.work < enough) continue
    const branch = branchAside(tree, leaf)
    const root = branch.at(-1) ?? leaf
    if (root.height <= lowest) continue
    const fresh = branch.filter((node) => !kept.has(node))
    if (chosen + fresh.length > keptMax && (chosen > 0 || keptMax === 0)) continue
    chosen += fresh.length
    for (const node of fresh) kept.add(node)
  }
  for (const node of tree.nodes.values())
    if (!isOnBestChain(tree, node) && !kept.has(node)) forget(tree, node)
}

/**
 * Ends of side branches, most work first and invalid ones last; of equals in an order that all nodes
 * agree about.
 */
function sideLeaves(tree: View<HeaderTree>): readonly HeaderNode[] {
  const flaw = ({ key }: HeaderNode): number => (tree.invalid.has(key) ? 1 : 0)
  const byWork = (a: HeaderNode, b: HeaderNode): number =>
    a.work === b.work ? (a.key < b.key ? -1 : 1) : a.work > b.work ? -1 : 1
  const isLeaf = ({ key }: HeaderNode): boolean => (tree.children.get(key)?.length ?? 0) === 0
  return [...tree.nodes.values()]
    .filter((node) => !isOnBestChain(tree, node) && isLeaf(node))
    .toSorted((a, b) => flaw(a) - flaw(b) || byWork(a, b))
}

/** The node and its ancestors, as far as they lie off the best chain, children first. */
function branchAside(tree: View<HeaderTree>, tip: HeaderNode): readonly HeaderNode[] {
  const branch: HeaderNode[] = []
  let at: HeaderNode | undefined = tip
  while (at !== undefined && !isOnBestChain(tree, at)) {
    branch.push(at)
    at = at.parent
  }
  return branch
}

function forget(tree: HeaderTree, node: HeaderNode): void {
  tree.nodes.delete(node.key)
  tree.children.delete(node.key)
  tree.invalid.delete(node.key)
  const parentKey = node.parent?.key ?? ''
  const siblings = tree.children.get(parentKey)?.filter((sibling) => sibling !== node)
  if (siblings !== undefined) tree.children.set(parentKey, siblings)
}

/** The node and all that build on it, parents first. */
export function subtreeOf(tree: View<HeaderTree>, root: HeaderNode): readonly HeaderNode[] {
  const nodes = [root]
  for (const node of nodes) nodes.push(...(tree.children.get(node.key) ?? []))
  return nodes
}

/**
 * Marks a header whose block is invalid, with its descendants; they never are the best chain again.
 */
export function markInvalid(tree: HeaderTree, root: HeaderNode): void {
  assert(root.height > 0, 'genesis is valid')
  for (const node of subtreeOf(tree, root)) tree.invalid.add(node.key)
  if (!isOnBestChain(tree, root)) return
  tree.best.length = root.height
  followMostWork(tree)
}

/**
 * Takes back what `markInvalid` said of these nodes, parents before children; one whose parent stays
 * invalid stays so as well.
 */
export function unmarkInvalid(tree: HeaderTree, nodes: Iterable<HeaderNode>): void {
  for (const node of nodes)
    if (node.parent === undefined || !tree.invalid.has(node.parent.key))
      tree.invalid.delete(node.key)
  followMostWork(tree)
}

/** Nodes stand in the order they came, so of equal work the first received wins, as when they came. */
function followMostWork(tree: HeaderTree): void {
  let best = present(tree.best[0], 'a header tree has a genesis')
  for (const node of tree.nodes.values())
    if (!tree.invalid.has(node.key) && node.work > best.work) best = node
  makeBest(tree, best)
}

/** HD-1: the last hashes of the best chain one by one, then in doubling steps, then genesis. */
export function locator(tree: View<HeaderTree>): readonly BlockHash[] {
  const hashes: BlockHash[] = []
  let step = 1
  for (let height = tree.best.length - 1; height > 0; height -= step) {
    hashes.push(present(tree.best[height], 'the best chain has no gap').hash)
    if (hashes.length >= LOCATOR_DENSE) step *= 2
  }
  return [...hashes, tree.network.genesis.hash]
}
