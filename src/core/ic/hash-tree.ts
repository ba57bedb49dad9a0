/**
 * Hash trees: root hash, encoding, and look-up that never takes "not shown" for "not there".
 * Implements `docs/spec/ic-interface.md` §§13.1, 13.2.
 */
import type { Hash32 } from '../base/bytes.ts'
import { compareBytes, concat, equalBytes, hash32 } from '../base/bytes.ts'
import { BadEncoding } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'
import type { Cbor } from './cbor.ts'
import { separated } from './request-id.ts'

export type HashTree =
  | { readonly type: 'empty' }
  | { readonly type: 'fork'; readonly left: HashTree; readonly right: HashTree }
  | { readonly type: 'labeled'; readonly label: Uint8Array; readonly tree: HashTree }
  | { readonly type: 'leaf'; readonly value: Uint8Array }
  | { readonly type: 'pruned'; readonly hash: Hash32 }

/** Labels from the root on. */
export type Path = readonly Uint8Array[]

export type Lookup =
  | { readonly type: 'found'; readonly value: Uint8Array }
  /** Proven not to be there. */
  | { readonly type: 'absent' }
  /** It may have been pruned. */
  | { readonly type: 'unknown' }
  /** The path ends at an inner node. */
  | { readonly type: 'error' }

const FORK = separated('ic-hashtree-fork')
const LABELED = separated('ic-hashtree-labeled')
const LEAF = separated('ic-hashtree-leaf')

export const EMPTY_HASH: Hash32 = sha256(separated('ic-hashtree-empty'))
export const forkHash = (left: Hash32, right: Hash32): Hash32 => sha256(concat(FORK, left, right))
export const labeledHash = (label: Uint8Array, tree: Hash32): Hash32 =>
  sha256(concat(LABELED, label, tree))
export const leafHash = (value: Uint8Array): Hash32 => sha256(concat(LEAF, value))

export function rootHash(tree: HashTree): Hash32 {
  switch (tree.type) {
    case 'empty':
      return EMPTY_HASH
    case 'fork':
      return forkHash(rootHash(tree.left), rootHash(tree.right))
    case 'labeled':
      return labeledHash(tree.label, rootHash(tree.tree))
    case 'leaf':
      return leafHash(tree.value)
    case 'pruned':
      return tree.hash
  }
}

/** The tree as CBOR has it; to be put into a larger value. */
export function cborOfHashTree(tree: HashTree): Cbor {
  switch (tree.type) {
    case 'empty':
      return [0n]
    case 'fork':
      return [1n, cborOfHashTree(tree.left), cborOfHashTree(tree.right)]
    case 'labeled':
      return [2n, tree.label, cborOfHashTree(tree.tree)]
    case 'leaf':
      return [3n, tree.value]
    case 'pruned':
      return [4n, tree.hash]
  }
}

/**
 * Reads a tree and checks that it is well formed as far as it is visible: labels of one level
 * ascend, a leaf stands alone. `BadEncoding` otherwise. The CBOR decoder has bounded the depth.
 */
export function hashTreeOfCbor(value: Cbor): HashTree {
  const tree = readTree(value)
  checkForest(tree)
  return tree
}

function readTree(value: Cbor): HashTree {
  if (!Array.isArray(value)) throw new BadEncoding('a node of a hash tree is an array')
  const [tag, first, second]: readonly (Cbor | undefined)[] = value
  if (tag === 0n && value.length === 1) return { type: 'empty' }
  if (tag === 1n && value.length === 3 && first !== undefined && second !== undefined)
    return { type: 'fork', left: readTree(first), right: readTree(second) }
  if (tag === 2n && value.length === 3 && first instanceof Uint8Array && second !== undefined)
    return { type: 'labeled', label: first, tree: readTree(second) }
  if (tag === 3n && value.length === 2 && first instanceof Uint8Array)
    return { type: 'leaf', value: first }
  if (tag === 4n && value.length === 2 && first instanceof Uint8Array)
    return { type: 'pruned', hash: hash32(first) }
  throw new BadEncoding('a malformed node of a hash tree')
}

/** What stands under one node, forks dissolved, left to right. */
type Sprout = Exclude<HashTree, { type: 'fork' | 'empty' }>

function forestOf(tree: HashTree): readonly Sprout[] {
  const sprouts: Sprout[] = []
  const open: HashTree[] = [tree]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next.type === 'fork') open.push(next.right, next.left)
    else if (next.type !== 'empty') sprouts.push(next)
  }
  return sprouts
}

function checkForest(tree: HashTree): void {
  const sprouts = forestOf(tree)
  if (sprouts.length > 1 && sprouts.some(({ type }) => type === 'leaf'))
    throw new BadEncoding('a leaf of a hash tree has siblings')
  let last: Uint8Array | undefined
  for (const sprout of sprouts) {
    if (sprout.type !== 'labeled') continue
    if (last !== undefined && compareBytes(last, sprout.label) >= 0)
      throw new BadEncoding('labels of a hash tree do not ascend')
    last = sprout.label
    checkForest(sprout.tree)
  }
}

/** The subtree that a path leads to, or why there is none to see. */
export function lookupTree(
  tree: HashTree,
  path: Path,
): { readonly type: 'found'; readonly tree: HashTree } | { readonly type: 'absent' | 'unknown' } {
  const [label, ...rest] = path
  if (label === undefined) return { type: 'found', tree }
  const sprouts = forestOf(tree)
  if (sprouts.length === 0 || sprouts[0]?.type === 'leaf') return { type: 'absent' }
  let before: Sprout | undefined
  for (const sprout of sprouts) {
    if (sprout.type === 'labeled') {
      if (equalBytes(sprout.label, label)) return lookupTree(sprout.tree, rest)
      // Nothing between this label and what stands before it, if that can be seen too.
      if (compareBytes(sprout.label, label) > 0)
        return { type: before?.type === 'pruned' ? 'unknown' : 'absent' }
    }
    before = sprout
  }
  return { type: before?.type === 'pruned' ? 'unknown' : 'absent' }
}

/** The value that a path leads to. */
export function lookup(tree: HashTree, path: Path): Lookup {
  const found = lookupTree(tree, path)
  if (found.type !== 'found') return found
  if (found.tree.type === 'leaf') return { type: 'found', value: found.tree.value }
  return { type: found.tree.type === 'pruned' ? 'unknown' : 'error' }
}

/** Labels visible under a node, ascending. */
export const labelsOf = (tree: HashTree): readonly Uint8Array[] =>
  forestOf(tree).flatMap((sprout) => (sprout.type === 'labeled' ? [sprout.label] : []))
