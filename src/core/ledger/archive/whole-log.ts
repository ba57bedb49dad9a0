/** The log from block 0 on, wherever its blocks are: in archives or in the ledger. Source: ledger §4. */
import { present } from '../../base/errors.ts'
import type { View } from '../../base/view.ts'
import type { Block } from '../blocks/block.ts'
import { decodeBlock } from '../blocks/block-codec.ts'
import type { State } from '../state.ts'
import { logLength } from '../state.ts'
import type { BlockIndex } from '../types.ts'
import type { Archive } from './archive.ts'
import { blockBytes } from './archive.ts'
import { storedWhere } from './stored-blocks.ts'

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
function archivedBytes({ ledger, archives }: WholeLog, index: BlockIndex): Uint8Array | undefined {
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

/**
 * Indices from `start` to `end` (exclusive) of blocks in archives that pass a test of their stored
 * bytes, which begin at `from`; in order.
 */
export function* archivedWhere(
  { ledger, archives }: WholeLog,
  { start, end }: { readonly start: BlockIndex; readonly end: BlockIndex },
  test: (bytes: Uint8Array, from: number) => boolean,
): Generator<BlockIndex> {
  for (const [number, entry] of ledger.archiving.archives.entries()) {
    if (entry.end <= start || entry.start >= end) continue
    const archive = present(archives[number], 'every archive of the ledger is at hand')
    const [first, behind] = [max(start, entry.start), min(end, entry.end)]
    const places = { from: Number(first - entry.start), to: Number(behind - entry.start) }
    for (const place of storedWhere(archive.blocks, places, test)) yield entry.start + BigInt(place)
  }
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b)
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b)
