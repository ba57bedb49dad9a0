/** Candid messages in the readable form of recordings, by the types that codecs declare. */
import { toHex } from '../../../src/core/base/bytes.ts'
import type { Codec } from '../../../src/core/ic/candid.ts'
import { decodeArgs, encodeArgs } from '../../../src/core/ic/candid.ts'
import type { CandidType, Field } from '../../../src/core/ic/candid-types.ts'
import { concrete, readTypeTable } from '../../../src/core/ic/candid-types.ts'
import { ValueReader } from '../../../src/core/ic/candid-values.ts'
import { Cursor } from '../../../src/core/ic/cursor.ts'
import { textOfPrincipal } from '../../../src/core/ic/principal.ts'
import type { Fields, Readable } from './format.ts'
import { NotUnderstood } from './format.ts'

const MAGIC_BYTES = 4

/** A value of ours; `undefined` where an optional one is absent. */
export function readableOf<T>(codec: Codec<T>, value: T): Readable | undefined {
  const cursor = new Cursor(encodeArgs([codec], [value]))
  cursor.take(MAGIC_BYTES)
  readTypeTable(cursor)
  // One argument; its type is the codec's own, with labels.
  cursor.leb128()
  cursor.sleb128()
  return read(new ValueReader(cursor), codec.type)
}

/** The first value of an encoded message, read by what `codec` knows of it. */
export const readableMessage = (codec: Codec<unknown>, bytes: Uint8Array): Readable | undefined =>
  readableOf(codec, decodeArgs([codec], bytes)[0])

function read(reader: ValueReader, type: CandidType): Readable | undefined {
  const wire = concrete(type)
  switch (wire.type) {
    case 'primitive':
      return readPrimitive(reader, wire.name)
    case 'opt':
      return reader.flag() ? (read(reader, wire.inner) ?? null) : undefined
    case 'vec': {
      const inner = concrete(wire.inner)
      if (inner.type === 'primitive' && inner.name === 'nat8') return toHex(reader.blob())
      const count = Number(reader.cursor.leb128())
      return Array.from({ length: count }, () => read(reader, inner) ?? null)
    }
    case 'record':
      return readRecord(reader, wire.fields)
    case 'variant': {
      const field = wire.fields[Number(reader.cursor.leb128())]
      if (field === undefined) throw new NotUnderstood('no such case')
      return { [nameOf(field)]: read(reader, field.inner) ?? null }
    }
    case 'func': {
      const { canisterId, methodName } = reader.func()
      return [textOfPrincipal(canisterId), methodName]
    }
    case 'service':
      throw new NotUnderstood(`values of type ${wire.type}`)
  }
}

const nameOf = ({ label, hash }: Field): string => label ?? String(hash)

/** Fields numbered from 0 are a tuple: a list. */
function readRecord(reader: ValueReader, fields: readonly Field[]): Readable {
  const entries = fields.map((field) => [nameOf(field), read(reader, field.inner)] as const)
  const present = entries.filter((entry): entry is [string, Readable] => entry[1] !== undefined)
  const isTuple = fields.length > 0 && fields.every(({ hash }, index) => hash === index)
  return isTuple ? entries.map(([, value]) => value ?? null) : Object.fromEntries(present)
}

function readPrimitive(reader: ValueReader, name: string): Readable | undefined {
  const { cursor } = reader
  const number = (size: number): bigint =>
    cursor.take(size).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
  switch (name) {
    case 'null':
    case 'reserved':
      return null
    case 'bool':
      return reader.flag()
    case 'nat':
      return String(cursor.leb128())
    case 'int':
      return String(cursor.sleb128())
    case 'nat8':
      return Number(number(1))
    case 'nat16':
      return Number(number(2))
    case 'nat32':
      return Number(number(4))
    case 'nat64':
      return String(number(8))
    case 'text':
      return reader.text()
    case 'principal':
      return textOfPrincipal(reader.principal())
    default:
      throw new NotUnderstood(`values of type ${name}`)
  }
}

/** Order of fields does not count. */
export function isSame(a: Readable | undefined, b: Readable | undefined): boolean {
  return canonical(a) === canonical(b)
}

export const canonical = (value: Readable | undefined): string =>
  JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  )

/** The case of a variant and what it carries. */
export function caseOf(value: Readable | undefined): readonly [string, Readable] {
  const [entry] = Object.entries((value ?? {}) as Fields)
  return entry ?? ['', null]
}
