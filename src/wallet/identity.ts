/**
 * A user's signing key as an IC identity: three schemes, and the principal of the DER key. Source:
 * IC interface §§3, 4.
 */
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concat, utf8 } from '../core/base/bytes.ts'
import { BadEncoding } from '../core/base/errors.ts'
import { sha256 } from '../core/base/hash.ts'
import type { Identity } from '../core/ic/envelope.ts'
import type { Principal } from '../core/ic/principal.ts'
import { selfAuthenticating, textOfPrincipal } from '../core/ic/principal.ts'
import { encodePublicKey } from '../core/ic/public-key.ts'
import { nativeEd25519 } from '../native/ed25519.ts'

export type User = Identity & { readonly principal: Principal }

export const keyCurves = ['secp256k1', 'ed25519', 'p256'] as const
export type KeyCurve = (typeof keyCurves)[number]

export const SECRET_SIZE = 32

type Scheme = {
  readonly isSecret: (secret: Uint8Array) => boolean
  /** As the DER form holds it: points uncompressed. */
  readonly publicKey: (secret: Uint8Array) => Uint8Array
  /** Raw, 64 bytes; ECDSA signs the SHA-256 of the message, with low s and the nonce of RFC 6979. */
  readonly sign: (secret: Uint8Array, message: Uint8Array) => Uint8Array
}

const schemes: Readonly<Record<KeyCurve, Scheme>> = {
  secp256k1: {
    isSecret: (secret) => secp256k1.utils.isValidSecretKey(secret),
    publicKey: (secret) => secp256k1.getPublicKey(secret, false),
    sign: (secret, message) => secp256k1.sign(message, secret),
  },
  ed25519: {
    isSecret: (secret) => secret.length === SECRET_SIZE,
    publicKey: (secret) => nativeEd25519.publicKey(secret),
    sign: (secret, message) => nativeEd25519.sign(secret, message),
  },
  p256: {
    isSecret: (secret) => p256.utils.isValidSecretKey(secret),
    publicKey: (secret) => p256.getPublicKey(secret, false),
    sign: (secret, message) => p256.sign(message, secret, { lowS: true }),
  },
}

/** A key that signs. The secret leaves it through `reveal` alone, for files and exports. */
export class SecretKey implements User {
  readonly curve: KeyCurve
  readonly publicKeyDer: Uint8Array
  readonly principal: Principal
  readonly sign: (message: Uint8Array) => Uint8Array
  readonly #secret: Uint8Array

  /** `secret`: 32 bytes; what is no secret of the curve is `BadEncoding`. */
  constructor(curve: KeyCurve, secret: Uint8Array) {
    const scheme = schemes[curve]
    if (secret.length !== SECRET_SIZE || !scheme.isSecret(secret))
      throw new BadEncoding(`not a secret key of ${curve}`)
    this.#secret = secret.slice()
    this.curve = curve
    this.publicKeyDer = encodePublicKey({ type: curve, key: scheme.publicKey(this.#secret) })
    this.principal = selfAuthenticating(this.publicKeyDer)
    this.sign = (message) => scheme.sign(this.#secret, message)
  }

  /** A copy of the 32 bytes. */
  reveal(): Uint8Array {
    return this.#secret.slice()
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]'
  }
}

/** An Ed25519 key. `secret`: 32 bytes (RFC 8032). */
export const userOfSecret = (secret: Uint8Array): SecretKey => new SecretKey('ed25519', secret)

export const DEV_USERS = 5

/**
 * `dev0` … `dev4`: accounts of every local subnet, whose secrets are public. Worthless anywhere else, and refused there.
 */
export function devUser(index: number): SecretKey {
  return userOfSecret(sha256(concat(utf8('ckbtc development key '), utf8(String(index)))))
}

/** Those accounts by name, with their principals as text. */
export const devAccounts = (): readonly { readonly name: string; readonly principal: string }[] =>
  Array.from({ length: DEV_USERS }, (_, index) => ({
    name: `dev${index}`,
    principal: textOfPrincipal(devUser(index).principal),
  }))
