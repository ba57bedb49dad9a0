/**
 * Byte strings: building, comparing, hexadecimal, fixed-width integers. Nothing here keeps state.
 */
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { BadEncoding } from './errors.ts'

declare const brand: unique symbol

/** 32 bytes that came out of a hash. */
export type Hash32 = Uint8Array & { readonly [brand]: 'hash32' }

/** Transaction id in internal order, as SHA-256d gives it; reversed only where people read it. */
export type Txid = Hash32 & { readonly [brand]: 'hash32' }

/** Block hash in internal order. */
export type BlockHash = Hash32 & { readonly [brand]: 'hash32' }

/** Brands 32 bytes; anything else is `BadEncoding`. */
export function hash32(bytes: Uint8Array): Hash32 {
  if (bytes.length !== 32) throw new BadEncoding(`expected 32 bytes, found ${bytes.length}`)
  return bytes as Hash32
}

export const toHex = (bytes: Uint8Array): string =>
  bytes.length > HEX_AT_ONCE_MAX ? bytesToHex(bytes) : String.fromCharCode(...hexCodes(bytes))

/** Longer texts are rarely kept; these are keys of large maps. */
const HEX_AT_ONCE_MAX = 64
const CODE_0 = 48
const CODE_A = 97

/**
 * Character codes of the digits. A text made of them at once lies in one piece; one that was put
 * together digit by digit takes five times the memory while it is a key.
 */
export function hexCodes(bytes: Uint8Array): number[] {
  const codes: number[] = []
  for (const byte of bytes) codes.push(hexCode(byte >> 4), hexCode(byte & 15))
  return codes
}

const hexCode = (digit: number): number => (digit < 10 ? CODE_0 + digit : CODE_A + digit - 10)

/** Strict hexadecimal: even length, digits only; anything else is `BadEncoding`. */
export function fromHex(text: string): Uint8Array {
  if (!/^([0-9a-fA-F]{2})*$/.test(text)) throw new BadEncoding('not hexadecimal')
  return hexToBytes(text)
}

/** Display form of a txid or block hash: the bytes reversed, in hexadecimal. */
export const toDisplayHex = (hash: Uint8Array): string => toHex(hash.toReversed())

/** Reads the display form back into internal order. */
export const fromDisplayHex = (text: string): Hash32 => hash32(fromHex(text).reverse())

/** Below this length a loop over plain letters is several times as fast as the platform's encoder. */
const SHORT_TEXT_MAX = 64

export function utf8(text: string): Uint8Array {
  if (text.length > SHORT_TEXT_MAX) return utf8ToBytes(text)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return utf8ToBytes(text)
    bytes[i] = code
  }
  return bytes
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Text of well-formed UTF-8; anything else is `BadEncoding`. */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes)
  } catch (cause) {
    throw new BadEncoding('not UTF-8', { cause })
  }
}

export const concat = (...parts: readonly Uint8Array[]): Uint8Array => concatAll(parts)

/** For lists without a small bound: a call with too many arguments overflows the stack. */
export function concatAll(parts: readonly Uint8Array[]): Uint8Array {
  let size = 0
  for (const part of parts) size += part.length
  const whole = new Uint8Array(size)
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0
}

/** Lexicographic order; a prefix comes first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const common = Math.min(a.length, b.length)
  for (let i = 0; i < common; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Unsigned integer in `size` bytes, big-endian. The value must fit. */
export function bigEndian(value: bigint, size: number): Uint8Array {
  if (value < 0n || value >> BigInt(8 * size) !== 0n)
    throw new RangeError(`${value} does not fit ${size} bytes`)
  return hexToBytes(value.toString(16).padStart(2 * size, '0'))
}

export const u64be = (value: bigint): Uint8Array => bigEndian(value, 8)
export const u32be = (value: number): Uint8Array => bigEndian(BigInt(value), 4)

export function fromBigEndian(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`)
}

export const fromLittleEndian = (bytes: Uint8Array): bigint => fromBigEndian(bytes.toReversed())
