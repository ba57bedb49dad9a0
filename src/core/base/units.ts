/**
 * Amounts and times as branded integers. Amount rules: `docs/spec/cli.md` §3.1,
 * `docs/spec/bitcoin.md` §11.1.
 */
import { BadEncoding } from './errors.ts'

declare const unit: unique symbol

/** Satoshis on the Bitcoin chain, 0 ≤ n ≤ 21·10^14; made by `sat(n)`, which checks the range. */
export type Sat = bigint & { readonly [unit]: 'sat' }

/** Smallest units of a ledger's token, n ≥ 0; made by `tokens(n)`. */
export type Tokens = bigint & { readonly [unit]: 'tokens' }

/** Nanoseconds since 1970-01-01 UTC, below 2^64. */
export type TimestampNs = bigint & { readonly [unit]: 'ns' }

export const MONEY_MAX = 2_100_000_000_000_000n
export const TIMESTAMP_MAX = 2n ** 64n - 1n
export const NS_PER_MS = 1_000_000n
export const NS_PER_SECOND = 1_000_000_000n

export function sat(value: bigint): Sat {
  if (value < 0n || value > MONEY_MAX) throw new RangeError(`${value} sat is out of range`)
  return value as Sat
}

export function tokens(value: bigint): Tokens {
  if (value < 0n) throw new RangeError(`${value} tokens is negative`)
  return value as Tokens
}

export function timestampNs(value: bigint): TimestampNs {
  if (value < 0n || value > TIMESTAMP_MAX) throw new RangeError(`${value} ns is out of range`)
  return value as TimestampNs
}

/** Addition that stops at the largest timestamp instead of overflowing. */
export function addNs(time: bigint, duration: bigint): TimestampNs {
  const sum = time + duration
  return (sum > TIMESTAMP_MAX ? TIMESTAMP_MAX : sum) as TimestampNs
}

/** ⌊a / b⌋ of integers that are not negative, b > 0. */
export function divFloor(a: bigint, b: bigint): bigint {
  return a / b
}

/** ⌈a / b⌉ of integers that are not negative, b > 0. */
export function divCeil(a: bigint, b: bigint): bigint {
  return (a + b - 1n) / b
}

const SAT_PER_BTC = 100_000_000n

const BTC_DECIMALS = 8

/** `0.00100000`: always eight decimals, no grouping, so that it can be pasted back. */
export const formatBtc = (amount: bigint): string => formatDecimal(amount, BTC_DECIMALS)

/** An amount of smallest units with all of its `decimals`, of which there may be none. */
export function formatDecimal(amount: bigint, decimals: number): string {
  const sign = amount < 0n ? '-' : ''
  const digits = (amount < 0n ? -amount : amount).toString().padStart(decimals + 1, '0')
  const whole = digits.length - decimals
  return `${sign}${digits.slice(0, whole)}${decimals === 0 ? '' : `.${digits.slice(whole)}`}`
}

/**
 * Reads `digits[.digits]` of whole coins, at most eight decimals; anything else is `BadEncoding`.
 */
export function parseBtc(text: string): Sat {
  const match = /^(\d{1,8})(?:\.(\d{1,8}))?$/.exec(text)
  if (match === null) throw new BadEncoding(`"${text}" is not an amount in BTC`)
  const whole = BigInt(match[1] ?? '0') * SAT_PER_BTC
  const value = whole + BigInt((match[2] ?? '').padEnd(8, '0'))
  if (value > MONEY_MAX) throw new BadEncoding(`"${text}" BTC is more than 21000000`)
  return sat(value)
}
