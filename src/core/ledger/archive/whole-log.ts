/** The log from block 0 on, wherever its blocks are: in archives or in the ledger. Source: ledger §4. */
import type { View } from '../../base/view.ts'
import type { Block } from '../blocks/block.ts'
import { decodeBlock, encodeBlock } from '../blocks/block-codec.ts'
import type { State } from '../state.ts'
import { logLength } from '../state.ts'
import type { BlockIndex } from '../types.ts'
import type { Archive } from './archive.ts'
import { blockBytes } from './archive.ts'

/** A ledger and its archives in the order of their creation. */
export type WholeLog = {
  readonly ledger: View<Pick<State, 'chain' | 'archiving'>>
  readonly archives: readonly View<Archive>[]
}

/** Block `index` as data; undefined where there is none (yet), or its archive is not at hand. */
export function blockAt(log: WholeLog, index: BlockIndex): View<Block> | undefined {
  const { firstLocalIndex, blocks } = log.ledger.chain
  if (index >= firstLocalIndex) return blocks[Number(index - firstLocalIndex)]
  const bytes = archivedBytes(log, index)
  return bytes && decodeBlock(bytes)
}

/** Block `index` as it is stored or would be. */
export function encodedBlockAt(log: WholeLog, index: BlockIndex): Uint8Array | undefined {
  const { firstLocalIndex, blocks } = log.ledger.chain
  if (index < firstLocalIndex) return archivedBytes(log, index)
  const block = blocks[Number(index - firstLocalIndex)]
  return block && encodeBlock(block)
}

/** Blocks `start` to `end` (exclusive), in order, as far as there are any. */
export function* blocksFrom(
  log: WholeLog,
  start: BlockIndex,
  end: BlockIndex = logLength(log.ledger),
): Generator<View<Block>> {
  for (let index = start; index < end; index++) {
    const block = blockAt(log, index)
    if (block === undefined) return
    yield block
  }
}

/**
 * A block that has left the ledger, as it is stored; undefined for any other. An archive may hold
 * more, whose acceptance went unanswered: those are the ledger's still.
 */
export function archivedBytes(
  { ledger, archives }: WholeLog,
  index: BlockIndex,
): Uint8Array | undefined {
  if (index >= ledger.chain.firstLocalIndex) return undefined
  const entries = ledger.archiving.archives
  let [low, high] = [0, entries.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((entries[middle]?.end ?? 0n) <= index) low = middle + 1
    else high = middle
  }
  const archive = archives[low]
  return archive && blockBytes(archive, index)
}
