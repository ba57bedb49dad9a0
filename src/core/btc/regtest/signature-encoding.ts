/**
 * Encodings of ECDSA signatures and keys inside scripts: BIP66 (strict DER), BIP146 (low S), BIP143
 * (keys).
 */
import { concat, fromBigEndian } from '../../base/bytes.ts'
import { secp256k1 } from '../../base/noble-secp256k1.ts'
import { isLowS, isStrictDer } from '../signature.ts'
import { compactOfLaxDer } from './lax-der.ts'

const SCALAR_SIZE = 32
const ORDER = secp256k1.order

/** `signature` ends with its hash type, here and below. */
export const isStrictSignature = (signature: Uint8Array): boolean =>
  isStrictDer(signature.subarray(0, -1))

/**
 * r ‖ s in 64 bytes; undefined when it is no signature that anything could have made.
 *
 * How it is encoded is asked above: without flags, the forms from before BIP66 are good.
 */
export function compactSignature(signature: Uint8Array): Uint8Array | undefined {
  const compact = compactOfLaxDer(signature.subarray(0, -1))
  if (compact === undefined) return undefined
  const [r, s] = [compact.subarray(0, SCALAR_SIZE), compact.subarray(SCALAR_SIZE)]
  return fromBigEndian(r) < ORDER && fromBigEndian(s) < ORDER ? compact : undefined
}

/** Of a strict signature. Numbers that do not fit count as low, as in Core: they fail later. */
export function hasLowS(signature: Uint8Array): boolean {
  const compact = compactSignature(signature)
  return compact === undefined || isLowS(compact)
}

/** ALL, NONE or SINGLE, with or without ANYONECANPAY. */
export function isDefinedHashType(hashType: number): boolean {
  const base = hashType & 0x7f
  return base >= 1 && base <= 3
}

export const isCompressedKey = (key: Uint8Array): boolean =>
  key.length === 33 && (key[0] === 2 || key[0] === 3)

export const isPlainKey = (key: Uint8Array): boolean =>
  isCompressedKey(key) || (key.length === 65 && key[0] === 4)

/**
 * Hybrid keys (first byte 6 or 7, the parity of y) are valid by consensus; rewritten as
 * uncompressed.
 */
export function withoutHybrid(key: Uint8Array): Uint8Array {
  const parity = (key[64] ?? 0) & 1
  return key.length === 65 && key[0] === 6 + parity
    ? concat(Uint8Array.of(4), key.subarray(1))
    : key
}
