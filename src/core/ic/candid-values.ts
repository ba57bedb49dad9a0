/**
 * Reading Candid values of any type that the wire names, with bounded work (Candid specification,
 * "Memory").
 */
import { fromUtf8 } from '../base/bytes.ts'
import { BadEncoding } from '../base/errors.ts'
import type { CandidType, ConcreteType, Primitive } from './candid-types.ts'
import { concrete } from './candid-types.ts'
import type { Cursor } from './cursor.ts'
import type { Principal } from './principal.ts'
import { principal } from './principal.ts'

const DEPTH_MAX = 64
/** Values may take no bytes (`vec null`), so bytes alone do not bound the work; this does. */
const VISITS_PER_BYTE = 4
const VISITS_MIN = 1_000

/**
 * A well-formed value of a type that is not the expected one: an `opt` around it reads as absent.
 */
export class TypeMismatch extends BadEncoding {}

const fixedSizes: Partial<Record<Primitive, number>> = {
  nat8: 1,
  nat16: 2,
  nat32: 4,
  nat64: 8,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  float32: 4,
  float64: 8,
}

export class ValueReader {
  readonly cursor: Cursor
  #visitsLeft: number
  #depth = 0

  constructor(cursor: Cursor) {
    this.cursor = cursor
    this.#visitsLeft = VISITS_PER_BYTE * cursor.remaining + VISITS_MIN
  }

  /**
   * Every value is read inside `visit`: it counts the work and the depth, also of repeated
   * attempts.
   */
  visit<T>(wire: CandidType, read: (wire: ConcreteType) => T): T {
    if (this.#visitsLeft === 0) throw new BadEncoding('Candid values without bytes behind them')
    if (this.#depth === DEPTH_MAX) throw new BadEncoding(`Candid nested deeper than ${DEPTH_MAX}`)
    this.#visitsLeft -= 1
    this.#depth += 1
    try {
      return read(concrete(wire))
    } finally {
      this.#depth -= 1
    }
  }

  /**
   * Result of `read`, or undefined (and the value skipped) when its type is not the expected one.
   */
  attempt<T>(wire: CandidType, read: () => T): T | undefined {
    const start = this.cursor.offset
    try {
      return read()
    } catch (error) {
      if (!(error instanceof TypeMismatch)) throw error
      this.cursor.rewind(start)
      this.skip(wire)
      return undefined
    }
  }

  /** A byte that is 0 or 1. */
  flag(): boolean {
    const byte = this.cursor.u8()
    if (byte > 1) throw new BadEncoding(`Candid flag ${byte}`)
    return byte === 1
  }

  blob(): Uint8Array {
    return this.cursor.take(this.cursor.leb128())
  }

  text(): string {
    return fromUtf8(this.blob())
  }

  principal(): Principal {
    if (!this.flag()) throw new BadEncoding('opaque Candid references are not understood')
    return principal(this.blob())
  }

  /** A function reference: canister and method. */
  func(): { readonly canisterId: Principal; readonly methodName: string } {
    if (!this.flag()) throw new BadEncoding('opaque Candid references are not understood')
    return { canisterId: this.principal(), methodName: this.text() }
  }

  skip(type: CandidType): void {
    this.visit(type, (wire) => {
      switch (wire.type) {
        case 'primitive':
          return this.#skipPrimitive(wire.name)
        case 'opt':
          if (this.flag()) this.skip(wire.inner)
          return
        case 'vec':
          return this.#skipVec(wire.inner)
        case 'record':
          for (const { inner } of wire.fields) this.skip(inner)
          return
        case 'variant': {
          const field = wire.fields[Number(this.cursor.leb128())]
          if (field === undefined) throw new BadEncoding('no such case of a Candid variant')
          return this.skip(field.inner)
        }
        case 'func':
          this.func()
          return
        case 'service':
          this.principal()
          return
      }
    })
  }

  #skipVec(inner: CandidType): void {
    const count = this.cursor.leb128()
    const size = inner.type === 'primitive' ? fixedSizes[inner.name] : undefined
    if (size !== undefined) this.cursor.skip(count * BigInt(size))
    else for (let index = 0n; index < count; index++) this.skip(inner)
  }

  #skipPrimitive(name: Primitive): void {
    const size = fixedSizes[name]
    if (size !== undefined) this.cursor.skip(size)
    else if (name === 'bool') this.flag()
    else if (name === 'nat' || name === 'int') this.cursor.leb128()
    else if (name === 'text') this.text()
    else if (name === 'principal') this.principal()
    else if (name === 'empty') throw new BadEncoding('a Candid value of type empty')
  }
}
