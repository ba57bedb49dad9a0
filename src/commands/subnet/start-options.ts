/** The options of `subnet start` and `subnet exec` as settings. Implements cli §§3.1, 3.2, 5.16. */
import { isIP } from 'node:net'
import { parseCount, parseFeeRate } from '../../core/base/amounts.ts'
import { UsageInvalid } from '../../core/base/errors.ts'
import type { BitcoinPlace } from '../../host/bitcoin-place.ts'
import { placeOfText } from '../../host/bitcoin-place.ts'
import { isolations } from '../../host/isolation.ts'
import { miningModeOfText } from '../../host/mining-mode.ts'
import type { GivenSettings } from '../../host/subnet-settings.ts'
import { CONFIRMATIONS_MAX, NODES_MAX } from '../../host/subnet-settings.ts'
import { readTokenFiles } from '../../host/token-file.ts'
import type { Configuration } from '../../wallet/config.ts'
import type { Options } from '../definitions/command.ts'
import { parseSet } from './set-words.ts'

const HELP = 'ckbtc subnet start --help'

const invalid = (message: string, fix: string): UsageInvalid =>
  new UsageInvalid(message, { fix, command: HELP })

/** What the file of a project may say in place of an option. */
const projectSettings: Readonly<Record<string, string>> = {
  nodes: 'subnet.nodes',
  port: 'subnet.port',
  minConfirmations: 'min_confirmations',
  blockTime: 'subnet.block_time',
  feeRate: 'subnet.fee_rate',
  ids: 'subnet.ids',
}

/**
 * What was given by options or the project's file, and nothing else. Throws `USAGE_INVALID` or
 * `AMOUNT_…`.
 */
export function startOptions(options: Options, project: Configuration): GivenSettings {
  const read = <T>(name: string, parse: (text: string) => T): T | undefined => {
    const setting = projectSettings[name]
    const text = options.text(name) ?? (setting === undefined ? undefined : project.get(setting))
    return text === undefined ? undefined : parse(text)
  }
  const set = [...setsOf(project), ...options.list('set')]
  const tokens = options.list('token')
  const autoMint = options.isOn('autoMint') && project.get('subnet.auto_mint') !== 'false'
  const given = {
    nodes: read('nodes', (text) => parseCount(text, { what: '--nodes', min: 1, max: NODES_MAX })),
    port: read('port', (text) => parseCount(text, { what: '--port', min: 0, max: 65_535 })),
    host: read('host', parseHost),
    minConfirmations: read('minConfirmations', (text) =>
      parseCount(text, { what: '--min-confirmations', min: 1, max: CONFIRMATIONS_MAX }),
    ),
    mining: read('blockTime', parseMining),
    feeRateMsatPerVb: read('feeRate', parseFeeRate),
    autoMint: autoMint ? undefined : false,
    isolation: read('isolation', (text) => isolations.find((name) => name === text)),
    bitcoin: read('bitcoin', parseBitcoin),
    ids: read('ids', (text): 'own' | 'mainnet' => (text === 'mainnet' ? 'mainnet' : 'own')),
    set: set.length === 0 ? undefined : parseSet(set, HELP),
    tokens: tokens.length === 0 ? undefined : readTokenFiles(tokens),
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

/** `subnet.set.<name>` of the project as `--set` has it; the option comes later and wins. */
const setsOf = (project: Configuration): readonly string[] =>
  project
    .all()
    .filter(({ name }) => name.startsWith(SET_PREFIX))
    .map(({ name, value }) => `${name.slice(SET_PREFIX.length)}=${value}`)

const SET_PREFIX = 'subnet.set.'

function parseBitcoin(text: string): BitcoinPlace {
  const place = placeOfText(text)
  if (place !== undefined) return place
  const fix =
    'give the P2P port of your node: 127.0.0.1:18444 on regtest, 127.0.0.1:38333 on signet'
  throw invalid(`--bitcoin takes host:port, found "${text}"`, fix)
}

function parseHost(text: string): string {
  if (isIP(text) !== 0) return text
  throw invalid(`--host takes an address, found "${text}"`, 'give 127.0.0.1, ::1 or 0.0.0.0')
}

function parseMining(text: string) {
  const mode = miningModeOfText(text)
  if (mode !== undefined) return mode
  const fix = 'give auto, manual, on-tx, or the time between two blocks: 10s, 1m, poisson:10s'
  throw invalid(`--block-time does not take "${text}"`, fix)
}
