/**
 * The minter at a glance, for its operator: what is in force, how much of what there is, and what
 * needs attention. Source: minter §§16, 20, 22, 13 [H 16].
 */
import { divCeil } from '../../base/units.ts'
import { addressText, feeCollectorOf } from '../addresses.ts'
import { callsInTransit } from '../call-journal.ts'
import { consolidationFrom } from '../config.ts'
import type { Context } from '../context.ts'
import type { SettingsChange } from '../settings-change.ts'
import { unspentFees } from '../state/consolidation-fees.ts'
import type { ReserveEquation } from '../state/reserve.ts'
import { reserveEquation } from '../state/reserve.ts'
import { sumOf } from '../state/state.ts'
import { stoppedAsBroken } from '../state/stopped.ts'
import { worstCaseVsize } from '../transactions/build-transaction.ts'
import { consolidationRate } from '../transactions/fees.ts'
import type { InitArgs } from '../types.ts'

/** Of withdrawals and of transactions for them; a consolidation is none, and never replaced. */
export type Counts = {
  readonly queued: number
  readonly held: number
  /** Without what replaces a transaction that was sent. */
  readonly signing: number
  readonly submitted: number
  readonly stuck: number
  readonly finalized: number
  readonly toReimburse: number
  /** Whose outcome is not known. */
  readonly quarantinedReimbursements: number
  readonly available: number
  readonly donations: number
  readonly lost: number
  readonly unminted: number
  readonly watched: number
  readonly accounts: number
  readonly events: number
}

export type Consolidation = {
  /** Of the fee collector; absent while the ledger does not say. */
  readonly balance?: bigint | undefined
  /** What the next one would burn of it now; absent while no rate is known. */
  readonly expectedCost?: bigint | undefined
  readonly lastAt?: bigint | undefined
}

export type Alert = { readonly code: string; readonly message: string }

export type Info = {
  /** In force now. */
  readonly config: InitArgs
  readonly settings: SettingsChange
  /** Absent while the key is being made. */
  readonly mainAddress?: string | undefined
  /** msat/vB; absent before the first estimate. */
  readonly medianFee?: bigint | undefined
  readonly withdrawalMin: bigint
  readonly counts: Counts
  readonly availableTotal: bigint
  readonly consolidation: Consolidation
  readonly reserve?: ReserveEquation | undefined
  readonly alerts: readonly Alert[]
}

export function infoOf(context: Context): Info {
  const { state, volatile, settings } = context
  const { root, fees } = volatile
  const consolidation = consolidationOf(context)
  const reserve = reserveOf(context)
  const counts = countsOf(context)
  return {
    config: state.config,
    settings,
    ...(root && { mainAddress: addressText(root.mainScript, state.config.network) }),
    ...(fees.known && { medianFee: fees.median }),
    withdrawalMin: fees.withdrawalMin,
    counts,
    availableTotal: state.coins.total,
    consolidation,
    ...(reserve && { reserve }),
    alerts: alertsOf(context, { consolidation, reserve, counts }),
  }
}

export function reserveOf(context: Context): ReserveEquation | undefined {
  const { state, ports } = context
  const supply = ports.ledger.totalSupply()
  return supply === undefined ? undefined : reserveEquation(state, supply, callsInTransit(context))
}

function numberOf<T>(map: ReadonlyMap<unknown, T>, isCounted: (value: T) => boolean): number {
  let count = 0
  for (const value of map.values()) if (isCounted(value)) count += 1
  return count
}

export function countsOf({ state, volatile, log }: Context): Counts {
  const unknown = [...state.reimbursed.values()].filter(
    ({ mintBlockIndex }) => mintBlockIndex === undefined,
  )
  return {
    queued: state.queue.length,
    held: state.held.size,
    signing: numberOf(state.signing, ({ purpose }) => purpose.type === 'toConfirm'),
    submitted: numberOf(state.submitted, ({ purpose }) => purpose.type !== 'toConsolidate'),
    stuck: state.stuck.size,
    finalized: numberOf(state.finalized, ({ request }) => 'reimbursementAccount' in request),
    toReimburse: state.reimbursements.size + state.depositReimbursements.size,
    quarantinedReimbursements: unknown.length,
    available: state.availableUtxos.size,
    donations: state.donations.size,
    lost: volatile.lost.size,
    unminted: state.checkedUtxos.size,
    watched: volatile.watched.size,
    accounts: state.accountUtxos.size,
    events: log.count,
  }
}

const MAIN_SCRIPT_BYTES = 22

/** What the next consolidation would burn now, beside what an earlier one has left to it. */
function expectedCost(context: Context): bigint | undefined {
  const { state } = context
  const rate = consolidationRate(context)
  if (rate === undefined) return undefined
  const inputs = Math.min(Number(state.config.inputsMax), state.availableUtxos.size)
  const vsize = worstCaseVsize(inputs, [MAIN_SCRIPT_BYTES, MAIN_SCRIPT_BYTES])
  const isUnderWay = state.consolidation !== undefined // It has what is unspent.
  const unspent = isUnderWay ? 0n : unspentFees(state.consolidationFees)
  const missing = divCeil(vsize * rate, 1_000n) - unspent
  return missing > 0n ? missing : 0n
}

export function consolidationOf(context: Context): Consolidation {
  const { state, ports } = context
  const answer = ports.ledger.balanceOf(feeCollectorOf(state))
  const cost = expectedCost(context)
  const lastAt = state.lastConsolidationAt
  return {
    ...(answer.type === 'balance' && { balance: answer.balance }),
    ...(cost !== undefined && { expectedCost: cost }),
    ...(lastAt !== undefined && { lastAt }),
  }
}

type Told = Pick<Info, 'consolidation' | 'reserve' | 'counts'>

/** What a person should look at, each under a name that does not change. */
export function alertsOf(context: Context, { consolidation, reserve, counts }: Told): Alert[] {
  const { state, volatile } = context
  const { balance, expectedCost: cost } = consolidation
  const broken = stoppedAsBroken(volatile)
  const isNear = BigInt(counts.available) * 2n >= consolidationFrom(state.config)
  const unknownMints = [...state.checkedUtxos.values()].filter(
    ({ status }) => status === 'cleanButMintUnknown',
  ).length
  const alerts: readonly (Alert | false | undefined)[] = [
    broken !== undefined && { code: 'stopped', message: broken.message },
    volatile.root === undefined && { code: 'no_key', message: 'The key is not made yet.' },
    volatile.mustLook && { code: 'view_behind', message: 'The view of Bitcoin is behind.' },
    counts.lost > 0 && {
      code: 'lost_coins',
      message: `A reorganisation took back ${counts.lost} credited coins of ${sumOf(volatile.lost.values())} satoshis.`,
    },
    balance !== undefined &&
      cost !== undefined &&
      isNear &&
      balance < cost && {
        code: 'fee_collector',
        message: `The fee collector has ${balance} of the ${cost} satoshis that the next consolidation would cost.`,
      },
    reserve?.covered === false && {
      code: 'not_covered',
      message: `The coins are ${-reserve.surplus} satoshis short of what was promised.`,
    },
    reserve?.balanced === false && {
      code: 'not_balanced',
      message: 'The terms of the reserve equation do not make up the surplus.',
    },
    counts.quarantinedReimbursements > 0 && {
      code: 'unknown_reimbursements',
      message: `Whether ${counts.quarantinedReimbursements} withdrawals were given back is not known.`,
    },
    unknownMints > 0 && {
      code: 'unknown_mints',
      message: `Whether ${unknownMints} deposits were minted is not known.`,
    },
    volatile.delayed.size > 0 && {
      code: 'not_replaced',
      message: `${volatile.delayed.size} transactions do not confirm and cannot be replaced now: ${[...new Set([...volatile.delayed.values()].map(({ reason }) => reason))].join(', ')}.`,
    },
    counts.held > 0 && {
      code: 'held',
      message: `${counts.held} withdrawals wait for lower fees.`,
    },
  ]
  return alerts.filter((alert) => alert !== undefined && alert !== false)
}
