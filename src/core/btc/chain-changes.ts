/**
 * How the events of the Bitcoin machine change the parts of its state. Source:
 * `docs/spec/bitcoin.md` §6, §7.2.
 */
import { toHex } from '../base/bytes.ts'
import { present } from '../base/errors.ts'
import type { View } from '../base/view.ts'
import type { CheckedBlock } from './block-tree.ts'
import { attachBlock, moveAnchor, retreatAnchor } from './block-tree.ts'
import type { State } from './chain-state.ts'
import { STABLE_BLOCKS_MAX, STABLE_BYTES_MAX } from './chain-state.ts'
import type { HeaderNode } from './header-tree.ts'
import { addHeader, subtreeOf } from './header-tree.ts'
import { applyChanges, undoChanges } from './utxo-set.ts'

/** Headers of blocks that are held are never pruned: what is known of their blocks hangs on them. */
export function acceptHeader(state: State, node: HeaderNode): void {
  const countBefore = state.headers.nodes.size
  addHeader(state.headers, node, state.tree.blocks.keys())
  if (state.headers.nodes.size <= countBefore) {
    findMissing(state) // Others were pruned, and nobody will ever have their blocks.
    return
  }
  const parent = node.parent?.key ?? ''
  if (state.missing.has(parent) || isHeld(state, parent)) state.missing.set(node.key, node)
}

export const isHeld = (state: View<State>, key: string): boolean =>
  state.tree.blocks.has(key) || state.orphans.has(key)

/** A checked block joins the tree. */
export function attach(state: State, block: CheckedBlock): void {
  attachBlock(state.tree, block)
  state.missing.delete(block.node.key)
  state.orphans.delete(block.node.key)
  for (const txid of block.txids) {
    const key = toHex(txid)
    state.byTxid.set(key, [...(state.byTxid.get(key) ?? []), block])
  }
}

/** The old anchor's transactions enter the UTXO set, its losing branches are forgotten (TREE-2). */
export function advanceAnchor(state: State, key: string): void {
  const old = state.tree.anchor
  const lost = moveAnchor(state.tree, key)
  applyChanges(state.utxos, old.changes)
  state.stable.set(old.node.height, old)
  state.stableBytes += old.sizeBytes
  for (const block of lost) release(state, block)
  boundStable(state)
  if ((state.headers.children.get(old.node.key)?.length ?? 0) > 1) findMissing(state)
}

/**
 * Final blocks, newest first, join the tree again down to one, so that a fork above it can win
 * (TREE-7).
 */
export function restoreAnchor(state: State, key: string): void {
  while (state.tree.anchor.node.key !== key) {
    const height = state.tree.anchor.node.height - 1
    const block = present(state.stable.get(height), 'the block below the anchor is held')
    state.stable.delete(height)
    state.stableBytes -= block.sizeBytes
    undoChanges(state.utxos, block.changes)
    retreatAnchor(state.tree, block)
  }
  findMissing(state)
}

/**
 * Makes the list of missing blocks anew after branches came or went; orphans of lost branches go
 * with them.
 */
export function findMissing(state: State): void {
  const { headers, orphans, missing, tree } = state
  const nodes = subtreeOf(headers, tree.anchor.node).filter(({ key }) => !headers.invalid.has(key))
  const live = new Set(nodes.map(({ key }) => key))
  for (const key of orphans.keys()) if (!live.has(key)) orphans.delete(key)
  missing.clear()
  for (const node of nodes) if (!isHeld(state, node.key)) missing.set(node.key, node)
}

function boundStable(state: State): void {
  for (const [height, block] of state.stable) {
    if (state.stable.size <= STABLE_BLOCKS_MAX && state.stableBytes <= STABLE_BYTES_MAX) return
    state.stable.delete(height)
    state.stableBytes -= block.sizeBytes
    release(state, block)
  }
}

/** A block is held no more: its transactions cannot be looked up. */
function release(state: State, { node, txids }: CheckedBlock): void {
  for (const txid of txids) {
    const key = toHex(txid)
    const rest = (state.byTxid.get(key) ?? []).filter((block) => block.node !== node)
    if (rest.length === 0) state.byTxid.delete(key)
    else state.byTxid.set(key, rest)
  }
}
