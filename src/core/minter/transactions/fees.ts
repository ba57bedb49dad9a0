/** Fee rates, their sanity, and the minimum that follows. Source: minter §10.1 [H 13]. */
import { divCeil, divFloor } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { Config } from '../config.ts'
import {
  CONSOLIDATION_INDEX,
  FEE_JUMP_FACTOR,
  MEDIAN_INDEX,
  PERCENTILES_MIN,
  REGTEST_FEE_RATE,
  SET_FEE_RATE_MIN,
} from '../constants.ts'
import type { Context } from '../context.ts'
import type { Dialect } from '../dialect.ts'
import { PRESENT } from '../dialect.ts'
import { note } from '../observed.ts'
import type { Fees } from '../state/state.ts'

// A withdrawal of two inputs and two outputs, and what later bumps of a hundred sat/vB would cost
// it.
const WITHDRAWAL_VSIZE = 221n
const BUMP_RESERVE = 22_100n
const MINTER_FEE_OF_WITHDRAWAL = 305n
const WITHDRAWAL_MIN_STEP = 50_000n

/** Smallest withdrawal at a median rate (msat/vB); on regtest always the configured one. */
export function withdrawalMinAt(config: View<Config>, median: bigint): bigint {
  if (config.network === 'regtest') return config.retrieveMinAmount
  const bitcoinFee = divCeil(WITHDRAWAL_VSIZE * median, 1_000n)
  const needed = BUMP_RESERVE + bitcoinFee + MINTER_FEE_OF_WITHDRAWAL + config.checkFee
  return divFloor(needed, WITHDRAWAL_MIN_STEP) * WITHDRAWAL_MIN_STEP + config.retrieveMinAmount
}

/** The rate at `index`, raised to the network's floor; undefined while fewer than 100 are known. */
export function rateAt(
  rates: readonly bigint[],
  index: number,
  network: Config['network'],
  { feeRateMin }: Pick<Dialect, 'feeRateMin'> = PRESENT,
): bigint | undefined {
  if (rates.length < PERCENTILES_MIN) return undefined
  const rate = rates[index]
  return rate === undefined ? undefined : atLeast(rate, feeRateMin[network])
}

const atLeast = (rate: bigint, floor: bigint): bigint => (rate > floor ? rate : floor)

type Estimate = {
  readonly rates: readonly bigint[]
  readonly median: bigint
  /** Set by the operator, or regtest's constant: believed at once. */
  readonly isSet: boolean
}

function estimateNow({ state, ports, volatile, settings }: Context): Estimate | undefined {
  const { network } = state.config
  const answer = ports.bitcoin.feePercentiles()
  if (answer.type === 'percentiles') {
    const { rates, isSet } = answer
    const { isJumpBelieved } = settings.dialect ?? PRESENT
    const median = rateAt(rates, MEDIAN_INDEX, network, settings.dialect)
    if (median !== undefined && isSet)
      return { rates, median: atLeast(median, SET_FEE_RATE_MIN), isSet }
    if (median !== undefined && network !== 'regtest')
      return { rates, median, isSet: isJumpBelieved }
  }
  if (network !== 'regtest') return undefined
  return { rates: volatile.fees.rates, median: REGTEST_FEE_RATE, isSet: true }
}

/** True of a new median within the factor of an earlier one, either way. */
const isNear = (median: bigint, earlier: bigint): boolean =>
  median * FEE_JUMP_FACTOR >= earlier && median <= earlier * FEE_JUMP_FACTOR

function accept(fees: Fees, config: View<Config>, { rates, median }: Estimate): void {
  fees.rates = rates
  fees.median = median
  fees.withdrawalMin = withdrawalMinAt(config, median)
  fees.known = true
  fees.jump = undefined
}

/**
 * The hourly refresh. A median that jumps is used once a second refresh agrees with the first [H
 * 13].
 */
export function refreshFees(context: Context): void {
  const { fees } = context.volatile
  const estimate = estimateNow(context)
  if (estimate === undefined) return
  const { median, isSet } = estimate
  const agrees = fees.jump !== undefined && isNear(median, fees.jump)
  if (isSet || !fees.known || isNear(median, fees.median) || agrees)
    accept(fees, context.state.config, estimate)
  else {
    fees.jump = median
    note(
      context,
      'transactions/fees.ts',
      `a median of ${median} after ${fees.median} msat/vB waits for another`,
    )
  }
}

/**
 * Rate for a withdrawal now, msat/vB. A jump is not believed here: the last accepted median stands.
 */
export function estimateRate(context: Context): bigint | undefined {
  const { fees } = context.volatile
  const estimate = estimateNow(context)
  if (estimate === undefined) return undefined
  if (estimate.isSet || !fees.known || isNear(estimate.median, fees.median))
    accept(fees, context.state.config, estimate)
  return fees.median
}

/** Rate for a consolidation now, msat/vB; none while the fees jump, for nothing is urgent. */
export function consolidationRate(context: Context): bigint | undefined {
  const { fees } = context.volatile
  const estimate = estimateNow(context)
  if (estimate === undefined || estimate.isSet) return estimate?.median
  if (fees.known && !isNear(estimate.median, fees.median)) return undefined
  return rateAt(estimate.rates, CONSOLIDATION_INDEX, context.state.config.network)
}
