/**
 * Goal: amounts of others are read to the satoshi, in every form that JSON writers have, and nothing
 * that is none is taken for one. Method: bitcoin.md §1.2; round trips; random bytes.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { text } from '../../../src/core/base/json.ts'
import {
  bitcoinAmount,
  displayHash,
  fields,
  longHex,
  maybe,
  parseAnswer,
  satoshis,
} from '../../../src/wallet/sources/loose-json.ts'

const inBitcoin = fields({ value: bitcoinAmount })
const inSatoshis = fields({ value: satoshis })
const read = (body: string) => parseAnswer(utf8(body), inBitcoin)

describe('an amount of bitcoin', () => {
  test('is the same to the satoshi', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2_100_000_000_000_000n), (value) => {
        const decimals = String(value % 100_000_000n).padStart(8, '0')
        expect(read(`{"value":${value / 100_000_000n}.${decimals}}`)).toEqual({ value })
        expect(parseAnswer(utf8(`{"value": ${value}}`), inSatoshis)).toEqual({ value })
      }),
    )
  })

  test.each([
    ['0', 0n],
    ['1', 100_000_000n],
    ['0.1', 10_000_000n],
    ['21000000', 2_100_000_000_000_000n],
    ['1e-8', 1n],
    ['1.5e-7', 15n],
  ])('%s is read', (body, value) => {
    const found = read(`{"value":${body}}`)
    if (body === '9.99999e-5')
      expect(found).toBeInstanceOf(BadEncoding) // Parts of a satoshi.
    else expect(found).toEqual({ value })
  })

  test.each([
    '-1',
    '0.123456789',
    '21000000.00000001',
    '1e8',
    '1e-9',
    '9.99999e-5',
    '"x"',
    'null',
    'true',
    '[]',
    '123456789',
  ])('%s is none', (body) => {
    expect(read(`{"value":${body}}`)).toBeInstanceOf(BadEncoding)
  })
})

describe('an answer', () => {
  test('may have fields that nobody asked for, and must have those that were', () => {
    const shape = fields({ a: text, b: maybe(text) })
    expect(parseAnswer(utf8('{"a":"x","c":1}'), shape)).toEqual({ a: 'x', b: undefined })
    expect(parseAnswer(utf8('{"a":"x","b":null}'), shape)).toEqual({ a: 'x', b: undefined })
    expect(parseAnswer(utf8('{"b":"x"}'), shape)).toBeInstanceOf(BadEncoding)
    expect(parseAnswer(utf8('{"__proto__":{"a":"x"}}'), shape)).toBeInstanceOf(BadEncoding)
  })

  test('keeps a text that looks like an amount', () => {
    const shape = fields({ note: text })
    expect(parseAnswer(utf8('{"note":"\\"value\\":1.5"}'), shape)).toEqual({ note: '"value":1.5' })
  })

  test('has hashes of 64 digits and hexadecimal of whole bytes', () => {
    const shape = fields({ hash: displayHash, hex: longHex })
    const parse = (hash: string, hex: string) =>
      parseAnswer(utf8(JSON.stringify({ hash, hex })), shape)
    expect(parse(`${'00'.repeat(31)}ff`, 'AB')).toMatchObject({ hex: Uint8Array.of(0xab) })
    for (const [hash, hex] of [
      ['00', 'ab'],
      ['zz'.repeat(32), 'ab'],
      ['00'.repeat(32), 'abc'],
    ] as const)
      expect(parse(hash, hex)).toBeInstanceOf(BadEncoding)
  })

  test('of any bytes is a value or a refusal', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.json().map(utf8)), (bytes) => {
        const found = parseAnswer(bytes, inBitcoin)
        if (!(found instanceof BadEncoding)) expect(typeof found.value).toBe('bigint')
      }),
      { numRuns: 500 },
    )
  })
})
