/** Blocks as stored: CBOR with a fixed order of keys. Implements `docs/spec/ledger.md` §9.1. */
import { equalBytes } from '../../base/bytes.ts'
import { BadEncoding } from '../../base/errors.ts'
import type { TimestampNs } from '../../base/units.ts'
import type { Cbor } from '../../ic/cbor.ts'
import { decodeCbor, encodeCbor, encodeTaggedCbor } from '../../ic/cbor.ts'
import type { Block } from './block.ts'
import { blockOfValue, valueOfBlock } from './block-value.ts'
import type { Entry, Value } from './value.ts'

const BLOCK_ORDER: readonly string[] = [
  ...['phash', 'tx', 'fee', 'ts', 'fee_col', 'fee_col_block', 'btype'],
]
const TRANSACTION_ORDER: readonly string[] = [
  ...['ts', 'memo', 'op', 'from', 'to', 'spender', 'amt', 'fee', 'expected_allowance'],
  ...['expires_at', 'fee_collector', 'caller', 'mthd'],
]
const AMOUNT_BYTES_MAX = 32

export function encodeBlock(block: Block): Uint8Array {
  return encodeTaggedCbor(cborOf(valueOfBlock(block), BLOCK_ORDER))
}

/** A stored block of any kind as the value that is hashed; `BadEncoding` for what is no CBOR. */
export const decodeBlockValue = (bytes: Uint8Array): Value =>
  valueOfCbor(decodeCbor(bytes, { integerBytesMax: AMOUNT_BYTES_MAX }))

/** Reads what `encodeBlock` wrote, and nothing else: another order of keys is `BadEncoding`. */
export function decodeBlock(bytes: Uint8Array): Block {
  const block = blockOfValue(decodeBlockValue(bytes))
  if (!equalBytes(encodeBlock(block), bytes)) throw new BadEncoding('a block out of its order')
  return block
}

/**
 * Tells encoded blocks whose transaction was created at that time from all others that
 * `encodeBlock` writes, and decodes none: `tx.ts` stands first in `tx`, which is behind `phash`.
 */
export function createdAt(createdAtTime: TimestampNs): (bytes: Uint8Array) => boolean {
  const created = encodeCbor(new Map([['ts', createdAtTime]])).subarray(1)
  return (bytes) => {
    const start = KEYS_START + (bytes[KEYS_START] === PHASH_HEAD ? PHASH_BYTES : 0) + TX_HEAD_BYTES
    return equalBytes(bytes.subarray(start, start + created.length), created)
  }
}

/** Behind the tag of three bytes and the head of the map. */
const KEYS_START = 4
/** A text of five bytes; `tx` is one of two. */
const PHASH_HEAD = 0x65
const PHASH_BYTES = 6 + 2 + 32
/** The key `tx`, and the head of its map. */
const TX_HEAD_BYTES = 3 + 1

function cborOf(value: Value, order: readonly string[]): Cbor {
  switch (value.type) {
    case 'blob':
      return value.blob
    case 'text':
      return value.text
    case 'nat':
      return value.nat
    case 'int':
      throw new RangeError('a block holds no signed integer')
    case 'array':
      return value.array.map((element) => cborOf(element, order))
    case 'map':
      return new Map(
        [...value.map]
          .sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
          .map(([key, element]) => [key, cborOf(element, TRANSACTION_ORDER)]),
      )
  }
}

function valueOfCbor(cbor: Cbor): Value {
  if (typeof cbor === 'bigint') return { type: 'nat', nat: cbor }
  if (typeof cbor === 'string') return { type: 'text', text: cbor }
  if (cbor instanceof Uint8Array) return { type: 'blob', blob: cbor }
  if (cbor === null || typeof cbor === 'boolean')
    throw new BadEncoding(`a block holds no ${typeof cbor}`)
  if ('length' in cbor) return { type: 'array', array: cbor.map(valueOfCbor) }
  return { type: 'map', map: [...cbor].map(([key, element]): Entry => [key, valueOfCbor(element)]) }
}
