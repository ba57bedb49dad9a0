/**
 * A strict reader over bytes of others, with LEB128 (Candid specification): CBOR and Candid read
 * through it.
 */
import { BadEncoding } from '../base/errors.ts'

/**
 * Groups of 7 bits in one LEB128 number. The standard sets no bound; ours keeps the work linear.
 */
const LEB128_GROUPS_MAX = 1_024

/** Every method refuses short input with `BadEncoding`. */
export class Cursor {
  readonly #bytes: Uint8Array
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get offset(): number {
    return this.#offset
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset
  }

  /** Goes back to an offset seen before. */
  rewind(offset: number): void {
    this.#offset = offset
  }

  u8(): number {
    const byte = this.#bytes[this.#offset]
    if (byte === undefined) throw new BadEncoding('the bytes end too early')
    this.#offset += 1
    return byte
  }

  /** A copy of the next `size` bytes; the size is checked before anything is allocated. */
  take(size: number | bigint): Uint8Array {
    this.skip(size)
    return this.#bytes.slice(this.#offset - Number(size), this.#offset)
  }

  skip(size: number | bigint): void {
    if (size > this.remaining)
      throw new BadEncoding(`${size} bytes announced, ${this.remaining} left`)
    this.#offset += Number(size)
  }

  /** Unsigned LEB128. Padded forms are accepted, as Candid demands of decoders. */
  leb128(): bigint {
    return this.#leb128().value
  }

  /** Signed LEB128, two's complement. */
  sleb128(): bigint {
    const { value, bits, last } = this.#leb128()
    return last & 0x40 ? value - (1n << BigInt(bits)) : value
  }

  #leb128(): { readonly value: bigint; readonly bits: number; readonly last: number } {
    let low = this.u8()
    if (low < 0x80) return { value: BigInt(low), bits: 7, last: low } // Nearly all of them.
    let value = 0n
    for (let group = 0; group < LEB128_GROUPS_MAX; group++) {
      value |= BigInt(low & 0x7f) << BigInt(7 * group)
      if (low < 0x80) return { value, bits: 7 * (group + 1), last: low }
      low = this.u8()
    }
    throw new BadEncoding(`a LEB128 number of more than ${LEB128_GROUPS_MAX} groups`)
  }

  /** Refuses trailing bytes. Returns its argument, so that a decoder can end with it. */
  end<T>(value: T): T {
    if (this.remaining > 0) throw new BadEncoding(`${this.remaining} trailing bytes`)
    return value
  }
}

/** Shortest unsigned LEB128 of n ≥ 0. */
export function leb128(value: bigint): Uint8Array {
  if (value < 0n) throw new RangeError(`${value} is negative`)
  const groups: number[] = []
  let rest = value
  // Words of 28 bits, four groups each: arithmetic of plain numbers is many times as fast.
  for (; rest >= WORD; rest >>= WORD_BITS) {
    const word = Number(BigInt.asUintN(28, rest))
    for (let shift = 0; shift < 28; shift += 7) groups.push(((word >> shift) & 0x7f) | 0x80)
  }
  let word = Number(rest)
  for (; word >= 0x80; word >>= 7) groups.push((word & 0x7f) | 0x80)
  groups.push(word)
  return new Uint8Array(groups)
}

const WORD_BITS = 28n
const WORD = 1n << WORD_BITS

/** Shortest signed LEB128. */
export function sleb128(value: bigint): Uint8Array {
  const bytes: number[] = []
  for (let rest = value; ; rest >>= 7n) {
    const group = Number(rest & 0x7fn)
    if (rest >= -0x40n && rest < 0x40n) return Uint8Array.from([...bytes, group])
    bytes.push(group | 0x80)
  }
}
