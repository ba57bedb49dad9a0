/**
 * The text of a canister's interface, printed from the table that serves it, so that the two cannot
 * differ. Source: Candid specification, "Grammar"; IC interface §14 (`candid:service`).
 */
import { present } from '../base/errors.ts'
import type { Method } from './candid.ts'
import { resultsOf } from './candid.ts'
import type { CandidType, ConcreteType, Field } from './candid-types.ts'
import { concrete } from './candid-types.ts'

/** Words of the grammar, which as names stand in quotes. */
const KEYWORDS = new Set(
  'blob bool composite_query empty float32 float64 func import int int16 int32 int64 int8 nat nat16 nat32 nat64 nat8 null oneway opt principal query record reserved service text type variant vec'.split(
    ' ',
  ),
)

/** A service with these methods, its recursive types declared before it. */
export function candidText(methods: Readonly<Record<string, Method>>): string {
  const printer = new Printer()
  const lines = Object.entries(methods).map(([name, { mode, args, result }]) => {
    const inputs = args.map(({ type }) => printer.type(type)).join(', ')
    const outputs = resultsOf({ result }).map(({ type }) => printer.type(type))
    const suffix = mode === 'query' ? ' query' : ''
    return `  ${nameText(name)} : (${inputs}) -> (${outputs.join(', ')})${suffix};`
  })
  return [...printer.declarations(), 'service : {', ...lines, '}', ''].join('\n')
}

const nameText = (name: string): string =>
  /^[A-Za-z_]\w*$/.test(name) && !KEYWORDS.has(name) ? name : JSON.stringify(name)

class Printer {
  /** Types that contain themselves, with their names; in the order in which they were met. */
  readonly #names = new Map<ConcreteType, string>()
  readonly #texts = new Map<string, string>()

  type(type: CandidType): string {
    return type.type === 'reference' ? this.#reference(concrete(type)) : this.#concrete(type)
  }

  declarations(): readonly string[] {
    return [...this.#texts].map(([name, text]) => `type ${name} = ${text};`)
  }

  #reference(target: ConcreteType): string {
    const known = this.#names.get(target)
    if (known !== undefined) return known
    const name = `T${this.#names.size}`
    this.#names.set(target, name)
    this.#texts.set(name, this.#concrete(target))
    return name
  }

  #concrete(type: ConcreteType): string {
    switch (type.type) {
      case 'primitive':
        return type.name
      case 'opt':
        return `opt ${this.type(type.inner)}`
      case 'vec':
        return isByte(type.inner) ? 'blob' : `vec ${this.type(type.inner)}`
      case 'record':
        return `record { ${type.fields.map((field) => this.#field(field)).join('; ')} }`
      case 'variant':
        return `variant { ${type.fields.map((field) => this.#case(field)).join('; ')} }`
      case 'func': {
        const [args, results] = [type.args, type.results].map((types) =>
          types.map((inner) => this.type(inner)).join(', '),
        )
        return `func (${args}) -> (${results})${type.mode === 'query' ? ' query' : ''}`
      }
      case 'service':
        return 'service {}'
    }
  }

  #field(field: Field): string {
    return `${labelText(field)} : ${this.type(field.inner)}`
  }

  /** A case that carries nothing is its name alone. */
  #case(field: Field): string {
    const { inner } = field
    const isEmpty = inner.type === 'primitive' && inner.name === 'null'
    return isEmpty ? labelText(field) : this.#field(field)
  }
}

const isByte = (type: CandidType): boolean => type.type === 'primitive' && type.name === 'nat8'

function labelText({ label }: Field): string {
  const text = present(label, 'a type of our own tables has labels')
  return /^\d+$/.test(text) ? text : nameText(text)
}
