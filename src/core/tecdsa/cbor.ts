/**
 * The part of CBOR (RFC 8949) that threshold objects use, strictly. Source: threshold specification
 * §7.
 */
import { bigEndian, concat, equalBytes, fromBigEndian, utf8 } from '../base/bytes.ts'
import type { Reader } from '../base/codec.ts'
import { BadEncoding } from '../base/errors.ts'

/** Major types in use; the rest is refused. */
const BYTES = 2
const TEXT = 3
const ARRAY = 4
const MAP = 5
const NULL = 0xf6
const MAP_OF_ONE = 0xa1

/** Head of an item: major type and argument, in the shortest form. */
function head(major: number, argument: number): Uint8Array {
  const type = major << 5
  if (argument < 24) return Uint8Array.of(type | argument)
  const extra = [1, 2, 4].findIndex((size) => argument < 2 ** (8 * size))
  if (extra < 0) throw new RangeError(`${argument} is beyond the lengths of this format`)
  return concat(Uint8Array.of(type | (24 + extra)), bigEndian(BigInt(argument), 2 ** extra))
}

export const cborNull = (): Uint8Array => Uint8Array.of(NULL)
export const cborBytes = (value: Uint8Array): Uint8Array => concat(head(BYTES, value.length), value)
const cborText = (value: string): Uint8Array => concat(head(TEXT, utf8(value).length), utf8(value))
export const cborArray = (items: readonly Uint8Array[]): Uint8Array =>
  concat(head(ARRAY, items.length), ...items)

/** A map of encoded values, its keys in the order given. */
export function cborMap(entries: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const list = Object.entries(entries)
  return concat(head(MAP, list.length), ...list.flatMap(([key, value]) => [cborText(key), value]))
}

function readHead(reader: Reader): { readonly major: number; readonly argument: number } {
  const first = reader.u8()
  const [major, info] = [first >> 5, first & 31]
  if (info < 24) return { major, argument: info }
  if (info > 26) throw new BadEncoding('a CBOR length that is indefinite or too long')
  const argument = Number(fromBigEndian(reader.raw(2 ** (info - 24))))
  if (head(major, argument).length !== 1 + 2 ** (info - 24))
    throw new BadEncoding('a CBOR length that is not in its shortest form')
  return { major, argument }
}

function readLength(reader: Reader, due: number): number {
  const { major, argument } = readHead(reader)
  if (major !== due) throw new BadEncoding(`CBOR type ${major} where ${due} is due`)
  return argument
}

export const readBytes = (reader: Reader): Uint8Array => reader.raw(readLength(reader, BYTES))

export function readArray<T>(
  reader: Reader,
  read: (reader: Reader) => T,
  lengthMax: number,
): readonly T[] {
  const length = readLength(reader, ARRAY)
  if (length > lengthMax) throw new BadEncoding(`${length} items, at most ${lengthMax} allowed`)
  return Array.from({ length }, () => read(reader))
}

/** The head of a map that has this many entries. The keys follow, see `readKey`. */
export function readMapHead(reader: Reader, due: number): void {
  const length = readLength(reader, MAP)
  if (length !== due) throw new BadEncoding(`a map of ${length} entries where ${due} are due`)
}

/** The key that must come next. */
export function readKey(reader: Reader, due: string): void {
  const key = reader.raw(readLength(reader, TEXT))
  if (!equalBytes(key, utf8(due))) throw new BadEncoding(`another key where ${due} is due`)
}

/** A map of one entry whose key names the variant; gives the name. */
export function readVariant<Name extends string>(reader: Reader, names: readonly Name[]): Name {
  const name = readOptionalVariant(reader, names)
  if (name === undefined) throw new BadEncoding(`null where one of ${names.join(', ')} is due`)
  return name
}

/** The same, or undefined for null. */
export function readOptionalVariant<Name extends string>(
  reader: Reader,
  names: readonly Name[],
): Name | undefined {
  const first = reader.u8()
  if (first === NULL) return undefined
  if (first !== MAP_OF_ONE) throw new BadEncoding('not a map of one entry')
  const key = reader.raw(readLength(reader, TEXT))
  const name = names.find((candidate) => equalBytes(utf8(candidate), key))
  if (name === undefined) throw new BadEncoding(`a variant other than ${names.join(', ')}`)
  return name
}
