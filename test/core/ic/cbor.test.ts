/**
 * CBOR: every rule of ic-interface §2 has a row; the memo bytes of minter §5.2; random round trips.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concat, fromHex, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import {
  type Cbor,
  decodeCanonicalCbor,
  decodeCbor,
  encodeCbor,
  encodeTaggedCbor,
} from '../../../src/core/ic/cbor.ts'

const values: fc.Arbitrary<Cbor> = fc.letrec<{ value: Cbor }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.bigInt(0n, 2n ** 64n - 1n),
    fc.nat(300).map(BigInt),
    fc.string({ unit: 'grapheme' }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.array(fc.tuple(fc.string(), tie('value')), { maxLength: 5 }).map((list) => new Map(list)),
  ),
})).value

const written: readonly (readonly [string, Cbor])[] = [
  ['00', 0n],
  ['17', 23n],
  ['1818', 24n],
  ['18ff', 255n],
  ['190100', 256n],
  ['1a00010000', 65_536n],
  ['1b0000000100000000', 2n ** 32n],
  ['1bffffffffffffffff', 2n ** 64n - 1n],
  ['c249010000000000000000', 2n ** 64n],
  ['60', ''],
  ['62c3a9', 'é'],
  ['4101', Uint8Array.of(1)],
  ['80', []],
  ['82f4f5', [false, true]],
  ['f6', null],
  [
    'a261620161610 2'.replace(' ', ''),
    new Map([
      ['b', 1n],
      ['a', 2n],
    ]),
  ],
  // minter §5.2: mint memo Convert and ReimburseWithdrawal, burn memo Convert.
  [
    `82008358 20${'123456789abcdef0'.repeat(4)}001903e8`.replace(' ', ''),
    [0n, [fromHex('123456789abcdef0'.repeat(4)), 0n, 1000n]],
  ],
  ['8203811904d2', [3n, [1234n]]],
  [
    `820083782a${toHex(utf8('bc1q34aq5drpuwy3wgl9lhup9892qp6svr8ldzyy7c'))}1907d000`,
    [0n, ['bc1q34aq5drpuwy3wgl9lhup9892qp6svr8ldzyy7c', 2000n, 0n]],
  ],
]

/** Accepted from others, never written: what it is, bytes, value. */
const lenient: readonly (readonly [string, string, Cbor])[] = [
  ['the self-describing tag', 'd9d9f701', 1n],
  ['a long head', '1b0000000000000001', 1n],
  ['undefined', 'f7', null],
  ['a bignum that fits 64 bits', 'c24101', 1n],
  ['a bignum with leading zeros', 'c24a00000000000000000001', 1n],
  ['an array without length', '9f0102ff', [1n, 2n]],
  ['a map without length', 'bf616101ff', new Map([['a', 1n]])],
  ['a byte string in pieces', '5f41014102ff', Uint8Array.of(1, 2)],
  ['a text in pieces', '7f61616162ff', 'ab'],
]

const refused: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['the tag alone', 'd9d9f7'],
  ['the tag twice', 'd9d9f7d9d9f701'],
  ['the tag inside', '81d9d9f701'],
  ['a negative integer', '20'],
  ['a negative bignum', 'c34101'],
  ['a bignum above 64 bits', 'c249010000000000000000'],
  ['a bignum of text', 'c26101'],
  ['a half float', 'f90000'],
  ['a float', 'fa00000000'],
  ['a double', 'fb0000000000000000'],
  ['another simple value', 'e0'],
  ['a two-byte simple value', 'f8ff'],
  ['another tag', 'c101'],
  ['a reserved head', '1c'],
  ['an integer without length', '1f'],
  ['a tag without length', 'df01'],
  ['a break outside', 'ff'],
  ['a break inside a definite array', '81ff'],
  ['a break in place of a value', 'bf6161ff'],
  ['an integer key', 'a10101'],
  ['a byte key', 'a1416101'],
  ['the same key twice', 'a2616101616102'],
  ['the same key twice, without length', 'bf616101616102ff'],
  ['trailing bytes', '0100'],
  ['a text that is not UTF-8', '61ff'],
  ['a piece of text that is not UTF-8', '7f61c361a9ff'],
  ['a piece of another type', '5f6161ff'],
  ['a piece without length', '5f5f4101ffff'],
  ['2^60 elements', '9b1000000000000000'],
  ['2^60 entries', 'bb1000000000000000'],
  ['2^60 bytes', '5b1000000000000000'],
  ['more entries than bytes', 'a26161'],
]

describe('CBOR', () => {
  it.each(written)('%s is the form of its value', (hex, value) => {
    expect(toHex(encodeCbor(value))).toBe(hex)
    expect(decodeCanonicalCbor(fromHex(hex), { integerBytesMax: 32 })).toEqual(value)
    expect(toHex(encodeTaggedCbor(value))).toBe(`d9d9f7${hex}`)
  })

  it.each(lenient)('%s is accepted, and is not canonical', (_, hex, value) => {
    expect(decodeCbor(fromHex(hex))).toEqual(value)
    expect(() => decodeCanonicalCbor(fromHex(hex))).toThrow(BadEncoding)
  })

  it.each(refused)('%s is refused', (_, hex) => {
    expect(() => decodeCbor(fromHex(hex))).toThrow(BadEncoding)
  })

  it('any value reads back, with the order of its keys', () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = encodeCbor(value)
        expect(decodeCanonicalCbor(bytes)).toEqual(value)
        expect(encodeCbor(decodeCbor(bytes))).toEqual(bytes)
      }),
    )
  })

  it('every prefix and every longer form of a value is refused', () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = encodeTaggedCbor(value)
        for (let end = 0; end < bytes.length; end++)
          expect(() => decodeCbor(bytes.slice(0, end))).toThrow(BadEncoding)
        expect(() => decodeCbor(concat(bytes, Uint8Array.of(0)))).toThrow(BadEncoding)
      }),
      { numRuns: 30 },
    )
  })

  it('random bytes are a value or refused, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeCbor(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(BadEncoding)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('64 levels are read, 65 and 100 000 are refused', () => {
    const nested = (levels: number) => concat(new Uint8Array(levels).fill(0x81), Uint8Array.of(1))
    expect(() => decodeCbor(nested(64))).not.toThrow()
    expect(() => decodeCbor(nested(65))).toThrow('nested deeper than 64')
    expect(() => decodeCbor(nested(100_000))).toThrow(BadEncoding)
    expect(() => decodeCbor(new Uint8Array(100_000).fill(0x9f))).toThrow(BadEncoding)
  })

  it('a count above what the bytes left can hold is refused before any element is read', () => {
    // The element in it would be refused for itself, were it read.
    expect(() => decodeCbor(fromHex('9b1000000000000000c1'))).toThrow('elements announced')
    expect(() => decodeCbor(fromHex('a26161c1'))).toThrow('elements announced')
  })

  it('a million pieces, elements or entries do not overflow anything', () => {
    const pieces = new Uint8Array(1_000_000).fill(0x40)
    expect(decodeCbor(concat(Uint8Array.of(0x5f), pieces, Uint8Array.of(0xff)))).toEqual(
      new Uint8Array(),
    )
    const list = Array.from({ length: 300_000 }, () => 1n)
    expect(decodeCbor(encodeCbor(list))).toEqual(list)
  })

  it('a large integer is read where the caller allows its size', () => {
    const bytes = encodeCbor(2n ** 128n - 1n)
    expect(decodeCbor(bytes, { integerBytesMax: 16 })).toBe(2n ** 128n - 1n)
    expect(() => decodeCbor(bytes, { integerBytesMax: 15 })).toThrow(BadEncoding)
  })
})
