/** Messages of compact filters and their payloads. Source: bitcoin.md §3.2, §8.5; BIP157. */
import type { BlockHash, Hash32 } from '../base/bytes.ts'
import { hash32 } from '../base/bytes.ts'
import { BadEncoding } from '../base/errors.ts'
import type { ByteCursor, ByteSink } from './wire.ts'

type Range = { readonly filterType: number; readonly startHeight: number; readonly stop: BlockHash }

export type FilterMessage =
  /** Filters, or the hashes of filters, from a height up to a block. */
  | ({ readonly type: 'getcfilters' | 'getcfheaders' } & Range)
  | { readonly type: 'getcfcheckpt'; readonly filterType: number; readonly stop: BlockHash }
  | {
      readonly type: 'cfilter'
      readonly filterType: number
      readonly block: BlockHash
      readonly filter: Uint8Array
    }
  | {
      readonly type: 'cfheaders'
      readonly filterType: number
      readonly stop: BlockHash
      /** Filter header of the block before the first. */
      readonly previous: Hash32
      readonly hashes: readonly Hash32[]
    }
  | {
      readonly type: 'cfcheckpt'
      readonly filterType: number
      readonly stop: BlockHash
      /** Filter headers at every thousandth height, genesis left out. */
      readonly headers: readonly Hash32[]
    }

export type FilterMessageType = FilterMessage['type']

/** Filters that one `getcfilters` may ask for. */
export const FILTERS_MAX = 1_000
/** Filter hashes that one `getcfheaders` may ask for. */
export const FILTER_HEADERS_MAX = 2_000
export const CHECKPOINT_INTERVAL = 1_000
/** Checkpoints of ten million blocks. */
export const CHECKPOINTS_MAX = 10_000

const HASH_SIZE = 32

export function writeFilterMessage(sink: ByteSink, message: FilterMessage): void {
  sink.u8(message.filterType)
  switch (message.type) {
    case 'getcfilters':
    case 'getcfheaders':
      sink.u32(message.startHeight).raw(message.stop)
      break
    case 'getcfcheckpt':
      sink.raw(message.stop)
      break
    case 'cfilter':
      sink.raw(message.block).bytes(message.filter)
      break
    case 'cfheaders':
      sink.raw(message.stop).raw(message.previous).list(message.hashes, writeHash)
      break
    case 'cfcheckpt':
      sink.raw(message.stop).list(message.headers, writeHash)
      break
  }
}

const writeHash = (sink: ByteSink, hash: Hash32): void => void sink.raw(hash)
const readHash = (cursor: ByteCursor): Hash32 => hash32(cursor.raw(HASH_SIZE))

function readHashes(cursor: ByteCursor, countMax: number): readonly Hash32[] {
  const hashes = cursor.list(HASH_SIZE, readHash)
  if (hashes.length > countMax)
    throw new BadEncoding(`a list of ${hashes.length}, at most ${countMax} allowed`)
  return hashes
}

const readRange = (type: 'getcfilters' | 'getcfheaders') => (cursor: ByteCursor) => ({
  type,
  filterType: cursor.u8(),
  startHeight: cursor.u32(),
  stop: readHash(cursor),
})

export const filterMessageReaders: readonly (readonly [
  FilterMessageType,
  (cursor: ByteCursor) => FilterMessage,
])[] = [
  ['getcfilters', readRange('getcfilters')],
  ['getcfheaders', readRange('getcfheaders')],
  [
    'getcfcheckpt',
    (cursor) => ({ type: 'getcfcheckpt', filterType: cursor.u8(), stop: readHash(cursor) }),
  ],
  [
    'cfilter',
    (cursor) => ({
      type: 'cfilter',
      filterType: cursor.u8(),
      block: readHash(cursor),
      filter: cursor.bytes(),
    }),
  ],
  [
    'cfheaders',
    (cursor) => ({
      type: 'cfheaders',
      filterType: cursor.u8(),
      stop: readHash(cursor),
      previous: readHash(cursor),
      hashes: readHashes(cursor, FILTER_HEADERS_MAX),
    }),
  ],
  [
    'cfcheckpt',
    (cursor) => ({
      type: 'cfcheckpt',
      filterType: cursor.u8(),
      stop: readHash(cursor),
      headers: readHashes(cursor, CHECKPOINTS_MAX),
    }),
  ],
]

/** Where the lists of answers stand, and how long they may be. */
export const filterMessageLists: readonly (readonly [
  FilterMessageType,
  { readonly offset: number; readonly countMax: number },
])[] = [
  ['cfheaders', { offset: 1 + 2 * HASH_SIZE, countMax: FILTER_HEADERS_MAX }],
  ['cfcheckpt', { offset: 1 + HASH_SIZE, countMax: CHECKPOINTS_MAX }],
]
