/** Bech32 and bech32m, with error location. Source: BIP173, BIP350; `bitcoin.md` §11.2. */
import { BadEncoding } from '../base/errors.ts'

/** The character of each five-bit value. */
export const CHARSET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3] as const
const CONSTANT = { bech32: 1, bech32m: 0x2bc830a3 } as const
const CHECKSUM_LENGTH = 6
export const BECH32_TEXT_MAX = 90

export type Bech32Variant = keyof typeof CONSTANT

/** A text whose characters are in order, its checksum not looked at yet. */
export type Bech32Text = {
  /** Lower case. */
  readonly prefix: string
  /** Five-bit values after the separator, checksum included. */
  readonly values: readonly number[]
}

/** Remainder of the code: 30 bits. */
function polymod(values: readonly number[]): number {
  let remainder = 1
  for (const value of values) remainder = shift(remainder) ^ value
  return remainder
}

/** A remainder times x, reduced: what one more value does to those before it. Linear over XOR. */
function shift(remainder: number): number {
  let shifted = (remainder & 0x1ff_ffff) << 5
  for (let bit = 0; bit < 5; bit++)
    if ((remainder >>> (25 + bit)) & 1) shifted ^= GENERATOR[bit] ?? 0
  return shifted
}

function expandPrefix(prefix: string): number[] {
  const codes = Array.from(prefix, (character) => character.charCodeAt(0))
  return [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)]
}

/** Lower-case text of five-bit `data` under `prefix`. */
export function encodeBech32(
  prefix: string,
  data: readonly number[],
  variant: Bech32Variant,
): string {
  const padded = [...expandPrefix(prefix), ...data, ...new Array<number>(CHECKSUM_LENGTH).fill(0)]
  const remainder = polymod(padded) ^ CONSTANT[variant]
  const checksum = Array.from(
    { length: CHECKSUM_LENGTH },
    (_, i) => (remainder >>> (5 * (CHECKSUM_LENGTH - 1 - i))) & 31,
  )
  return `${prefix}1${[...data, ...checksum].map((value) => CHARSET.charAt(value)).join('')}`
}

/** Splits at the last `1`; refuses mixed case, foreign characters and bad lengths. */
export function parseBech32(text: string): Bech32Text {
  if (text.length > BECH32_TEXT_MAX)
    throw new BadEncoding(`${text.length} characters, at most ${BECH32_TEXT_MAX} allowed`)
  const lower = text.toLowerCase()
  if (text !== lower && text !== text.toUpperCase())
    throw new BadEncoding('upper and lower case are mixed')
  const separator = lower.lastIndexOf('1')
  if (separator < 1) throw new BadEncoding('no prefix before a separator "1"')
  const prefix = lower.slice(0, separator)
  if (!/^[!-~]+$/.test(prefix)) throw new BadEncoding('a prefix character is not printable')
  const values = Array.from(lower.slice(separator + 1), (character, i) => {
    const value = CHARSET.indexOf(character)
    if (value < 0)
      throw new BadEncoding(`"${character}" at position ${separator + i + 2} is not bech32`)
    return value
  })
  if (values.length < CHECKSUM_LENGTH) throw new BadEncoding('shorter than its checksum')
  return { prefix, values }
}

/** Which checksum the text has; undefined for neither. */
export function checksumVariant({ prefix, values }: Bech32Text): Bech32Variant | undefined {
  const remainder = polymod([...expandPrefix(prefix), ...values])
  if (remainder === CONSTANT.bech32) return 'bech32'
  return remainder === CONSTANT.bech32m ? 'bech32m' : undefined
}

/** Data without the checksum. */
export const dataOf = ({ values }: Bech32Text): readonly number[] =>
  values.slice(0, -CHECKSUM_LENGTH)

/** Bytes to five-bit values, the last padded with zeros. */
export function toFiveBit(bytes: Uint8Array): number[] {
  const values: number[] = []
  let buffer = 0
  let bits = 0
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xfff
    for (bits += 8; bits >= 5; bits -= 5) values.push((buffer >>> (bits - 5)) & 31)
  }
  if (bits > 0) values.push((buffer << (5 - bits)) & 31)
  return values
}

/** Five-bit values to bytes: fewer than five padding bits, all of them zero. */
export function fromFiveBit(values: readonly number[]): Uint8Array {
  const bytes: number[] = []
  let buffer = 0
  let bits = 0
  for (const value of values) {
    buffer = ((buffer << 5) | value) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((buffer >>> bits) & 0xff)
  }
  if (bits >= 5) throw new BadEncoding('more than four padding bits')
  if ((buffer & ((1 << bits) - 1)) !== 0) throw new BadEncoding('padding bits are not zero')
  return Uint8Array.from(bytes)
}

/** A wrong character: where it stands in the values, and what must be XORed onto it. */
type Substitution = { readonly index: number; readonly difference: number; readonly effect: number }

/**
 * Indices of one or two values whose change alone makes the checksum of `variant` right.
 *
 * The code tells words apart that differ in up to four places, so two wrong ones are found
 * uniquely. Empty if no such change exists. For display only: nothing is ever corrected (ADR-6).
 */
export function locateErrors(
  { prefix, values }: Bech32Text,
  variant: Bech32Variant,
): readonly Omit<Substitution, 'effect'>[] {
  const syndrome = polymod([...expandPrefix(prefix), ...values]) ^ CONSTANT[variant]
  const substitutions = effects(values.length)
  const single = substitutions.find(({ effect }) => effect === syndrome)
  if (single !== undefined) return [single]
  const byEffect = new Map(substitutions.map((each) => [each.effect, each]))
  for (const first of substitutions) {
    const second = byEffect.get(first.effect ^ syndrome)
    if (second !== undefined && second.index > first.index) return [first, second]
  }
  return []
}

/** Effect on the remainder of every change of one value; the code is linear, so they add up. */
function effects(length: number): readonly Substitution[] {
  const all: Substitution[] = []
  for (let difference = 1; difference < 32; difference++) {
    let effect = difference
    for (let index = length - 1; index >= 0; index--) {
      all.push({ index, difference, effect })
      effect = shift(effect)
    }
  }
  return all
}
