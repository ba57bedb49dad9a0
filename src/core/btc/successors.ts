/**
 * What follows an anchor: blocks that a Bitcoin canister lacks, and headers of those after them.
 * Source: `docs/spec/bitcoin.md` §9.9.
 */
import type { BlockHash } from '../base/bytes.ts'
import { toHex } from '../base/bytes.ts'
import type { View } from '../base/view.ts'
import { encodeBlock, encodeHeader, HEADER_SIZE } from './block.ts'
import type { State } from './chain-state.ts'
import type { HeaderNode } from './header-tree.ts'
import { findHeader } from './header-tree.ts'

/** Of one response, headers and blocks together. */
export const SUCCESSORS_BYTES_MAX = 2_000_000
export const SUCCESSOR_BLOCKS_MAX = 100
export const NEXT_HEADERS_MAX = 100
/** Above this anchor mainnet's blocks come one at a time: they are large. */
const SMALL_BLOCKS_HEIGHT_MAX = 750_000

export type SuccessorsRequest = {
  readonly anchor: BlockHash
  readonly processed: readonly BlockHash[]
}

export type Successors = {
  readonly blocks: readonly Uint8Array[]
  /** Headers of 80 bytes that come after those blocks. */
  readonly next: readonly Uint8Array[]
}

/** A response that fits, or the first part of one large block, and the parts that follow it. */
export type SuccessorsPage =
  | ({ readonly type: 'complete' } & Successors)
  | {
      readonly type: 'partial'
      readonly partialBlock: Uint8Array
      readonly next: readonly Uint8Array[]
      readonly followUps: readonly Uint8Array[]
    }

/** Breadth-first from the anchor's children. Undefined for an anchor that nobody here knows. */
export function successorsOf(
  state: View<State>,
  { anchor, processed }: SuccessorsRequest,
): Successors | undefined {
  const root = findHeader(state.headers, anchor)
  if (root === undefined) return undefined
  const known = new Set(processed.map(toHex))
  const given = new Map<string, Uint8Array>()
  const { name } = state.config.network
  const isOneAtATime = name === 'mainnet' && root.height > SMALL_BLOCKS_HEIGHT_MAX
  let room = SUCCESSORS_BYTES_MAX - NEXT_HEADERS_MAX * HEADER_SIZE
  const queue = [...childrenOf(state, root)]
  for (const node of queue) {
    if (!known.has(node.key)) {
      const bytes = blockBytes(state, node)
      if (bytes === undefined) continue // Not here yet: what builds on it is hidden too.
      const isFull = given.size >= SUCCESSOR_BLOCKS_MAX || bytes.length > room || isOneAtATime
      if (given.size > 0 && isFull) break
      room -= bytes.length
      given.set(node.key, bytes)
    }
    queue.push(...childrenOf(state, node))
  }
  return { blocks: [...given.values()], next: headersAfter(state, root, { known, given }) }
}

function headersAfter(
  state: View<State>,
  root: HeaderNode,
  { known, given }: { known: ReadonlySet<string>; given: ReadonlyMap<string, unknown> },
): readonly Uint8Array[] {
  const next: Uint8Array[] = []
  const queue = [...childrenOf(state, root)]
  for (const node of queue) {
    if (next.length >= NEXT_HEADERS_MAX) break
    if (!known.has(node.key) && !given.has(node.key)) next.push(encodeHeader(node.header))
    queue.push(...childrenOf(state, node))
  }
  return next
}

const childrenOf = ({ headers }: View<State>, { key }: HeaderNode): readonly HeaderNode[] =>
  (headers.children.get(key) ?? []).filter((child) => !headers.invalid.has(child.key))

/** A block that is held: in the tree, waiting for its parent, or below the anchor. */
function blockBytes(
  { tree, orphans, stable }: View<State>,
  { key, height, header }: HeaderNode,
): Uint8Array | undefined {
  const below = stable.get(height)
  const held =
    tree.blocks.get(key) ?? orphans.get(key)?.block ?? (below?.node.key === key ? below : undefined)
  return held && encodeBlock({ header, transactions: held.transactions })
}

/** Cuts a response that is one block too large for it. */
export function pageOfSuccessors({ blocks, next }: Successors): SuccessorsPage {
  const [first] = blocks
  const room = SUCCESSORS_BYTES_MAX - next.length * HEADER_SIZE
  if (first === undefined || first.length <= room) return { type: 'complete', blocks, next }
  const followUps: Uint8Array[] = []
  for (let at = room; at < first.length; at += SUCCESSORS_BYTES_MAX)
    followUps.push(first.slice(at, at + SUCCESSORS_BYTES_MAX))
  return { type: 'partial', partialBlock: first.slice(0, room), next, followUps }
}
