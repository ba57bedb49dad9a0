import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bigEndian, concat, fromHex, toHex } from '../../../../src/core/base/bytes.ts'
import { attempt, BadEncoding } from '../../../../src/core/base/errors.ts'
import { compactOfLaxDer } from '../../../../src/core/btc/regtest/lax-der.ts'
import { compactOfDer, derOfCompact } from '../../../../src/core/btc/signature.ts'

const compact = (r: bigint, s: bigint): string => toHex(concat(bigEndian(r, 32), bigEndian(s, 32)))
const read = (hex: string): string | undefined => {
  const found = compactOfLaxDer(fromHex(hex))
  return found && toHex(found)
}

describe('the encoding from before BIP66', () => {
  test.each([
    ['strict DER', '3006020101020102'],
    ['a wrong length of the sequence', '307f020101020102'],
    ['a length of the sequence in two bytes', '308106020101020102'],
    ['a length of the sequence in five bytes', '30840000ffff020101020102'],
    ['bytes after s', '3006020101020102deadbeef'],
    ['zeros before r', '3008020300000102010200'],
    ['a long form of the length of r', '300702810101020102'],
    ['zeros in the length of s', '300902010102840000000102'],
    ['a hundred zeros before s', `306a0201010265${'00'.repeat(100)}02`],
  ])('takes %s', (_, hex) => {
    expect(read(hex)).toBe(compact(1n, 2n))
  })

  test('takes numbers without sign, and numbers of no bytes as zero', () => {
    expect(read('30060201ff020180')).toBe(compact(0xffn, 0x80n))
    expect(read('300402000200')).toBe(compact(0n, 0n))
  })

  test.each([
    ['no bytes', ''],
    ['a wrong sequence tag', '3106020101020102'],
    ['no length', '30'],
    ['a length of the sequence that is cut short', '3082ff'],
    ['no r', '3000'],
    ['a wrong tag of r', '3006030101020102'],
    ['r without length', '300102'],
    ['r that reaches past the end', '3006020901020102'],
    ['no s', '3003020101'],
    ['a wrong tag of s', '3006020101030102'],
    ['s that reaches past the end', '3006020101020302'],
    ['a length in four bytes', '300b02840100000001020102'],
    ['a length of r cut short', '30030285'],
    ['r of 33 bytes', `3026022101${'00'.repeat(32)}020102`],
    ['s of 33 bytes', `3026020101022101${'00'.repeat(32)}`],
  ])('refuses %s', (_, hex) => {
    expect(read(hex)).toBe(undefined)
  })

  test('reads what strict DER says, and every prefix of it as nothing', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 256n - 1n), fc.bigInt(1n, 2n ** 256n - 1n), (r, s) => {
        const der = derOfCompact(fromHex(compact(r, s)))
        expect(read(toHex(der))).toBe(compact(r, s))
        for (let size = 0; size < der.length; size++)
          expect(compactOfLaxDer(der.subarray(0, size))).toBe(undefined)
      }),
    )
  })

  test('is wider than strict DER, for any bytes, and never throws', () => {
    const byte = fc.oneof(fc.constantFrom(0, 1, 2, 0x30, 0x80, 0x81, 0x84), fc.nat(255))
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 80 }), (list) => {
        const bytes = Uint8Array.from([0x30, ...list])
        const strict = attempt(() => compactOfDer(bytes))
        const lax = compactOfLaxDer(bytes)
        if (!(strict instanceof BadEncoding)) expect(lax).toEqual(strict)
        expect(lax === undefined || lax.length === 64).toBe(true)
      }),
    )
  })
})
