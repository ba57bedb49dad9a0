/** Base58 and Base58Check. Source: `docs/spec/bitcoin.md` §11.2 (ADR-1). */
import { concat, equalBytes } from '../base/bytes.ts'
import { BadEncoding } from '../base/errors.ts'
import { sha256d } from '../base/hash.ts'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const BASE = 58
const CHECKSUM_SIZE = 4
/** Decoding takes time in the square of the length, so the length has a limit. */
export const BASE58_TEXT_MAX = 512

/** Each leading zero byte is one `1`; the rest is the number in base 58. */
export function encodeBase58(bytes: Uint8Array): string {
  const digits: number[] = [] // Least significant first.
  for (const byte of bytes) {
    let carry = byte
    for (let i = 0; i < digits.length || carry > 0; i++) {
      carry += (digits[i] ?? 0) * 256
      digits[i] = carry % BASE
      carry = Math.floor(carry / BASE)
    }
  }
  const text = digits.reverse().map((digit) => ALPHABET.charAt(digit))
  return '1'.repeat(leading(bytes, 0)) + text.join('')
}

export function decodeBase58(text: string): Uint8Array {
  if (text.length > BASE58_TEXT_MAX) throw new BadEncoding(`base58 of ${text.length} characters`)
  const bytes: number[] = [] // Least significant first.
  const values = Array.from(text, (character, position) => {
    const value = ALPHABET.indexOf(character)
    if (value < 0) throw new BadEncoding(`"${character}" at position ${position + 1} is not base58`)
    return value
  })
  for (const value of values) {
    let carry = value
    for (let i = 0; i < bytes.length || carry > 0; i++) {
      carry += (bytes[i] ?? 0) * BASE
      bytes[i] = carry % 256
      carry = Math.floor(carry / 256)
    }
  }
  return concat(new Uint8Array(leading(values, 0)), Uint8Array.from(bytes.reverse()))
}

/** How many elements at the front equal `value`. */
function leading(values: Uint8Array | readonly number[], value: number): number {
  const first = values.findIndex((element) => element !== value)
  return first < 0 ? values.length : first
}

/** Payload and the first four bytes of its double SHA-256. */
export const encodeBase58Check = (payload: Uint8Array): string =>
  encodeBase58(concat(payload, sha256d(payload).subarray(0, CHECKSUM_SIZE)))

export function decodeBase58Check(text: string): Uint8Array {
  const bytes = decodeBase58(text)
  if (bytes.length < CHECKSUM_SIZE) throw new BadEncoding('base58 shorter than its checksum')
  const payload = bytes.slice(0, -CHECKSUM_SIZE)
  const checksum = sha256d(payload).subarray(0, CHECKSUM_SIZE)
  if (!equalBytes(bytes.subarray(-CHECKSUM_SIZE), checksum))
    throw new BadEncoding('wrong base58 checksum')
  return payload
}
