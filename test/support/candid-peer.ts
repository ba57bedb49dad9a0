/**
 * Published Candid interfaces as peers of ours: their types written down canonically, and random
 * values of them.
 */
import { IDL, idlLabelToId } from '@icp-sdk/core/candid'
import { Principal } from '@icp-sdk/core/principal'
import fc from 'fast-check'
import type { CandidType } from '../../src/core/ic/candid-types.ts'

export type PublishedMethod = {
  readonly args: readonly IDL.Type[]
  readonly results: readonly IDL.Type[]
  readonly mode: 'query' | 'update'
}

/**
 * `declaration`: path below `@icp-sdk/canisters/declarations`, which the package's exports do not
 * reach.
 */
export async function publishedInterface(
  declaration: string,
): Promise<ReadonlyMap<string, PublishedMethod>> {
  const base = '../../node_modules/@icp-sdk/canisters/declarations/'
  const { href } = new URL(base + declaration, import.meta.url)
  const { idlFactory } = (await import(href)) as { idlFactory: IDL.InterfaceFactory }
  const methods = idlFactory({ IDL })._fields.map(([name, type]): [string, PublishedMethod] => {
    const mode = type.annotations.includes('query') ? 'query' : 'update'
    return [name, { args: type.argTypes, results: type.retTypes, mode }]
  })
  return new Map(methods)
}

/** One text for each type; a type inside itself is written as its distance. */
export function canonicalForm(type: CandidType, around: readonly unknown[] = []): string {
  const form = (inner: CandidType): string => canonicalForm(inner, around)
  switch (type.type) {
    case 'primitive':
      return type.name
    case 'reference': {
      const target = type.resolve()
      const distance = around.indexOf(target)
      return distance >= 0 ? `^${distance}` : canonicalForm(target, [target, ...around])
    }
    case 'opt':
    case 'vec':
      return `${type.type} ${form(type.inner)}`
    case 'record':
    case 'variant':
      return `${type.type}{${type.fields.map(({ hash, inner }) => `${hash}:${form(inner)}`)}}`
    case 'func':
      return `func(${type.args.map(form)})(${type.results.map(form)})${type.mode}`
    case 'service':
      return 'service'
  }
}

/** The same for a published type. */
export const publishedForm = (type: IDL.Type): string => type.accept(new FormVisitor(), [])

type Labelled = readonly (readonly [string, IDL.Type])[]

class FormVisitor extends IDL.Visitor<readonly unknown[], string> {
  override visitPrimitive(type: IDL.PrimitiveType): string {
    return type.name
  }
  override visitVec<T>(_: IDL.VecClass<T>, inner: IDL.Type<T>, around: readonly unknown[]): string {
    return `vec ${inner.accept(this, around)}`
  }
  override visitOpt<T>(_: IDL.OptClass<T>, inner: IDL.Type<T>, around: readonly unknown[]): string {
    return `opt ${inner.accept(this, around)}`
  }
  override visitRecord(_: IDL.RecordClass, fields: Labelled, around: readonly unknown[]): string {
    return `record{${this.#fields(fields, around)}}`
  }
  override visitVariant(_: IDL.VariantClass, fields: Labelled, around: readonly unknown[]): string {
    return `variant{${this.#fields(fields, around)}}`
  }
  override visitRec<T>(
    rec: IDL.RecClass<T>,
    inner: IDL.ConstructType<T>,
    around: readonly unknown[],
  ): string {
    const distance = around.indexOf(rec)
    return distance >= 0 ? `^${distance}` : inner.accept(this, [rec, ...around])
  }
  override visitFunc(func: IDL.FuncClass, around: readonly unknown[]): string {
    const forms = (types: readonly IDL.Type[]) => types.map((type) => type.accept(this, around))
    const mode = func.annotations.includes('query') ? 'query' : 'update'
    return `func(${forms(func.argTypes)})(${forms(func.retTypes)})${mode}`
  }
  #fields(fields: Labelled, around: readonly unknown[]): string {
    return fields
      .map(([label, type]) => `${idlLabelToId(label)}:${type.accept(this, around)}`)
      .join()
  }
}

/** Fields whose blob has a fixed size in our typed values. */
const hashes = /txid$|subaccount$|block_hash$|^start$/
/** Optional fields that our values always fill. */
const filled = /^(Ok|Err|Mint|Burn|pending_utxos|suspended_utxos)$/
const DEPTH_MAX = 6
type Place = { readonly label: string; readonly depth: number }

/** Random values of a published type, in the form that the SDK's codec takes. */
export const publishedValues = (type: IDL.Type): fc.Arbitrary<unknown> =>
  type.accept(new ValueVisitor(), { label: '', depth: 0 })

class ValueVisitor extends IDL.Visitor<Place, fc.Arbitrary<unknown>> {
  override visitNull(): fc.Arbitrary<unknown> {
    return fc.constant(null)
  }
  override visitBool(): fc.Arbitrary<unknown> {
    return fc.boolean()
  }
  override visitText(): fc.Arbitrary<unknown> {
    return fc.string({ unit: 'grapheme' })
  }
  override visitInt(): fc.Arbitrary<unknown> {
    return fc.bigInt()
  }
  override visitNat(): fc.Arbitrary<unknown> {
    return fc.bigInt({ min: 0n, max: 2n ** 130n })
  }
  override visitFixedNat(type: IDL.FixedNatClass, { label }: Place): fc.Arbitrary<unknown> {
    if (type._bits < 64) return fc.nat(2 ** type._bits - 1)
    return fc.bigInt(0n, label === 'value' ? 2_100_000_000_000_000n : 2n ** 64n - 1n)
  }
  override visitFixedInt(type: IDL.FixedIntClass): fc.Arbitrary<unknown> {
    const bound = 2 ** (type._bits - 1)
    return fc.integer({ min: -bound, max: bound - 1 })
  }
  override visitPrincipal(): fc.Arbitrary<unknown> {
    return fc.uint8Array({ maxLength: 29 }).map((bytes) => Principal.fromUint8Array(bytes))
  }
  override visitVec<T>(
    _: IDL.VecClass<T>,
    inner: IDL.Type<T>,
    place: Place,
  ): fc.Arbitrary<unknown> {
    if (inner.name !== 'nat8')
      return fc.array(inner.accept(this, place), { maxLength: place.depth > DEPTH_MAX ? 0 : 3 })
    return hashes.test(place.label)
      ? fc.uint8Array({ minLength: 32, maxLength: 32 })
      : fc.uint8Array({ maxLength: 40 })
  }
  override visitOpt<T>(
    _: IDL.OptClass<T>,
    inner: IDL.Type<T>,
    place: Place,
  ): fc.Arbitrary<unknown> {
    const some = fc.tuple(inner.accept(this, place))
    return filled.test(place.label) ? some : fc.oneof(fc.constant([]), some)
  }
  override visitRecord(_: IDL.RecordClass, fields: Labelled, place: Place): fc.Arbitrary<unknown> {
    return fc.record(Object.fromEntries(this.#fields(fields, place)), { noNullPrototype: true })
  }
  override visitTuple<T extends unknown[]>(
    _: IDL.TupleClass<T>,
    components: IDL.Type[],
    place: Place,
  ): fc.Arbitrary<unknown> {
    return fc.tuple(...components.map((component) => component.accept(this, place)))
  }
  override visitVariant(
    _: IDL.VariantClass,
    fields: Labelled,
    place: Place,
  ): fc.Arbitrary<unknown> {
    const cases = this.#fields(fields, place)
    return fc.oneof(...cases.map(([label, value]) => value.map((inner) => ({ [label]: inner }))))
  }
  override visitRec<T>(
    _: IDL.RecClass<T>,
    inner: IDL.ConstructType<T>,
    { label, depth }: Place,
  ): fc.Arbitrary<unknown> {
    // Deep inside, only empty vectors are built, so the recursion ends.
    if (depth > DEPTH_MAX + 1) return fc.constant({ Array: [] })
    return inner.accept(this, { label, depth: depth + 3 })
  }
  override visitFunc(): fc.Arbitrary<unknown> {
    return fc.constant([Principal.anonymous(), 'get_blocks'])
  }
  #fields(fields: Labelled, { depth }: Place): [string, fc.Arbitrary<unknown>][] {
    return fields.map(([label, type]) => [label, type.accept(this, { label, depth })])
  }
}
