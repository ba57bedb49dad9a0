/**
 * Goal: a secret gives one principal, for ever, and signs what a subnet accepts.
 * Method: RFC 8032 §7.1 test 1, IC interface §§3, 4; signatures are verified as a subnet does.
 */
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex, utf8 } from '../../src/core/base/bytes.ts'
import { BadEncoding } from '../../src/core/base/errors.ts'
import { nobleEd25519 } from '../../src/core/base/verification.ts'
import { selfAuthenticating, textOfPrincipal } from '../../src/core/ic/principal.ts'
import { decodePublicKey, verifyRequestSignature } from '../../src/core/ic/public-key.ts'
import {
  DEV_USERS,
  devUser,
  keyCurves,
  SecretKey,
  userOfSecret,
} from '../../src/wallet/identity.ts'
import { devIndexOf, publishedKeyName } from '../../src/wallet/keys/test-keys.ts'

// RFC 8032 §7.1, test 1.
const secret = fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60')
const publicKey = fromHex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')

describe('a user', () => {
  const user = userOfSecret(secret)

  test('has the DER form of its key, and the principal that follows from it', () => {
    expect(toHex(user.publicKeyDer)).toBe(`302a300506032b6570032100${toHex(publicKey)}`)
    expect([user.principal.length, user.principal[28]]).toEqual([29, 2])
    expect(textOfPrincipal(user.principal)).toBe(
      'e73il-iz5tp-nkgt7-idxyw-ngkah-47bpv-qdase-pzde6-g6vwc-a3eql-jae',
    )
  })

  test('signs under that key', () => {
    const message = utf8('message')
    const signature = user.sign(message)
    expect(nobleEd25519.verify(publicKey, message, signature)).toBe(true)
    expect(nobleEd25519.verify(publicKey, utf8('massage'), signature)).toBe(false)
  })
})

describe.each(keyCurves)('a key of %s', (curve) => {
  const key = new SecretKey(curve, secret)

  test('signs requests that a subnet accepts, and only under its own key', () => {
    const message = utf8('message')
    const publicKey = decodePublicKey(key.publicKeyDer)
    const { sign } = key // Works alone: envelopes take it out of the key.
    const signature = sign(message)
    const accepted = (change: { message?: Uint8Array; signature?: Uint8Array }): boolean =>
      verifyRequestSignature({ publicKey, message, signature, ...change }, nobleEd25519)
    expect(publicKey.type).toBe(curve)
    expect(signature).toHaveLength(64)
    expect(accepted({})).toBe(true)
    expect(accepted({ message: utf8('massage') })).toBe(false)
    expect(accepted({ signature: signature.map((byte, i) => (i === 5 ? byte ^ 1 : byte)) })).toBe(
      false,
    )
  })

  test('has the principal of its DER key', () => {
    expect(key.principal).toEqual(selfAuthenticating(key.publicKeyDer))
  })

  test('shows its secret to nobody who does not ask for it', () => {
    const printed = [String(key), JSON.stringify({ key }), inspect({ key }, { showHidden: true })]
    expect(printed).toEqual(['[secret]', '{"key":"[secret]"}', '{ key: [secret] }'])
    expect(key.reveal()).toEqual(secret)
  })

  test('keeps its secret when the bytes it was made of, or given out, are changed', () => {
    const bytes = secret.slice()
    const copy = new SecretKey(curve, bytes)
    bytes.fill(1)
    copy.reveal().fill(1)
    expect(copy.reveal()).toEqual(secret)
  })

  test('is not made of 31 or 33 bytes', () => {
    for (const size of [0, 31, 33])
      expect(() => new SecretKey(curve, new Uint8Array(size).fill(1))).toThrow(BadEncoding)
  })
})

test.each(['secp256k1', 'p256'] as const)('a key of %s lies between 1 and the order', (curve) => {
  for (const byte of [0, 0xff])
    expect(() => new SecretKey(curve, new Uint8Array(32).fill(byte))).toThrow(BadEncoding)
})

describe('the users of every local subnet', () => {
  test('are known as published keys, by name and by principal', () => {
    const names = Array.from({ length: DEV_USERS }, (_, index) =>
      publishedKeyName(devUser(index).principal),
    )
    expect(names).toEqual(['dev0', 'dev1', 'dev2', 'dev3', 'dev4'])
    expect(names.map((name) => devIndexOf(name ?? ''))).toEqual([0, 1, 2, 3, 4])
    expect(['dev5', 'dev', 'dev00', 'xdev0'].map(devIndexOf)).toEqual(Array(4).fill(undefined))
    expect(publishedKeyName(userOfSecret(secret).principal)).toBeUndefined()
  })

  test.each([
    [0, 'noqii-f4ibs-n7asm-ba5gs-2nhe6-zjs6s-i5tcy-gfccv-2eewd-h7h7b-iqe'],
    [1, 'bhfkk-b6xb5-xhmfx-xeil6-xbbov-qj3ol-fhwm4-oztcn-ldgbj-apiu3-4qe'],
    [2, 'xy54z-ijy7t-7ltbn-hzbdv-b7w25-slvfi-67qds-fvh2e-pr5tc-docd5-iqe'],
    [3, '3gz32-jdnkt-3qjhq-dloif-vh5gp-zlmgv-fp7xb-3sui4-zdlmz-ddrje-jqe'],
    [4, 'kjj6p-lgrqm-k6ajg-2lo6h-gqz6l-3nk6b-otugv-zy4cn-v7gvw-y5pjp-zqe'],
  ])('dev%i is always the same', (index, principal) => {
    expect(textOfPrincipal(devUser(index).principal)).toBe(principal)
  })
})
