/**
 * How often an index asks a ledger elsewhere, and what it is installed with. Implements
 * `docs/spec/ledger.md` §13.
 *
 * The embedded index needs neither: it is in step with its ledger.
 */
import { NS_PER_SECOND } from '../../base/units.ts'
import type { ValueOf } from '../../ic/candid.ts'
import { nat64, opt, principalCodec } from '../../ic/candid.ts'
import { named, record, variant } from '../../ic/candid-records.ts'
import type { Principal } from '../../ic/principal.ts'
import type { Trap } from '../types.ts'

const intervals = {
  retrieve_blocks_from_ledger_interval_seconds: opt(nat64),
  min_retrieve_blocks_from_ledger_interval_seconds: opt(nat64),
  max_retrieve_blocks_from_ledger_interval_seconds: opt(nat64),
}

/** Argument of install and upgrade. */
export const indexArg = opt(
  variant({
    Init: named('init', record({ ledger_id: principalCodec, ...intervals })),
    Upgrade: named('upgrade', record({ ledger_id: opt(principalCodec), ...intervals })),
  }),
)
export type IndexArg = ValueOf<typeof indexArg>

/** Limits of the wait between two questions, in nanoseconds. */
export type Polling = {
  readonly type: 'polling'
  readonly ledgerId: Principal
  readonly waitMinNs: bigint
  readonly waitMaxNs: bigint
}

const WAIT_MIN_DEFAULT_NS = NS_PER_SECOND
const WAIT_MAX_DEFAULT_NS = 64n * NS_PER_SECOND

const trap = (message: string): Trap => ({ type: 'trap', message })

export function installPolling(arg: IndexArg): Polling | Trap {
  if (arg?.type !== 'init') return trap('an index is installed with Init')
  const { ledgerId } = arg.init
  const initial = { waitMinNs: WAIT_MIN_DEFAULT_NS, waitMaxNs: WAIT_MAX_DEFAULT_NS }
  return withIntervals({ type: 'polling', ledgerId, ...initial }, arg.init)
}

/** What the argument does not say stays. */
export function upgradePolling(polling: Polling, arg: IndexArg): Polling | Trap {
  if (arg === undefined) return polling
  if (arg.type !== 'upgrade') return trap('an index is upgraded with Upgrade')
  const ledgerId = arg.upgrade.ledgerId ?? polling.ledgerId
  return withIntervals({ ...polling, ledgerId }, arg.upgrade)
}

type Intervals = {
  readonly retrieveBlocksFromLedgerIntervalSeconds?: bigint | undefined
  readonly minRetrieveBlocksFromLedgerIntervalSeconds?: bigint | undefined
  readonly maxRetrieveBlocksFromLedgerIntervalSeconds?: bigint | undefined
}

function withIntervals(
  polling: Polling,
  {
    retrieveBlocksFromLedgerIntervalSeconds: fixed,
    minRetrieveBlocksFromLedgerIntervalSeconds: min,
    maxRetrieveBlocksFromLedgerIntervalSeconds: max,
  }: Intervals,
): Polling | Trap {
  if (fixed !== undefined && (min !== undefined || max !== undefined))
    return trap('a fixed interval and limits of the interval exclude each other')
  const ns = (seconds: bigint | undefined): bigint | undefined =>
    seconds === undefined ? undefined : seconds * NS_PER_SECOND
  const waitMinNs = ns(fixed ?? min) ?? polling.waitMinNs
  const waitMaxNs = ns(fixed ?? max) ?? polling.waitMaxNs
  if (waitMinNs < NS_PER_SECOND) return trap('an interval is at least one second')
  if (waitMinNs > waitMaxNs) return trap('the least interval is longer than the longest one')
  return { ...polling, waitMinNs, waitMaxNs }
}

/** The wait after a question that brought `found` blocks; the first wait is the shortest one. */
export function nextWaitNs(
  { waitMinNs, waitMaxNs }: Polling,
  { waitNs, found }: { readonly waitNs: bigint; readonly found: number },
): bigint {
  const wait = found > 0 ? waitNs / 2n : 2n * waitNs
  if (wait < waitMinNs) return waitMinNs
  return wait > waitMaxNs ? waitMaxNs : wait
}
