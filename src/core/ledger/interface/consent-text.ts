/**
 * Amounts, dates and memos as a person reads them in a consent message. Implements
 * `docs/spec/ledger.md` §15 (ICRC-21, RFC 2822 §3.3).
 */
import { fromUtf8, toHex } from '../../base/bytes.ts'
import { attempt, BadEncoding } from '../../base/errors.ts'

/**
 * `amount / 10^decimals` as a double, shortest decimal that reads back, without an exponent.
 * Undefined for what no double holds. The one place where the reference divides amounts as doubles.
 */
export function amountText(amount: bigint, decimals: number): string | undefined {
  const value = Number(amount) / 10 ** decimals
  return Number.isFinite(value) ? withoutExponent(String(value)) : undefined
}

/** `1.5e-8` → `0.000000015`, `1.5e+21` → `1500000000000000000000`. */
function withoutExponent(number: string): string {
  const [mantissa = '', exponent] = number.split('e')
  if (exponent === undefined) return number
  const [whole = '', fraction = ''] = mantissa.split('.')
  const shift = Number(exponent)
  const digits = whole + fraction
  return shift < 0
    ? `0.${'0'.repeat(-shift - whole.length)}${digits}`
    : digits.padEnd(whole.length + shift, '0')
}

const DAY_S = 86_400n
const WEEKDAYS = ['Thu', 'Fri', 'Sat', 'Sun', 'Mon', 'Tue', 'Wed'] // The first day was a Thursday.
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
/** No clock is further from UTC; RFC 2822 has no more digits for minutes of an hour. */
const OFFSET_MINUTES_MAX = 24 * 60 - 1
const two = (value: number): string => String(value).padStart(2, '0')

/**
 * Seconds since 1970, below 2^64 / 10^9, on a clock `offsetMinutes` east of UTC:
 * `Thu, 06 May 2021 21:17:10 +0200`. An offset that no clock has counts as none.
 */
export function dateText(seconds: bigint, offsetMinutes: number): string {
  const offset = Math.abs(offsetMinutes) > OFFSET_MINUTES_MAX ? 0 : offsetMinutes
  const local = seconds + BigInt(offset) * 60n
  const inDay = ((local % DAY_S) + DAY_S) % DAY_S
  const dayNumber = Number((local - inDay) / DAY_S)
  const { day, month, year } = dateOfDay(dayNumber)
  const weekday = WEEKDAYS[((dayNumber % 7) + 7) % 7]
  const time = [inDay / 3_600n, (inDay / 60n) % 60n, inDay % 60n].map((part) => two(Number(part)))
  const distance = Math.abs(offset)
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(distance / 60))}${two(distance % 60)}`
  return `${weekday}, ${two(day)} ${MONTHS[month]} ${year} ${time.join(':')} ${zone}`
}

type CalendarDate = { readonly day: number; readonly month: number; readonly year: number }

/**
 * Gregorian date of the day so many days after 1 January 1970; `month` from 0. Years are counted
 * from March, so that the leap day is the last of its year.
 */
function dateOfDay(dayNumber: number): CalendarDate {
  const days = dayNumber + 719_468 // Since 1 March of year 0.
  const era = Math.floor(days / 146_097) // 400 years.
  const dayOfEra = days - era * 146_097
  const leapDays =
    Math.floor(dayOfEra / 1_460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096)
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365)
  const before = 365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100)
  const dayOfYear = dayOfEra - before
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = (fromMarch + 2) % 12
  return {
    day: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1,
    month,
    year: era * 400 + yearOfEra + (month < 2 ? 1 : 0),
  }
}

/** Text if it is UTF-8, else hexadecimal. */
export function memoText(memo: Uint8Array): string {
  const text = attempt(() => fromUtf8(memo))
  return text instanceof BadEncoding ? toHex(memo) : text
}

/**
 * The same for Markdown: what could end the code it stands in, and pose as another line of the
 * message, is written in hexadecimal too.
 */
export function memoMarkdown(memo: Uint8Array): string {
  const text = memoText(memo)
  return /[`\p{C}\p{Zl}\p{Zp}]/u.test(text) ? toHex(memo) : text
}
