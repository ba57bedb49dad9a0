/** Parameters of calls, by place or by name, refused as Bitcoin Core refuses them. Source: RN-21. */
import type { Hash32 } from '../../../base/bytes.ts'
import { fromDisplayHex, fromHex } from '../../../base/bytes.ts'
import { attempt, BadEncoding } from '../../../base/errors.ts'
import { MONEY_MAX } from '../../../base/units.ts'
import { parseAddress } from '../../address.ts'
import { regtest } from '../../network.ts'
import type { Transaction } from '../../transaction.ts'
import { decodeTransaction } from '../../transaction.ts'
import { fail, rpcCode } from './json.ts'

/** One bitcoin for 1,000 virtual bytes. */
const FEE_RATE_END = 100_000_000n
const KINDS = ['string', 'number', 'bool', 'array', 'any'] as const
type Kind = (typeof KINDS)[number]

/** `height:number`, or `verbosity:any?` for one that may be left out. */
export type Parameter = `${string}:${Kind}` | `${string}:${Kind}?`

type Parsed = { readonly name: string; readonly kind: string; readonly isOptional: boolean }

function parsed(parameter: Parameter): Parsed {
  const [name = '', kind = ''] = parameter.split(':')
  return { name, kind: kind.replace('?', ''), isOptional: kind.endsWith('?') }
}

const usage = (method: string, list: readonly Parsed[]): string =>
  [method, ...list.map(({ name, isOptional }) => (isOptional ? `( ${name} )` : name))].join(' ')

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

/** Values in the order of the parameters; `undefined` for what was left out. */
export function readParameters(
  method: string,
  parameters: readonly Parameter[],
  given: unknown,
): readonly unknown[] {
  const list = parameters.map(parsed)
  const values = Array.isArray(given) ? given : byName(given, list)
  const needed = list.filter(({ isOptional }) => !isOptional).length
  if (values.length > list.length || values.length < needed)
    return fail(rpcCode.misc, usage(method, list))
  const wrong = list.flatMap(({ name, kind, isOptional }, i) => {
    const found = kindOf(values[i])
    if (kind === 'any' || found === kind || (found === 'null' && isOptional)) return []
    const words = `JSON value of type ${found} is not of expected type ${kind}`
    return `    "Position ${i + 1} (${name})": "${words}"`
  })
  if (wrong.length > 0) fail(rpcCode.type, `Wrong type passed:\n{\n${wrong.join(',\n')}\n}`)
  return list.map((_, i) => values[i] ?? undefined)
}

function byName(given: unknown, list: readonly Parsed[]): readonly unknown[] {
  if (given === null || given === undefined) return []
  const named = new Map(Object.entries(given))
  const places = named.get('args')
  named.delete('args')
  const values: unknown[] = Array.isArray(places) ? [...places] : []
  for (const [name, value] of named) {
    const place = list.findIndex((parameter) => parameter.name === name)
    if (place < 0) return fail(rpcCode.invalidParameter, `Unknown named parameter ${name}`)
    if (values[place] !== undefined)
      return fail(
        rpcCode.invalidParameter,
        `Parameter ${name} specified twice both as positional and named argument`,
      )
    values[place] = value
  }
  return values
}

/** A hash as it is displayed. */
export function hashOf(value: unknown, name: string): Hash32 {
  const text = String(value)
  if (text.length !== 64)
    return fail(
      rpcCode.invalidParameter,
      `${name} must be of length 64 (not ${text.length}, for '${text}')`,
    )
  if (!/^[0-9a-f]*$/i.test(text))
    return fail(rpcCode.invalidParameter, `${name} must be hexadecimal string (not '${text}')`)
  return fromDisplayHex(text.toLowerCase())
}

/** A whole number; for another, or one out of range, `-1` as in Core. */
export function integerOf(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 31)
    return value
  return fail(rpcCode.misc, 'JSON integer out of range')
}

/** Verbosity was a flag once. */
export function verbosityOf(value: unknown, whenAbsent: number): number {
  if (value === undefined) return whenAbsent
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number') return integerOf(value)
  return fail(rpcCode.type, `JSON value of type ${kindOf(value)} is not of expected type number`)
}

/** Satoshi of an amount of bitcoin that is a number or text. */
export function satsOf(value: unknown): bigint {
  if (typeof value !== 'number' && typeof value !== 'string')
    return fail(rpcCode.type, 'Amount is not a number or string')
  // Eight decimals of any amount in range come out of a number as they were written into it.
  const text = typeof value === 'string' ? value : value.toFixed(8)
  const isExact = typeof value === 'string' || Number(text) === value
  const [, sign, whole = '', decimals = ''] = /^(-?)(\d{1,20})(?:\.(\d{1,8}))?$/.exec(text) ?? []
  if (whole === '' || !isExact) return fail(rpcCode.type, 'Invalid amount')
  const sats = BigInt(whole + decimals.padEnd(8, '0'))
  if (sats > MONEY_MAX || (sign === '-' && sats > 0n))
    return fail(rpcCode.type, 'Amount out of range')
  return sats
}

/** Satoshi for 1,000 virtual bytes. */
export function rateOf(value: unknown): bigint {
  const rate = satsOf(value)
  if (rate < FEE_RATE_END) return rate
  const words = 'Fee rates larger than or equal to 1BTC/kvB are not accepted'
  return fail(rpcCode.invalidParameter, words)
}

/** Text in a list, whose parts nobody has looked at. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  return fail(rpcCode.type, `JSON value of type ${kindOf(value)} is not of expected type string`)
}

export function bytesOf(hex: unknown): Uint8Array | undefined {
  const bytes = attempt(() => fromHex(String(hex).toLowerCase()))
  return bytes instanceof BadEncoding ? undefined : bytes
}

export function transactionOf(hex: unknown): Transaction | undefined {
  const bytes = bytesOf(hex)
  const tx = bytes && attempt(() => decodeTransaction(bytes))
  return tx instanceof BadEncoding ? undefined : tx
}

/** The script that an address stands for; undefined for none of regtest. */
export function scriptOf(address: unknown): Uint8Array | undefined {
  const read = parseAddress(String(address), regtest)
  return read.type === 'refused' ? undefined : read.script
}
