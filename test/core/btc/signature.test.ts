import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bigEndian, concat, fromHex, toHex } from '../../../src/core/base/bytes.ts'
import { BadEncoding, Bug } from '../../../src/core/base/errors.ts'
import { compactOfDer, derOfCompact, isLowS, isStrictDer } from '../../../src/core/btc/signature.ts'

const compact = (r: bigint, s: bigint) => concat(bigEndian(r, 32), bigEndian(s, 32))
const q = secp256k1.Point.Fn.ORDER

describe('minimal DER', () => {
  test.each([
    [1n, 1n, '3006020101020101'],
    [0x80n, 0x7fn, '30070202008002017f'],
    [0n, 0n, '3006020100020100'],
    [2n ** 255n, 1n, `3026022100${'80'.padEnd(64, '0')}020101`],
  ])('r = %s, s = %s', (r, s, hex) => {
    expect(toHex(derOfCompact(compact(r, s)))).toBe(hex)
  })

  test('the longest has 72 bytes', () => {
    expect(derOfCompact(compact(q - 1n, q - 1n)).length).toBe(72)
  })

  test('it is what the audited library writes, and reads back', () => {
    const scalar = fc.bigInt(1n, q - 1n)
    const small = fc.bigInt(1n, 2n ** 64n)
    fc.assert(
      fc.property(fc.oneof(scalar, small), fc.oneof(scalar, small), (r, s) => {
        const der = derOfCompact(compact(r, s))
        expect(toHex(der)).toBe(new secp256k1.Signature(r, s).toHex('der'))
        expect(isStrictDer(der)).toBe(true)
        expect(compactOfDer(der)).toEqual(compact(r, s))
      }),
    )
  })

  test('only 64 bytes are a signature', () => {
    expect(() => derOfCompact(new Uint8Array(63))).toThrow(Bug)
  })
})

describe('strict DER (BIP66)', () => {
  // r and s with a byte that needs its leading zero, so that every rule has something to break.
  const good = fromHex('3008020200ff020200fe')

  test('the example is strict', () => {
    expect(isStrictDer(good)).toBe(true)
    expect(toHex(compactOfDer(good))).toBe(toHex(compact(0xffn, 0xfen)))
  })

  test.each([
    ['a wrong sequence tag', '3108020200ff020200fe'],
    ['a total too small', '3007020200ff020200fe'],
    ['a total too large', '3009020200ff020200fe'],
    ['a wrong tag of r', '3008030200ff020200fe'],
    ['a wrong tag of s', '3008020200ff030200fe'],
    ['r of no bytes', '30060200020200fe'],
    ['s of no bytes', '3006020200ff0200'],
    ['r that reaches past the end', '3008027f00ff020200fe'],
    ['s that is longer than what is left', '3008020200ff020300fe'],
    ['s that is shorter than what is left', '3008020200ff020100fe'],
    ['a negative r', '30070201ff020200fe'],
    ['a negative s', '3007020200ff0201fe'],
    ['a needless zero before r', '30080202007f020200fe'],
    ['a needless zero before s', '3008020200ff0202007e'],
    ['less than eight bytes', '3005020101020a'],
    ['a long-form length', '308108020200ff020200fe'],
    ['more than 72 bytes', `3047022200${'ff'.repeat(33)}022100${'ff'.repeat(32)}`],
  ])('%s is refused', (_, hex) => {
    expect(isStrictDer(fromHex(hex))).toBe(false)
    expect(() => compactOfDer(fromHex(hex))).toThrow(BadEncoding)
  })

  test('every prefix, and trailing bytes, are refused', () => {
    for (let size = 0; size < good.length; size++)
      expect(isStrictDer(good.subarray(0, size))).toBe(false)
    expect(isStrictDer(concat(good, Uint8Array.of(1)))).toBe(false)
  })

  test('strict numbers of more than 32 bytes are no scalars', () => {
    const long = fromHex(`302602217f${'ff'.repeat(32)}020101`)
    expect(isStrictDer(long)).toBe(true)
    expect(() => compactOfDer(long)).toThrow(BadEncoding)
  })

  test('arbitrary bytes never throw anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(typeof isStrictDer(bytes)).toBe('boolean')
      }),
    )
  })
})

test('low s is at most half the order', () => {
  expect(isLowS(compact(1n, q >> 1n))).toBe(true)
  expect(isLowS(compact(1n, (q >> 1n) + 1n))).toBe(false)
})
