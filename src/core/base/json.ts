/**
 * Strict readers of JSON that others wrote: every value has the shape that is asked for, or
 * `BadEncoding` says where it has not.
 */
import { fromHex } from './bytes.ts'
import { BadEncoding } from './errors.ts'

/** Reads one value; `where` names its place for the error: `nodeKeys[2].id`. */
export type JsonReader<T> = (value: unknown, where: string) => T

/** The type that a reader gives. */
export type Read<R> = R extends JsonReader<infer T> ? T : never

type Readers = Readonly<Record<string, JsonReader<unknown>>>
type Fields<R extends Readers> = { readonly [name in keyof R]: Read<R[name]> }

/** Longer texts are not looked at. */
export const TEXT_LENGTH_MAX = 65_536
const NAME_SHOWN_MAX = 40

export function parseJson<T>(source: string, read: JsonReader<T>): T {
  let value: unknown
  try {
    value = JSON.parse(source)
  } catch (cause) {
    throw new BadEncoding('not JSON', { cause })
  }
  return read(value, 'the document')
}

/**
 * Refuses JSON in which one object names a field twice: of the two `JSON.parse` keeps the last one,
 * other programs the first one. `source` has been parsed.
 */
export function requireDistinctNames(source: string): void {
  const open: (Set<string> | undefined)[] = []
  // Outside of texts, brackets and colons are all that tells where a name stands.
  for (const [token, colon] of source.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/gs)) {
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (colon !== undefined) {
      const name = String(JSON.parse(token.slice(0, -colon.length)))
      const names = open.at(-1)
      if (names?.has(name)) throw new BadEncoding(`the document has the field ${shown(name)} twice`)
      names?.add(name)
    }
  }
}

function wrong(where: string, expected: string): never {
  throw new BadEncoding(`${where} is not ${expected}`)
}

/** The beginning of a name that others chose. */
const shown = (name: string): string => JSON.stringify(name.slice(0, NAME_SHOWN_MAX))

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Every field that is named, and no other. */
export function object<R extends Readers>(readers: R): JsonReader<Fields<R>> {
  const names = Object.keys(readers)
  return (value, where) => {
    if (!isRecord(value)) return wrong(where, 'an object')
    const other = Object.keys(value).find((name) => !names.includes(name))
    if (other !== undefined) throw new BadEncoding(`${where} has an unknown field ${shown(other)}`)
    const fields = names.map((name) => {
      if (!Object.hasOwn(value, name)) throw new BadEncoding(`${where} has no field "${name}"`)
      return [name, readers[name]?.(value[name], `${where}.${name}`)]
    })
    return Object.fromEntries(fields) as Fields<R>
  }
}

/** Names of any spelling, each with a value of one shape. */
export function dictionary<T>(
  read: JsonReader<T>,
  countMax: number,
): JsonReader<ReadonlyMap<string, T>> {
  return (value, where) => {
    if (!isRecord(value)) return wrong(where, 'an object')
    const entries = Object.entries(value)
    if (entries.length > countMax) return wrong(where, `an object of at most ${countMax} fields`)
    return new Map(entries.map(([name, field]) => [name, read(field, `${where}.${name}`)]))
  }
}

export function list<T>(read: JsonReader<T>, countMax: number): JsonReader<readonly T[]> {
  return (value, where) => {
    if (!Array.isArray(value) || value.length > countMax)
      return wrong(where, `a list of at most ${countMax}`)
    return value.map((item, index) => read(item, `${where}[${index}]`))
  }
}

export function textUpTo(lengthMax: number): JsonReader<string> {
  return (value, where) =>
    typeof value === 'string' && value.length <= lengthMax
      ? value
      : wrong(where, `text of at most ${lengthMax} characters`)
}

export const text: JsonReader<string> = textUpTo(TEXT_LENGTH_MAX)

/** Text of this form. */
export function matching(pattern: RegExp, expected: string): JsonReader<string> {
  return (value, where) =>
    typeof value === 'string' && pattern.test(value) ? value : wrong(where, expected)
}

export const flag: JsonReader<boolean> = (value, where) =>
  typeof value === 'boolean' ? value : wrong(where, 'true or false')

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number): JsonReader<number> {
  return (value, where) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
      ? value
      : wrong(where, `a whole number from ${min} to ${max}`)
}

export const count: JsonReader<number> = integer(0, Number.MAX_SAFE_INTEGER)

/** Whole numbers beyond 2^53 travel as decimal digits. */
export const bigCount: JsonReader<bigint> = (value, where) =>
  typeof value === 'string' && /^(?:0|[1-9]\d{0,38})$/.test(value)
    ? BigInt(value)
    : wrong(where, 'a whole number in digits')

export function oneOf<const W extends string>(...words: readonly W[]): JsonReader<W> {
  return (value, where) =>
    words.find((word) => word === value) ?? wrong(where, `one of ${words.join(', ')}`)
}

/** Only this value. */
export function exactly<const V extends string | number>(expected: V): JsonReader<V> {
  return (value, where) => (value === expected ? expected : wrong(where, `${expected}`))
}

/** Bytes in lower-case hexadecimal. */
export const hexBytes: JsonReader<Uint8Array> = (value, where) => {
  const digits = text(value, where)
  if (!/^(?:[0-9a-f]{2})*$/.test(digits)) return wrong(where, 'lower-case hexadecimal')
  return fromHex(digits)
}

/** `null` stands for what does not exist. */
export function nullable<T>(read: JsonReader<T>): JsonReader<T | undefined> {
  return (value, where) => (value === null ? undefined : read(value, where))
}

/** Anything; the caller hands it to somebody who looks closer. */
export const anything: JsonReader<unknown> = (value) => value
