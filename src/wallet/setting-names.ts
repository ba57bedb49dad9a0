/**
 * Every setting: what it takes, and where it may be set. Implements `docs/spec/cli.md` §§3.14, 5.19.
 */
import {
  parseAmount,
  parseCount,
  parseDuration,
  parseFeeRate,
  parsePercent,
} from '../core/base/amounts.ts'
import { Problem } from '../core/base/errors.ts'
import { nearest } from '../core/base/nearest.ts'
import { parseSourceSpec } from './source-spec.ts'

/** Where a setting may stand: the user's file, or the file of a project. */
export type Place = 'user' | 'project'

export type SettingKind = {
  /** `<network>` and `<name>` stand for any word. */
  readonly name: string
  readonly places: readonly Place[]
  /** The variable that beats both files. */
  readonly variable?: string
  /** What holds where nothing is set. */
  readonly fallback?: string
  /** Throws a `Problem` for what it does not take. */
  readonly check: (text: string) => unknown
}

const refuse = (text: string, expected: string): never => {
  throw new Problem('USAGE_INVALID', `"${text}" is not ${expected}`, { fix: `give ${expected}` })
}

const oneOf =
  (...words: readonly string[]) =>
  (text: string): unknown =>
    words.includes(text) || refuse(text, words.join(' or '))

const matching =
  (pattern: RegExp, expected: string) =>
  (text: string): unknown =>
    pattern.test(text) || refuse(text, expected)

const counted = (what: string, min: number, max: number) => (text: string) =>
  parseCount(text, { what, min, max })

const networkName = matching(/^[a-z0-9][a-z0-9-]{0,31}$/, 'the name of a network')
const keyName = matching(/^[a-z0-9](?:[a-z0-9_-]{0,30}[a-z0-9])?$/, 'the name of a key')
const blockTime = (text: string): unknown =>
  /^(?:auto|manual|on-tx)$/.test(text) || parseDuration(text.replace(/^(?:poisson|on-tx):/, ''))

const BOTH: readonly Place[] = ['user', 'project']
const USER: readonly Place[] = ['user']
const PROJECT: readonly Place[] = ['project']

export const settingKinds: readonly SettingKind[] = [
  {
    name: 'network',
    places: BOTH,
    variable: 'CKBTC_NETWORK',
    fallback: 'local',
    check: networkName,
  },
  { name: 'key', places: USER, variable: 'CKBTC_KEY', check: keyName },
  {
    name: 'unit',
    places: BOTH,
    variable: 'CKBTC_UNIT',
    fallback: 'btc',
    check: oneOf('btc', 'sat'),
  },
  {
    name: 'color',
    places: USER,
    variable: 'CKBTC_COLOR',
    fallback: 'auto',
    check: oneOf('auto', 'always', 'never'),
  },
  { name: 'timeout', places: USER, variable: 'CKBTC_TIMEOUT', check: parseDuration },
  {
    name: 'bitcoin_source',
    places: USER,
    variable: 'CKBTC_BITCOIN_SOURCE',
    check: parseSourceSpec,
  },
  { name: 'limits.confirm_large', places: USER, fallback: '0.1btc', check: parseAmount },
  { name: 'limits.<network>.max_send', places: USER, check: parseAmount },
  { name: 'max_fee_percent', places: USER, fallback: '5%', check: parsePercent },
  {
    name: 'min_confirmations',
    places: PROJECT,
    check: counted('min_confirmations', 1, 1_000),
  },
  { name: 'subnet.nodes', places: PROJECT, check: counted('subnet.nodes', 1, 40) },
  { name: 'subnet.port', places: PROJECT, check: counted('subnet.port', 0, 65_535) },
  { name: 'subnet.block_time', places: PROJECT, check: blockTime },
  { name: 'subnet.fee_rate', places: PROJECT, check: parseFeeRate },
  { name: 'subnet.auto_mint', places: PROJECT, check: oneOf('true', 'false') },
  { name: 'subnet.ids', places: PROJECT, check: oneOf('own', 'mainnet') },
  { name: 'subnet.set.<name>', places: PROJECT, check: () => true },
]

const patternOf = ({ name }: SettingKind): RegExp =>
  new RegExp(
    `^${name
      .replaceAll('.', '\\.')
      .replace('<network>', '[a-z0-9][a-z0-9-]{0,31}')
      .replace('<name>', '.+')}$`,
  )

const patterns = settingKinds.map((kind) => ({ kind, pattern: patternOf(kind) }))

/** The kind of the setting of this name. */
export const kindOf = (name: string): SettingKind | undefined =>
  patterns.find(({ pattern }) => pattern.test(name))?.kind

/** The same; throws `USAGE_INVALID` where there is none. */
export function settingKindOf(name: string): SettingKind {
  return kindOf(name) ?? requireKind(name, 'user')
}

/** Names that a place takes, for people. */
export const namesFor = (place: Place): readonly string[] =>
  settingKinds.filter(({ places }) => places.includes(place)).map(({ name }) => name)

/** Throws `USAGE_INVALID` for a name that this place does not take, with what was meant. */
export function requireKind(name: string, place: Place): SettingKind {
  const kind = kindOf(name)
  if (kind?.places.includes(place) === true) return kind
  if (kind !== undefined)
    throw new Problem('USAGE_INVALID', `"${name}" ${nowhereElse[place]}`, {
      fix: place === 'user' ? 'set it in .ckbtc.json of a project' : 'set it for yourself',
      command: place === 'user' ? 'ckbtc help environment' : `ckbtc config set ${name} <value>`,
    })
  const close = nearest(name, namesFor(place))
  throw new Problem('USAGE_INVALID', `there is no setting "${name}"`, {
    fix: close === undefined ? 'the settings are listed by' : `the nearest one is ${close}`,
    command: 'ckbtc config list',
  })
}

const nowhereElse: Readonly<Record<Place, string>> = {
  user: 'belongs to a project, not to a user',
  project: 'is not for a project to set',
}
