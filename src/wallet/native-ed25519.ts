/**
 * Keys of RFC 8032 by node:crypto: a command that signs once does not wait for the tables that pure
 * JavaScript builds first. DER of RFC 8410.
 */
import type { KeyObject } from 'node:crypto'
import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { concat, fromHex } from '../core/base/bytes.ts'

const SECRET_PREFIX = fromHex('302e020100300506032b657004220420')
const PUBLIC_SIZE = 32

/** By the array that holds the secret, so that a parsed key goes when its owner does. */
const parsed = new WeakMap<Uint8Array, KeyObject>()

function keyOf(secret: Uint8Array): KeyObject {
  const known = parsed.get(secret)
  if (known !== undefined) return known
  const der = Buffer.from(concat(SECRET_PREFIX, secret))
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  parsed.set(secret, key)
  return key
}

export const nativeEd25519 = {
  /** Raw, 32 bytes. `secret`: 32 bytes. */
  publicKey: (secret: Uint8Array): Uint8Array =>
    new Uint8Array(
      createPublicKey(keyOf(secret)).export({ format: 'der', type: 'spki' }).subarray(-PUBLIC_SIZE),
    ),
  /** Raw, 64 bytes. */
  sign: (secret: Uint8Array, message: Uint8Array): Uint8Array =>
    new Uint8Array(sign(null, message, keyOf(secret))),
} as const
