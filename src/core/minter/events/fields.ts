/** Codecs between typed values and CBOR, made of small ones. Source: minter §18.1. */
import type { Txid } from '../../base/bytes.ts'
import { hash32 } from '../../base/bytes.ts'
import { BadEncoding } from '../../base/errors.ts'
import type { Sat } from '../../base/units.ts'
import { MONEY_MAX, sat } from '../../base/units.ts'
import type { Cbor } from '../../ic/cbor.ts'
import type { Principal } from '../../ic/principal.ts'
import { principal } from '../../ic/principal.ts'

/** `decode` throws `BadEncoding` for what `encode` cannot have written. */
export type Codec<T> = {
  readonly encode: (value: T) => Cbor
  readonly decode: (cbor: Cbor) => T
  /** What the CBOR is, for those who write it otherwise. */
  readonly form: Form
}

/** Kinds of what is written; bytes of a txid are in internal order. */
export type Form =
  | { readonly type: 'nat64' | 'nat32' | 'bytes' | 'txid' | 'principal' | 'text' | 'boolean' }
  | { readonly type: 'list'; readonly element: Form }
  | { readonly type: 'record'; readonly fields: ReadonlyMap<string, FieldForm> }
  | { readonly type: 'variant'; readonly cases: ReadonlyMap<string, Form> }

export type FieldForm = { readonly form: Form; readonly optional: boolean }

/** A field of a record: an optional one is left out when undefined. */
type Field<T> = { readonly name: string; readonly codec: Codec<T>; readonly optional: boolean }

export const field = <T>(name: string, codec: Codec<T>): Field<T> => ({
  name,
  codec,
  optional: false,
})

export function optional<T>(
  name: string,
  { encode, decode, form }: Codec<T>,
): Field<T | undefined> {
  const codec: Codec<T | undefined> = {
    encode: (value) => (value === undefined ? null : encode(value)),
    decode,
    form,
  }
  return { name, codec, optional: true }
}

function natural(bits: number): Codec<bigint> {
  return {
    encode: (value) => value,
    decode(cbor) {
      if (typeof cbor !== 'bigint' || cbor >> BigInt(bits) !== 0n)
        throw new BadEncoding(`no natural number of ${bits} bits`)
      return cbor
    },
    form: { type: bits === 64 ? 'nat64' : 'nat32' },
  }
}

export const nat64 = natural(64)
const wideNat32 = natural(32)

export const nat32: Codec<number> = {
  encode: (value) => BigInt(value),
  decode: (cbor) => Number(wideNat32.decode(cbor)),
  form: wideNat32.form,
}

export const satoshi: Codec<Sat> = {
  encode: (value) => value,
  decode(cbor) {
    const value = nat64.decode(cbor)
    if (value > MONEY_MAX) throw new BadEncoding(`${value} sat is out of range`)
    return sat(value)
  },
  form: nat64.form,
}

export const blob: Codec<Uint8Array> = {
  encode: (value) => value,
  decode(cbor) {
    if (!(cbor instanceof Uint8Array)) throw new BadEncoding('no byte string')
    return cbor
  },
  form: { type: 'bytes' },
}

export const text: Codec<string> = {
  encode: (value) => value,
  decode(cbor) {
    if (typeof cbor !== 'string') throw new BadEncoding('no text')
    return cbor
  },
  form: { type: 'text' },
}

export const boolean: Codec<boolean> = {
  encode: (value) => value,
  decode(cbor) {
    if (typeof cbor !== 'boolean') throw new BadEncoding('no boolean')
    return cbor
  },
  form: { type: 'boolean' },
}

/** Narrows a codec: `check` brands or refuses what was read. */
export const refine = <T extends U, U>(base: Codec<U>, check: (value: U) => T): Codec<T> => ({
  encode: base.encode,
  decode: (cbor) => check(base.decode(cbor)),
  form: base.form,
})

export const principalBytes: Codec<Principal> = {
  ...refine(blob, principal),
  form: { type: 'principal' },
}
export const txidBytes: Codec<Txid> = { ...refine(blob, hash32), form: { type: 'txid' } }

export function bytesOfSize(size: number): Codec<Uint8Array> {
  return refine(blob, (value) => {
    if (value.length !== size) throw new BadEncoding(`${value.length} bytes where ${size} are due`)
    return value
  })
}

export const list = <T>(element: Codec<T>): Codec<readonly T[]> => ({
  encode: (values) => values.map(element.encode),
  decode(cbor) {
    if (typeof cbor !== 'object' || cbor === null || !('length' in cbor) || isBytes(cbor))
      throw new BadEncoding('no list')
    return cbor.map(element.decode)
  },
  form: { type: 'list', element: element.form },
})

const isBytes = (cbor: object): cbor is Uint8Array => cbor instanceof Uint8Array

function asMap(cbor: Cbor): ReadonlyMap<string, Cbor> {
  if (typeof cbor !== 'object' || cbor === null || 'length' in cbor)
    throw new BadEncoding('no record')
  return cbor
}

/** A map from field names to values; no field is missing, none is unknown. */
export function record<T extends object>(
  fields: {
    readonly [K in keyof T]-?: Field<T[K]>
  },
): Codec<T> {
  const entries = Object.entries(fields) as [keyof T & string, Field<T[keyof T]>][]
  const forms = entries.map(
    ([, { name, codec, optional }]) => [name, { form: codec.form, optional }] as const,
  )
  return {
    form: { type: 'record', fields: new Map(forms) },
    encode(value) {
      const present = entries.filter(([key, { optional }]) => !optional || value[key] !== undefined)
      return new Map(present.map(([key, { name, codec }]) => [name, codec.encode(value[key])]))
    },
    decode(cbor) {
      const map = asMap(cbor)
      const present = entries.filter(([, { name, optional }]) => !optional || map.has(name))
      if (present.length !== map.size) throw new BadEncoding('a record with other fields')
      const values = present.map(([key, { name, codec }]) => [
        key,
        codec.decode(fieldOf(map, name)),
      ])
      return Object.fromEntries(values) as T
    },
  }
}

function fieldOf(map: ReadonlyMap<string, Cbor>, name: string): Cbor {
  const value = map.get(name)
  if (value === undefined) throw new BadEncoding(`the field ${name} is missing`)
  return value
}

/** A word that stands for itself. `words` maps ours to the written ones. */
export function word<T extends string>(words: Readonly<Record<T, string>>): Codec<T> {
  const pairs = Object.entries(words) as [T, string][]
  return {
    form: { type: 'text' },
    encode: (value) => words[value],
    decode(cbor) {
      const pair = pairs.find(([, written]) => written === cbor)
      if (pair === undefined) throw new BadEncoding('an unknown word')
      return pair[0]
    },
  }
}

/** One case of a variant: its written name and what stands beside the tag. */
export type Case<T> = { readonly name: string; readonly codec: Codec<T> }

/** What stands beside the tag `K`, also where several tags share one shape. */
type Beside<T, K> = T extends { readonly type: infer U }
  ? K extends U
    ? Omit<T, 'type'>
    : never
  : never

/** Cases of a tagged union, by tag. */
export type Cases<T extends { readonly type: string }> = {
  readonly [K in T['type']]: Case<Beside<T, K>>
}

/** A one-entry map from the name of the case to its fields. */
export function variant<T extends { readonly type: string }>(cases: Cases<T>): Codec<T> {
  const pairs = Object.entries(cases) as [T['type'], Case<object>][]
  const caseOf = (type: string): Case<object> => {
    const pair = pairs.find(([key]) => key === type)
    if (pair === undefined) throw new BadEncoding(`the case ${type} cannot be written`)
    return pair[1]
  }
  const forms = pairs.map(([, { name, codec }]) => [name, codec.form] as const)
  return {
    form: { type: 'variant', cases: new Map(forms) },
    encode(value) {
      const { name, codec } = caseOf(value.type)
      return new Map([[name, codec.encode(value)]])
    },
    decode(cbor) {
      const [entry, ...more] = asMap(cbor)
      const pair = pairs.find(([, { name }]) => name === entry?.[0])
      if (entry === undefined || pair === undefined || more.length > 0)
        throw new BadEncoding('an unknown case')
      return { type: pair[0], ...pair[1].codec.decode(entry[1]) } as T
    },
  }
}

/** Fields of a case that has none. */
export const nothing: Codec<object> = record<object>({})

/** A case that holds one value, written without a record around it. */
export function only<K extends string, T>(
  key: K,
  { encode, decode, form }: Codec<T>,
): Codec<{ readonly [P in K]: T }> {
  return {
    form,
    encode: (value) => encode(value[key]),
    decode: (cbor) => ({ [key]: decode(cbor) }) as { readonly [P in K]: T },
  }
}
