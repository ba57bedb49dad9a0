/**
 * Encoded blocks one behind the other in a few large pieces of memory. Source: ledger §12; a
 * million blocks are read from a snapshot as a few hundred pieces.
 */
import { concatAll } from '../../base/bytes.ts'
import { present } from '../../base/errors.ts'
import type { View } from '../../base/view.ts'

/** Never written to: more bytes make another one, so that snapshots may share it. */
type Chunk = {
  /** Place of its first block. */
  readonly first: number
  readonly bytes: Uint8Array
  /** Where each block ends. */
  readonly ends: Uint32Array
}

/** Places count from 0. Plain data. */
export type StoredBlocks = { readonly chunks: Chunk[]; count: number; sizeBytes: number }

/** A chunk takes no more blocks once it would grow beyond this; one block alone may be larger. */
const CHUNK_BYTES_MAX = 256 * 1024

export const noBlocks = (): StoredBlocks => ({ chunks: [], count: 0, sizeBytes: 0 })

/** The bytes are copied. */
export function store(stored: StoredBlocks, blocks: readonly Uint8Array[]): void {
  let more: Uint8Array[] = []
  let sizeBytes = stored.chunks.at(-1)?.bytes.length ?? Number.POSITIVE_INFINITY
  for (const block of blocks) {
    if (sizeBytes + block.length > CHUNK_BYTES_MAX) {
      extendLast(stored, more)
      stored.chunks.push({ first: stored.count, bytes: new Uint8Array(), ends: new Uint32Array() })
      more = []
      sizeBytes = 0
    }
    more.push(block)
    sizeBytes += block.length
  }
  extendLast(stored, more)
}

function extendLast(stored: StoredBlocks, more: readonly Uint8Array[]): void {
  if (more.length === 0) return
  const { first, bytes, ends } = present(stored.chunks.pop(), 'there is a chunk to extend')
  const moreEnds = new Uint32Array(ends.length + more.length)
  moreEnds.set(ends)
  let end = bytes.length
  for (const [place, { length }] of more.entries()) {
    end += length
    moreEnds[ends.length + place] = end
  }
  stored.chunks.push({ first, bytes: concatAll([bytes, ...more]), ends: moreEnds })
  stored.count += more.length
  stored.sizeBytes += end - bytes.length
}

/** Shares memory with the store, which never changes it; undefined beyond the blocks there are. */
export function storedAt({ chunks }: View<StoredBlocks>, place: number): Uint8Array | undefined {
  const chunk = chunks[chunkOf(chunks, place)]
  if (chunk === undefined) return undefined
  const within = place - chunk.first
  const end = chunk.ends[within]
  return end === undefined ? undefined : chunk.bytes.subarray(chunk.ends[within - 1] ?? 0, end)
}

/** Places from `from` to `to` (exclusive) whose bytes, which begin at `start`, pass; in order. */
export function* storedWhere(
  { chunks }: View<StoredBlocks>,
  { from, to }: { readonly from: number; readonly to: number },
  test: (bytes: Uint8Array, start: number) => boolean,
): Generator<number> {
  for (let number = Math.max(0, chunkOf(chunks, from)); ; number++) {
    const chunk = chunks[number]
    if (chunk === undefined || chunk.first >= to) return
    const { first, bytes, ends } = chunk
    for (let within = Math.max(0, from - first); within < ends.length; within++) {
      if (first + within >= to) return
      if (test(bytes, ends[within - 1] ?? 0)) yield first + within
    }
  }
}

/** Of the chunks that do not begin behind `place`, the last one. */
function chunkOf(chunks: View<readonly Chunk[]>, place: number): number {
  let [low, high] = [0, chunks.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((chunks[middle]?.first ?? 0) <= place) low = middle + 1
    else high = middle
  }
  return low - 1
}
