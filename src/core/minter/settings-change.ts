/** Settings that an upgrade changes, in Candid. Source: minter §1.1, §18.4 (`x_upgrade`). */
import { BadEncoding } from '../base/errors.ts'
import type { Codec } from '../ic/candid.ts'
import { bool, mapped, nat32, nat64, opt } from '../ic/candid.ts'
import { named, record } from '../ic/candid-records.ts'
import type { Settings } from './constants.ts'

/** What is absent stays. */
export type SettingsChange = { readonly [K in keyof Settings]?: Settings[K] | undefined }

/** More than any limit needs; each is an index or a size that fits everywhere. */
const COUNT_MAX = 1_000_000

const count: Codec<number> = mapped(
  nat32,
  (value) => {
    if (value < 1 || value > COUNT_MAX)
      throw new BadEncoding(`${value} is no count of 1 to ${COUNT_MAX}`)
    return value
  },
  (value) => value,
)
const duration = nat64
/** Of tasks that go on for ever: one of nothing would ask for slots without end. */
const PERIOD_MIN_NS = 1_000_000n
const period: Codec<bigint> = mapped(
  nat64,
  (value) => {
    if (value < PERIOD_MIN_NS) throw new BadEncoding(`${value} ns are less than a millisecond`)
    return value
  },
  (value) => value,
)

/** One line for each setting: one that is missing here does not compile. */
const codecs: { readonly [K in keyof Settings]: Codec<Settings[K]> } = {
  concurrentMax: count,
  pendingRequestsMax: count,
  pendingRequestsMin: count,
  requestsPerBatchMax: count,
  utxosCountThreshold: count,
  suspensionNs: duration,
  holdNs: duration,
  passedOverNs: duration,
  depositsPerCallMax: count,
  coinsLookedMax: count,
  resubmissionDelayNs: duration,
  resubmissionRateMax: nat64,
  resendPeriodNs: period,
  processPeriodNs: period,
  refreshFeesPeriodNs: period,
  consolidationPeriodNs: period,
  consolidationIntervalNs: duration,
  autoMint: bool,
  watchedAccountsMax: count,
}

/** `concurrentMax` → `concurrent_max`. */
const label = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** Every setting under its name in snake case, `opt`. */
export const settingsChangeCodec = record(
  Object.fromEntries(
    Object.entries<Codec<unknown>>(codecs).map(([name, codec]) => [
      label(name),
      named(name, opt(codec)),
    ]),
  ),
) as Codec<SettingsChange>

/** The settings with what was given in their place. */
export function changedSettings(settings: Settings, change: SettingsChange): Settings {
  const given = Object.entries(change).filter(([, value]) => value !== undefined)
  return { ...settings, ...Object.fromEntries(given) }
}
