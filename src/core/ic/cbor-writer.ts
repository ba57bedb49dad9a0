/**
 * CBOR (RFC 8949) written piece by piece, for formats that are written often: the same bytes as
 * `encodeCbor`, without a tree of values.
 */
import { bigEndian } from '../base/bytes.ts'

const UNSIGNED = 0
const BYTES = 2
const ARRAY = 4
const MAP = 5
const BIGNUM = 0xc2 // Tag 2.
const SIZE_USUAL = 512
/** Of the longest head. */
const HEAD_BYTES = 9

export class CborWriter {
  #bytes = new Uint8Array(SIZE_USUAL)
  #view = new DataView(this.#bytes.buffer)
  #size = 0

  /** Forgets what was written: for the next use of the same memory. */
  clear(): void {
    this.#size = 0
  }

  /** What was written, as bytes of the caller's own. */
  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#size)
  }

  /** Bytes that are CBOR already. */
  encoded(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#size)
    this.#size += bytes.length
  }

  /** `count` pairs follow. */
  map(count: number): void {
    this.#head(MAP, count)
  }

  /** `count` elements follow. */
  array(count: number): void {
    this.#head(ARRAY, count)
  }

  blob(bytes: Uint8Array): void {
    this.#head(BYTES, bytes.length)
    this.encoded(bytes)
  }

  /** n ≥ 0, from 2^64 up as a bignum. */
  nat(value: bigint): void {
    if (value < 0n) throw new RangeError(`${value} is negative`)
    if (value < 0x1_0000_0000n) this.#head(UNSIGNED, Number(value))
    else if (value < 1n << 64n) {
      this.#reserve(HEAD_BYTES)
      this.#bytes[this.#size] = (UNSIGNED << 5) | 27
      this.#view.setBigUint64(this.#size + 1, value)
      this.#size += HEAD_BYTES
    } else {
      this.encoded(Uint8Array.of(BIGNUM))
      this.blob(bigEndian(value, Math.ceil(value.toString(16).length / 2)))
    }
  }

  /** In its shortest form; `argument` is below 2^32. */
  #head(major: number, argument: number): void {
    this.#reserve(HEAD_BYTES)
    const first = major << 5
    if (argument < 24) this.#bytes[this.#size++] = first | argument
    else if (argument < 0x100) {
      this.#bytes[this.#size++] = first | 24
      this.#bytes[this.#size++] = argument
    } else if (argument < 0x1_0000) {
      this.#bytes[this.#size++] = first | 25
      this.#view.setUint16(this.#size, argument)
      this.#size += 2
    } else {
      this.#bytes[this.#size++] = first | 26
      this.#view.setUint32(this.#size, argument)
      this.#size += 4
    }
  }

  #reserve(size: number): void {
    if (this.#size + size <= this.#bytes.length) return
    const larger = new Uint8Array(2 * (this.#size + size))
    larger.set(this.#bytes.subarray(0, this.#size))
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}
