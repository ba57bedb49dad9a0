/** Bitcoin's wire integers: a strict cursor and a growing sink. Source: `bitcoin.md` §1.2. */
import { BadEncoding } from '../base/errors.ts'

/** Largest length or count that a CompactSize may announce. */
export const LENGTH_MAX = 0x0200_0000

const SINK_START_BYTES = 256

/**
 * Reads little-endian fields; refuses short input with `BadEncoding`.
 *
 * Plain number arithmetic, since whole blocks pass through here.
 */
export class ByteCursor {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }
  get remaining(): number {
    return this.#bytes.length - this.#offset
  }
  #take(size: number): number {
    const start = this.#offset
    if (size > this.#bytes.length - start)
      throw new BadEncoding(`${size} bytes expected, ${this.#bytes.length - start} left`)
    this.#offset = start + size
    return start
  }
  /** A copy of the next `size` bytes, so that nothing keeps a whole block alive. */
  raw(size: number): Uint8Array {
    const start = this.#take(size)
    return this.#bytes.slice(start, start + size)
  }
  u8(): number {
    return this.#view.getUint8(this.#take(1))
  }
  u16(): number {
    return this.#view.getUint16(this.#take(2), true)
  }
  u16be(): number {
    return this.#view.getUint16(this.#take(2), false)
  }
  u32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }
  i32(): number {
    return this.#view.getInt32(this.#take(4), true)
  }
  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true)
  }
  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true)
  }
  /** CompactSize as a length: the shortest form only, at most `LENGTH_MAX`. */
  length(): number {
    const first = this.u8()
    if (first < 0xfd) return first
    // Nine bytes are either more than needed or more than the limit.
    if (first === 0xff) throw new BadEncoding('a length of eight bytes')
    const value = first === 0xfd ? this.u16() : this.u32()
    if (value < (first === 0xfd ? 0xfd : 0x1_0000))
      throw new BadEncoding(`CompactSize ${value} is longer than needed`)
    if (value > LENGTH_MAX) throw new BadEncoding(`length ${value} is more than ${LENGTH_MAX}`)
    return value
  }
  /** Number of list items that follow; the bytes left bound it before anything is allocated. */
  count(itemSizeMin: number): number {
    const count = this.length()
    if (count * itemSizeMin > this.remaining)
      throw new BadEncoding(`${count} items cannot fit ${this.remaining} bytes`)
    return count
  }
  /** CompactSize length, then that many bytes. */
  bytes(): Uint8Array {
    return this.raw(this.length())
  }
  list<T>(itemSizeMin: number, read: (cursor: ByteCursor) => T): T[] {
    const count = this.count(itemSizeMin)
    const items: T[] = []
    for (let i = 0; i < count; i++) items.push(read(this))
    return items
  }
  /** Refuses trailing bytes. Returns its argument, so that a decoder can end with it. */
  end<T>(value: T): T {
    if (this.remaining > 0) throw new BadEncoding(`${this.remaining} trailing bytes`)
    return value
  }
}

/** Decodes a whole buffer with `read`: no byte may be left over. */
export function decodeExactly<T>(bytes: Uint8Array, read: (cursor: ByteCursor) => T): T {
  const cursor = new ByteCursor(bytes)
  return cursor.end(read(cursor))
}

/** Collects fields in one buffer that doubles as it fills. Values must fit their width. */
export class ByteSink {
  #bytes: Uint8Array
  #view: DataView
  #size = 0

  constructor(sizeHint = SINK_START_BYTES) {
    this.#bytes = new Uint8Array(sizeHint)
    this.#view = new DataView(this.#bytes.buffer)
  }
  #reserve(size: number): number {
    const start = this.#size
    this.#size += size
    if (this.#size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#size))
      grown.set(this.#bytes.subarray(0, start))
      this.#bytes = grown
      this.#view = new DataView(grown.buffer)
    }
    return start
  }
  raw(bytes: Uint8Array): this {
    const start = this.#reserve(bytes.length)
    this.#bytes.set(bytes, start)
    return this
  }
  u8(value: number): this {
    const start = this.#reserve(1)
    this.#view.setUint8(start, value)
    return this
  }
  u16(value: number): this {
    const start = this.#reserve(2)
    this.#view.setUint16(start, value, true)
    return this
  }
  u16be(value: number): this {
    const start = this.#reserve(2)
    this.#view.setUint16(start, value, false)
    return this
  }
  /** Signed values take the same four bytes: two's complement. */
  u32(value: number): this {
    const start = this.#reserve(4)
    this.#view.setUint32(start, value, true)
    return this
  }
  /** Signed values take the same eight bytes: two's complement. */
  u64(value: bigint): this {
    const start = this.#reserve(8)
    this.#view.setBigUint64(start, value, true)
    return this
  }
  /** CompactSize in its shortest form. */
  length(value: number): this {
    if (value < 0xfd) return this.u8(value)
    if (value <= 0xffff) return this.u8(0xfd).u16(value)
    return this.u8(0xfe).u32(value)
  }
  /** CompactSize length, then the bytes. */
  bytes(value: Uint8Array): this {
    return this.length(value.length).raw(value)
  }
  list<T>(items: readonly T[], write: (sink: ByteSink, item: T) => void): this {
    this.length(items.length)
    for (const item of items) write(this, item)
    return this
  }
  /** The bytes written. The sink must not be used after that. */
  done(): Uint8Array {
    return this.#size === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, this.#size)
  }
}

/** Bytes of a CompactSize in its shortest form. */
export function lengthSize(value: number): number {
  return value < 0xfd ? 1 : value <= 0xffff ? 3 : 5
}
