/**
 * An archive as a machine: blocks that have left the ledger, encoded, in order, chained. Implements
 * `docs/spec/ledger.md` §12.
 */
import type { Hash32 } from '../../base/bytes.ts'
import { equalBytes } from '../../base/bytes.ts'
import { attempt, BadEncoding } from '../../base/errors.ts'
import type { View } from '../../base/view.ts'
import type { Principal } from '../../ic/principal.ts'
import { decodeBlockValue } from '../blocks/block-codec.ts'
import type { Value } from '../blocks/value.ts'
import { hashValue } from '../blocks/value.ts'
import type { BlockIndex } from '../types.ts'
import type { StoredBlocks } from './stored-blocks.ts'
import { noBlocks, store, storedAt } from './stored-blocks.ts'

/** What an archive is installed with, and keeps whatever the ledger's options become. */
export type ArchiveInit = {
  readonly ledgerId: Principal
  /** Index of the first block that it will hold. */
  readonly blockIndexOffset: BlockIndex
  readonly maxMemorySizeBytes: bigint
  readonly maxTransactionsPerResponse: bigint
  /** Hash of the block before the first one; undefined for block 0. Known to ours only [P]. */
  readonly parentHash: Hash32 | undefined
}

/** Plain data. */
export type Archive = {
  readonly init: ArchiveInit
  readonly blocks: StoredBlocks
  /** Of its newest block; while it has none, what its first block must name as its parent. */
  tipHash: Hash32 | undefined
}

/** Past events are a public format: variants are added, never changed. */
export type ArchiveEvent = {
  readonly type: 'appendedBlocks'
  readonly blocks: readonly Uint8Array[]
  /** Of the last one. */
  readonly tipHash: Hash32
}

/** How many blocks back a repeated batch is looked for: as many as one round moves. */
const REPEAT_DEPTH_MAX = 18_000

/** Bytes of blocks, however many an archive is installed for. */
const ARCHIVE_BYTES_MAX = 3n * 1024n ** 3n

export function newArchive(init: ArchiveInit): Archive {
  const { maxMemorySizeBytes: asked } = init
  const maxMemorySizeBytes = asked < ARCHIVE_BYTES_MAX ? asked : ARCHIVE_BYTES_MAX
  return { init: { ...init, maxMemorySizeBytes }, blocks: noBlocks(), tipHash: init.parentHash }
}

/** Index of the block that comes next. */
export const endOf = ({ init, blocks }: View<Archive>): BlockIndex =>
  init.blockIndexOffset + BigInt(blocks.count)

/** `remaining_capacity`: bytes. */
export const remainingCapacity = ({ init, blocks }: View<Archive>): bigint =>
  init.maxMemorySizeBytes - BigInt(blocks.sizeBytes)

/** A block as it is stored; undefined for one that this archive does not hold. */
export function blockBytes(archive: View<Archive>, index: BlockIndex): Uint8Array | undefined {
  const { blockIndexOffset } = archive.init
  return index < blockIndexOffset || index >= endOf(archive)
    ? undefined
    : storedAt(archive.blocks, Number(index - blockIndexOffset))
}

export type Appending =
  | { readonly type: 'events'; readonly events: readonly ArchiveEvent[] }
  | { readonly type: 'refused'; readonly reason: string }

/**
 * Decides on `append_blocks`: all of them or none.
 *
 * Blocks that are held already, a batch whose answer was lost, are not stored twice; whatever else
 * does not follow the newest block is refused.
 */
export function decideAppend(archive: View<Archive>, batch: readonly Uint8Array[]): Appending {
  const known = isNext(archive, batch[0]) ? 0 : knownCount(archive, batch)
  if (known === undefined) return refused('a batch that differs from the blocks held')
  const blocks = batch.slice(known)
  if (blocks.length === 0) return { type: 'events', events: [] }
  const size = blocks.reduce((sum, { length }) => sum + length, 0)
  const room = remainingCapacity(archive)
  if (BigInt(size) > room) return refused(`no room for ${size} bytes, there is room for ${room}`)
  let { tipHash } = archive
  for (const [place, bytes] of blocks.entries()) {
    const value = attempt(() => decodeBlockValue(bytes))
    if (value instanceof BadEncoding) return refused(`block ${place}: ${value.message}`)
    if (!isChild(value, tipHash)) return refused(`block ${place} does not follow the one before`)
    tipHash = hashValue(value)
  }
  return tipHash === undefined
    ? refused('no block')
    : { type: 'events', events: [{ type: 'appendedBlocks', blocks, tipHash }] }
}

const refused = (reason: string): Appending => ({ type: 'refused', reason })

/** The only writer. */
export function applyToArchive(archive: Archive, event: ArchiveEvent): void {
  store(archive.blocks, event.blocks)
  archive.tipHash = event.tipHash
}

/**
 * How many blocks at the head of a batch are held already; undefined if it begins with one that is
 * held and goes on differently. No two blocks of a chain are equal: each names its parent.
 */
function knownCount({ blocks }: View<Archive>, batch: readonly Uint8Array[]): number | undefined {
  const [first] = batch
  if (first === undefined) return 0
  const oldest = Math.max(0, blocks.count - REPEAT_DEPTH_MAX)
  let place = blocks.count - 1
  while (place >= oldest && !isSame(storedAt(blocks, place), first)) place--
  if (place < oldest) return 0
  const known = Math.min(batch.length, blocks.count - place)
  for (let i = 0; i < known; i++)
    if (!isSame(storedAt(blocks, place + i), batch[i])) return undefined
  return known
}

const isSame = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a !== undefined && b !== undefined && equalBytes(a, b)

function isNext({ tipHash }: View<Archive>, bytes: Uint8Array | undefined): boolean {
  const value = bytes && attempt(() => decodeBlockValue(bytes))
  return value !== undefined && !(value instanceof BadEncoding) && isChild(value, tipHash)
}

function isChild(value: Value, tipHash: Hash32 | undefined): boolean {
  if (value.type !== 'map') return false
  const phash = value.map.find(([key]) => key === 'phash')?.[1]
  if (tipHash === undefined) return phash === undefined
  return phash?.type === 'blob' && equalBytes(phash.blob, tipHash)
}
