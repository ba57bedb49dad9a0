/** Keys and signatures: DER forms of ic-interface §4, each scheme with a table of corruptions. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { describe, expect, it } from 'vitest'
import { bigEndian, concat, fromBigEndian, fromHex, utf8 } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { nobleEd25519 } from '../../../src/core/base/verification.ts'
import {
  decodePublicKey,
  encodePublicKey,
  type KeyType,
  verifyRequestSignature,
} from '../../../src/core/ic/public-key.ts'

const secret = new Uint8Array(32).fill(7)
const message = utf8('message')

const signers: readonly (readonly [KeyType, Uint8Array, Uint8Array, bigint])[] = [
  ['ed25519', ed25519.getPublicKey(secret), ed25519.sign(message, secret), 0n],
  [
    'secp256k1',
    secp256k1.getPublicKey(secret, false),
    secp256k1.sign(message, secret),
    secp256k1.Point.Fn.ORDER,
  ],
  ['p256', p256.getPublicKey(secret, false), p256.sign(message, secret), p256.Point.Fn.ORDER],
]

const verify = (type: KeyType, key: Uint8Array, signed: Uint8Array, signature: Uint8Array) =>
  verifyRequestSignature({ publicKey: { type, key }, message: signed, signature }, nobleEd25519)

describe('public keys', () => {
  it.each(signers)('a %s key reads back, and no other form of it does', (type, key) => {
    const der = encodePublicKey({ type, key })
    expect(decodePublicKey(der)).toEqual({ type, key })
    for (let end = 0; end < der.length; end++)
      expect(() => decodePublicKey(der.slice(0, end))).toThrow(BadEncoding)
    expect(() => decodePublicKey(concat(der, Uint8Array.of(0)))).toThrow(BadEncoding)
    for (let at = 0; at < der.length - key.length; at++)
      expect(() => decodePublicKey(der.with(at, (der[at] ?? 0) ^ 1)), `${at}`).toThrow(BadEncoding)
  })

  it('lengths of the DER forms are those of the table', () => {
    const sizes = signers.map(([type, key]) => encodePublicKey({ type, key }).length)
    expect(sizes).toEqual([44, 88, 91])
    expect(encodePublicKey({ type: 'bls12381', key: new Uint8Array(96) }).length).toBe(133)
  })

  it('compressed and hybrid points are refused', () => {
    const compressed = secp256k1.getPublicKey(secret, true)
    expect(() => encodePublicKey({ type: 'secp256k1', key: compressed })).toThrow(RangeError)
    const der = fromHex(`3036301006072a8648ce3d020106052b8104000a032200${'02'.padEnd(66, '1')}`)
    expect(() => decodePublicKey(der)).toThrow('unsupported public key type')
    const key = secp256k1.getPublicKey(secret, false)
    const hybrid = encodePublicKey({ type: 'secp256k1', key }).with(23, 6)
    expect(() => decodePublicKey(hybrid)).toThrow('malformed secp256k1 public key')
  })

  it('canister signature and WebAuthn keys are named as unsupported', () => {
    const der = fromHex('301b300c060a2b0601040183b8430102030b000800000000000004d20101')
    expect(() => decodePublicKey(der)).toThrow('unsupported public key type')
  })
})

describe('request signatures', () => {
  it.each(signers)('a %s signature verifies; another message, key or scheme does not', (...row) => {
    const [type, key, signature] = row
    expect(verify(type, key, message, signature)).toBe(true)
    expect(verify(type, key, utf8('massage'), signature)).toBe(false)
    for (const [otherType, otherKey] of signers)
      if (otherType !== type) expect(verify(otherType, otherKey, message, signature)).toBe(false)
    expect(verify(type, key.with(5, (key[5] ?? 0) ^ 1), message, signature)).toBe(false)
  })

  it.each(signers)('a %s signature with any bit changed or another length is false', (...row) => {
    const [type, key, signature] = row
    for (let at = 0; at < 64; at++) {
      const changed = signature.with(at, (signature[at] ?? 0) ^ (1 << (at % 8)))
      expect(verify(type, key, message, changed), `${at}`).toBe(false)
    }
    for (const other of [signature.slice(1), concat(signature, Uint8Array.of(0)), new Uint8Array()])
      expect(verify(type, key, message, other)).toBe(false)
    expect(verify(type, key, message, new Uint8Array(64))).toBe(false)
  })

  it.each(signers.slice(1))('both values of s are good for %s, DER is not', (...row) => {
    const [type, key, signature, order] = row
    const s = fromBigEndian(signature.slice(32))
    const other = concat(signature.slice(0, 32), bigEndian(order - s, 32))
    expect(verify(type, key, message, other)).toBe(true)
    const scheme = type === 'p256' ? p256 : secp256k1
    const der = scheme.sign(message, secret, { format: 'der' })
    expect(verify(type, key, message, der)).toBe(false)
  })

  it('a point off the curve and a BLS key verify nothing', () => {
    const signature = new Uint8Array(64).fill(1)
    const off = new Uint8Array(65).fill(5).with(0, 4)
    expect(verify('secp256k1', off, message, signature)).toBe(false)
    expect(verify('p256', off, message, signature)).toBe(false)
    expect(verify('bls12381', new Uint8Array(96), message, signature)).toBe(false)
  })
})
