/** Path and parameters of a URL that anybody may have written. Source: RFC 3986, the HTML forms. */

import { fromUtf8, utf8 } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'

export const URL_LENGTH_MAX = 2_000
const PARAMETERS_MAX = 20

export type HttpUrl = { readonly path: string; readonly parameters: ReadonlyMap<string, string> }

/** Strict: broken escapes, repeated parameters and too many of them are `BadEncoding`. */
export function parseUrl(url: string): HttpUrl {
  if (url.length > URL_LENGTH_MAX) throw new BadEncoding('the URL is too long')
  const [whole = ''] = url.split('#')
  const mark = whole.indexOf('?')
  const path = unescaped(mark < 0 ? whole : whole.slice(0, mark))
  const parts = mark < 0 ? [] : whole.slice(mark + 1).split('&')
  if (parts.length > PARAMETERS_MAX) throw new BadEncoding('too many parameters')
  const parameters = new Map<string, string>()
  for (const part of parts.filter((each) => each !== '')) {
    const equals = part.indexOf('=')
    const name = unescaped(equals < 0 ? part : part.slice(0, equals))
    if (parameters.has(name)) throw new BadEncoding('a parameter is given twice')
    parameters.set(name, equals < 0 ? '' : unescaped(part.slice(equals + 1).replaceAll('+', ' ')))
  }
  return { path, parameters }
}

/** `%41` → `A`; what is escaped must be UTF-8. */
function unescaped(text: string): string {
  if (!/^(?:[^%]|%[0-9a-f]{2})*$/i.test(text)) throw new BadEncoding('a broken escape')
  if (!text.includes('%')) return text
  const bytes: number[] = []
  for (let i = 0; i < text.length; ) {
    if (text[i] === '%') {
      bytes.push(Number.parseInt(text.slice(i + 1, i + 3), 16))
      i += 3
      continue
    }
    const character = String.fromCodePoint(text.codePointAt(i) ?? 0)
    bytes.push(...utf8(character))
    i += character.length
  }
  return fromUtf8(Uint8Array.from(bytes))
}

const NUMBER = /^(?:0|[1-9]\d{0,19})$/

/** A number of 64 bits in decimal; `fallback` where it is not given. */
export function numberOf(
  { parameters }: HttpUrl,
  name: string,
  fallback: bigint,
): bigint | BadEncoding {
  const value = parameters.get(name)
  if (value === undefined) return fallback
  const number = NUMBER.test(value) ? BigInt(value) : undefined
  return number === undefined || number >= 2n ** 64n
    ? new BadEncoding(`${name} is not a decimal number`)
    : number
}

export const urlOf = (url: string): HttpUrl | BadEncoding => attempt(() => parseUrl(url))
