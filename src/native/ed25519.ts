/**
 * Ed25519 by node:crypto, ten times the speed of pure JavaScript. Raw keys (RFC 8032) wrapped as
 * DER (RFC 8410).
 */
import type { KeyObject } from 'node:crypto'
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { concat, fromHex, toHex } from '../core/base/bytes.ts'
import type { Ed25519 } from '../core/base/verification.ts'

const PUBLIC_PREFIX = fromHex('302a300506032b6570032100')
const SECRET_PREFIX = fromHex('302e020100300506032b657004220420')
const PUBLIC_SIZE = 32
/** Parsed keys of nodes and senders that are kept (IC interface §25); the oldest is let go. */
const KEYS_MAX = 10_000

const publicKeys = new Map<string, KeyObject>()

function publicKeyObject(raw: Uint8Array): KeyObject {
  const name = toHex(raw)
  const known = publicKeys.get(name)
  if (known !== undefined) return known
  const der = Buffer.from(concat(PUBLIC_PREFIX, raw))
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
  const [oldest] = publicKeys.keys()
  if (publicKeys.size >= KEYS_MAX && oldest !== undefined) publicKeys.delete(oldest)
  publicKeys.set(name, key)
  return key
}

/**
 * By the array that holds the secret, so a parsed key goes when its owner lets go. Owners never
 * write to it.
 */
const secretKeys = new WeakMap<Uint8Array, KeyObject>()

function secretKeyObject(raw: Uint8Array): KeyObject {
  const known = secretKeys.get(raw)
  if (known !== undefined) return known
  const der = Buffer.from(concat(SECRET_PREFIX, raw))
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  secretKeys.set(raw, key)
  return key
}

export const nativeEd25519: Ed25519 = {
  publicKey: (secretKey) =>
    new Uint8Array(
      createPublicKey(secretKeyObject(secretKey))
        .export({ format: 'der', type: 'spki' })
        .subarray(PUBLIC_PREFIX.length),
    ),
  sign: (secretKey, message) => new Uint8Array(sign(null, message, secretKeyObject(secretKey))),
  verify: (publicKey, message, signature) => {
    if (publicKey.length !== PUBLIC_SIZE) return false
    try {
      return verify(null, message, publicKeyObject(publicKey), signature)
    } catch {
      return false // A key that is no point of the curve.
    }
  },
}
