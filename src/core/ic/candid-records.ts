/**
 * Candid records, tuples and variants as typed codecs: interface names on the wire, camelCase in
 * code.
 */
import { assert, BadEncoding, present } from '../base/errors.ts'
import type { TimestampNs, Tokens } from '../base/units.ts'
import { timestampNs, tokens } from '../base/units.ts'
import type { Account } from './account.ts'
import { SUBACCOUNT_BYTES } from './account.ts'
import type { Codec, OptCodec, ValueOf } from './candid.ts'
import {
  blob,
  mapped,
  nat,
  nat64,
  opt,
  principalCodec,
  read,
  unit,
  valueOfAbsent,
} from './candid.ts'
import type { ConcreteType, Field } from './candid-types.ts'
import { labelHash } from './candid-types.ts'
import { TypeMismatch, type ValueReader } from './candid-values.ts'
import { leb128 } from './cursor.ts'

/** `created_at_time` → `createdAtTime`, `TooOld` → `tooOld`. */
type Camel<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Uncapitalize<Head>}${Capitalize<Camel<Tail>>}`
  : Uncapitalize<S>

/**
 * A field whose name in code is not the camelCase of its label; in a variant, the name of the
 * payload.
 */
export type Named<K extends string, C extends Codec<unknown>> = {
  readonly key: K
  readonly codec: C
}
type FieldCodec = Codec<unknown> | Named<string, Codec<unknown>>
type Fields = { readonly [label: string]: FieldCodec }
type CodecOf<F> = F extends Named<string, infer C> ? C : F
type KeyOf<L, F> =
  F extends Named<infer K, Codec<unknown>> ? K : L extends string ? Camel<L> : never
type Flat<T> = { readonly [K in keyof T]: T[K] }

export type RecordOf<F extends Fields> = Flat<
  {
    readonly [L in keyof F as CodecOf<F[L]> extends OptCodec<unknown>
      ? never
      : KeyOf<L, F[L]>]: ValueOf<CodecOf<F[L]>>
  } & {
    readonly [L in keyof F as CodecOf<F[L]> extends OptCodec<unknown>
      ? KeyOf<L, F[L]>
      : never]?: ValueOf<CodecOf<F[L]>>
  }
>

/** The payload of a case: nothing, a named value, or the fields of a record beside the tag. */
type PayloadOf<F> =
  F extends Named<infer K, infer C> ? RecordOf<{ readonly [key in K]: Named<K, C> }> : ValueOf<F>

export type VariantOf<F extends Fields> = {
  readonly [L in keyof F & string]: Flat<{ readonly type: Camel<L> } & PayloadOf<F[L]>>
}[keyof F & string]

export const named = <const K extends string, C extends Codec<unknown>>(
  key: K,
  codec: C,
): Named<K, C> => ({ key, codec })

type Plain = { [key: string]: unknown }
type Member = Field & { readonly key: string; readonly codec: Codec<unknown> }

const camel = (label: string): string => {
  const words = label.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
  return words.charAt(0).toLowerCase() + words.slice(1)
}

/** Members in the order of the wire. */
function membersOf(fields: Fields): readonly Member[] {
  const members = Object.entries(fields).map(([label, field]): Member => {
    const { key, codec } = 'codec' in field ? field : { key: camel(label), codec: field }
    return { key, codec, label, hash: labelHash(label), inner: codec.type }
  })
  return members.sort((a, b) => a.hash - b.hash)
}

/** Unknown fields are skipped; a missing field is refused unless its type is `opt`. */
export function record<const F extends Fields>(fields: F): Codec<RecordOf<F>> {
  const members = membersOf(fields)
  const byHash = new Map(members.map((member) => [member.hash, member]))
  return {
    type: { type: 'record', fields: members },
    encode: (value, out) => {
      const plain = value as Plain
      for (const { key, codec } of members) codec.encode(plain[key], out)
    },
    decode: (reader, wire) => {
      const plain: Plain = {}
      for (const field of recordFields(wire)) {
        const member = byHash.get(field.hash)
        if (member === undefined) reader.skip(field.inner)
        else plain[member.key] = read(member.codec, reader, field.inner)
      }
      for (const { key, codec } of members) {
        if (!(key in plain)) plain[key] = valueOfAbsent(codec, `the field ${key}`)
        if (plain[key] === undefined) delete plain[key] // Absent and undefined look the same.
      }
      return plain as RecordOf<F>
    },
  }
}

function recordFields(wire: ConcreteType): readonly Field[] {
  if (wire.type !== 'record') throw new TypeMismatch(`record expected, ${wire.type} found`)
  return wire.fields
}

/** `record { A; B }`, labels 0 and 1. */
export function pair<A, B>(first: Codec<A>, second: Codec<B>): Codec<readonly [A, B]> {
  return mapped(
    record({ 0: named('first', first), 1: named('second', second) }) as Codec<Pair<A, B>>,
    (value): readonly [A, B] => [value.first, value.second],
    ([a, b]) => ({ first: a, second: b }),
  )
}
type Pair<A, B> = { readonly first: A; readonly second: B }

/** One case of several; the tag is the label in camelCase. A case that is not listed is refused. */
export function variant<const F extends Fields>(fields: F): Codec<VariantOf<F>> {
  const members = membersOf(fields)
  const cases = Object.entries(fields).map(([label, field]) => ({
    tag: camel(label),
    hash: labelHash(label),
    payload: 'codec' in field ? payload(field) : field,
  }))
  const byTag = new Map(cases.map((entry) => [entry.tag, entry]))
  const byHash = new Map(cases.map((entry) => [entry.hash, entry]))
  return {
    type: { type: 'variant', fields: members },
    encode: (value, out) => {
      const { type } = value as { readonly type: string }
      const { hash, payload } = present(byTag.get(type), `"${type}" is a case of the variant`)
      out.push(leb128(BigInt(members.findIndex((member) => member.hash === hash))))
      payload.encode(value, out)
    },
    decode: (reader, wire) => {
      const field = wireCase(reader, wire)
      const found = byHash.get(field.hash)
      if (found === undefined) throw new TypeMismatch(`an unknown case of a variant`)
      const fields = read(found.payload, reader, field.inner)
      return { type: found.tag, ...(fields as Plain) } as VariantOf<F>
    },
  }
}

function wireCase(reader: ValueReader, wire: ConcreteType): Field {
  if (wire.type !== 'variant') throw new TypeMismatch(`variant expected, ${wire.type} found`)
  const field = wire.fields[Number(reader.cursor.leb128())]
  if (field === undefined) throw new BadEncoding('no such case of a Candid variant')
  return field
}

/** A named payload behaves like a record of one field, without the record on the wire. */
const payload = ({ key, codec }: Named<string, Codec<unknown>>): Codec<unknown> =>
  mapped(
    codec,
    (value) => (value === undefined ? {} : { [key]: value }),
    (value) => (value as Plain)[key],
  )

/** A variant whose cases carry nothing, as a union of texts. */
export function enumeration<const L extends string>(...labels: readonly L[]): Codec<Camel<L>> {
  const cases = variant(Object.fromEntries(labels.map((label) => [label, unit])))
  return mapped(
    cases,
    ({ type }) => type as Camel<L>,
    (type) => ({ type }),
  )
}

/** Exactly 32 bytes; another length refuses the whole message (ledger specification §2.1). */
export const subaccountCodec: Codec<Uint8Array> = mapped(
  blob,
  (bytes) => {
    if (bytes.length !== SUBACCOUNT_BYTES)
      throw new BadEncoding(`a subaccount of ${bytes.length} bytes`)
    return bytes
  },
  (bytes) => {
    assert(bytes.length === SUBACCOUNT_BYTES, 'a subaccount is 32 bytes')
    return bytes
  },
)

export const accountCodec: Codec<Account> = record({
  owner: principalCodec,
  subaccount: opt(subaccountCodec),
})

export const timestampCodec: Codec<TimestampNs> = mapped(nat64, timestampNs, (time) => time)
export const tokensCodec: Codec<Tokens> = mapped(nat, tokens, (amount) => amount)

/** `opt` on the wire that the interface always fills: absent refuses the message. */
export function always<T>(codec: Codec<T>): Codec<T> {
  return mapped(
    opt(codec),
    (value) => {
      if (value === undefined) throw new BadEncoding('a value that is always there is absent')
      return value
    },
    (value): T | undefined => value,
  )
}
