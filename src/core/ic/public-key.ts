/** Public keys in DER and the signatures under them. Implements `docs/spec/ic-interface.md` §4. */
import { compareBytes, concat, fromHex } from '../base/bytes.ts'
import { BadEncoding } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'
import type { Ed25519 } from '../base/verification.ts'
import { verifyEcdsa, verifyEcdsaP256 } from '../base/verification.ts'

/**
 * `key`: 32 bytes of Ed25519, an uncompressed point (65 bytes) for ECDSA, 96 bytes of BLS12-381.
 */
export type PublicKey = { readonly type: KeyType; readonly key: Uint8Array }
export type KeyType = 'ed25519' | 'secp256k1' | 'p256' | 'bls12381'

/** Everything in front of the key. The `04` of an uncompressed point belongs to the key. */
const schemes: Record<KeyType, { readonly prefix: Uint8Array; readonly size: number }> = {
  ed25519: { prefix: fromHex('302a300506032b6570032100'), size: 32 },
  secp256k1: { prefix: fromHex('3056301006072a8648ce3d020106052b8104000a034200'), size: 65 },
  p256: { prefix: fromHex('3059301306072a8648ce3d020106082a8648ce3d030107034200'), size: 65 },
  bls12381: {
    prefix: fromHex('308182301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201036100'),
    size: 96,
  },
}
const keyTypes = ['ed25519', 'secp256k1', 'p256', 'bls12381'] as const
const UNCOMPRESSED = 4

/** The one DER form of a key. */
export function encodePublicKey({ type, key }: PublicKey): Uint8Array {
  const { prefix, size } = schemes[type]
  if (!wellFormed(type, key)) throw new RangeError(`a ${type} key has ${size} bytes`)
  return concat(prefix, key)
}

/** Reads that form and no other: another algorithm, length or point format is `BadEncoding`. */
export function decodePublicKey(der: Uint8Array): PublicKey {
  for (const type of keyTypes) {
    const { prefix } = schemes[type]
    if (compareBytes(der.subarray(0, prefix.length), prefix) !== 0) continue
    const key = der.slice(prefix.length)
    if (!wellFormed(type, key)) throw new BadEncoding(`malformed ${type} public key`)
    return { type, key }
  }
  throw new BadEncoding('unsupported public key type')
}

function wellFormed(type: KeyType, key: Uint8Array): boolean {
  const { size } = schemes[type]
  const point = type === 'secp256k1' || type === 'p256'
  return key.length === size && (!point || key[0] === UNCOMPRESSED)
}

export type SignedMessage = {
  readonly publicKey: PublicKey
  readonly message: Uint8Array
  /** 64 bytes, raw; for ECDSA both values of s are good. */
  readonly signature: Uint8Array
}

/** Total: false for anything malformed, and for schemes that do not sign requests. */
export function verifyRequestSignature(
  { publicKey: { type, key }, message, signature }: SignedMessage,
  ed25519: Ed25519,
): boolean {
  switch (type) {
    case 'ed25519':
      return ed25519.verify(key, message, signature)
    case 'secp256k1':
      return verifyEcdsa({ publicKey: key, digest: sha256(message), signature }, { lowS: false })
    case 'p256':
      return verifyEcdsaP256(key, sha256(message), signature)
    case 'bls12381':
      return false // Signs certificates, never requests.
  }
}
