/**
 * The ICRC-1 suite: the groups of the reference suite of the standard (`dfinity/ICRC-1`, `test/suite`
 * 0.2), by their names there, against any ledger that the agent reaches. The text of the groups is
 * our own, and stricter in places: a refusal leaves every balance as it was, and where the reference
 * needs a fee above 0 the amounts here do without.
 */
import * as allowances from './allowances.ts'
import type { LedgerUnderSuite } from './ledger.ts'
import * as transfers from './transfers.ts'
import type { Outcome } from './world.ts'
import { World } from './world.ts'

type Run = (world: World) => Promise<Outcome>

/** By name, in the order of the reference. */
export const groups = {
  'icrc1:transfer': transfers.transfer,
  'icrc1:burn': transfers.burn,
  'icrc1:metadata': transfers.metadata,
  'icrc1:supported_standards': transfers.supportedStandards,
  'icrc1:tx_deduplication': transfers.txDeduplication,
  'icrc1:memo_bytes_length': transfers.memoBytesLength,
  'icrc1:future_transfers': transfers.futureTransfers,
  'icrc1:bad_fee': transfers.badFee,
  'icrc2:supported_standards': transfers.supportedAllowances,
  'icrc2:approve': allowances.approve,
  'icrc2:approve_expiration': allowances.approveExpiration,
  'icrc2:approve_expected_allowance': allowances.approveExpectedAllowance,
  'icrc2:transfer_from': allowances.transferFrom,
  'icrc2:transfer_from_insufficient_funds': allowances.transferFromInsufficientFunds,
  'icrc2:transfer_from_insufficient_allowance': allowances.transferFromInsufficientAllowance,
  'icrc2:transfer_from_self': allowances.transferFromSelf,
} as const satisfies Readonly<Record<string, Run>>

export type GroupName = keyof typeof groups
export const groupNames = Object.keys(groups) as readonly GroupName[]

export type Verdict = { readonly name: string } & (
  | Outcome
  | { readonly type: 'failed'; readonly reason: string }
)

/** A group that has no answer by then has failed. */
const GROUP_MS = 300_000

/** Of what a ledger says; it may say anything. */
const REASON_MAX = 2_000

/** Without what the agent adds of HTTP headers and of its own insides, and safe to print. */
function reasonOf(error: unknown): string {
  const [words = ''] = (error instanceof Error ? error.message : String(error)).split('\n\n')
  const own = words.replaceAll(/\n\s+at .*/g, '').slice(0, REASON_MAX)
  return own.replaceAll(/[^\n\P{C}]/gu, '\ufffd')
}

/** Rejects after `ms`; what was asked goes on, and nobody waits for it. */
function within<T>(work: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new RangeError(`no end after ${ms / 1_000} s`))
    const timer = setTimeout(late, ms)
    void work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

export type SuiteOptions = {
  /** All of them unless told. */
  readonly names?: readonly GroupName[] | undefined
  /** Patience with one group. */
  readonly groupMs?: number | undefined
  /** Told of each group in the order of the names, as soon as those before it are told. */
  readonly onVerdict?: ((verdict: Verdict) => void) | undefined
}

/**
 * Plays the groups at the same time, each with principals of its own, and never throws for what the
 * ledger does. A ledger that does not claim ICRC-2 is not asked for it.
 */
export async function runSuite(
  ledger: LedgerUnderSuite,
  { names = groupNames, groupMs = GROUP_MS, onVerdict = () => undefined }: SuiteOptions = {},
): Promise<readonly Verdict[]> {
  const opening = World.of(ledger)
  const claims = opening.then(async ({ funded }) => {
    const standards = await funded.queries.icrc1_supported_standards()
    return standards.some(({ name }) => name === 'ICRC-2')
  })
  void claims.catch(() => undefined) // Each group meets it for itself.
  async function play(name: GroupName): Promise<Verdict> {
    const run = async (): Promise<Outcome> => {
      if (name.startsWith('icrc2:') && !(await claims))
        return { type: 'skipped', reason: 'the ledger does not claim ICRC-2' }
      return groups[name](await opening)
    }
    return within(run(), groupMs).then(
      (outcome): Verdict => ({ name, ...outcome }),
      (error: unknown): Verdict => ({ name, type: 'failed', reason: reasonOf(error) }),
    )
  }
  const verdicts: Verdict[] = []
  for (const playing of names.map(play)) {
    const verdict = await playing
    verdicts.push(verdict)
    onVerdict(verdict)
  }
  return verdicts
}
