/**
 * What `subnet start` may choose, kept beside the state. Implements `docs/spec/cli.md` §5.16;
 * defaults of `docs/spec/minter.md` §1.2.
 */
import { attempt, BadEncoding, Problem } from '../core/base/errors.ts'
import type { JsonReader, Read } from '../core/base/json.ts'
import {
  anything,
  bigCount,
  dictionary,
  exactly,
  flag,
  integer,
  nullable,
  object,
  oneOf,
  parseJson,
  text,
} from '../core/base/json.ts'
import type { IdsKind } from '../core/ic/canister-ids.ts'
import type { TokenSettings } from '../core/subnet/settings.ts'
import type { BitcoinPlace } from './bitcoin-place.ts'
import { attachableNetworks, textOfPlace } from './bitcoin-place.ts'
import { wireJson } from './control/protocol.ts'
import { type Isolation, isolations } from './isolation.ts'
import type { MiningMode } from './mining-mode.ts'
import { miningModeOfText, textOfMiningMode } from './mining-mode.ts'
import type { SetValue } from './minter-values.ts'
import { isByUpgradeAlone } from './minter-values.ts'
import { isByUpgrade, isFreeToChange } from './set-values.ts'
import { readTokens, writeToken } from './token-file.ts'

export type SubnetSettings = {
  readonly nodes: number
  /** 0: any free port. */
  readonly port: number
  readonly host: string
  readonly mining: MiningMode
  readonly minConfirmations: number
  readonly autoMint: boolean
  /** The fee level that estimates see, if one is set. */
  readonly feeRateMsatPerVb: bigint | undefined
  readonly ids: IdsKind
  /** Where each node lives. */
  readonly isolation: Isolation
  /** The node of the user's that it follows in place of the embedded one. */
  readonly bitcoin: BitcoinPlace | undefined
  /** By `--set`: `minter.max-time-in-queue`. */
  readonly set: ReadonlyMap<string, SetValue>
  /** Beside ckBTC, in the order of their ids. */
  readonly tokens: readonly TokenSettings[]
}

export const NODES_MAX = 40
export const SET_MAX = 100
/** Room for as many tokens as there can be, each as long as its file. */
export const SETTINGS_BYTES_MAX = 2 * 1024 * 1024
export const CONFIRMATIONS_MAX = 1_000
const VERSION = 1

export const defaultSettings: SubnetSettings = {
  nodes: 4,
  port: 0,
  host: '127.0.0.1',
  mining: { type: 'auto' },
  minConfirmations: 6,
  autoMint: true,
  feeRateMsatPerVb: undefined,
  ids: 'own',
  isolation: 'worker',
  bitcoin: undefined,
  set: new Map(),
  tokens: [],
}

const mining: JsonReader<MiningMode> = (value, where) => {
  const mode = miningModeOfText(text(value, where))
  if (mode === undefined) throw new BadEncoding(`${where} is not a way of mining`)
  return mode
}

const setValue: JsonReader<SetValue> = (value, where) => {
  const digits = text(value, where)
  return /^\d+$/.test(digits) ? bigCount(digits, where) : digits
}

const fields = {
  nodes: integer(1, NODES_MAX),
  port: integer(0, 65_535),
  host: text,
  mining,
  minConfirmations: integer(0, CONFIRMATIONS_MAX),
  autoMint: flag,
  feeRateMsatPerVb: nullable(bigCount),
  ids: oneOf('own', 'mainnet'),
  isolation: oneOf(...isolations),
  bitcoin: nullable(
    object({
      host: text,
      port: integer(1, 65_535),
      network: nullable(oneOf(...attachableNetworks)),
    }),
  ),
  set: dictionary(setValue, SET_MAX),
  tokens: readTokens,
}
const document = object({ version: exactly(VERSION), ...fields })

/** Of a subnet that was made before there was a choice. */
const onlyOnce = { isolation: 'worker', bitcoin: null, tokens: [] }
const stored: JsonReader<Read<typeof document>> = (value, where) =>
  document(typeof value === 'object' ? { ...onlyOnce, ...value } : value, where)

/** Throws `CONFIG_INVALID`; `path` names the file for people. */
export function decodeSettings(source: string, path: string): SubnetSettings {
  const read = attempt(() => parseJson(source, stored))
  if (read instanceof BadEncoding)
    throw new Problem('CONFIG_INVALID', `${path} cannot be read: ${read.message}`, {
      fix: 'the settings of the subnet are damaged; start afresh',
      command: 'ckbtc subnet reset',
      details: { path },
    })
  const { version: _, ...settings } = read
  return settings
}

export const encodeSettings = (settings: SubnetSettings): string =>
  `${wireJson({ version: VERSION, ...wireFields(settings) })}\n`

/** What was given, as a start in the background hands it on. */
export const encodeGiven = (given: GivenSettings): string => wireJson(wireFields(given))

/** Throws `BadEncoding`. */
export function decodeGiven(source: string): GivenSettings {
  const names = new Set(parseJson(source, dictionary(anything, SET_MAX)).keys())
  const given = Object.entries(fields).filter(([name]) => names.has(name))
  return parseJson(source, object(Object.fromEntries(given)))
}

function wireFields({ mining: mode, set, tokens, ...rest }: GivenSettings): object {
  return {
    ...rest,
    ...(mode === undefined ? {} : { mining: textOfMiningMode(mode) }),
    ...(set === undefined ? {} : { set: Object.fromEntries(set) }),
    ...(tokens === undefined ? {} : { tokens: tokens.map(writeToken) }),
  }
}

/** What was given on the command line; the rest stays as it was. */
export type GivenSettings = Partial<SubnetSettings>

/** Decided when the subnet is founded: part of its keys or of its canisters. */
const fixedNames = ['nodes', 'ids', 'minConfirmations', 'autoMint'] as const

/**
 * The stored settings with the given ones in their place. Throws `CONFIG_INVALID` for what a
 * subnet that exists cannot change.
 */
export function mergeSettings(
  stored: SubnetSettings | undefined,
  given: GivenSettings,
): SubnetSettings {
  requireOwnChain(stored?.bitcoin ?? given.bitcoin, given)
  if (stored === undefined) return { ...defaultSettings, ...given, set: foundedWith(given.set) }
  if (given.bitcoin !== undefined && !isSamePlace(stored.bitcoin, given.bitcoin))
    throw fixed('--bitcoin', stored.bitcoin ? textOfPlace(stored.bitcoin) : 'a chain of its own')
  for (const name of fixedNames) {
    const [before, after] = [stored[name], given[name] ?? stored[name]]
    if (before !== after) throw fixed(optionOf[name], `${before ?? 'none'}`)
  }
  if (given.tokens !== undefined && !sameTokens(stored.tokens, given.tokens))
    throw fixed('--token', symbolsOf(stored.tokens) || 'ckBTC alone')
  const set = new Map(stored.set)
  for (const [name, value] of given.set ?? new Map<string, SetValue>())
    if (isFreeToChange(name)) set.set(name, value)
    else if (isByUpgrade(name))
      continue // By an upgrade, once it runs.
    else if (stored.set.get(name) !== value)
      throw fixed(`--set ${name}`, `${stored.set.get(name) ?? 'its default'}`)
  return { ...stored, ...given, bitcoin: stored.bitcoin, tokens: stored.tokens, set }
}

/** The state follows from these: what a running minter alone takes is not among them. */
const foundedWith = (set: SubnetSettings['set'] = new Map()): SubnetSettings['set'] =>
  new Map([...set].filter(([name]) => !isByUpgradeAlone(name)))

const isSamePlace = (stored: BitcoinPlace | undefined, given: BitcoinPlace): boolean =>
  stored?.host === given.host && stored.port === given.port

const symbolsOf = (tokens: readonly TokenSettings[]): string =>
  tokens.map(({ tokenSymbol }) => tokenSymbol).join(', ')

const sameTokens = (a: readonly TokenSettings[], b: readonly TokenSettings[]): boolean =>
  wireJson(a.map(writeToken)) === wireJson(b.map(writeToken))

/** What is of the embedded chain alone. */
function requireOwnChain(
  bitcoin: BitcoinPlace | undefined,
  { mining: mode, feeRateMsatPerVb }: GivenSettings,
): void {
  if (bitcoin === undefined || (mode === undefined && feeRateMsatPerVb === undefined)) return
  const option = mode === undefined ? '--fee-rate' : '--block-time'
  const place = textOfPlace(bitcoin)
  throw new Problem('CONFIG_INVALID', `${option} has no effect on the chain of ${place}`, {
    fix: 'leave it out: blocks and fees are those of the node that the subnet is attached to',
    command: 'ckbtc subnet start --help',
    details: { option, bitcoin: place },
  })
}

const optionOf: Readonly<Record<(typeof fixedNames)[number], string>> = {
  nodes: '--nodes',
  ids: '--ids',
  minConfirmations: '--min-confirmations',
  autoMint: '--no-auto-mint',
}

const fixed = (option: string, before: string): Problem =>
  new Problem('CONFIG_INVALID', `${option} cannot change: the subnet was made with ${before}`, {
    fix: isOfMinter(option)
      ? 'start it without the option, and change the minter while it runs with ckbtc subnet set'
      : 'start it without the option, or discard the subnet first',
    command: isOfMinter(option) ? 'ckbtc subnet set --help' : 'ckbtc subnet reset',
    details: { option, stored: before },
  })

/** Whether the running minter takes it. */
const isOfMinter = (option: string): boolean =>
  option === optionOf.minConfirmations || option === optionOf.autoMint
