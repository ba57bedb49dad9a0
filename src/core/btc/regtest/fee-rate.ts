/**
 * Fee rates in satoshi per 1,000 virtual bytes, rounded and written as Bitcoin Core does (CFeeRate,
 * FormatMoney). Source: `docs/spec/bitcoin.md` §10.6, RN-7.
 */
import { divCeil, divFloor, formatBtc } from '../../base/units.ts'

export const SATS_PER_KVB = 1_000n

type Paid = { readonly fee: bigint; readonly vsize: number }

/** Rounded down, so two rates may be equal that differ by less than a satoshi. */
export const rateOf = ({ fee, vsize }: Paid): bigint => divFloor(fee * SATS_PER_KVB, BigInt(vsize))

/** Least fee that is at the rate. */
export const feeAt = (rateSatPerKvb: bigint, vsize: number): bigint =>
  divCeil(rateSatPerKvb * BigInt(vsize), SATS_PER_KVB)

/** Whether `a` pays a strictly higher rate than `b`, without rounding. */
export const paysMore = (a: Paid, b: Paid): boolean =>
  a.fee * BigInt(b.vsize) > b.fee * BigInt(a.vsize)

/** `0.00001 BTC` as Core writes amounts in reasons: at least two decimals, no more than needed. */
export const moneyText = (amount: bigint): string => formatBtc(amount).replace(/0{1,6}$/, '')

export const rateText = (rateSatPerKvb: bigint): string => `${formatBtc(rateSatPerKvb)} BTC/kvB`
