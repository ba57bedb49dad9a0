/** What an archive answers. Implements `docs/spec/ledger.md` §12 (ICRC-3, and before). */
import type { View } from '../../base/view.ts'
import type { Block } from '../blocks/block.ts'
import { decodeBlock, decodeBlockValue } from '../blocks/block-codec.ts'
import type { NumberedBlock, Range, TimedTransaction } from '../blocks/log-queries.ts'
import { ANSWER_BYTES_MAX, refuseRange, timedTransaction } from '../blocks/log-queries.ts'
import type { Value } from '../blocks/value.ts'
import type { BlockIndex, Trap } from '../types.ts'
import type { Archive } from './archive.ts'
import { blockBytes } from './archive.ts'

/** Blocks of one `icrc3_get_blocks` answer. */
const ARCHIVE_BLOCKS_PER_RESPONSE_MAX = 100

/** What is left of one answer. */
type Room = { readonly countMax: number; readonly bytesMax: number }

export type Answer<T> = { readonly type: 'answer'; readonly value: T } | Trap

/** `icrc3_get_blocks`: of all ranges together, at most what one answer holds. */
export function archivedBlocks(
  archive: View<Archive>,
  ranges: readonly Range[],
): Answer<readonly NumberedBlock[]> {
  const blocks: NumberedBlock[] = []
  let bytesMax = ANSWER_BYTES_MAX
  for (const range of ranges) {
    const countMax = ARCHIVE_BLOCKS_PER_RESPONSE_MAX - blocks.length
    if (countMax === 0) break
    const trap = refuseArchived(archive, range)
    if (trap !== undefined) return trap
    const { found, isCut } = bytesOf(archive, range, { countMax, bytesMax })
    for (const [place, bytes] of found.entries()) {
      blocks.push({ id: range.start + BigInt(place), block: decodeBlockValue(bytes) })
      bytesMax -= bytes.length
    }
    if (isCut) break // A reader of ranges that follow one another goes on where it ends.
  }
  return { type: 'answer', value: blocks }
}

/** `get_blocks`. */
export const archivedLegacyBlocks = (
  archive: View<Archive>,
  range: Range,
): Answer<readonly Value[]> => legacyAnswer(archive, range, decodeBlockValue)

/** `get_transactions`. */
export const archivedTransactions = (
  archive: View<Archive>,
  range: Range,
): Answer<readonly TimedTransaction[]> =>
  legacyAnswer(archive, range, (bytes) => timedTransaction(decodeBlock(bytes)))

/** `get_transaction`. */
export function archivedTransaction(
  archive: View<Archive>,
  index: BlockIndex,
): TimedTransaction | undefined {
  const block = archivedBlock(archive, index)
  return block && timedTransaction(block)
}

/** Undefined for one that this archive does not hold. */
export function archivedBlock(archive: View<Archive>, index: BlockIndex): Block | undefined {
  const bytes = blockBytes(archive, index)
  return bytes && decodeBlock(bytes)
}

function legacyAnswer<T>(
  archive: View<Archive>,
  range: Range,
  read: (bytes: Uint8Array) => T,
): Answer<readonly T[]> {
  const countMax = Number(archive.init.maxTransactionsPerResponse)
  const room = { countMax, bytesMax: ANSWER_BYTES_MAX }
  const trap = refuseArchived(archive, range)
  return trap ?? { type: 'answer', value: bytesOf(archive, range, room).found.map(read) }
}

function refuseArchived({ init }: View<Archive>, range: Range): Trap | undefined {
  const { start } = range
  const { blockIndexOffset } = init
  return (
    refuseRange(range) ??
    (start < blockIndexOffset
      ? {
          type: 'trap',
          message: `block ${start} is before ${blockIndexOffset}, the first one here`,
        }
      : undefined)
  )
}

/** The blocks of a range as far as there are any; cut where the next one has no room. */
function bytesOf(
  archive: View<Archive>,
  { start, length }: Range,
  { countMax, bytesMax }: Room,
): { readonly found: readonly Uint8Array[]; readonly isCut: boolean } {
  const found: Uint8Array[] = []
  let size = 0
  while (found.length < countMax && BigInt(found.length) < length) {
    const bytes = blockBytes(archive, start + BigInt(found.length))
    if (bytes === undefined) break
    size += bytes.length
    if (size > bytesMax) return { found, isCut: true }
    found.push(bytes)
  }
  return { found, isCut: false }
}
