/**
 * What is known of all keys together: which is the default, when each was used. Implements
 * `docs/spec/cli.md` §5.11.
 */
import { fromUtf8 } from '../../core/base/bytes.ts'
import { attempt, BadEncoding, Problem } from '../../core/base/errors.ts'
import { dictionary, exactly, nullable, object, parseJson, text } from '../../core/base/json.ts'
import { readBounded, writePrivate } from '../private-files.ts'

const VERSION = 1
const BYTES_MAX = 262_144
const KEYS_MAX = 1_000

export type KeyIndex = {
  readonly defaultName: string | undefined
  /** RFC 3339, by name. */
  readonly usedAt: ReadonlyMap<string, string>
}

const document = object({
  version: exactly(VERSION),
  default: nullable(text),
  used_at: dictionary(text, KEYS_MAX),
})

const empty: KeyIndex = { defaultName: undefined, usedAt: new Map() }

/** An index that is not there is empty; one that cannot be read is `KEY_CORRUPT`. */
export function readIndex(path: string): KeyIndex {
  const read = attempt(() => {
    const bytes = readBounded(path, BYTES_MAX)
    return bytes === undefined ? undefined : parseJson(fromUtf8(bytes), document)
  })
  if (read instanceof BadEncoding)
    throw new Problem('KEY_CORRUPT', `${path} cannot be used: ${read.message}`, {
      fix: 'remove it: it holds the name of the default key and times of use, no secrets',
      details: { path },
    })
  return read === undefined ? empty : { defaultName: read.default, usedAt: read.used_at }
}

export function writeIndex(path: string, { defaultName, usedAt }: KeyIndex): void {
  const value = {
    version: VERSION,
    default: defaultName ?? null,
    used_at: Object.fromEntries(usedAt),
  }
  writePrivate(path, `${JSON.stringify(value, undefined, 2)}\n`)
}

/** The index after a key got another name, or none any more. */
export function renamed(index: KeyIndex, from: string, to: string | undefined): KeyIndex {
  const usedAt = [...index.usedAt].flatMap(([name, at]) => {
    if (name !== from) return [[name, at] as const]
    return to === undefined ? [] : [[to, at] as const]
  })
  return {
    defaultName: index.defaultName === from ? to : index.defaultName,
    usedAt: new Map(usedAt),
  }
}
