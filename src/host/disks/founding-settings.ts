/**
 * What the state of a subnet follows from beside its log: kept on every disk, so that slots are
 * executed again as they were. Source: architecture §§3, 7, threshold §18.4.
 */
import { fromUtf8, toHex, utf8 } from '../../core/base/bytes.ts'
import { attempt, BadEncoding, Problem } from '../../core/base/errors.ts'
import { sha256 } from '../../core/base/hash.ts'
import { dictionary, parseJson, text } from '../../core/base/json.ts'
import type { TokenSettings } from '../../core/subnet/settings.ts'
import { embeddedLedgers } from '../../core/subnet/settings.ts'
import { textOfPlace } from '../bitcoin-place.ts'
import { wireJson } from '../control/protocol.ts'
import type { NodeSettings } from '../node/protocol.ts'
import { writeToken } from '../token-file.ts'

/** The embedded chain unless told. */
export type FoundingSettings = Omit<NodeSettings, 'bitcoin'> &
  Partial<Pick<NodeSettings, 'bitcoin'>>

const NAMES_MAX = 200
const DIGITS = 16
const NONE = 'none'
/** Of a subnet that was made before there was a choice. */
const onlyOnce = new Map([
  ['ledger', NONE],
  ['tokens', NONE],
])

/** Names in ascending order, every value as text. */
export function encodeFounding(settings: FoundingSettings): Uint8Array {
  const { stockTarget, creationMax, minter, ids, operator, bitcoin, ledgers } = settings
  // The port of the embedded node differs from start to start.
  const chain = bitcoin?.isAttached ? `${bitcoin.network} at ${textOfPlace(bitcoin)}` : 'embedded'
  const { ckbtc, tokens } = ledgers ?? embeddedLedgers
  const named = [
    ...flat('', { stockTarget, creationMax, ...minter, ids, operator, chain }),
    [
      'ledger',
      flat('', ckbtc)
        .map(([name, value]) => `${name} ${value}`)
        .join(', ') || NONE,
    ] as const,
    ['tokens', tokens.map(tokenText).join(', ') || NONE] as const,
  ]
  return utf8(JSON.stringify(Object.fromEntries(named.toSorted(([a], [b]) => (a < b ? -1 : 1)))))
}

/** Symbol, and what tells its settings from others. */
const tokenText = (token: TokenSettings): string =>
  `${token.tokenSymbol} (${toHex(sha256(utf8(wireJson(writeToken(token))))).slice(0, DIGITS)})`

function flat(name: string, value: unknown): readonly (readonly [string, string])[] {
  if (value === undefined) return []
  if (value instanceof Uint8Array) return [[name, toHex(value)]]
  if (typeof value !== 'object' || value === null) return [[name, String(value)]]
  return Object.entries(value).flatMap(([field, inner]) =>
    flat(name === '' ? field : `${name}.${field}`, inner),
  )
}

/**
 * Throws `CONFIG_INVALID` when the subnet was made with other settings. A name that only one side
 * knows is of another version of the program and changes nothing.
 */
export function requireFounding(stored: Uint8Array, settings: FoundingSettings): void {
  const before = new Map([...onlyOnce, ...decode(stored)])
  const now = decode(encodeFounding(settings))
  const changed = [...now].filter(([name, value]) => (before.get(name) ?? value) !== value)
  if (changed.length === 0) return
  const words = changed.map(([name, value]) =>
    name === 'operator'
      ? 'another operator key'
      : `${name.replace(/^.*\./, '')} ${before.get(name) ?? ''}, not ${value}`,
  )
  throw new Problem('CONFIG_INVALID', `the subnet was made with ${words.join('; ')}`, {
    fix: 'put its settings.json and operator.key back, use the ckbtc that made it, or begin anew',
    command: 'ckbtc subnet reset',
    details: { changed: changed.map(([name]) => name) },
  })
}

/** Nothing is known of what cannot be read. */
function decode(bytes: Uint8Array): ReadonlyMap<string, string> {
  const read = attempt(() => parseJson(fromUtf8(bytes), dictionary(text, NAMES_MAX)))
  return read instanceof BadEncoding ? new Map() : read
}
