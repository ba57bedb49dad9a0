/**
 * What `--set <part>.<name>=<value>` reaches: names of the specifications in kebab case, and where
 * each value goes. Implements `docs/spec/cli.md` §5.16; names of `docs/spec/minter.md` §1.
 */
import type { MempoolOptions } from '../core/btc/regtest/mempool.ts'
import type { IdsKind } from '../core/ic/canister-ids.ts'
import type { LedgerSettings, MinterSettings } from '../core/subnet/settings.ts'
import { embeddedMinter } from '../core/subnet/settings.ts'
import type { BitcoinPlace } from './bitcoin-place.ts'
import { ckbtcSettings, isOfCkbtc, ledgerNameOf, ledgerValueNames } from './ledger-values.ts'
import type { SetKind, SetValue } from './minter-values.ts'
import { minterValue, minterValueNames } from './minter-values.ts'

/** Off: clients submit calls and poll, as they do where synchronous calls are not offered. */
const SYNC_CALLS = 'ic.sync-calls'

/** Bytes of log after which a node puts its state on disk (ledger §18, D4). */
const SNAPSHOT_LOG = 'nodes.snapshot-log'
const SNAPSHOT_LOG_RANGE = { min: 4_096n, max: 1_000_000_000_000n } as const

/** JSON-RPC of the embedded Bitcoin node: its port, 0 for none (bitcoin RN-21). */
const BITCOIN_RPC = 'bitcoin.rpc'
const PORT_MAX = 65_535n
/** What its mempool takes: also what is not standard; least rate in satoshi for 1,000 bytes (RN-7). */
const ACCEPT_NONSTANDARD = 'bitcoin.accept-nonstandard'
const MIN_RELAY_RATE = 'bitcoin.min-relay-rate'
const RELAY_RATE_MAX = 1_000_000n

/** Of the parts that are no canister. */
const others: Readonly<Record<string, SetKind>> = {
  [SYNC_CALLS]: { type: 'word', words: ['on', 'off'] },
  [SNAPSHOT_LOG]: { type: 'count', ...SNAPSHOT_LOG_RANGE },
  [BITCOIN_RPC]: { type: 'count', min: 0n, max: PORT_MAX },
  [ACCEPT_NONSTANDARD]: { type: 'word', words: ['on', 'off'] },
  [MIN_RELAY_RATE]: { type: 'count', min: 0n, max: RELAY_RATE_MAX },
}

export const setNames: readonly string[] = [
  ...Object.keys(others),
  ...minterValueNames,
  ...ledgerValueNames,
]

/** How a value of that name is written; undefined for a name that nothing has. */
export const setKind = (name: string): SetKind | undefined =>
  Object.hasOwn(others, name)
    ? others[name]
    : (minterValue(name) ?? ledgerNameOf(name)?.value)?.kind

export const hasSyncCalls = (set: ReadonlyMap<string, SetValue>): boolean =>
  set.get(SYNC_CALLS) !== 'off'

export const bitcoinRpcPort = (set: ReadonlyMap<string, SetValue>): number =>
  Number(set.get(BITCOIN_RPC) ?? 0)

/** What a running canister takes by an upgrade. */
export const isByUpgrade = (name: string): boolean =>
  minterValue(name) !== undefined || isOfCkbtc(name)

/** What a subnet that exists may be started with anew: no part of its state depends on it. */
export const isFreeToChange = (name: string): boolean =>
  [SNAPSHOT_LOG, BITCOIN_RPC, ACCEPT_NONSTANDARD, MIN_RELAY_RATE].includes(name)

/** Undefined: that of the program. */
export function snapshotLogMin(set: ReadonlyMap<string, SetValue>): number | undefined {
  const value = set.get(SNAPSHOT_LOG)
  return value === undefined ? undefined : Number(value)
}

export function mempoolOptions(set: ReadonlyMap<string, SetValue>): MempoolOptions {
  const rate = set.get(MIN_RELAY_RATE)
  return {
    acceptNonstandard: set.get(ACCEPT_NONSTANDARD) === 'on',
    ...(rate === undefined ? {} : { relayRateSatPerKvb: BigInt(rate) }),
  }
}

/** Of the minter's key (minter §1.2). */
const keyNames: Readonly<Record<IdsKind, string>> = { own: 'dfx_test_key', mainnet: 'key_1' }

type FoundingSettings = {
  readonly minConfirmations: number
  readonly autoMint: boolean
  readonly ids: IdsKind
  readonly bitcoin: BitcoinPlace | undefined
}

/** The minter's settings with what was set in their place. Every name has been looked up before. */
export function minterSettings(
  set: ReadonlyMap<string, SetValue>,
  given: Partial<FoundingSettings> = {},
): MinterSettings {
  const { minConfirmations = embeddedMinter.init.minConfirmations } = given
  const { autoMint = embeddedMinter.settings.autoMint } = given
  // Every public test network is `testnet` to canisters (bitcoin §2).
  const network = given.bitcoin?.network === 'signet' ? 'testnet' : embeddedMinter.init.network
  const ecdsaKeyName = keyNames[given.ids ?? 'own']
  let { init, settings }: MinterSettings = {
    init: { ...embeddedMinter.init, network, minConfirmations, ecdsaKeyName },
    settings: { ...embeddedMinter.settings, autoMint },
  }
  for (const [name, value] of set) {
    const change = minterValue(name)?.change(value)
    if (change === undefined) continue
    init = { ...init, ...change.init }
    settings = { ...settings, ...change.settings }
  }
  return { init, settings }
}

/** What the ledgers are founded with. Every name has been looked up before. */
export const ledgerSettings = ({
  set,
  tokens,
}: {
  readonly set: ReadonlyMap<string, SetValue>
  readonly tokens: LedgerSettings['tokens']
}): LedgerSettings => ({ ckbtc: ckbtcSettings(set), tokens })
