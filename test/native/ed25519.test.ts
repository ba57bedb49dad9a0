/** Ed25519 of the host against RFC 8032 §7.1 and against the pure implementation of the core. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { fromHex } from '../../src/core/base/bytes.ts'
import { nobleEd25519 } from '../../src/core/base/verification.ts'
import { nativeEd25519 } from '../../src/native/ed25519.ts'

/** RFC 8032 §7.1, tests 1 to 3: secret key, public key, message, signature. */
const vectors = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
].map((row) => row.map((text) => fromHex(text)))

describe.each(vectors)('RFC 8032, secret key %#', (secretKey, publicKey, message, signature) => {
  it('gives the public key and the signature', () => {
    expect(nativeEd25519.publicKey(secretKey)).toEqual(publicKey)
    expect(nativeEd25519.sign(secretKey, message)).toEqual(signature)
    expect(nativeEd25519.verify(publicKey, message, signature)).toBe(true)
  })
})

const seedOf = (name: string): Uint8Array =>
  new Uint8Array(createHash('sha256').update(name).digest())

it('keys and signatures are those of the pure implementation', () => {
  for (let index = 0; index < 10; index++) {
    const secretKey = seedOf(`key ${index}`)
    const message = seedOf(`message ${index}`).slice(0, 3 * index)
    const publicKey = nativeEd25519.publicKey(secretKey)
    const signature = nativeEd25519.sign(secretKey, message)
    expect(publicKey).toEqual(nobleEd25519.publicKey(secretKey))
    expect(signature).toEqual(nobleEd25519.sign(secretKey, message))
    expect(nobleEd25519.verify(publicKey, message, signature)).toBe(true)
  }
})

describe('a signature is refused', () => {
  const secretKey = seedOf('signer')
  const message = seedOf('message')
  const publicKey = nativeEd25519.publicKey(secretKey)
  const signature = nativeEd25519.sign(secretKey, message)
  const flipped = (bytes: Uint8Array, at: number): Uint8Array =>
    bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))
  /** The order of the group, little-endian: s + ℓ signs the same and must not be taken. */
  const order = fromHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')
  const addOrder = (scalar: Uint8Array): Uint8Array => {
    let carry = 0
    return scalar.map((byte, index) => {
      carry += byte + (order[index] ?? 0)
      const digit = carry & 0xff
      carry >>= 8
      return digit
    })
  }
  const malleated = Uint8Array.of(...signature.slice(0, 32), ...addOrder(signature.slice(32)))

  const corruptions: readonly (readonly [string, Uint8Array, Uint8Array, Uint8Array])[] = [
    ['for another message', publicKey, flipped(message, 0), signature],
    ['for a message cut short', publicKey, message.slice(0, -1), signature],
    ['with another R', publicKey, message, flipped(signature, 0)],
    ['with another s', publicKey, message, flipped(signature, 32)],
    ['with s beyond the order of the group', publicKey, message, malleated],
    ['of 63 bytes', publicKey, message, signature.slice(0, -1)],
    ['of 65 bytes', publicKey, message, Uint8Array.of(...signature, 0)],
    ['that is empty', publicKey, message, new Uint8Array()],
    ['under another key', nativeEd25519.publicKey(seedOf('other')), message, signature],
    ['under a key of 31 bytes', publicKey.slice(0, -1), message, signature],
    ['under a key of 33 bytes', Uint8Array.of(...publicKey, 0), message, signature],
    ['under an empty key', new Uint8Array(), message, signature],
    // y = 2 is on no point of the curve, y = 2^255 − 1 is no number below p.
    ['under a key that is no point', Uint8Array.of(2, ...new Uint8Array(31)), message, signature],
    ['under a key beyond the field', new Uint8Array(32).fill(0xff), message, signature],
  ]

  it.each(corruptions)('%s', (_, key, text, bytes) => {
    expect(nativeEd25519.verify(key, text, bytes)).toBe(false)
    expect(nobleEd25519.verify(key, text, bytes)).toBe(false)
  })

  it('and taken as it was made, so the table above can fail', () => {
    expect(nativeEd25519.verify(publicKey, message, signature)).toBe(true)
  })
})

it('more keys than are kept parsed change no verdict', () => {
  const message = seedOf('message')
  const secretKey = seedOf('first')
  const publicKey = nativeEd25519.publicKey(secretKey)
  const signature = nativeEd25519.sign(secretKey, message)
  expect(nativeEd25519.verify(publicKey, message, signature)).toBe(true)
  for (let index = 0; index <= 10_000; index++)
    nativeEd25519.verify(nativeEd25519.publicKey(seedOf(`${index}`)), message, signature)
  expect(nativeEd25519.verify(publicKey, message, signature)).toBe(true)
  expect(nativeEd25519.verify(publicKey, seedOf('other'), signature)).toBe(false)
})
