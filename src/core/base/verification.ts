/**
 * Plain verification of finished signatures, by the audited library: ECDSA (SEC1), BIP340, Ed25519
 * (RFC 8032), BLS12-381 with keys in G2 (IC interface §15.1).
 */
import { bls12_381 } from '@noble/curves/bls12-381.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { equalBytes } from './bytes.ts'

const totalCheck = (check: () => boolean): boolean => {
  try {
    return check()
  } catch {
    return false // The library throws for keys and signatures that do not decode.
  }
}

/**
 * ECDSA over secp256k1 under a compressed or uncompressed SEC1 key.
 *
 * `digest`: 32 bytes, already hashed. `signature`: r ‖ s, 64 bytes, big-endian. High s is accepted unless `lowS`.
 */
export function verifyEcdsa(
  {
    publicKey,
    digest,
    signature,
  }: {
    readonly publicKey: Uint8Array
    readonly digest: Uint8Array
    readonly signature: Uint8Array
  },
  { lowS }: { readonly lowS: boolean },
): boolean {
  return totalCheck(() =>
    secp256k1.verify(signature, digest, publicKey, { prehash: false, lowS, format: 'compact' }),
  )
}

/**
 * ECDSA over P-256, keys and signatures as above, high s accepted: for requests to the subnet only.
 */
export function verifyEcdsaP256(
  publicKey: Uint8Array,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  return totalCheck(() =>
    p256.verify(signature, digest, publicKey, { prehash: false, lowS: false, format: 'compact' }),
  )
}

/** BIP340 signature (64 bytes) over a message of any length under an x-only key (32 bytes). */
export function verifyBip340(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return totalCheck(() => schnorr.verify(signature, message, publicKey))
}

/** Ciphersuite with signatures in G1, hash to curve as in RFC 9380. */
export const BLS_DST = 'BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_'
const BLS_KEY_SIZE = 96
const BLS_SIGNATURE_SIZE = 48
const { shortSignatures: bls, G2 } = bls12_381
type BlsKey = ReturnType<typeof G2.Point.fromBytes>

/** The key used last: certificates of one subnet are verified under one key, in the subgroup. */
let lastBlsKey: { readonly bytes: Uint8Array; readonly point: BlsKey } | undefined

/** Throws for bytes that are no element of the subgroup, and for the identity. */
function blsKey(bytes: Uint8Array): BlsKey {
  if (lastBlsKey !== undefined && equalBytes(lastBlsKey.bytes, bytes)) return lastBlsKey.point
  const point = G2.Point.fromBytes(bytes)
  point.assertValidity()
  lastBlsKey = { bytes: bytes.slice(), point }
  return point
}

/**
 * BLS signature (48 bytes, compressed G1) under a key in G2 (96 bytes, compressed); the message is
 * hashed to G1. Both points must lie in the subgroup and not be the identity. Total.
 */
export function verifyBls(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== BLS_KEY_SIZE || signature.length !== BLS_SIGNATURE_SIZE) return false
  return totalCheck(() => bls.verify(signature, bls.hash(message, BLS_DST), blsKey(publicKey)))
}

/**
 * Signs and verifies for nodes and users; the host hands in a faster one (performance specification
 * R13).
 */
export interface Ed25519 {
  /** Public key (32 bytes) of a secret key (32 bytes, RFC 8032). */
  publicKey(secretKey: Uint8Array): Uint8Array
  sign(secretKey: Uint8Array, message: Uint8Array): Uint8Array
  /** Total: false for anything malformed. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
}

/** The pure implementation, for the core's own tests. */
export const nobleEd25519: Ed25519 = {
  publicKey: (secretKey) => ed25519.getPublicKey(secretKey),
  sign: (secretKey, message) => ed25519.sign(message, secretKey),
  verify: (publicKey, message, signature) =>
    totalCheck(() => ed25519.verify(signature, message, publicKey, { zip215: false })),
}
