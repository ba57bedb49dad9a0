/**
 * The algorithms whose threshold keys sign requests, and what anybody can compute of them: derived
 * keys, taproot output keys, verification. Source: threshold specification §§13 to 15, 19; BIP341.
 */
import { concat, fromBigEndian } from './bytes.ts'
import type { DerivedKey, ExtendedKey } from './derivation.ts'
import { deriveEd25519Key, derivePublicKey } from './derivation.ts'
import { attempt, BadEncoding } from './errors.ts'
import { decodeNonZero, encodePoint } from './group.ts'
import { taggedHash } from './hash.ts'
import { secp256k1 } from './noble-secp256k1.ts'
import { nobleEd25519, verifyBip340, verifyEcdsa } from './verification.ts'

export type KeyScheme = 'ecdsa' | 'bip340' | 'ed25519'
export const KEY_SCHEMES: readonly KeyScheme[] = ['ecdsa', 'bip340', 'ed25519']

/** A merkle root, or nothing for a key without scripts. */
const ROOT_SIZES: readonly number[] = [0, 32]
export const isTaprootRoot = (root: Uint8Array): boolean => ROOT_SIZES.includes(root.length)

/** SEC1 compressed for `ecdsa` and `bip340`, RFC 8032 for `ed25519`. */
export const publicKeySize = (scheme: KeyScheme): number => (scheme === 'ed25519' ? 32 : 33)

/** Throws `BadEncoding` for a key that does not decode, and for a path that is too long. */
export const deriveKey = (
  scheme: KeyScheme,
  from: ExtendedKey,
  path: readonly Uint8Array[],
): DerivedKey => (scheme === 'ed25519' ? deriveEd25519Key(from, path) : derivePublicKey(from, path))

/** τ of BIP341 as an integer, which the caller holds against the order. */
export const taprootTweak = (xOnly: Uint8Array, root: Uint8Array): bigint =>
  fromBigEndian(taggedHash('TapTweak', concat(xOnly, root)))

/**
 * The x-only output key (32 bytes) of an internal key (SEC1 compressed) and a root of 0 or 32 bytes.
 * Throws `BadEncoding` for a key that does not decode or a root of another length.
 */
export const taprootOutputKey = (internalKey: Uint8Array, root: Uint8Array): Uint8Array =>
  taprootOutputPoint(internalKey.subarray(1), root).slice(1)

/** The same of an x-only internal key, SEC1 compressed: its first byte is 2 + the parity of y. */
export function taprootOutputPoint(xOnly: Uint8Array, root: Uint8Array): Uint8Array {
  if (!isTaprootRoot(root)) throw new BadEncoding(`a taproot root of ${root.length} bytes`)
  const tweak = taprootTweak(xOnly, root)
  const even = decodeNonZero(secp256k1, concat(Uint8Array.of(2), xOnly))
  const output = secp256k1.add(even, secp256k1.g.multiplyPublic(tweak))
  if (tweak >= secp256k1.order || secp256k1.isZero(output))
    throw new BadEncoding('a taproot tweak that makes no key')
  return encodePoint(secp256k1, output)
}

/** A signature and what it is said to be of. */
export type SignatureClaim = {
  /** As `publicKeySize` says; of BIP340 the untweaked key, SEC1 compressed. */
  readonly publicKey: Uint8Array
  /** Of `ecdsa` the hash, 32 bytes. */
  readonly message: Uint8Array
  readonly signature: Uint8Array
  /** For `bip340` alone. */
  readonly taprootRoot: Uint8Array | undefined
}

/** Plain verification, which knows nothing of thresholds. Total. */
export function verifySigned(
  scheme: KeyScheme,
  { publicKey, message, signature, taprootRoot }: SignatureClaim,
): boolean {
  if (taprootRoot !== undefined && scheme !== 'bip340') return false
  switch (scheme) {
    case 'ecdsa':
      return verifyEcdsa({ publicKey, digest: message, signature }, { lowS: false })
    case 'ed25519':
      return nobleEd25519.verify(publicKey, message, signature)
    case 'bip340': {
      const xOnly = bip340Key(publicKey, taprootRoot)
      return xOnly !== undefined && verifyBip340(xOnly, message, signature)
    }
  }
}

function bip340Key(publicKey: Uint8Array, root: Uint8Array | undefined): Uint8Array | undefined {
  if (publicKey.length !== publicKeySize('bip340')) return undefined
  if (root === undefined) return publicKey.slice(1)
  const key = attempt(() => taprootOutputKey(publicKey, root))
  return key instanceof BadEncoding ? undefined : key
}
