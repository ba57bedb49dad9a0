/**
 * CBOR (RFC 8949) by the rules of `docs/spec/ic-interface.md` §2: strict and bounded in,
 * deterministic out.
 */
import {
  bigEndian,
  concat,
  concatAll,
  equalBytes,
  fromBigEndian,
  fromUtf8,
  utf8,
} from '../base/bytes.ts'
import { BadEncoding } from '../base/errors.ts'
import { Cursor } from './cursor.ts'

/** No floats, no negative numbers, text keys only. Undefined is read as null. */
export type Cbor =
  | bigint
  | string
  | boolean
  | null
  | Uint8Array
  | readonly Cbor[]
  | ReadonlyMap<string, Cbor>

export const CBOR_DEPTH_MAX = 64

const UNSIGNED = 0
const BYTES = 2
const TEXT = 3
const ARRAY = 4
const MAP = 5
const TAG = 6
const SIMPLE = 7
const FALSE = 20
const TRUE = 21
const NULL = 22
const UNDEFINED = 23
const INDEFINITE = 31
const BREAK = 0xff
const BIGNUM_TAG = 2n
export const SELF_DESCRIBED = Uint8Array.of(0xd9, 0xd9, 0xf7) // Tag 55799.

/** Head in its shortest form: major type and argument. */
function head(major: number, argument: bigint): Uint8Array {
  if (argument < 24n) return Uint8Array.of((major << 5) | Number(argument))
  const log = argument < 0x100n ? 0 : argument < 0x1_0000n ? 1 : argument < 0x1_0000_0000n ? 2 : 3
  return concat(Uint8Array.of((major << 5) | (24 + log)), bigEndian(argument, 2 ** log))
}

const sized = (major: number, bytes: Uint8Array): Uint8Array =>
  concat(head(major, BigInt(bytes.length)), bytes)

/**
 * Definite lengths, shortest heads, keys in the order of the map; from 2^64 up a bignum (tag 2).
 */
export function encodeCbor(value: Cbor): Uint8Array {
  const parts: Uint8Array[] = []
  write(value, parts)
  return concatAll(parts)
}

/** The same with the self-describing tag 55799 in front. */
export function encodeTaggedCbor(value: Cbor): Uint8Array {
  return concat(SELF_DESCRIBED, encodeCbor(value))
}

function write(value: Cbor, parts: Uint8Array[]): void {
  if (typeof value === 'bigint') parts.push(integer(value))
  else if (typeof value === 'string') parts.push(sized(TEXT, utf8(value)))
  else if (typeof value === 'boolean') parts.push(head(SIMPLE, BigInt(value ? TRUE : FALSE)))
  else if (value === null) parts.push(head(SIMPLE, BigInt(NULL)))
  else if (value instanceof Uint8Array) parts.push(sized(BYTES, value))
  else if ('length' in value) {
    parts.push(head(ARRAY, BigInt(value.length)))
    for (const element of value) write(element, parts)
  } else {
    parts.push(head(MAP, BigInt(value.size)))
    for (const [key, element] of value) {
      parts.push(sized(TEXT, utf8(key)))
      write(element, parts)
    }
  }
}

function integer(value: bigint): Uint8Array {
  if (value < 0n) throw new RangeError(`${value} is negative`)
  if (value < 1n << 64n) return head(UNSIGNED, value)
  const digits = value.toString(16)
  const size = Math.ceil(digits.length / 2)
  return concat(head(TAG, BIGNUM_TAG), sized(BYTES, bigEndian(value, size)))
}

export type CborOptions = {
  /** Bytes of the largest integer: 8 in requests, more where amounts may pass 2^64. */
  readonly integerBytesMax?: number
  readonly depthMax?: number
}

/** Reads one value with an optional tag 55799 in front; anything §2 forbids is `BadEncoding`. */
export function decodeCbor(
  bytes: Uint8Array,
  { integerBytesMax = 8, depthMax = CBOR_DEPTH_MAX }: CborOptions = {},
): Cbor {
  const tagged = equalBytes(bytes.subarray(0, SELF_DESCRIBED.length), SELF_DESCRIBED)
  const cursor = new Cursor(tagged ? bytes.subarray(SELF_DESCRIBED.length) : bytes)
  return cursor.end(new Decoder(cursor, { integerBytesMax, depthMax }).value(0))
}

/** For our own formats: what `encodeCbor` would not have written is refused. */
export function decodeCanonicalCbor(bytes: Uint8Array, options: CborOptions = {}): Cbor {
  const value = decodeCbor(bytes, options)
  if (!equalBytes(encodeCbor(value), bytes)) throw new BadEncoding('CBOR is not canonical')
  return value
}

/** Argument of a head; undefined stands for an indefinite length. */
type Head = { readonly major: number; readonly info: number; readonly size: bigint | undefined }

class Decoder {
  readonly #cursor: Cursor
  readonly #limits: Required<CborOptions>

  constructor(cursor: Cursor, limits: Required<CborOptions>) {
    this.#cursor = cursor
    this.#limits = limits
  }

  value(depth: number): Cbor {
    return this.#body(this.#head(), depth)
  }

  #head(): Head {
    const first = this.#cursor.u8()
    const major = first >> 5
    const info = first & 31
    if (info < 24) return { major, info, size: BigInt(info) }
    if (info <= 27) return { major, info, size: fromBigEndian(this.#cursor.take(1 << (info - 24))) }
    if (info === INDEFINITE && major >= BYTES && major <= MAP)
      return { major, info, size: undefined }
    throw new BadEncoding(`CBOR head ${first}`)
  }

  #body({ major, info, size }: Head, depth: number): Cbor {
    if (major === BYTES) return this.#chunks(BYTES, size)
    if (major === TEXT) return fromUtf8(this.#chunks(TEXT, size))
    if (major === ARRAY) return this.#array(size, this.#inside(depth))
    if (major === MAP) return this.#map(size, this.#inside(depth))
    if (major === UNSIGNED && size !== undefined) return size
    if (major === TAG && size === BIGNUM_TAG) return this.#bignum()
    if (major === SIMPLE && info === FALSE) return false
    if (major === SIMPLE && info === TRUE) return true
    if (major === SIMPLE && (info === NULL || info === UNDEFINED)) return null
    throw new BadEncoding(`CBOR of major type ${major}, argument ${size}, is not allowed here`)
  }

  #inside(depth: number): number {
    const { depthMax } = this.#limits
    if (depth >= depthMax) throw new BadEncoding(`CBOR nested deeper than ${depthMax}`)
    return depth + 1
  }

  #bignum(): bigint {
    const { major, size } = this.#head()
    if (major !== BYTES) throw new BadEncoding('a CBOR bignum holds a byte string')
    const value = fromBigEndian(this.#chunks(BYTES, size))
    const { integerBytesMax } = this.#limits
    if (value >> BigInt(8 * integerBytesMax) !== 0n)
      throw new BadEncoding(`a CBOR integer of more than ${integerBytesMax} bytes`)
    return value
  }

  /** A string: one piece, or until the break pieces of definite length and the same type. */
  #chunks(major: number, size: bigint | undefined): Uint8Array {
    if (size !== undefined) return this.#cursor.take(size)
    const chunks: Uint8Array[] = []
    while (!this.#atBreak()) {
      const chunk = this.#head()
      if (chunk.major !== major || chunk.size === undefined)
        throw new BadEncoding('a piece of a CBOR string is of another type')
      const bytes = this.#cursor.take(chunk.size)
      if (major === TEXT) fromUtf8(bytes) // RFC 8949 §3.2.3: no character is split.
      chunks.push(bytes)
    }
    return concatAll(chunks)
  }

  #array(size: bigint | undefined, depth: number): readonly Cbor[] {
    this.#checkCount(size, 1n)
    const elements: Cbor[] = []
    while (this.#more(size, elements.length)) elements.push(this.value(depth))
    return elements
  }

  #map(size: bigint | undefined, depth: number): ReadonlyMap<string, Cbor> {
    this.#checkCount(size, 2n)
    const entries = new Map<string, Cbor>()
    while (this.#more(size, entries.size)) {
      const key = this.value(depth)
      if (typeof key !== 'string') throw new BadEncoding('a CBOR key is not text')
      if (entries.has(key))
        throw new BadEncoding(`the CBOR key "${key.slice(0, 64)}" is there twice`)
      entries.set(key, this.value(depth))
    }
    return entries
  }

  /**
   * Every element takes a byte at least, so the bytes left bound the count before any allocation.
   */
  #checkCount(size: bigint | undefined, bytesEach: bigint): void {
    if (size !== undefined && size * bytesEach > BigInt(this.#cursor.remaining))
      throw new BadEncoding(`${size} CBOR elements announced, ${this.#cursor.remaining} bytes left`)
  }

  #more(size: bigint | undefined, count: number): boolean {
    return size === undefined ? !this.#atBreak() : count < size
  }

  #atBreak(): boolean {
    const offset = this.#cursor.offset
    if (this.#cursor.u8() === BREAK) return true
    this.#cursor.rewind(offset)
    return false
  }
}
