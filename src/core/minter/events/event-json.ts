/**
 * An event as JSON, for people and their programs. Implements `docs/spec/minter.md` §18.1.
 *
 * Principals are text, bytes are hexadecimal, a txid in internal order with a `_display` twin beside
 * it in the order that people read, 64-bit numbers are decimal text.
 */
import { equalBytes, fromDisplayHex, fromHex, toDisplayHex, toHex } from '../../base/bytes.ts'
import { attempt, BadEncoding } from '../../base/errors.ts'
import type { Cbor } from '../../ic/cbor.ts'
import { principal, principalOfText, textOfPrincipal } from '../../ic/principal.ts'
import { eventCodec } from './event-log.ts'
import type { Event } from './events.ts'
import type { FieldForm, Form } from './fields.ts'
import { txidBytes } from './fields.ts'

export type Json = string | number | boolean | readonly Json[] | { readonly [name: string]: Json }

const DISPLAY = '_display'

export const jsonOfEvent = (event: Event): Json => toJson(eventCodec.encode(event), eventCodec.form)

/** One line, without its end: no text in it has a line break. */
export const jsonLine = (event: Event): string => JSON.stringify(jsonOfEvent(event))

/** Strict: what `jsonOfEvent` would not have written is refused. */
export const eventOfJson = (json: unknown): Event =>
  eventCodec.decode(toCbor(json, eventCodec.form))

type Entries = ReadonlyMap<string, Cbor>
const isEntries = (cbor: Cbor | undefined): cbor is Entries => cbor instanceof Map
const isList = (cbor: Cbor): cbor is readonly Cbor[] => Array.isArray(cbor)

/** The codec has just written it: another shape is a bug. */
function toJson(cbor: Cbor, form: Form): Json {
  switch (form.type) {
    case 'nat64':
      return `${cbor}`
    case 'nat32':
      return Number(cbor)
    case 'text':
      return `${cbor}`
    case 'boolean':
      return cbor === true
    case 'bytes':
    case 'txid':
      return toHex(bytesOf(cbor))
    case 'principal':
      return textOfPrincipal(principal(bytesOf(cbor)))
    case 'list':
      return isList(cbor) ? cbor.map((element) => toJson(element, form.element)) : unfit()
    case 'record':
      return isEntries(cbor) ? recordToJson(cbor, form.fields) : unfit()
    case 'variant': {
      const [entry] = isEntries(cbor) ? cbor : []
      const inner = entry && form.cases.get(entry[0])
      return inner === undefined
        ? unfit()
        : { [entry?.[0] ?? '']: toJson(entry?.[1] ?? null, inner) }
    }
  }
}

function recordToJson(cbor: Entries, fields: ReadonlyMap<string, FieldForm>): Json {
  const entries = [...fields].flatMap(([name, { form }]): [string, Json][] => {
    const value = cbor.get(name)
    if (value === undefined) return []
    const entry: [string, Json] = [name, toJson(value, form)]
    return form.type === 'txid'
      ? [entry, [`${name}${DISPLAY}`, toDisplayHex(txidBytes.decode(value))]]
      : [entry]
  })
  return Object.fromEntries(entries)
}

function unfit(): never {
  throw new BadEncoding('a value of another form')
}

const bytesOf = (cbor: Cbor): Uint8Array => (cbor instanceof Uint8Array ? cbor : unfit())

const NAT64 = /^(?:0|[1-9]\d{0,19})$/

function toCbor(json: unknown, form: Form): Cbor {
  switch (form.type) {
    case 'nat64':
      return typeof json === 'string' && NAT64.test(json) ? BigInt(json) : unfit()
    case 'nat32':
      return typeof json === 'number' && Number.isSafeInteger(json) && json >= 0
        ? BigInt(json)
        : unfit()
    case 'text':
      return typeof json === 'string' ? json : unfit()
    case 'boolean':
      return typeof json === 'boolean' ? json : unfit()
    case 'bytes':
    case 'txid':
      return hexOf(json)
    case 'principal':
      return typeof json === 'string' ? principalOfText(json) : unfit()
    case 'list':
      return Array.isArray(json) ? json.map((element) => toCbor(element, form.element)) : unfit()
    case 'record':
      return recordToCbor(json, form.fields)
    case 'variant': {
      const [[name, inner] = [], ...more] = Object.entries(objectOf(json))
      const inside = name === undefined ? undefined : form.cases.get(name)
      if (name === undefined || inside === undefined || more.length > 0) return unfit()
      return new Map([[name, toCbor(inner, inside)]])
    }
  }
}

function objectOf(json: unknown): Readonly<Record<string, unknown>> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return unfit()
  return Object.fromEntries(Object.entries(json))
}

const hexOf = (json: unknown): Uint8Array =>
  typeof json === 'string' && /^(?:[0-9a-f]{2})*$/.test(json) ? fromHex(json) : unfit()

function recordToCbor(json: unknown, fields: ReadonlyMap<string, FieldForm>): Cbor {
  const given = new Map(Object.entries(objectOf(json)))
  const entries = [...fields].flatMap(([name, { form, optional }]): [string, Cbor][] => {
    const value = given.get(name)
    given.delete(name)
    if (value === undefined) return optional ? [] : unfit()
    const cbor = toCbor(value, form)
    if (form.type === 'txid') {
      const twin = given.get(`${name}${DISPLAY}`)
      given.delete(`${name}${DISPLAY}`)
      const shown = typeof twin === 'string' ? attempt(() => fromDisplayHex(twin)) : undefined
      if (!(shown instanceof Uint8Array) || !equalBytes(shown, bytesOf(cbor))) return unfit()
    }
    return [[name, cbor]]
  })
  return given.size === 0 ? new Map(entries) : unfit()
}
