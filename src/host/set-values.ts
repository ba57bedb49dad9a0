/**
 * What `--set <part>.<name>=<value>` reaches: names of the specifications in kebab case, and where
 * each value goes. Implements `docs/spec/cli.md` §5.16; names of `docs/spec/minter.md` §1.
 */
import { present } from '../core/base/errors.ts'
import type { MempoolOptions } from '../core/btc/regtest/mempool.ts'
import type { IdsKind } from '../core/ic/canister-ids.ts'
import type { Settings } from '../core/minter/constants.ts'
import type { MinterSettings } from '../core/subnet/settings.ts'
import { embeddedMinter } from '../core/subnet/settings.ts'
import type { BitcoinPlace } from './bitcoin-place.ts'

/** Amounts in satoshi, durations in nanoseconds, counts; words. */
export type SetValue = bigint | string

export type SetKind =
  | { readonly type: 'amount' }
  | { readonly type: 'duration' }
  | { readonly type: 'count'; readonly min: bigint; readonly max: bigint }
  | { readonly type: 'word'; readonly words: readonly string[] }

type Init = MinterSettings['init']
type Change = (value: SetValue) => {
  readonly init?: Partial<Init>
  readonly settings?: Partial<Settings>
}
type Setting = { readonly kind: SetKind; readonly change: Change }

const whole = (value: SetValue): bigint => (typeof value === 'bigint' ? value : 0n)

const amount = (change: (value: bigint) => Partial<Init>): Setting => ({
  kind: { type: 'amount' },
  change: (value) => ({ init: change(whole(value)) }),
})
const duration = (change: ReturnType<typeof ofSettings>): Setting => ({
  kind: { type: 'duration' },
  change,
})
const ofSettings =
  (change: (value: bigint) => Partial<Settings>): Change =>
  (value) => ({ settings: change(whole(value)) })
const count = (
  max: number,
  change: (value: number) => Partial<Settings>,
  { min = 1 }: { readonly min?: number } = {},
): Setting => ({
  kind: { type: 'count', min: BigInt(min), max: BigInt(max) },
  change: ofSettings((value) => change(Number(value))),
})

/** Off: clients submit calls and poll, as they do where synchronous calls are not offered. */
const SYNC_CALLS = 'ic.sync-calls'

/** JSON-RPC of the embedded Bitcoin node: its port, 0 for none (bitcoin RN-21). */
const BITCOIN_RPC = 'bitcoin.rpc'
const PORT_MAX = 65_535n
/** What its mempool takes: also what is not standard; least rate in satoshi for 1,000 bytes (RN-7). */
const ACCEPT_NONSTANDARD = 'bitcoin.accept-nonstandard'
const MIN_RELAY_RATE = 'bitcoin.min-relay-rate'
const RELAY_RATE_MAX = 1_000_000n

/** Millisatoshi per virtual byte: more than any fee. */
const RESUBMISSION_RATE_LIMIT = 1_000_000_000

const settable: Readonly<Record<string, Setting>> = {
  [SYNC_CALLS]: { kind: { type: 'word', words: ['on', 'off'] }, change: () => ({}) },
  [BITCOIN_RPC]: { kind: { type: 'count', min: 0n, max: PORT_MAX }, change: () => ({}) },
  [ACCEPT_NONSTANDARD]: { kind: { type: 'word', words: ['on', 'off'] }, change: () => ({}) },
  [MIN_RELAY_RATE]: { kind: { type: 'count', min: 0n, max: RELAY_RATE_MAX }, change: () => ({}) },
  'minter.max-time-in-queue': {
    kind: { type: 'duration' },
    change: (value) => ({ init: { maxTimeInQueueNs: whole(value) } }),
  },
  'minter.retrieve-btc-min-amount': amount((retrieveMinAmount) => ({ retrieveMinAmount })),
  'minter.deposit-btc-min-amount': amount((depositMinAmount) => ({ depositMinAmount })),
  'minter.check-fee': amount((checkFee) => ({ checkFee })),
  'minter.mode': {
    kind: { type: 'word', words: ['general-availability', 'read-only'] },
    change: (value) => ({
      init: { mode: { type: value === 'read-only' ? 'readOnly' : 'generalAvailability' } },
    }),
  },
  'minter.max-num-inputs-in-transaction': {
    kind: { type: 'count', min: 1n, max: 1_000n },
    change: (value) => ({ init: { inputsMax: whole(value) } }),
  },
  'minter.utxo-consolidation-threshold': {
    kind: { type: 'count', min: 1n, max: 1_000_000n },
    change: (value) => ({ init: { consolidationThreshold: whole(value) } }),
  },
  'minter.max-concurrent': count(10_000, (concurrentMax) => ({ concurrentMax })),
  'minter.max-concurrent-pending-requests': count(100_000, (pendingRequestsMax) => ({
    pendingRequestsMax,
  })),
  'minter.min-pending-requests': count(10_000, (pendingRequestsMin) => ({ pendingRequestsMin })),
  'minter.max-requests-per-batch': count(1_000, (requestsPerBatchMax) => ({
    requestsPerBatchMax,
  })),
  'minter.utxos-count-threshold': count(100_000, (utxosCountThreshold) => ({
    utxosCountThreshold,
  })),
  'minter.deposits-per-call': count(10_000, (depositsPerCallMax) => ({ depositsPerCallMax })),
  'minter.watched-accounts': count(1_000_000, (watchedAccountsMax) => ({ watchedAccountsMax })),
  'minter.suspension': duration(ofSettings((suspensionNs) => ({ suspensionNs }))),
  'minter.hold': duration(ofSettings((holdNs) => ({ holdNs }))),
  'minter.passed-over': duration(ofSettings((passedOverNs) => ({ passedOverNs }))),
  'minter.resubmission-delay': duration(
    ofSettings((resubmissionDelayNs) => ({ resubmissionDelayNs })),
  ),
  'minter.resubmission-rate-max': count(RESUBMISSION_RATE_LIMIT, (rate) => ({
    resubmissionRateMax: BigInt(rate),
  })),
  'minter.resend-period': duration(ofSettings((resendPeriodNs) => ({ resendPeriodNs }))),
  'minter.process-period': duration(ofSettings((processPeriodNs) => ({ processPeriodNs }))),
  'minter.refresh-fees-period': duration(
    ofSettings((refreshFeesPeriodNs) => ({ refreshFeesPeriodNs })),
  ),
  'minter.consolidation-period': duration(
    ofSettings((consolidationPeriodNs) => ({ consolidationPeriodNs })),
  ),
  'minter.consolidation-interval': duration(
    ofSettings((consolidationIntervalNs) => ({ consolidationIntervalNs })),
  ),
}

export const setNames: readonly string[] = Object.keys(settable)

/** How a value of that name is written; undefined for a name that nothing has. */
export const setKind = (name: string): SetKind | undefined =>
  Object.hasOwn(settable, name) ? settable[name]?.kind : undefined

export const hasSyncCalls = (set: ReadonlyMap<string, SetValue>): boolean =>
  set.get(SYNC_CALLS) !== 'off'

export const bitcoinRpcPort = (set: ReadonlyMap<string, SetValue>): number =>
  Number(set.get(BITCOIN_RPC) ?? 0)

/** What a subnet that exists may be started with anew: no part of its state depends on it. */
export const isFreeToChange = (name: string): boolean =>
  [BITCOIN_RPC, ACCEPT_NONSTANDARD, MIN_RELAY_RATE].includes(name)

export function mempoolOptions(set: ReadonlyMap<string, SetValue>): MempoolOptions {
  const rate = set.get(MIN_RELAY_RATE)
  return {
    acceptNonstandard: set.get(ACCEPT_NONSTANDARD) === 'on',
    ...(rate === undefined ? {} : { relayRateSatPerKvb: whole(rate) }),
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
    const change = present(settable[name], 'only known names are kept').change(value)
    init = { ...init, ...change.init }
    settings = { ...settings, ...change.settings }
  }
  return { init, settings }
}
