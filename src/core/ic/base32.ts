/**
 * Base32 (RFC 4648, lower case, no padding) and CRC-32 (IEEE), the two halves of every text form on
 * the IC.
 */
import { u32be } from '../base/bytes.ts'
import { BadEncoding } from '../base/errors.ts'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

export function toBase32(bytes: Uint8Array): string {
  let text = ''
  let buffer = 0
  let bits = 0
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xfff // At most 4 bits wait for the next byte.
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET.charAt((buffer >> (bits - 5)) & 31)
  }
  return bits === 0 ? text : text + ALPHABET.charAt((buffer << (5 - bits)) & 31)
}

/** Lenient about the bits that do not fill a byte: the caller encodes again and compares. */
export function fromBase32(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8))
  let buffer = 0
  let bits = 0
  let offset = 0
  for (const character of text) {
    const value = ALPHABET.indexOf(character)
    if (value < 0) throw new BadEncoding(`"${character}" is not a base32 character`)
    buffer = ((buffer << 5) | value) & 0xfff // At most 7 bits wait for the next character.
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[offset++] = (buffer >> bits) & 0xff
  }
  return bytes
}

const POLYNOMIAL = 0xedb8_8320

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? POLYNOMIAL : 0)
  return value
})

/** CRC-32 with initial value and final xor `ffffffff`, as 4 big-endian bytes. */
export function crc32(bytes: Uint8Array): Uint8Array {
  let value = 0xffff_ffff
  for (const byte of bytes) value = (value >>> 8) ^ (TABLE[(value ^ byte) & 0xff] ?? 0)
  return u32be((value ^ 0xffff_ffff) >>> 0)
}

/**
 * ASCII capitals to small letters, nothing else: `toLowerCase` would turn the Kelvin sign into a
 * k.
 */
export const foldCase = (text: string): string =>
  text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
