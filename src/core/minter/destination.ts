/**
 * Reads the destination of a withdrawal. Implements `docs/spec/minter.md` §3.5.
 *
 * The texts of refusals are those of the deployed minter: clients show them and search for them.
 */
import { toHex } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import { sha256d } from '../base/hash.ts'
import { BASE58_TEXT_MAX, decodeBase58 } from '../btc/base58.ts'
import type { Bech32Text, Bech32Variant } from '../btc/bech32.ts'
import { CHARSET, checksumVariant, dataOf, fromFiveBit } from '../btc/bech32.ts'
import type { Network } from '../btc/network.ts'
import { mainnet, regtest, testnet4 } from '../btc/network.ts'
import type { BitcoinAddress, BitcoinNetwork } from './types.ts'

/** Testnets share their address prefixes. */
export const networkOf: Readonly<Record<BitcoinNetwork, Network>> = {
  mainnet,
  testnet: testnet4,
  regtest,
}

const BASE58_BYTES = 25
const CHECKED_BYTES = 21
const PREFIX_MAX = 83
const CHECKSUM_LENGTH = 6
const UNSUPPORTED = 'ckBTC supports only P2WPKH and P2PKH addresses'

/** A `BadEncoding` says why there is none. */
export function readDestination(text: string, network: BitcoinNetwork): BitcoinAddress {
  const [first] = text
  if (first === undefined) throw new BadEncoding('the address contains no data')
  if ('123mn'.includes(first)) return readBase58(text, network)
  if ('bBtT'.includes(first)) return readBech32(text, network)
  throw new BadEncoding(UNSUPPORTED)
}

function readBase58(text: string, network: BitcoinNetwork): BitcoinAddress {
  const at = text.search(/[^1-9A-HJ-NP-Za-km-z]/u)
  if (at >= 0) {
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0)
    throw new BadEncoding(
      character > '\x7f'
        ? `provided string contained non-ascii character starting at byte ${at}`
        : `provided string contained invalid character '${character}' at byte ${at}`,
    )
  }
  if (text.length > BASE58_TEXT_MAX) throw new BadEncoding(`${text.length} characters`)
  const bytes = decodeBase58(text)
  if (bytes.length !== BASE58_BYTES)
    throw new BadEncoding(`Expected the address to be ${BASE58_BYTES} bytes, got ${bytes.length}`)
  const checked = bytes.subarray(0, CHECKED_BYTES)
  const expected = toHex(sha256d(checked).subarray(0, BASE58_BYTES - CHECKED_BYTES))
  const found = toHex(bytes.subarray(CHECKED_BYTES))
  if (found !== expected)
    throw new BadEncoding(`checksum mismatch expected ${expected}, got ${found}`)
  const [version] = bytes
  for (const actual of ['mainnet', 'testnet'] as const) {
    const { p2pkh, p2sh } = networkOf[actual].base58
    if (version !== p2pkh && version !== p2sh) continue
    if ((network === 'mainnet') !== (actual === 'mainnet'))
      throw new BadEncoding(
        `expected an address from network ${network}, got an address from network ${actual}`,
      )
    return { type: version === p2pkh ? 'p2pkh' : 'p2sh', bytes: checked.slice(1) }
  }
  throw new BadEncoding(UNSUPPORTED)
}

function readBech32(text: string, network: BitcoinNetwork): BitcoinAddress {
  const words = splitBech32(text)
  const variant = checksumVariant(words)
  if (variant === undefined) throw new BadEncoding('invalid checksum')
  const { bech32Prefix } = networkOf[network]
  if (words.prefix !== bech32Prefix)
    throw new BadEncoding(`expected address HRP ${bech32Prefix}, got ${words.prefix}`)
  const [version, ...data] = dataOf(words)
  switch (version) {
    case undefined:
      throw new BadEncoding('the address contains no data')
    case 0: {
      const program = programOf(data, { text, variant, expected: 'bech32' })
      if (program.length === 32) return { type: 'p2wshV0', bytes: program }
      return { type: 'p2wpkhV0', bytes: ofLength(program, 20) }
    }
    case 1: {
      const program = programOf(data, { text, variant, expected: 'bech32m' })
      return { type: 'p2trV1', bytes: ofLength(program, 32) }
    }
    default:
      throw new BadEncoding(`unsupported witness version ${version}`)
  }
}

/** Splits at the last `1`; refuses foreign characters, mixed case and what has no checksum. */
function splitBech32(text: string): Bech32Text {
  const separator = text.lastIndexOf('1')
  if (separator < 0) throw new BadEncoding('missing human-readable separator, "1"')
  const prefix = text.slice(0, separator)
  if (prefix === '' || prefix.length > PREFIX_MAX) throw new BadEncoding('invalid length')
  const foreign = [...prefix].find((character) => character < '!' || character > '~')
  if (foreign !== undefined) throw new BadEncoding(`invalid character (code=${foreign})`)
  let isLower = /[a-z]/.test(prefix)
  let isUpper = /[A-Z]/.test(prefix)
  if (isLower && isUpper) throw new BadEncoding('mixed-case strings not allowed')
  const values = Array.from(text.slice(separator + 1), (character) => {
    isLower ||= /[a-z]/.test(character)
    isUpper ||= /[A-Z]/.test(character)
    if (isLower && isUpper) throw new BadEncoding('mixed-case strings not allowed')
    const value = /[!-~]/.test(character) ? CHARSET.indexOf(character.toLowerCase()) : -1
    if (value < 0) throw new BadEncoding(`invalid character (code=${character})`)
    return value
  })
  if (values.length < CHECKSUM_LENGTH) throw new BadEncoding('invalid length')
  return { prefix: prefix.toLowerCase(), values }
}

const NAMES: Readonly<Record<Bech32Variant, string>> = { bech32: 'Bech32', bech32m: 'Bech32m' }

function programOf(
  data: readonly number[],
  {
    text,
    variant,
    expected,
  }: {
    readonly text: string
    readonly variant: Bech32Variant
    readonly expected: Bech32Variant
  },
): Uint8Array {
  if (variant !== expected)
    throw new BadEncoding(
      `invalid bech32 variant, expected: ${NAMES[expected]}, found: ${NAMES[variant]}`,
    )
  const program = attempt(() => fromFiveBit(data))
  if (program instanceof BadEncoding)
    throw new BadEncoding(`failed to decode witness from address ${text}: invalid padding`)
  return program
}

function ofLength(program: Uint8Array, expected: number): Uint8Array {
  if (program.length !== expected)
    throw new BadEncoding(`expected witness program of length ${expected}, got ${program.length}`)
  return program
}
