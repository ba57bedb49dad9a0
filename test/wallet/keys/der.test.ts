/**
 * Goal: one reading for every DER, and none for anything else.
 * Method: ITU-T X.690 §§8, 10: forms that BER allows and DER does not, one by one; what the writer
 * writes, the reader reads.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, fromHex, toHex } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import {
  bytesOfBits,
  DerReader,
  der,
  derInteger,
  readDer,
  tags,
} from '../../../src/wallet/keys/der.ts'

const reader = (hex: string): DerReader => new DerReader(fromHex(hex))

describe('an element', () => {
  test.each([
    ['a length in more bytes than needed', '048101aa'],
    ['a length of two bytes for one', `048200${'ff'}${'aa'.repeat(255)}`],
    ['an indefinite length', '0480aa0000'],
    ['a length of three bytes', `0483010000${'aa'.repeat(16)}`],
    ['fewer contents than announced', '0402aa'],
    ['no length', '04'],
    ['half a length', '0482ff'],
    ['nothing', ''],
    ['another tag', '0401aa'.replace('04', '05')],
  ])('with %s is refused', (_, hex) => {
    expect(() => reader(hex).take(tags.octetString)).toThrow(BadEncoding)
  })

  test('of any size below 64 KiB is read as it was written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), (contents) => {
        const read = new DerReader(der(tags.octetString, contents))
        expect(read.take(tags.octetString)).toEqual(contents)
        read.end()
      }),
    )
    for (const size of [0x7f, 0x80, 0xff, 0x100, 65_535])
      expect(
        new DerReader(der(tags.octetString, new Uint8Array(size))).take(tags.octetString),
      ).toHaveLength(size)
    expect(() => der(tags.octetString, new Uint8Array(65_536))).toThrow(RangeError)
  })

  test('that is everything has nothing behind it, outside or inside', () => {
    const good = der(tags.sequence, derInteger(1))
    const integer = (inside: DerReader): number => inside.integer()
    expect(readDer(good, tags.sequence, integer)).toBe(1)
    const behind = concat(good, Uint8Array.of(0))
    expect(() => readDer(behind, tags.sequence, integer)).toThrow(BadEncoding)
    const inside = der(tags.sequence, derInteger(1), derInteger(2))
    expect(() => readDer(inside, tags.sequence, integer)).toThrow(BadEncoding)
  })
})

describe('an integer', () => {
  test('from 0 to 2^31 - 1 has one form', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (value) => {
        expect(new DerReader(derInteger(value)).integer()).toBe(value)
      }),
    )
    expect([0, 127, 128, 255, 256, 131_072].map((n) => toHex(derInteger(n)))).toEqual([
      '020100',
      '02017f',
      '02020080',
      '020200ff',
      '02020100',
      '0203020000',
    ])
  })

  test.each([
    ['no contents', '0200'],
    ['a minus sign', '0201ff'],
    ['a zero in front', '02020001'],
    ['five bytes', '02050100000000'],
    ['the sign bit of four bytes', '020480000000'],
  ])('with %s is refused', (_, hex) => {
    expect(() => reader(hex).integer()).toThrow(BadEncoding)
  })
})

test('a bit string holds whole bytes', () => {
  expect(bytesOfBits(Uint8Array.of(0, 1, 2))).toEqual(Uint8Array.of(1, 2))
  for (const contents of [Uint8Array.of(), Uint8Array.of(1, 2), Uint8Array.of(8, 0)])
    expect(() => bytesOfBits(contents)).toThrow(BadEncoding)
})
