/**
 * Goal: a number without a unit is never money, and whatever is printed can be typed.
 * Method: the table of cli §3.1 as it stands, and random amounts both ways.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  amountText,
  parseAmount,
  parseCount,
  parseDuration,
  parseFeeRate,
  parsePercent,
  parseSubaccount,
} from '../../../src/core/base/amounts.ts'

const codeOf = (action: () => unknown): unknown => {
  try {
    return action()
  } catch (error) {
    return Reflect.get(Object(error), 'code')
  }
}

const fixOf = (action: () => unknown): unknown => {
  try {
    return action()
  } catch (error) {
    return Reflect.get(Object(error), 'fix')
  }
}

describe('an amount', () => {
  test.each(['0.001btc', '0.001ckbtc', '100000sat', '100_000 sat', '0.001 ckBTC', '100000SATS'])(
    '%s is 100,000 satoshi',
    (text) => {
      expect(parseAmount(text)).toBe(100_000n)
    },
  )

  test.each([
    ['10000', 'AMOUNT_NO_UNIT'],
    ['1m', 'AMOUNT_NO_UNIT'],
    ['1k', 'AMOUNT_NO_UNIT'],
    ['5mbtc', 'AMOUNT_NO_UNIT'],
    ['5bits', 'AMOUNT_NO_UNIT'],
    ['0,001btc', 'AMOUNT_FORMAT'],
    ['1e-3btc', 'AMOUNT_FORMAT'],
    ['0x10sat', 'AMOUNT_FORMAT'],
    ['-5sat', 'AMOUNT_FORMAT'],
    ['+5sat', 'AMOUNT_FORMAT'],
    ['btc', 'AMOUNT_FORMAT'],
    ['', 'AMOUNT_FORMAT'],
    ['.5btc', 'AMOUNT_FORMAT'],
    ['1__0sat', 'AMOUNT_FORMAT'],
    ['_1sat', 'AMOUNT_FORMAT'],
    ['1.2.3btc', 'AMOUNT_FORMAT'],
    ['0.5sat', 'AMOUNT_PRECISION'],
    ['1.000sat', 'AMOUNT_PRECISION'],
    ['0.000000001btc', 'AMOUNT_PRECISION'],
    ['21000000.00000001btc', 'AMOUNT_RANGE'],
    ['99999999999999999999sat', 'AMOUNT_RANGE'],
  ])('%s is refused with %s', (text, code) => {
    expect(codeOf(() => parseAmount(text))).toBe(code)
  })

  test.each([
    ['0,001btc', 'use a point: 0.001btc'],
    ['1,5 ckBTC', 'use a point: 1.5 ckBTC'],
    ['1,000sat', 'write digits, a point if needed, and a unit: 0.001btc, 100000sat'],
    ['1,000,000sat', 'write digits, a point if needed, and a unit: 0.001btc, 100000sat'],
    ['1.000,5btc', 'write digits, a point if needed, and a unit: 0.001btc, 100000sat'],
  ])('%s is corrected where it can mean one thing only', (text, fix) => {
    expect(() => parseAmount(text)).toThrow(expect.objectContaining({ code: 'AMOUNT_FORMAT', fix }))
  })

  test('that a hint offers is an amount', () => {
    for (const text of ['10000', '0.5', '1m', '0,5btc']) {
      const fix = String(fixOf(() => parseAmount(text)))
      const offered = fix.match(/\d[\d.]*(?:sat|btc)\b/g) ?? []
      expect(offered.length).toBeGreaterThan(0)
      for (const amount of offered) expect(parseAmount(amount)).toBeGreaterThanOrEqual(0n)
    }
  })

  test('of any length is quoted in a few words', () => {
    expect(() => parseAmount(`${'9'.repeat(5_000)}btc`)).toThrow(/^"9{60}…" is more bitcoin/)
  })

  test('without a unit is refused with both readings, which can be pasted', () => {
    expect(() => parseAmount('10000')).toThrow(
      expect.objectContaining({ fix: 'write 10000sat or 10000btc' }),
    )
  })

  test('that is printed parses back', () => {
    fc.assert(
      fc.property(
        fc.bigInt(0n, 2_100_000_000_000_000n),
        fc.constantFrom('BTC', 'ckBTC'),
        (amount, symbol) => {
          expect(parseAmount(amountText(amount, symbol))).toBe(amount)
          expect(parseAmount(`${amount} sat`)).toBe(amount)
        },
      ),
    )
  })

  test('of any text is a number or one of four refusals', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const result = codeOf(() => parseAmount(text))
        expect(typeof result === 'bigint' || String(result).startsWith('AMOUNT_')).toBe(true)
      }),
    )
  })
})

test.each([
  ['30s', 30_000],
  ['10m', 600_000],
  ['2h', 7_200_000],
  ['7d', 604_800_000],
  ['5', 'USAGE_INVALID'],
  ['-5s', 'USAGE_INVALID'],
  ['1w', 'USAGE_INVALID'],
  ['1.5h', 'USAGE_INVALID'],
])('the duration %s is %s', (text, expected) => {
  expect(codeOf(() => parseDuration(text))).toBe(expected)
})

test.each([
  ['12satvb', 12_000n],
  ['1.5 sat/vB', 1_500n],
  ['0.001satvb', 1n],
  ['12', 'USAGE_INVALID'],
  ['12sat', 'USAGE_INVALID'],
])('the fee rate %s is %s', (text, expected) => {
  expect(codeOf(() => parseFeeRate(text))).toBe(expected)
})

test.each([
  ['5%', 500n],
  ['0.25%', 25n],
  ['5', 'USAGE_INVALID'],
])('the percentage %s is %s', (text, expected) => {
  expect(codeOf(() => parsePercent(text))).toBe(expected)
})

test('a subaccount is decimal, or hexadecimal with its prefix', () => {
  expect(parseSubaccount('7')[31]).toBe(7)
  expect(parseSubaccount('0x0100').slice(30)).toEqual(Uint8Array.of(1, 0))
  for (const text of ['ff', '', '0x', `0x${'0'.repeat(65)}`, '-1'])
    expect(codeOf(() => parseSubaccount(text))).toBe('USAGE_INVALID')
})

test('a count is a whole number in its range', () => {
  const range = { what: '--nodes', min: 1, max: 40 }
  expect(parseCount('40', range)).toBe(40)
  for (const text of ['0', '41', 'x', '1.5', ''])
    expect(codeOf(() => parseCount(text, range))).toBe('USAGE_INVALID')
})
