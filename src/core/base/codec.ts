/**
 * Our own binary format: fixed-width big-endian integers and length-prefixed bytes, read strictly.
 */

import { bigEndian, concat, fromBigEndian, fromUtf8, utf8 } from './bytes.ts'
import { BadEncoding } from './errors.ts'

/** Collects the fields of one message. */
export class Writer {
  readonly #parts: Uint8Array[] = []

  /** Bytes as they stand; the reader must know how many. */
  raw(bytes: Uint8Array): this {
    this.#parts.push(bytes)
    return this
  }
  u8(value: number): this {
    return this.raw(bytesOf(value, 1))
  }
  u16(value: number): this {
    return this.raw(bytesOf(value, 2))
  }
  u32(value: number): this {
    return this.raw(bytesOf(value, 4))
  }
  u64(value: bigint): this {
    return this.raw(bigEndian(value, 8))
  }
  /** Length (u32), then the bytes. */
  bytes(value: Uint8Array): this {
    return this.u32(value.length).raw(value)
  }
  text(value: string): this {
    return this.bytes(utf8(value))
  }
  /** Count (u32), then each element. */
  list<T>(values: readonly T[], write: (writer: Writer, value: T) => void): this {
    this.u32(values.length)
    for (const value of values) write(this, value)
    return this
  }
  /** A byte 0, or a byte 1 and the value. */
  optional<T>(value: T | undefined, write: (writer: Writer, value: T) => void): this {
    if (value === undefined) return this.u8(0)
    this.u8(1)
    write(this, value)
    return this
  }
  done(): Uint8Array {
    return concat(...this.#parts)
  }
}

/** A whole number below 256^size, big-endian. */
function bytesOf(value: number, size: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value >= 256 ** size)
    throw new RangeError(`${value} does not fit into ${size} bytes`)
  const bytes = new Uint8Array(size)
  let rest = value
  for (let i = size - 1; i >= 0; i--) {
    bytes[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return bytes
}

/** Reads what `Writer` wrote. Every method refuses short input with `BadEncoding`. */
export class Reader {
  readonly #bytes: Uint8Array
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }
  get remaining(): number {
    return this.#bytes.length - this.#offset
  }
  /** A copy of the next `size` bytes, so that nothing keeps the whole message alive. */
  raw(size: number): Uint8Array {
    if (size > this.remaining)
      throw new BadEncoding(`${size} bytes expected, ${this.remaining} left`)
    this.#offset += size
    return this.#bytes.slice(this.#offset - size, this.#offset)
  }
  /** Up to four bytes; without a copy, as votes are full of them. */
  #number(size: number): number {
    if (size > this.remaining)
      throw new BadEncoding(`${size} bytes expected, ${this.remaining} left`)
    let value = 0
    for (let i = 0; i < size; i++) value = value * 256 + (this.#bytes[this.#offset + i] ?? 0)
    this.#offset += size
    return value
  }
  u8(): number {
    return this.#number(1)
  }
  u16(): number {
    return this.#number(2)
  }
  u32(): number {
    return this.#number(4)
  }
  u64(): bigint {
    return fromBigEndian(this.raw(8))
  }
  bytes(sizeMax = 0xffff_ffff): Uint8Array {
    const size = this.u32()
    if (size > sizeMax) throw new BadEncoding(`${size} bytes, at most ${sizeMax} allowed`)
    return this.raw(size)
  }
  text(sizeMax = 0xffff_ffff): string {
    return fromUtf8(this.bytes(sizeMax))
  }
  /** `countMax` and the bytes left bound the list before anything is allocated. */
  list<T>(read: (reader: Reader) => T, countMax: number): T[] {
    const count = this.u32()
    if (count > countMax || count > this.remaining)
      throw new BadEncoding(`a list of ${count} elements, at most ${countMax} allowed`)
    return Array.from({ length: count }, () => read(this))
  }
  optional<T>(read: (reader: Reader) => T): T | undefined {
    const tag = this.u8()
    if (tag > 1) throw new BadEncoding(`tag ${tag} where 0 or 1 is due`)
    return tag === 1 ? read(this) : undefined
  }
  /** Refuses trailing bytes. Returns its argument, so that a decoder can end with it. */
  end<T>(value: T): T {
    if (this.remaining > 0) throw new BadEncoding(`${this.remaining} trailing bytes`)
    return value
  }
}
