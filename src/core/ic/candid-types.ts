/**
 * Candid types as data, and the type table in front of every Candid message (Candid specification,
 * "Binary format").
 */
import { concat, concatAll, toHex, utf8 } from '../base/bytes.ts'
import { assert, BadEncoding, present } from '../base/errors.ts'
import type { Cursor } from './cursor.ts'
import { leb128, sleb128 } from './cursor.ts'

const primitives = {
  null: -1n,
  bool: -2n,
  nat: -3n,
  int: -4n,
  nat8: -5n,
  nat16: -6n,
  nat32: -7n,
  nat64: -8n,
  int8: -9n,
  int16: -10n,
  int32: -11n,
  int64: -12n,
  float32: -13n,
  float64: -14n,
  text: -15n,
  reserved: -16n,
  empty: -17n,
  principal: -24n,
} as const
const OPT = -18n
const VEC = -19n
const RECORD = -20n
const VARIANT = -21n
const FUNC = -22n
const SERVICE = -23n

export type Primitive = keyof typeof primitives
export type Mode = 'update' | 'query'

/**
 * `fields` ascend by `hash`. Of a type read from the wire only the hashes are known, not the
 * labels.
 */
export type ConcreteType =
  | { readonly type: 'primitive'; readonly name: Primitive }
  | { readonly type: 'opt' | 'vec'; readonly inner: CandidType }
  | { readonly type: 'record' | 'variant'; readonly fields: readonly Field[] }
  | {
      readonly type: 'func'
      readonly args: readonly CandidType[]
      readonly results: readonly CandidType[]
      readonly mode: Mode
    }
  | { readonly type: 'service' }

/** A reference closes a cycle; it resolves to the same object each time. */
export type CandidType =
  | ConcreteType
  | { readonly type: 'reference'; readonly resolve: () => ConcreteType }

/** `label`: of a type of ours; the wire has hashes only. */
export type Field = {
  readonly hash: number
  readonly inner: CandidType
  readonly label?: string
}

/** Entries and members of one type table that is read. */
const TYPES_MAX = 1_000
const MEMBERS_MAX = 10_000
const HASH_MAX = 0xffff_ffffn
const QUERY_ANNOTATION = 1

/** Id of a label: a number is itself, a name is hashed. */
export function labelHash(label: string): number {
  if (/^\d+$/.test(label)) return Number(label)
  return utf8(label).reduce((hash, byte) => (Math.imul(hash, 223) + byte) >>> 0, 0)
}

export const concrete = (type: CandidType): ConcreteType =>
  type.type === 'reference' ? type.resolve() : type

/** Collects the types of a message; equal types share an entry. */
export class TypeTableWriter {
  readonly #entries: Uint8Array[] = []
  readonly #byForm = new Map<string, number>()
  readonly #recursive = new Map<ConcreteType, number>()

  /** Code of a primitive type, or index of the entry, as it stands in a message. */
  reference(type: CandidType): Uint8Array {
    if (type.type === 'primitive') return sleb128(primitives[type.name])
    if (type.type !== 'reference') return sleb128(BigInt(this.#indexOf(type)))
    const target = type.resolve()
    const known = this.#recursive.get(target)
    if (known !== undefined) return sleb128(BigInt(known))
    const index = this.#entries.push(new Uint8Array()) - 1 // Taken before its members ask for it.
    this.#recursive.set(target, index)
    this.#entries[index] = this.#entry(target)
    return sleb128(BigInt(index))
  }

  done(): Uint8Array {
    return concat(leb128(BigInt(this.#entries.length)), ...this.#entries)
  }

  #indexOf(type: ConcreteType): number {
    const entry = this.#entry(type)
    const form = toHex(entry)
    const index = this.#byForm.get(form) ?? this.#entries.push(entry) - 1
    this.#byForm.set(form, index)
    return index
  }

  #entry(type: ConcreteType): Uint8Array {
    assert(type.type !== 'primitive', 'a primitive type has no entry')
    assert(type.type !== 'service', 'services are read, never written')
    switch (type.type) {
      case 'opt':
      case 'vec':
        return concat(sleb128(type.type === 'opt' ? OPT : VEC), this.reference(type.inner))
      case 'record':
      case 'variant': {
        const fields = type.fields.map(({ hash, inner }) =>
          concat(leb128(BigInt(hash)), this.reference(inner)),
        )
        return concat(sleb128(type.type === 'record' ? RECORD : VARIANT), counted(fields))
      }
      case 'func':
        return concat(
          sleb128(FUNC),
          counted(type.args.map((arg) => this.reference(arg))),
          counted(type.results.map((result) => this.reference(result))),
          counted(type.mode === 'query' ? [Uint8Array.of(QUERY_ANNOTATION)] : []),
        )
    }
  }
}

const counted = (parts: readonly Uint8Array[]): Uint8Array =>
  concat(leb128(BigInt(parts.length)), concatAll(parts))

/** Reads a type table; the function it returns reads one reference into it. */
export function readTypeTable(cursor: Cursor): () => CandidType {
  const count = readCount(cursor, TYPES_MAX)
  const reader = new TypeTableReader(cursor, count)
  return () => reader.reference()
}

function readCount(cursor: Cursor, countMax: number): number {
  const count = cursor.leb128()
  if (count > BigInt(Math.min(countMax, cursor.remaining)))
    throw new BadEncoding(`${count} Candid types or members, at most ${countMax} allowed`)
  return Number(count)
}

const primitiveOfCode = new Map<bigint, Primitive>(
  Object.entries(primitives).map(([name, code]) => [code, name as Primitive]),
)

class TypeTableReader {
  readonly #cursor: Cursor
  readonly #count: number
  readonly #entries: ConcreteType[] = []
  #membersLeft = MEMBERS_MAX

  constructor(cursor: Cursor, count: number) {
    this.#cursor = cursor
    this.#count = count
    for (let index = 0; index < count; index++) this.#entries.push(this.#entry())
  }

  reference(): CandidType {
    const code = this.#cursor.sleb128()
    if (code >= BigInt(this.#count)) throw new BadEncoding(`no Candid type of index ${code}`)
    if (code >= 0n) {
      const index = Number(code)
      const resolve = () => present(this.#entries[index], 'resolved after the table is read')
      return { type: 'reference', resolve }
    }
    const name = primitiveOfCode.get(code)
    if (name === undefined) throw new BadEncoding(`unknown Candid type ${code}`)
    return { type: 'primitive', name }
  }

  #entry(): ConcreteType {
    const code = this.#cursor.sleb128()
    if (code === OPT) return { type: 'opt', inner: this.reference() }
    if (code === VEC) return { type: 'vec', inner: this.reference() }
    if (code === RECORD) return { type: 'record', fields: this.#fields() }
    if (code === VARIANT) return { type: 'variant', fields: this.#fields() }
    if (code === FUNC) return this.#func()
    if (code === SERVICE) return this.#service()
    throw new BadEncoding(`unknown Candid type constructor ${code}`)
  }

  #members<T>(read: () => T): T[] {
    const count = readCount(this.#cursor, this.#membersLeft)
    this.#membersLeft -= count
    return Array.from({ length: count }, read)
  }

  #fields(): readonly Field[] {
    let last = -1n
    return this.#members(() => {
      const hash = this.#cursor.leb128()
      if (hash <= last || hash > HASH_MAX) throw new BadEncoding('Candid fields do not ascend')
      last = hash
      return { hash: Number(hash), inner: this.reference() }
    })
  }

  #func(): ConcreteType {
    const args = this.#members(() => this.reference())
    const results = this.#members(() => this.reference())
    const annotations = this.#members(() => this.#cursor.u8())
    const mode = annotations.includes(QUERY_ANNOTATION) ? 'query' : 'update'
    return { type: 'func', args, results, mode }
  }

  #service(): ConcreteType {
    this.#members(() => {
      this.#cursor.skip(this.#cursor.leb128())
      this.reference()
    })
    return { type: 'service' }
  }
}
