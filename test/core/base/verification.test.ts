/**
 * Goal: plain verification of BIP340 and Ed25519 accepts and refuses what the standards do. Method:
 * the vectors of BIP340, RFC 8032 §7.1, and Wycheproof where present; then changes of every bit
 * position's byte.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { concat, fromHex } from '../../../src/core/base/bytes.ts'
import { ED25519_ORDER } from '../../../src/core/base/noble-ed25519.ts'
import { nobleEd25519, verifyBip340 } from '../../../src/core/base/verification.ts'
import { vectorJson } from '../../support/vectors.ts'

type Row = {
  readonly index: number
  readonly publicKey: string
  readonly message: string
  readonly signature: string
  readonly valid: boolean
  readonly comment: string
}
const bip340Rows: readonly Row[] = JSON.parse(
  readFileSync(new URL('../../vectors/bip340/test-vectors.json', import.meta.url), 'utf8'),
)

/** RFC 8032 §7.1, tests 1 to 3. */
const rfc8032 = [
  {
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
]

type Wycheproof = {
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk: string }
    readonly tests: readonly {
      readonly tcId: number
      readonly msg: string
      readonly sig: string
      readonly result: 'valid' | 'invalid' | 'acceptable'
    }[]
  }[]
}

const addOrder = (scalar: Uint8Array): Uint8Array => {
  const value = BigInt(`0x${Buffer.from(scalar).reverse().toString('hex')}`) + ED25519_ORDER
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse()
}

/** Each byte of key, message and signature changed in turn. */
function* corruptions(parts: readonly Uint8Array[]): Generator<readonly Uint8Array[]> {
  for (const [which, part] of parts.entries())
    for (let at = 0; at < part.length; at++)
      yield parts.map((bytes, i) =>
        i === which ? bytes.map((byte, k) => (k === at ? byte ^ 1 : byte)) : bytes,
      )
}

describe('BIP340', () => {
  test.each(bip340Rows)('vector $index, $valid: $comment', (row) => {
    const { publicKey, message, signature } = row
    const found = verifyBip340(fromHex(publicKey), fromHex(message), fromHex(signature))
    expect(found).toBe(row.valid)
  })

  test('a change of any byte, a prefix or a longer form is refused', () => {
    const { publicKey, message, signature } = bip340Rows[1] ?? { publicKey: '' }
    const parts = [publicKey, message ?? '', signature ?? ''].map(fromHex)
    const [key = fromHex(''), text = fromHex(''), good = fromHex('')] = parts
    expect(verifyBip340(key, text, good)).toBe(true)
    for (const [k, m, s] of corruptions(parts))
      expect(verifyBip340(k ?? key, m ?? text, s ?? good)).toBe(false)
    for (const size of [0, 1, 32, 63])
      expect(verifyBip340(key, text, good.subarray(0, size))).toBe(false)
    expect(verifyBip340(key, text, concat(good, Uint8Array.of(0)))).toBe(false)
    expect(verifyBip340(concat(Uint8Array.of(2), key), text, good)).toBe(false)
  })
})

describe('Ed25519', () => {
  test.each(rfc8032)('RFC 8032, message "$message"', ({ publicKey, message, signature }) => {
    const parts = [publicKey, message, signature].map(fromHex)
    const [key = fromHex(''), text = fromHex(''), good = fromHex('')] = parts
    expect(nobleEd25519.verify(key, text, good)).toBe(true)
    for (const [k, m, s] of corruptions(parts))
      expect(nobleEd25519.verify(k ?? key, m ?? text, s ?? good)).toBe(false)
    for (const size of [0, 1, 32, 63])
      expect(nobleEd25519.verify(key, text, good.subarray(0, size))).toBe(false)
    expect(nobleEd25519.verify(key, text, concat(good, Uint8Array.of(0)))).toBe(false)
  })

  test('s + L is refused', () => {
    for (const { publicKey, message, signature } of rfc8032) {
      const bytes = fromHex(signature)
      const malleated = concat(bytes.subarray(0, 32), addOrder(bytes.subarray(32)))
      expect(nobleEd25519.verify(fromHex(publicKey), fromHex(message), malleated)).toBe(false)
    }
  })

  test('every row of Wycheproof', (context) => {
    const { testGroups } = vectorJson<Wycheproof>(context, 'wycheproof/ed25519_test.json')
    for (const { publicKey, tests } of testGroups)
      for (const { tcId, msg, sig, result } of tests) {
        const found = nobleEd25519.verify(fromHex(publicKey.pk), fromHex(msg), fromHex(sig))
        expect([tcId, found]).toEqual([tcId, result === 'valid'])
      }
  })
})
