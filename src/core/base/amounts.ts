/**
 * Amounts and other quantities as people type them: never without a unit. Implements
 * `docs/spec/cli.md` §§3.1, 3.2.
 */
import { Problem } from './errors.ts'
import { formatBtc, formatDecimal, MONEY_MAX } from './units.ts'

const SAT_PER_BTC = 100_000_000n
const DECIMALS = 8

/** `0.001btc`, `100_000 sat`, `0.5 ckBTC`: whole satoshis. Throws `AMOUNT_…`. */
export function parseAmount(text: string): bigint {
  const typed = text.trim()
  const [, digits, unit] = /^([^a-zA-Z\s]*)\s*([a-zA-Z]*)$/.exec(typed) ?? []
  if (digits === undefined || digits === '' || /[eExX]/.test(typed.replace(/(ck)?btc$/i, '')))
    throw malformed(typed)
  const number = digits.replace(/(?<=\d)_(?=\d)/g, '')
  if (!/^\d+(\.\d+)?$/.test(number)) throw malformed(typed)
  switch (unit?.toLowerCase()) {
    case 'sat':
    case 'sats':
      return inRange(typed, wholeSats(typed, number))
    case 'btc':
    case 'ckbtc':
      return inRange(typed, satsOfBtc(typed, number))
    default:
      throw noUnit(typed, number)
  }
}

function wholeSats(typed: string, number: string): bigint {
  if (number.includes('.')) throw tooFine(typed) // 1.000sat would be a thousand for some.
  return BigInt(number)
}

function satsOfBtc(typed: string, number: string): bigint {
  const [whole = '0', fraction = ''] = number.split('.')
  const digits = fraction.replace(/0+$/, '')
  if (digits.length > DECIMALS) throw tooFine(typed)
  return BigInt(whole) * SAT_PER_BTC + BigInt(digits.padEnd(DECIMALS, '0'))
}

function inRange(typed: string, amount: bigint): bigint {
  if (amount <= MONEY_MAX) return amount
  throw new Problem('AMOUNT_RANGE', `"${quoted(typed)}" is more bitcoin than there can be`, {
    fix: 'give at most 21000000btc',
  })
}

/** A comma that can only be meant for a point is corrected; where it may group digits it is not. */
function malformed(typed: string): Problem {
  const [, whole, fraction] = /^(\d+),(\d+\s*(?:ck)?btc)$/i.exec(typed) ?? []
  return new Problem('AMOUNT_FORMAT', `"${quoted(typed)}" is no amount`, {
    fix:
      whole === undefined
        ? 'write digits, a point if needed, and a unit: 0.001btc, 100000sat'
        : `use a point: ${whole}.${fraction}`,
  })
}

/** How amounts of a ledger are written: `1.5xyz`. */
export type Denomination = { readonly symbol: string; readonly decimals: number }

/** Of the widest ledger. */
const UNITS_MAX = 2n ** 256n - 1n
/** Digits of that, and as many decimals; what is longer is not looked at. */
const TYPED_MAX = 400

/**
 * `1.5xyz`, `1_000.25 XYZ`: whole smallest units of the denomination, whose symbol is the only unit.
 * Throws `AMOUNT_…`.
 */
export function parseUnits(text: string, { symbol, decimals }: Denomination): bigint {
  const typed = text.trim()
  const unit = typed.slice(-symbol.length)
  const before = typed.slice(0, -symbol.length)
  // A symbol that begins like a number would be taken for a part of it.
  const isApart = /^[\d._]/.test(symbol) ? /\s$/.test(before) : true
  const hasUnit = unit.toLowerCase() === symbol.toLowerCase() && isApart
  const number = before.trim().replace(/(?<=\d)_(?=\d)/g, '')
  if (!hasUnit || typed.length > TYPED_MAX) throw unitMissing(typed, symbol)
  if (!/^\d+(\.\d+)?$/.test(number)) throw malformedUnits(typed, { symbol, decimals })
  const [whole = '0', fraction = ''] = number.split('.')
  const digits = fraction.replace(/0+$/, '')
  if (digits.length > decimals) {
    const smallest = `${formatDecimal(1n, decimals)} ${symbol}`
    throw new Problem('AMOUNT_PRECISION', `"${quoted(typed)}" is finer than ${symbol} has parts`, {
      fix: `the smallest unit is ${smallest}`,
    })
  }
  const amount =
    BigInt(whole) * 10n ** BigInt(decimals) + BigInt(`0${digits.padEnd(decimals, '0')}`)
  if (amount <= UNITS_MAX) return amount
  throw new Problem('AMOUNT_RANGE', `"${quoted(typed)}" is more than any ledger can hold`, {
    fix: `give at most ${formatDecimal(UNITS_MAX, decimals)} ${symbol}`,
  })
}

const unitMissing = (typed: string, symbol: string): Problem => {
  const [number] = /^[\d_]+(?:\.\d+)?/.exec(typed) ?? []
  return new Problem(
    'AMOUNT_NO_UNIT',
    `"${quoted(typed)}" is not in ${symbol}, which is the unit here`,
    {
      fix: `write ${quoted(number ?? '1.5')} ${symbol}`,
    },
  )
}

const malformedUnits = (typed: string, { symbol, decimals }: Denomination): Problem =>
  new Problem('AMOUNT_FORMAT', `"${quoted(typed)}" is no amount`, {
    fix: `write digits, ${decimals === 0 ? '' : 'a point if needed, '}and the unit: 1 ${symbol}`,
  })

const QUOTED_MAX = 60

/** What was typed, or its beginning. */
const quoted = (typed: string): string =>
  typed.length > QUOTED_MAX ? `${typed.slice(0, QUOTED_MAX)}…` : typed

const tooFine = (typed: string): Problem =>
  new Problem('AMOUNT_PRECISION', `"${quoted(typed)}" is finer than a satoshi`, {
    fix: 'the smallest unit is 1sat, which is 0.00000001btc',
  })

/** Both readings, ready to paste. */
const noUnit = (typed: string, number: string): Problem =>
  new Problem('AMOUNT_NO_UNIT', `"${quoted(typed)}" has no unit that is known`, {
    fix: number.includes('.')
      ? `write ${quoted(number)}btc; the units are sat, btc and ckbtc`
      : `write ${quoted(number)}sat or ${quoted(number)}btc`,
  })

/** `0.00100000 ckBTC`; what is printed can be pasted back. */
export const amountText = (amount: bigint, symbol: string): string =>
  `${formatBtc(amount)} ${symbol}`

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** `30s`, `10m`, `2h`, `7d`: milliseconds. Throws `USAGE_INVALID`. */
export function parseDuration(text: string): number {
  const [, count, unit] = /^(\d{1,9})\s*([smhd])$/.exec(text.trim()) ?? []
  const ms = unit === undefined ? undefined : UNITS_MS[unit]
  if (ms !== undefined && count !== undefined) return Number(count) * ms
  throw new Problem('USAGE_INVALID', `"${text}" is no duration`, {
    fix: 'write a number and a unit: 30s, 10m, 2h, 7d',
  })
}

/** `12satvb`, `1.5sat/vb`: millisatoshis per virtual byte. Throws `USAGE_INVALID`. */
export function parseFeeRate(text: string): bigint {
  const [, whole, fraction = ''] = /^(\d{1,7})(?:\.(\d{1,3}))?\s*sat\/?vb$/i.exec(text.trim()) ?? []
  if (whole !== undefined) return BigInt(whole) * 1_000n + BigInt(fraction.padEnd(3, '0'))
  throw new Problem('USAGE_INVALID', `"${text}" is no fee rate`, {
    fix: 'write a number and the unit: 12satvb, 1.5satvb',
  })
}

/** `5%`, `0.5%`: hundredths of a percent. Throws `USAGE_INVALID`. */
export function parsePercent(text: string): bigint {
  const [, whole, fraction = ''] = /^(\d{1,3})(?:\.(\d{1,2}))?\s*%$/.exec(text.trim()) ?? []
  if (whole !== undefined) return BigInt(whole) * 100n + BigInt(fraction.padEnd(2, '0'))
  throw new Problem('USAGE_INVALID', `"${text}" is no percentage`, { fix: 'write it like 5%' })
}

/** `7`, or `0x` and up to 64 hexadecimal digits: 32 bytes. Throws `USAGE_INVALID`. */
export function parseSubaccount(text: string): Uint8Array {
  const typed = text.trim()
  const isHex = /^0x[0-9a-fA-F]{1,64}$/.test(typed)
  if (!isHex && !/^\d{1,20}$/.test(typed))
    throw new Problem('USAGE_INVALID', `"${text}" is no subaccount`, {
      fix: 'write a decimal number, or 0x and up to 64 hexadecimal digits',
    })
  let value = BigInt(typed)
  const bytes = new Uint8Array(32)
  for (let place = 31; place >= 0; place--, value >>= 8n) bytes[place] = Number(value & 0xffn)
  return bytes
}

/** A whole number in a range, for counts. Throws `USAGE_INVALID`. */
export function parseCount(
  text: string,
  { what, min, max }: { readonly what: string; readonly min: number; readonly max: number },
): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new Problem(
    'USAGE_INVALID',
    `${what} takes a number from ${min} to ${max}, found "${text}"`,
    {
      fix: 'give a number in that range',
    },
  )
}
