/**
 * DER, as far as private keys need it: tags of one byte, definite lengths in their shortest form.
 * Source: ITU-T X.690 §§8, 10.
 */
import { bigEndian, concat, equalBytes, fromBigEndian, toHex } from '../../core/base/bytes.ts'
import { BadEncoding } from '../../core/base/errors.ts'

export const tags = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  sequence: 0x30,
  /** Context-specific, constructed: `[0]`, `[1]`. */
  explicit0: 0xa0,
  explicit1: 0xa1,
  /** Context-specific, primitive. */
  implicit1: 0x81,
} as const

/** Larger structures are no keys. */
const SIZE_MAX = 65_535
const INTEGER_SIZE_MAX = 4

/** Reads the contents of one element. Every method refuses what is not DER with `BadEncoding`. */
export class DerReader {
  readonly #bytes: Uint8Array
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Whether an element of that tag comes next. */
  comes(tag: number): boolean {
    return this.#bytes[this.#offset] === tag
  }

  /** A copy of the contents of the next element, which must have that tag. */
  take(tag: number): Uint8Array {
    const found = this.#byte()
    if (found !== tag)
      throw new BadEncoding(`tag ${toHex(Uint8Array.of(found))}, expected ${tag.toString(16)}`)
    const size = this.#size()
    if (size > this.#bytes.length - this.#offset)
      throw new BadEncoding('an element is longer than what holds it')
    this.#offset += size
    return this.#bytes.slice(this.#offset - size, this.#offset)
  }

  /** The elements inside the next one. */
  inside(tag: number): DerReader {
    return new DerReader(this.take(tag))
  }

  /** A number from 0 to 2^31 − 1. */
  integer(): number {
    const contents = this.take(tags.integer)
    const [first = 0, second = 0] = contents
    if (contents.length === 0 || contents.length > INTEGER_SIZE_MAX || first >= 0x80)
      throw new BadEncoding('an integer out of range')
    if (first === 0 && contents.length > 1 && second < 0x80)
      throw new BadEncoding('an integer longer than it must be')
    return Number(fromBigEndian(contents))
  }

  /** Object identifier, in the hexadecimal of its contents. */
  oid(): string {
    return toHex(this.take(tags.oid))
  }

  /** Refuses anything behind. */
  end(): void {
    if (this.#offset !== this.#bytes.length)
      throw new BadEncoding('something follows the last element')
  }

  #byte(): number {
    const byte = this.#bytes[this.#offset]
    if (byte === undefined) throw new BadEncoding('the bytes end too early')
    this.#offset += 1
    return byte
  }

  #size(): number {
    const first = this.#byte()
    if (first < 0x80) return first
    const count = first - 0x80
    if (count === 0 || count > 2)
      throw new BadEncoding(`a length of more than ${SIZE_MAX}, or none`)
    const bytes = Uint8Array.from({ length: count }, () => this.#byte())
    const size = Number(fromBigEndian(bytes))
    if (size < 0x80 || (count === 2 && size < 0x100))
      throw new BadEncoding('a length longer than it must be')
    return size
  }
}

/** The contents of a bit string of whole bytes. */
export function bytesOfBits(contents: Uint8Array): Uint8Array {
  if (contents[0] !== 0) throw new BadEncoding('a bit string that is not of whole bytes')
  return contents.slice(1)
}

/** Reads one element that is everything. */
export function readDer<T>(bytes: Uint8Array, tag: number, read: (inside: DerReader) => T): T {
  const outside = new DerReader(bytes)
  const inside = outside.inside(tag)
  outside.end()
  const value = read(inside)
  inside.end()
  return value
}

/** One element around its parts. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const contents = concat(...parts)
  return concat(Uint8Array.of(tag), encodeSize(contents.length), contents)
}

function encodeSize(size: number): Uint8Array {
  if (size > SIZE_MAX) throw new RangeError(`${size} bytes are too long`)
  if (size < 0x80) return Uint8Array.of(size)
  const bytes = bigEndian(BigInt(size), size < 0x100 ? 1 : 2)
  return concat(Uint8Array.of(0x80 + bytes.length), bytes)
}

/** A number from 0 to 2^31 − 1. */
export function derInteger(value: number): Uint8Array {
  const hex = value.toString(16)
  const digits = hex.length % 2 === 0 ? hex : `0${hex}`
  const bytes = bigEndian(BigInt(value), digits.length / 2)
  return der(tags.integer, (bytes[0] ?? 0) < 0x80 ? bytes : concat(Uint8Array.of(0), bytes))
}

/** Whether two optional byte strings say different things. */
export const contradict = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && !equalBytes(a, b)
