import { describe, expect, test } from 'vitest'
import { bigEndian, concat } from '../../../../src/core/base/bytes.ts'
import {
  compactSignature,
  hasLowS,
  isDefinedHashType,
  isPlainKey,
  isStrictSignature,
  withoutHybrid,
} from '../../../../src/core/btc/regtest/signature-encoding.ts'
import { derOfCompact } from '../../../../src/core/btc/signature.ts'

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const signatureOf = (r: bigint, s: bigint): Uint8Array =>
  concat(derOfCompact(concat(bigEndian(r, 32), bigEndian(s, 32))), Uint8Array.of(1))

describe('a strict signature', () => {
  test.each([
    ['a low s', 1n, ORDER >> 1n, true],
    ['a high s', 1n, (ORDER >> 1n) + 1n, false],
    ['the highest s', 1n, ORDER - 1n, false],
    // Such numbers are no signature; Core reads them as zeros, and they fail later.
    ['s at the order', 1n, ORDER, true],
    ['a high s beside r at the order', ORDER, ORDER - 1n, true],
  ])('with %s', (_, r, s, isLow) => {
    const signature = signatureOf(r, s)
    expect(isStrictSignature(signature)).toBe(true)
    expect(hasLowS(signature)).toBe(isLow)
    expect(compactSignature(signature) === undefined).toBe(r >= ORDER || s >= ORDER)
  })
})

test('hash types are ALL, NONE and SINGLE, each with and without ANYONECANPAY', () => {
  const defined = Array.from({ length: 256 }, (_, type) => type).filter(isDefinedHashType)
  expect(defined).toEqual([1, 2, 3, 0x81, 0x82, 0x83])
})

test('a hybrid key is rewritten where it states the parity of its y', () => {
  const keyOf = (first: number, last: number): Uint8Array =>
    Uint8Array.from({ length: 65 }, (_, i) => (i === 0 ? first : i === 64 ? last : 0))
  expect(withoutHybrid(keyOf(6, 2))).toEqual(keyOf(4, 2))
  expect(withoutHybrid(keyOf(7, 3))).toEqual(keyOf(4, 3))
  expect(withoutHybrid(keyOf(6, 3))).toEqual(keyOf(6, 3))
  expect(withoutHybrid(keyOf(7, 2))).toEqual(keyOf(7, 2))
  expect([2, 3, 4, 6, 7].map((first) => isPlainKey(keyOf(first, 0)))).toEqual([
    false,
    false,
    true,
    false,
    false,
  ])
})
