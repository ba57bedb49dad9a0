/** Recorded behaviour of deployed canisters, as RECORDINGS.md beside the recordings has it. */

import type { TimestampNs } from '../../../src/core/base/units.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { principalOfText } from '../../../src/core/ic/principal.ts'

/** nat64 and nat as text, blobs as hex, principals as text; absent optional fields left out. */
export type Readable =
  | string
  | number
  | boolean
  | null
  | readonly Readable[]
  | { readonly [key: string]: Readable }
export type Fields = { readonly [key: string]: Readable }

export type Reject = { readonly code: number; readonly message: string }

/** A call that a canister made during a step. */
export type RecordedCall = {
  readonly to: string
  readonly m: string
  /** When a timer made it. */
  readonly t?: string
  readonly in?: Readable
  readonly out?: Readable
  readonly x?: Reject
  readonly count?: number
  readonly tx?: Readable
}

export type Step = {
  readonly op: string
  /** The section that begins here. */
  readonly g?: string
  /** The time from here on; of `wait` and `jump`, until when. */
  readonly t?: string
  readonly as?: string
  readonly c?: string
  readonly m?: string
  readonly n?: string
  readonly a?: string
  readonly in?: Readable
  readonly r?: string
  readonly out?: Readable
  readonly x?: Reject
  /** Certified data that changed, by canister. */
  readonly cd?: Readable
  readonly what?: string
  readonly parts?: readonly Step[]
  readonly calls?: readonly RecordedCall[]
  /** Fields of `world`. */
  readonly [field: string]: unknown
}

export type Recording = {
  readonly format: number
  readonly kind: string
  readonly scenario: string
  readonly start: string
  readonly people: Readonly<Record<string, { readonly id: string }>>
  readonly canisters: Readonly<Record<string, string>>
  readonly ecdsa?: {
    readonly master_secret: string
    readonly minter_public_key: string
    readonly minter_chain_code: string
  }
  readonly steps: readonly Step[]
  readonly blocks?: readonly { readonly i: number; readonly h: string; readonly b: Readable }[]
  readonly events?: readonly Fields[]
  /** Why events are missing. */
  readonly events_note?: string
  readonly coins?: Readable
  readonly selections?: Readable
}

/** A recording that says what the player does not know is an error of the player. */
export class NotUnderstood extends Error {}

export function fieldsOf(readable: unknown): Fields {
  if (readable === undefined || readable === null) return {}
  if (typeof readable !== 'object' || Array.isArray(readable))
    throw new NotUnderstood(`a record was expected: ${JSON.stringify(readable)}`)
  return readable as Fields
}

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** One field; undefined of a record that has none, and of what is no record. */
export const field = (readable: unknown, name: string): Readable | undefined =>
  isRecord(readable) ? readable[name] : undefined

export const listOf = (readable: unknown): readonly Readable[] =>
  Array.isArray(readable) ? readable : []

/** A caller, an owner: one of the people, one of the canisters, or a principal's text. */
export const principalOf = ({ people, canisters }: Recording, name = 'anonymous'): Principal =>
  principalOfText(people[name]?.id ?? canisters[name] ?? name)

/** The clock of a recording: it stands still between steps. */
export const timeOf = (text: string): TimestampNs => timestampNs(BigInt(text))

/** How something outside answers from now on: `normal`, a reject, or words of its own. */
export type Mood =
  | { readonly type: 'normal' }
  | { readonly type: 'reject'; readonly code: number }
  | { readonly type: 'error'; readonly text: string }

export function moodOf(answer: unknown): Mood {
  if (typeof answer !== 'string') throw new NotUnderstood(`an answer: ${JSON.stringify(answer)}`)
  if (answer === 'normal') return { type: 'normal' }
  const code = /^reject, code (\d)$/.exec(answer)?.[1]
  return code === undefined
    ? { type: 'error', text: answer }
    : { type: 'reject', code: Number(code) }
}

/** Each step with the name of its section. */
export function sectionsOf({ steps }: Recording): ReadonlyMap<string, readonly Step[]> {
  const sections = new Map<string, Step[]>()
  let current: Step[] = []
  for (const step of steps) {
    if (step.g !== undefined || sections.size === 0) {
      const name = step.g ?? 'start'
      current = sections.get(name) ?? []
      sections.set(name, current)
    }
    current.push(step)
  }
  return sections
}
