/**
 * Answers of servers as JSON, of which some fields are read and the rest is not looked at. Amounts
 * are kept as digits: they never become numbers of floating point. Source: bitcoin.md §1.2.
 */

import type { Hash32 } from '../../core/base/bytes.ts'
import { fromDisplayHex, fromHex, fromUtf8 } from '../../core/base/bytes.ts'
import { attempt, BadEncoding } from '../../core/base/errors.ts'
import type { JsonReader, Read } from '../../core/base/json.ts'
import type { Sat } from '../../core/base/units.ts'
import { sat } from '../../core/base/units.ts'

type Readers = Readonly<Record<string, JsonReader<unknown>>>
type Fields<R extends Readers> = { readonly [name in keyof R]: Read<R[name]> }

const AMOUNT = /"(value|amount|fee)"\s*:\s*(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g

/** `BadEncoding` for what is no JSON, or not of this shape. */
export function parseAnswer<T>(body: Uint8Array, read: JsonReader<T>): T | BadEncoding {
  return attempt(() => {
    const text = fromUtf8(body).replaceAll(AMOUNT, '"$1":"$2"')
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (cause) {
      throw new BadEncoding('not JSON', { cause })
    }
    return read(value, 'the answer')
  })
}

/** The named fields; others may be there. */
export function fields<R extends Readers>(readers: R): JsonReader<Fields<R>> {
  return (value, where) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new BadEncoding(`${where} is not an object`)
    const read = Object.entries(readers).map(([name, reader]) => [
      name,
      reader(Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined, `${where}.${name}`),
    ])
    return Object.fromEntries(read) as Fields<R>
  }
}

/** Undefined where the field is absent or null. */
export const maybe =
  <T>(read: JsonReader<T>): JsonReader<T | undefined> =>
  (value, where) =>
    value === undefined || value === null ? undefined : read(value, where)

/** Hexadecimal of transactions and scripts, of any length that the answer may have. */
export const longHex: JsonReader<Uint8Array> = (value, where) => {
  if (typeof value !== 'string') throw new BadEncoding(`${where} is not hexadecimal`)
  return fromHex(value)
}

/** A hash as people see it, reversed. */
export const displayHash: JsonReader<Hash32> = (value, where) => {
  if (typeof value !== 'string' || value.length !== 64)
    throw new BadEncoding(`${where} is not a hash`)
  return fromDisplayHex(value)
}

/** Bitcoin with up to eight decimals, as JSON-RPC has it. */
export const bitcoinAmount: JsonReader<Sat> = (value, where) => {
  const [, whole = '', decimals = ''] =
    /^(\d{1,8})(?:\.(\d{1,8}))?$/.exec(typeof value === 'string' ? plain(value) : '') ?? []
  if (whole === '') throw new BadEncoding(`${where} is not an amount of bitcoin`)
  return inRange(BigInt(whole) * 100_000_000n + BigInt(decimals.padEnd(8, '0')), where)
}

/** Small amounts come as `1e-8`. */
function plain(text: string): string {
  const [, digits = '', fraction = '', power] = /^(\d)(?:\.(\d+))?[eE]-(\d)$/.exec(text) ?? []
  return power === undefined ? text : `0.${'0'.repeat(Number(power) - 1)}${digits}${fraction}`
}

/** Satoshis as a whole number. */
export const satoshis: JsonReader<Sat> = (value, where) => {
  if (typeof value !== 'string' || !/^\d{1,16}$/.test(value))
    throw new BadEncoding(`${where} is not an amount`)
  return inRange(BigInt(value), where)
}

function inRange(value: bigint, where: string): Sat {
  try {
    return sat(value)
  } catch (cause) {
    throw new BadEncoding(`${where} is more bitcoin than there is`, { cause })
  }
}
