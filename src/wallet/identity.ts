/**
 * A user's signing key as an IC identity: Ed25519, principal of its DER key. Source: IC interface
 * §§3, 4.
 */
import { concat, utf8 } from '../core/base/bytes.ts'
import { sha256 } from '../core/base/hash.ts'
import { nobleEd25519 } from '../core/base/verification.ts'
import type { Identity } from '../core/ic/envelope.ts'
import type { Principal } from '../core/ic/principal.ts'
import { selfAuthenticating } from '../core/ic/principal.ts'
import { encodePublicKey } from '../core/ic/public-key.ts'

export type User = Identity & { readonly principal: Principal }

/** `secret`: 32 bytes (RFC 8032). */
export function userOfSecret(secret: Uint8Array): User {
  const publicKeyDer = encodePublicKey({ type: 'ed25519', key: nobleEd25519.publicKey(secret) })
  return {
    publicKeyDer,
    sign: (message) => nobleEd25519.sign(secret, message),
    principal: selfAuthenticating(publicKeyDer),
  }
}

/**
 * `dev0` … `dev4`: accounts of every local subnet, whose secrets are public. Worthless anywhere else, and refused there.
 */
export function devUser(index: number): User {
  return userOfSecret(sha256(concat(utf8('ckbtc development key '), utf8(String(index)))))
}
