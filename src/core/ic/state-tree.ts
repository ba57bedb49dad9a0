/**
 * The state tree of a server: immutable, with cached hashes and witnesses for any set of paths.
 * Implements `docs/spec/ic-interface.md` §§13.3, 13.4.
 *
 * A branch is a critbit trie over its labels. A change costs as many hashes as the trie is deep,
 * what it was before stays, and its shape is a function of its labels alone.
 */
import type { Hash32 } from '../base/bytes.ts'
import { equalBytes, toHex } from '../base/bytes.ts'
import type { HashTree, Path } from './hash-tree.ts'
import { EMPTY_HASH, forkHash, labeledHash, leafHash } from './hash-tree.ts'

export type StateTree = Leaf | Branch

class Leaf {
  readonly value: Uint8Array
  #hash: Hash32 | undefined

  constructor(value: Uint8Array) {
    this.value = value
  }

  get hash(): Hash32 {
    this.#hash ??= leafHash(this.value)
    return this.#hash
  }
}

export const leaf = (value: Uint8Array): StateTree => new Leaf(value)

class Entry {
  readonly label: Uint8Array
  readonly tree: StateTree
  #hash: Hash32 | undefined

  constructor(label: Uint8Array, tree: StateTree) {
    this.label = label
    this.tree = tree
  }

  get hash(): Hash32 {
    this.#hash ??= labeledHash(this.label, this.tree.hash)
    return this.#hash
  }
}

/** The labels under `left` and `right` first differ at `bit`. */
class Fork {
  readonly bit: number
  readonly left: Trie
  readonly right: Trie
  #hash: Hash32 | undefined

  constructor(bit: number, left: Trie, right: Trie) {
    this.bit = bit
    this.left = left
    this.right = right
  }

  get hash(): Hash32 {
    this.#hash ??= forkHash(this.left.hash, this.right.hash)
    return this.#hash
  }
}

type Trie = Entry | Fork

/**
 * Bit `index` of a label in a code without prefixes: each byte is a 1 and its eight bits, the end a
 * 0. So the order of codes is that of labels, also where one is the beginning of another.
 */
function bitOf(label: Uint8Array, index: number): 0 | 1 {
  const place = Math.floor(index / 9)
  const byte = label[place]
  if (byte === undefined) return 0
  const within = index - 9 * place
  return within === 0 || ((byte >> (8 - within)) & 1) === 1 ? 1 : 0
}

/** First bit in which two labels differ; undefined for equal ones. */
function firstDifference(a: Uint8Array, b: Uint8Array): number | undefined {
  let place = 0
  while (place < a.length && place < b.length && a[place] === b[place]) place++
  if (place === a.length && place === b.length) return undefined
  for (let within = 0; within < 9; within++)
    if (bitOf(a, 9 * place + within) !== bitOf(b, 9 * place + within)) return 9 * place + within
  return undefined
}

/** The entry that a label would be next to. */
function nearest(trie: Trie, label: Uint8Array): Entry {
  let at = trie
  while (at instanceof Fork) at = bitOf(label, at.bit) === 0 ? at.left : at.right
  return at
}

function inserted(trie: Trie, entry: Entry, difference: number | undefined): Trie {
  if (trie instanceof Fork && (difference === undefined || trie.bit < difference))
    return bitOf(entry.label, trie.bit) === 0
      ? new Fork(trie.bit, inserted(trie.left, entry, difference), trie.right)
      : new Fork(trie.bit, trie.left, inserted(trie.right, entry, difference))
  if (difference === undefined) return entry
  return bitOf(entry.label, difference) === 0
    ? new Fork(difference, entry, trie)
    : new Fork(difference, trie, entry)
}

/** Without the label, which is there. */
function removed(trie: Trie, label: Uint8Array): Trie | undefined {
  if (trie instanceof Entry) return undefined
  const isLeft = bitOf(label, trie.bit) === 0
  const rest = removed(isLeft ? trie.left : trie.right, label)
  if (rest === undefined) return isLeft ? trie.right : trie.left
  return isLeft ? new Fork(trie.bit, rest, trie.right) : new Fork(trie.bit, trie.left, rest)
}

function end(trie: Trie, side: 'left' | 'right'): Entry {
  let at = trie
  while (at instanceof Fork) at = at[side]
  return at
}

class Branch {
  readonly #trie: Trie | undefined

  constructor(trie: Trie | undefined) {
    this.#trie = trie
  }

  get hash(): Hash32 {
    return this.#trie?.hash ?? EMPTY_HASH
  }

  get(label: Uint8Array): StateTree | undefined {
    if (this.#trie === undefined) return undefined
    const entry = nearest(this.#trie, label)
    return equalBytes(entry.label, label) ? entry.tree : undefined
  }

  /** The same with `tree` under `label`. */
  with(label: Uint8Array, tree: StateTree): Branch {
    const entry = new Entry(label, tree)
    if (this.#trie === undefined) return new Branch(entry)
    const difference = firstDifference(nearest(this.#trie, label).label, label)
    return new Branch(inserted(this.#trie, entry, difference))
  }

  /** The same without `label`. */
  without(label: Uint8Array): Branch {
    if (this.#trie === undefined || this.get(label) === undefined) return this
    return new Branch(removed(this.#trie, label))
  }

  /** Labels next to one that is absent: before it and after it, as far as there are any. */
  neighbours(label: Uint8Array): readonly Uint8Array[] {
    if (this.#trie === undefined) return []
    const difference = firstDifference(nearest(this.#trie, label).label, label)
    if (difference === undefined) return []
    let [before, after]: (Entry | undefined)[] = []
    let at = this.#trie
    while (at instanceof Fork && at.bit < difference)
      if (bitOf(label, at.bit) === 0) {
        after = end(at.right, 'left')
        at = at.left
      } else {
        before = end(at.left, 'right')
        at = at.right
      }
    if (bitOf(label, difference) === 0) after = end(at, 'left')
    else before = end(at, 'right')
    return [before, after].flatMap((entry) => (entry === undefined ? [] : [entry.label]))
  }

  revealAll(): HashTree {
    return this.#trie === undefined ? { type: 'empty' } : wholeTrie(this.#trie)
  }

  /** The tree with what `shown` names, everything else pruned. */
  reveal(shown: ReadonlyMap<string, Shown>): HashTree {
    if (this.#trie === undefined) return { type: 'empty' }
    return revealTrie(this.#trie, [...shown.values()])
  }
}

export type { Branch }

function wholeTrie(trie: Trie): HashTree {
  return trie instanceof Fork
    ? { type: 'fork', left: wholeTrie(trie.left), right: wholeTrie(trie.right) }
    : { type: 'labeled', label: trie.label, tree: whole(trie.tree) }
}

/** A branch of these labels, in whatever order they come. */
export const branch = (
  children: Iterable<readonly [label: Uint8Array, tree: StateTree]> = [],
): Branch =>
  [...children].reduce((tree, [label, child]) => tree.with(label, child), new Branch(undefined))

/** A label of a witness, and what of its subtree is in it. */
type Shown = { readonly label: Uint8Array; readonly tree: () => HashTree }

function revealTrie(trie: Trie, shown: readonly Shown[]): HashTree {
  if (shown.length === 0) return { type: 'pruned', hash: trie.hash }
  if (trie instanceof Entry) {
    const [only] = shown
    const tree = only === undefined ? pruned(trie.tree) : only.tree()
    return { type: 'labeled', label: trie.label, tree }
  }
  const [left, right] = [0, 1].map((side) =>
    shown.filter(({ label }) => bitOf(label, trie.bit) === side),
  )
  return {
    type: 'fork',
    left: revealTrie(trie.left, left ?? []),
    right: revealTrie(trie.right, right ?? []),
  }
}

const pruned = ({ hash }: StateTree): HashTree => ({ type: 'pruned', hash })

/**
 * The part of `tree` that shows each path with everything under it, or proves that it is absent by
 * the labels on both sides of the gap. Its root hash is that of `tree`.
 */
export function witness(tree: StateTree, paths: readonly Path[]): HashTree {
  if (paths.length === 0) return pruned(tree)
  if (tree instanceof Leaf) return { type: 'leaf', value: tree.value }
  if (paths.some((path) => path.length === 0)) return whole(tree)
  const byLabel = new Map<string, { readonly label: Uint8Array; readonly rest: Path[] }>()
  for (const [label, ...rest] of paths) {
    if (label === undefined) continue
    const wanted = byLabel.get(toHex(label)) ?? { label, rest: [] }
    wanted.rest.push(rest)
    byLabel.set(toHex(label), wanted)
  }
  const shown = new Map<string, Shown>()
  for (const [name, { label, rest }] of byLabel) {
    const child = tree.get(label)
    if (child !== undefined) shown.set(name, { label, tree: () => witness(child, rest) })
  }
  for (const { label } of byLabel.values()) {
    if (tree.get(label) !== undefined) continue
    for (const neighbour of tree.neighbours(label)) {
      const child = tree.get(neighbour)
      const name = toHex(neighbour)
      if (child !== undefined && !shown.has(name))
        shown.set(name, { label: neighbour, tree: () => pruned(child) })
    }
  }
  return tree.reveal(shown)
}

/** A tree with nothing pruned. */
function whole(tree: StateTree): HashTree {
  if (tree instanceof Leaf) return { type: 'leaf', value: tree.value }
  return tree.revealAll()
}
