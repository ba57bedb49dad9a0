/**
 * Candid as typed codecs, within the bounds of `docs/spec/ic-interface.md` §2. Implements the
 * Candid specification.
 */

// One declaration gives the wire type, the TypeScript type, encoder and decoder. The SDK's decoder
// takes time exponential in hostile input and accepts truncated blobs; this one is total.

import { concat, concatAll, equalBytes, utf8 } from '../base/bytes.ts'
import { assert, BadEncoding } from '../base/errors.ts'
import type { CandidType, ConcreteType, Mode, Primitive } from './candid-types.ts'
import { readTypeTable, TypeTableWriter } from './candid-types.ts'
import { TypeMismatch, ValueReader } from './candid-values.ts'
import { Cursor, leb128, sleb128 } from './cursor.ts'
import type { Principal } from './principal.ts'

export interface Codec<T> {
  readonly type: CandidType
  /** Appends the value's bytes. The value is ours: one that does not fit its type is a bug. */
  encode(value: T, out: Uint8Array[]): void
  /** Reads a value that is on the wire as type `wire`; `BadEncoding` for anything else. */
  decode(reader: ValueReader, wire: ConcreteType): T
  /** The value of a field or argument that is not on the wire, for types that allow that. */
  readonly absent?: () => T
}

export type OptCodec<T> = Codec<T | undefined> & { readonly absent: () => undefined }
export type ValueOf<C> = C extends Codec<infer T> ? T : never

const MAGIC = utf8('DIDL')
/** No argument or reply of the interface is larger (ic-interface §25). */
export const MESSAGE_BYTES_MAX = 3 * 1024 * 1024
export const ARGUMENTS_MAX = 100

type Values<C extends readonly Codec<unknown>[]> = { readonly [K in keyof C]: ValueOf<C[K]> }

export function encodeArgs<const C extends readonly Codec<unknown>[]>(
  codecs: C,
  values: Values<C>,
): Uint8Array {
  const table = new TypeTableWriter()
  const types = codecs.map((codec) => table.reference(codec.type))
  const out: Uint8Array[] = []
  for (const [index, codec] of codecs.entries()) codec.encode(values[index], out)
  return concat(MAGIC, table.done(), leb128(BigInt(types.length)), ...types, concatAll(out))
}

/** Extra arguments are skipped, missing ones allowed where the type is `opt`: Candid subtyping. */
export function decodeArgs<const C extends readonly Codec<unknown>[]>(
  codecs: C,
  bytes: Uint8Array,
): Values<C> {
  if (bytes.length > MESSAGE_BYTES_MAX)
    throw new BadEncoding(`a Candid message of ${bytes.length} bytes`)
  const cursor = new Cursor(bytes)
  if (!equalBytes(cursor.take(MAGIC.length), MAGIC)) throw new BadEncoding('not a Candid message')
  const reference = readTypeTable(cursor)
  const count = cursor.leb128()
  if (count > ARGUMENTS_MAX) throw new BadEncoding(`${count} Candid arguments announced`)
  const wires = Array.from({ length: Number(count) }, reference)
  const reader = new ValueReader(cursor)
  const values = codecs.map((codec, index) => {
    const wire = wires[index]
    return wire === undefined
      ? valueOfAbsent(codec, `argument ${index}`)
      : read(codec, reader, wire)
  })
  for (const wire of wires.slice(codecs.length)) reader.skip(wire)
  return cursor.end(values) as Values<C>
}

/** A method of a canister's interface, as the tables of ledger and minter list them. */
export type Method<
  A extends readonly Codec<unknown>[] = readonly Codec<unknown>[],
  R extends Codec<unknown> = Codec<unknown>,
> = { readonly mode: Mode; readonly args: A; readonly result: R }

export const query = <const A extends readonly Codec<unknown>[], R extends Codec<unknown>>(
  args: A,
  result: R,
): Method<A, R> => ({ mode: 'query', args, result })

export const update = <const A extends readonly Codec<unknown>[], R extends Codec<unknown>>(
  args: A,
  result: R,
): Method<A, R> => ({ mode: 'update', args, result })

export const read = <T>(codec: Codec<T>, reader: ValueReader, wire: CandidType): T =>
  reader.visit(wire, (type) => codec.decode(reader, type))

export function valueOfAbsent<T>(codec: Codec<T>, what: string): T {
  if (codec.absent === undefined) throw new TypeMismatch(`${what} is missing`)
  return codec.absent()
}

function expectType(condition: boolean, expected: string, wire: ConcreteType): asserts condition {
  const found = wire.type === 'primitive' ? wire.name : wire.type
  if (!condition) throw new TypeMismatch(`${expected} expected, ${found} found`)
}

function primitive<T>(
  name: Primitive,
  encode: (value: T) => Uint8Array,
  decode: (reader: ValueReader) => T,
): Codec<T> {
  return {
    type: { type: 'primitive', name },
    encode: (value, out) => void out.push(encode(value)),
    decode: (reader, wire) => {
      expectType(wire.type === 'primitive' && wire.name === name, name, wire)
      return decode(reader)
    },
  }
}

const littleEndian = (value: bigint, size: number): Uint8Array => {
  if (value < 0n || value >> BigInt(8 * size) !== 0n)
    throw new RangeError(`${value} does not fit ${size} bytes`)
  return Uint8Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn))
}

const fixed = (reader: ValueReader, size: number): bigint =>
  reader.cursor.take(size).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)

const sized = (bytes: Uint8Array): Uint8Array => concat(leb128(BigInt(bytes.length)), bytes)

const small = (name: Primitive, size: number): Codec<number> =>
  primitive(
    name,
    (value) => littleEndian(BigInt(value), size),
    (reader) => Number(fixed(reader, size)),
  )

export const nat8 = small('nat8', 1)
export const nat16 = small('nat16', 2)
export const nat32 = small('nat32', 4)
export const nat64 = primitive(
  'nat64',
  (value: bigint) => littleEndian(value, 8),
  (reader) => fixed(reader, 8),
)
/** Two's complement. */
export const int16: Codec<number> = primitive(
  'int16',
  (value) => littleEndian(BigInt.asUintN(16, BigInt(value)), 2),
  (reader) => Number(BigInt.asIntN(16, fixed(reader, 2))),
)
export const nat = primitive('nat', leb128, (reader) => reader.cursor.leb128())
export const bool = primitive(
  'bool',
  (value: boolean) => Uint8Array.of(value ? 1 : 0),
  (reader) => reader.flag(),
)
export const text = primitive(
  'text',
  (value: string) => sized(utf8(value)),
  (reader) => reader.text(),
)
export const principalCodec = primitive(
  'principal',
  (value: Principal) => concat(Uint8Array.of(1), sized(value)),
  (reader) => reader.principal(),
)
/** Case of a variant that carries nothing. */
export const unit = primitive<object>(
  'null',
  () => new Uint8Array(),
  () => ({}),
)

/** Stands for no value at all: the result of a method that answers `()`. */
export const nothing: Codec<undefined> = {
  type: { type: 'primitive', name: 'reserved' },
  encode: () => assert(false, 'no value has no form on the wire'),
  decode: () => undefined,
  absent: () => undefined,
}

/** What stands on the wire for a method's result: one value or none. */
export const resultsOf = ({ result }: Pick<Method, 'result'>): readonly Codec<unknown>[] =>
  result === nothing ? [] : [result]

/** A natural number on the wire is an integer too. */
export const int: Codec<bigint> = {
  type: { type: 'primitive', name: 'int' },
  encode: (value, out) => void out.push(sleb128(value)),
  decode: (reader, wire) => {
    if (wire.type === 'primitive' && wire.name === 'nat') return reader.cursor.leb128()
    expectType(wire.type === 'primitive' && wire.name === 'int', 'int', wire)
    return reader.cursor.sleb128()
  },
}

export const blob: Codec<Uint8Array> = {
  type: { type: 'vec', inner: nat8.type },
  encode: (value, out) => void out.push(sized(value)),
  decode: (reader, wire) => {
    const inner = wire.type === 'vec' ? wire.inner : undefined
    expectType(inner?.type === 'primitive' && inner.name === 'nat8', 'blob', wire)
    return reader.blob()
  },
}

export function vec<T>(element: Codec<T>): Codec<readonly T[]> {
  return {
    type: { type: 'vec', inner: element.type },
    encode: (values, out) => {
      out.push(leb128(BigInt(values.length)))
      for (const value of values) element.encode(value, out)
    },
    decode: (reader, wire) => {
      expectType(wire.type === 'vec', 'vec', wire)
      const values: T[] = []
      for (let left = reader.cursor.leb128(); left > 0n; left--)
        values.push(read(element, reader, wire.inner))
      return values
    },
  }
}

/** Absent is `undefined`. A value of another type reads as absent, as Candid demands. */
export function opt<T>(inner: Codec<T>): OptCodec<T> {
  return {
    type: { type: 'opt', inner: inner.type },
    absent: () => undefined,
    encode: (value, out) => {
      out.push(Uint8Array.of(value === undefined ? 0 : 1))
      if (value !== undefined) inner.encode(value, out)
    },
    decode: (reader, wire) => {
      if (wire.type === 'opt') {
        if (!reader.flag()) return undefined
        return reader.attempt(wire.inner, () => read(inner, reader, wire.inner))
      }
      if (wire.type === 'primitive' && (wire.name === 'null' || wire.name === 'reserved'))
        return undefined
      return reader.attempt(wire, () => read(inner, reader, wire))
    },
  }
}

/** A reference to a method of a canister; its declared type is not compared. */
export function func(
  args: readonly Codec<unknown>[],
  results: readonly Codec<unknown>[],
  mode: Mode,
): Codec<{ readonly canisterId: Principal; readonly methodName: string }> {
  const types = (codecs: readonly Codec<unknown>[]) => codecs.map(({ type }) => type)
  return {
    type: { type: 'func', args: types(args), results: types(results), mode },
    encode: ({ canisterId, methodName }, out) => {
      out.push(Uint8Array.of(1))
      principalCodec.encode(canisterId, out)
      text.encode(methodName, out)
    },
    decode: (reader, wire) => {
      expectType(wire.type === 'func', 'func', wire)
      return reader.func()
    },
  }
}

/** For types that contain themselves. */
export function recursive<T>(define: () => Codec<T>): Codec<T> {
  let defined: Codec<T> | undefined
  const codec = (): Codec<T> => {
    defined ??= define()
    return defined
  }
  const resolve = (): ConcreteType => {
    const { type } = codec()
    assert(type.type !== 'reference', 'a recursive type is defined by a concrete one')
    return type
  }
  return {
    type: { type: 'reference', resolve },
    encode: (value, out) => codec().encode(value, out),
    decode: (reader, wire) => codec().decode(reader, wire),
  }
}

/** The same on the wire, another type here. `from` may refuse with `BadEncoding`. */
export function mapped<W, T>(codec: Codec<W>, from: (wire: W) => T, to: (value: T) => W): Codec<T> {
  const { type, absent } = codec
  return {
    type,
    encode: (value, out) => codec.encode(to(value), out),
    decode: (reader, wire) => from(codec.decode(reader, wire)),
    ...(absent === undefined ? {} : { absent: () => from(absent()) }),
  }
}
