/**
 * Goal: what anybody can compute of a threshold key is right for each algorithm. Method: threshold
 * specification §§13 to 15; the wallet vectors of BIP341; signatures of @noble/curves, each part of a
 * claim changed in turn.
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { describe, expect, test } from 'vitest'
import { concat, fromHex, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { deriveEd25519Key, derivePublicKey, masterKey } from '../../../src/core/base/derivation.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import type { KeyScheme, SignatureClaim } from '../../../src/core/base/key-scheme.ts'
import {
  deriveKey,
  KEY_SCHEMES,
  publicKeySize,
  taprootOutputKey,
  verifySigned,
} from '../../../src/core/base/key-scheme.ts'
import { vectorJson } from '../../support/vectors.ts'

const SECRET = new Uint8Array(32).fill(7)
const message = new Uint8Array(32).fill(3)
const sec1 = secp256k1.getPublicKey(SECRET, true)
const keyOf: Readonly<Record<KeyScheme, Uint8Array>> = {
  ecdsa: sec1,
  bip340: sec1,
  ed25519: ed25519.getPublicKey(SECRET),
}
const signed: Readonly<Record<KeyScheme, Uint8Array>> = {
  ecdsa: secp256k1.sign(message, SECRET, { prehash: false }),
  bip340: schnorr.sign(message, SECRET),
  ed25519: ed25519.sign(message, SECRET),
}
const claimOf = (scheme: KeyScheme): SignatureClaim => ({
  publicKey: keyOf[scheme],
  message,
  signature: signed[scheme],
  taprootRoot: undefined,
})
const changed = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, i) => (i === at ? byte ^ 4 : byte))

describe.each(KEY_SCHEMES)('%s', (scheme) => {
  test('a good signature is, and none with a byte of it, its key or its message changed', () => {
    const claim = claimOf(scheme)
    expect(claim.publicKey).toHaveLength(publicKeySize(scheme))
    expect(verifySigned(scheme, claim)).toBe(true)
    for (const part of ['publicKey', 'message', 'signature'] as const)
      for (const at of [0, 5, claim[part].length - 1]) {
        // The first byte of a SEC1 key says which of two points with one x: the same to BIP340.
        if (scheme === 'bip340' && part === 'publicKey' && at === 0) continue
        expect(verifySigned(scheme, { ...claim, [part]: changed(claim[part], at) })).toBe(false)
      }
    for (const size of [0, 31, 32, 33, 64, 65])
      if (size !== claim.publicKey.length)
        expect(verifySigned(scheme, { ...claim, publicKey: new Uint8Array(size) })).toBe(false)
  })

  test('the signatures of the other algorithms are none of it', () => {
    for (const other of KEY_SCHEMES)
      if (other !== scheme)
        expect(verifySigned(scheme, { ...claimOf(other), publicKey: keyOf[scheme] })).toBe(false)
  })

  test('keys derive as the algorithm says', () => {
    const from = masterKey(keyOf[scheme])
    const path = ['a', ''].map(utf8)
    const own = scheme === 'ed25519' ? deriveEd25519Key : derivePublicKey
    expect(deriveKey(scheme, from, path)).toEqual(own(from, path))
  })
})

describe('a taproot root', () => {
  test('makes another key, under which alone its signatures count', () => {
    for (const taprootRoot of [new Uint8Array(), new Uint8Array(32).fill(9)]) {
      const xOnly = sec1.slice(1)
      const tweak = schnorr.utils.taggedHash('TapTweak', xOnly, taprootRoot)
      const { Fn } = secp256k1.Point
      const own = Fn.fromBytes(SECRET)
      const even = sec1[0] === 2 ? own : Fn.neg(own)
      const signature = schnorr.sign(message, Fn.toBytes(Fn.add(even, Fn.fromBytes(tweak))))
      const claim = { publicKey: sec1, message, signature, taprootRoot }
      expect(verifySigned('bip340', claim)).toBe(true)
      expect(verifySigned('bip340', { ...claim, taprootRoot: undefined })).toBe(false)
      expect(verifySigned('bip340', { ...claim, taprootRoot: new Uint8Array(32) })).toBe(false)
    }
  })

  test.each([1, 31, 33])('of %i bytes is none', (size) => {
    const taprootRoot = new Uint8Array(size)
    expect(() => taprootOutputKey(sec1, taprootRoot)).toThrow(BadEncoding)
    expect(verifySigned('bip340', { ...claimOf('bip340'), taprootRoot })).toBe(false)
  })

  test.each(['ecdsa', 'ed25519'] as const)('is nothing that %s knows', (scheme) => {
    const taprootRoot = new Uint8Array()
    expect(verifySigned(scheme, { ...claimOf(scheme), taprootRoot })).toBe(false)
  })

  test('gives the output keys of the wallet vectors of BIP341, whatever the parity', (context) => {
    type Vectors = {
      readonly scriptPubKey: readonly {
        readonly given: { readonly internalPubkey: string }
        readonly intermediary: {
          readonly merkleRoot: string | null
          readonly tweakedPubkey: string
        }
      }[]
    }
    const { scriptPubKey } = vectorJson<Vectors>(context, 'bitcoin-core/bip341_wallet_vectors.json')
    for (const { given, intermediary } of scriptPubKey)
      for (const parity of [2, 3]) {
        const internal = concat(Uint8Array.of(parity), fromHex(given.internalPubkey))
        const output = taprootOutputKey(internal, fromHex(intermediary.merkleRoot ?? ''))
        expect(toHex(output)).toBe(intermediary.tweakedPubkey)
      }
  })

  test('on what is no point is refused', () => {
    expect(() => taprootOutputKey(new Uint8Array(33), new Uint8Array())).toThrow(BadEncoding)
  })
})
