/**
 * What `minter.<name>=<value>` reaches: arguments of an installation or an upgrade, limits and delays;
 * how each is read and shown. Implements `docs/spec/cli.md` §5.16; names of `docs/spec/minter.md` §1.
 */
import { BadEncoding } from '../core/base/errors.ts'
import { NS_PER_SECOND } from '../core/base/units.ts'
import { principalOfText, textOfPrincipal } from '../core/ic/principal.ts'
import type { Settings } from '../core/minter/constants.ts'
import type { SettingsChange } from '../core/minter/settings-change.ts'
import type { InitArgs, Mode } from '../core/minter/types.ts'
import type { MinterSettings } from '../core/subnet/settings.ts'

/** Amounts in satoshi, durations in nanoseconds, counts; words. */
export type SetValue = bigint | string

export type SetKind =
  | { readonly type: 'amount' }
  | { readonly type: 'duration' }
  | { readonly type: 'count'; readonly min: bigint; readonly max: bigint }
  | { readonly type: 'word'; readonly words: readonly string[] }
  /** The text of an account, or `none`. */
  | { readonly type: 'account' }
  /** A word of these, or one of the others with principals: `restricted-to:aaaaa-aa,…`. */
  | {
      readonly type: 'mode'
      readonly words: readonly string[]
      readonly listing: readonly string[]
    }

type Init = MinterSettings['init']

/** What is in force in a minter. */
export type InForce = { readonly config: InitArgs; readonly settings: SettingsChange }

export type MinterValue = {
  readonly kind: SetKind
  readonly change: (value: SetValue) => {
    readonly init?: Partial<Init>
    readonly settings?: Partial<Settings>
  }
  /** Undefined where it is not set. */
  readonly read: (now: InForce) => SetValue | undefined
}

const whole = (value: SetValue): bigint => (typeof value === 'bigint' ? value : 0n)

const ofInit = (
  kind: SetKind,
  change: (value: bigint) => Partial<Init>,
  read: (config: InitArgs) => bigint | number | undefined,
): MinterValue => ({
  kind,
  change: (value) => ({ init: change(whole(value)) }),
  read: ({ config }) => bigOf(read(config)),
})

const bigOf = (value: bigint | number | undefined): bigint | undefined =>
  value === undefined ? undefined : BigInt(value)

const countKind = (min: number, max: number): SetKind => ({
  type: 'count',
  min: BigInt(min),
  max: BigInt(max),
})

type CountName = {
  [K in keyof Settings]: Settings[K] extends number ? K : never
}[keyof Settings]
type DurationName = {
  [K in keyof Settings]: Settings[K] extends bigint ? K : never
}[keyof Settings]

const count = (max: number, name: CountName): MinterValue => ({
  kind: countKind(1, max),
  change: (value) => ({ settings: { [name]: Number(whole(value)) } }),
  read: ({ settings }) => bigOf(settings[name]),
})
const duration = (name: DurationName): MinterValue => ({
  kind: { type: 'duration' },
  change: (value) => ({ settings: { [name]: whole(value) } }),
  read: ({ settings }) => settings[name],
})

/** Throws `BadEncoding` for another word. */
function isOn(value: SetValue): boolean {
  if (value !== 'on' && value !== 'off') throw new BadEncoding(`"${value}" is neither on nor off`)
  return value === 'on'
}

const AMOUNT: SetKind = { type: 'amount' }
const DURATION: SetKind = { type: 'duration' }

/** Millisatoshi per virtual byte: more than any fee. */
const RESUBMISSION_RATE_LIMIT = 1_000_000_000
const CONFIRMATIONS_MAX = 1_000

/** Of a minter that runs already, alone: at the start there are options for them. */
const MIN_CONFIRMATIONS = 'minter.min-confirmations'
const AUTO_MINT = 'minter.auto-mint'
export const isByUpgradeAlone = (name: string): boolean =>
  name === MIN_CONFIRMATIONS || name === AUTO_MINT

const modeNames = {
  readOnly: 'read-only',
  restrictedTo: 'restricted-to',
  depositsRestrictedTo: 'deposits-restricted-to',
  generalAvailability: 'general-availability',
} as const satisfies Record<Mode['type'], string>

/** `restricted-to:aaaaa-aa,2vxsx-fae`. */
export const textOfMode = (mode: Mode): string =>
  'principals' in mode
    ? `${modeNames[mode.type]}:${mode.principals.map(textOfPrincipal).join(',')}`
    : modeNames[mode.type]

/** Throws `BadEncoding` for what is no principal, and no mode. */
function modeOfText(text: string): Mode {
  if (text === modeNames.readOnly) return { type: 'readOnly' }
  if (text === modeNames.generalAvailability) return { type: 'generalAvailability' }
  const [word, list = ''] = text.split(':')
  const principals = list.split(',').map(principalOfText)
  if (word === modeNames.restrictedTo) return { type: 'restrictedTo', principals }
  if (word === modeNames.depositsRestrictedTo) return { type: 'depositsRestrictedTo', principals }
  throw new BadEncoding(`"${text}" is no mode`) // None is open to everybody by mistake.
}

export const minterValues: Readonly<Record<string, MinterValue>> = {
  [MIN_CONFIRMATIONS]: ofInit(
    countKind(1, CONFIRMATIONS_MAX),
    (value) => ({ minConfirmations: Number(value) }),
    ({ minConfirmations }) => minConfirmations,
  ),
  [AUTO_MINT]: {
    kind: { type: 'word', words: ['on', 'off'] },
    change: (value) => ({ settings: { autoMint: isOn(value) } }),
    read: ({ settings }) => (settings.autoMint === true ? 'on' : 'off'),
  },
  'minter.mode': {
    kind: {
      type: 'mode',
      words: ['general-availability', 'read-only'],
      listing: ['restricted-to', 'deposits-restricted-to'],
    },
    change: (value) => ({ init: { mode: modeOfText(String(value)) } }),
    read: ({ config }) => textOfMode(config.mode),
  },
  'minter.max-time-in-queue': ofInit(
    DURATION,
    (maxTimeInQueueNs) => ({ maxTimeInQueueNs }),
    ({ maxTimeInQueueNs }) => maxTimeInQueueNs,
  ),
  'minter.retrieve-btc-min-amount': ofInit(
    AMOUNT,
    (retrieveMinAmount) => ({ retrieveMinAmount }),
    ({ retrieveMinAmount }) => retrieveMinAmount,
  ),
  'minter.deposit-btc-min-amount': ofInit(
    AMOUNT,
    (depositMinAmount) => ({ depositMinAmount }),
    ({ depositMinAmount }) => depositMinAmount,
  ),
  'minter.check-fee': ofInit(
    AMOUNT,
    (checkFee) => ({ checkFee }),
    ({ checkFee }) => checkFee,
  ),
  'minter.get-utxos-cache-expiration': ofInit(
    DURATION,
    (value) => ({ utxosCacheExpirationSeconds: value / NS_PER_SECOND }),
    ({ utxosCacheExpirationSeconds: seconds }) => seconds && seconds * NS_PER_SECOND,
  ),
  'minter.max-num-inputs-in-transaction': ofInit(
    countKind(1, 1_000),
    (inputsMax) => ({ inputsMax }),
    ({ inputsMax }) => inputsMax,
  ),
  'minter.utxo-consolidation-threshold': ofInit(
    countKind(1, 1_000_000),
    (consolidationThreshold) => ({ consolidationThreshold }),
    ({ consolidationThreshold }) => consolidationThreshold,
  ),
  'minter.max-concurrent': count(10_000, 'concurrentMax'),
  'minter.max-concurrent-pending-requests': count(100_000, 'pendingRequestsMax'),
  'minter.min-pending-requests': count(10_000, 'pendingRequestsMin'),
  'minter.max-requests-per-batch': count(1_000, 'requestsPerBatchMax'),
  'minter.utxos-count-threshold': count(100_000, 'utxosCountThreshold'),
  'minter.deposits-per-call': count(10_000, 'depositsPerCallMax'),
  'minter.coins-looked': count(1_000_000, 'coinsLookedMax'),
  'minter.watched-accounts': count(1_000_000, 'watchedAccountsMax'),
  'minter.suspension': duration('suspensionNs'),
  'minter.hold': duration('holdNs'),
  'minter.passed-over': duration('passedOverNs'),
  'minter.resubmission-delay': duration('resubmissionDelayNs'),
  'minter.resubmission-rate-max': {
    ...duration('resubmissionRateMax'),
    kind: countKind(0, RESUBMISSION_RATE_LIMIT), // 0: as the network has it.
  },
  'minter.resend-period': duration('resendPeriodNs'),
  'minter.process-period': duration('processPeriodNs'),
  'minter.refresh-fees-period': duration('refreshFeesPeriodNs'),
  'minter.consolidation-period': duration('consolidationPeriodNs'),
  'minter.consolidation-interval': duration('consolidationIntervalNs'),
}

export const minterValueNames: readonly string[] = Object.keys(minterValues)

export const minterValue = (name: string): MinterValue | undefined =>
  Object.hasOwn(minterValues, name) ? minterValues[name] : undefined

const UNITS = [
  ['d', 86_400n * NS_PER_SECOND],
  ['h', 3_600n * NS_PER_SECOND],
  ['m', 60n * NS_PER_SECOND],
  ['s', NS_PER_SECOND],
] as const

/** A value as it can be typed: `72h`, `50000sat`, `100`; `text` as it travels. */
export function shownValue(name: string, text: string): string {
  switch (minterValue(name)?.kind.type) {
    case 'amount':
      return `${text}sat`
    case 'duration': {
      const ns = BigInt(text)
      const [unit, size] = UNITS.find(([, each]) => ns % each === 0n && ns > 0n) ?? ['ns', 1n]
      return ns === 0n ? '0s' : `${ns / size}${unit}`
    }
    case 'count':
    case 'word':
    case 'mode':
    case 'account':
    case undefined:
      return text
  }
}
