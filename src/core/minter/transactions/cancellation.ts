/**
 * Taking back what no node would relay: a transaction of few of its inputs to the minter itself, and
 * the withdrawals returned once that is final. Source: minter §14.3.
 */
import { divCeil } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import { RELAY_RATE_INCREASE_MIN, STANDARD_VSIZE_MAX } from '../constants.ts'
import type { Context } from '../context.ts'
import { rootOf } from '../context.ts'
import { addCoin, newCoinSet } from '../state/coin-set.ts'
import type { SubmittedTransaction } from '../state/state.ts'
import type { BuildError, BuiltTransaction, Recipient } from './build-transaction.ts'
import { buildTransaction, worstCaseVsize } from './build-transaction.ts'
import { selectGreedily } from './coin-selection.ts'

const WITNESS_PROGRAM_AT = 2

/** The minter's own main address, as a recipient. */
export const mainRecipient = (context: Context, amount: bigint): Recipient => ({
  address: {
    type: 'p2wpkhV0',
    bytes: rootOf(context).mainScript.subarray(WITNESS_PROGRAM_AT),
  },
  amount,
})

type Cancelling = {
  readonly old: View<SubmittedTransaction>
  /** The most that it can measure, vB. */
  readonly oldVsize: bigint
  /** Rates in msat/vB. */
  readonly estimate: bigint
  readonly rateMax: bigint | undefined
}

/**
 * Of the old one's inputs as few as bring the smallest withdrawal, at the present rate (steps 1, 2).
 *
 * Where nodes may have the old one they take this one only if it pays more. It does when that much
 * can be paid; else it waits until they have dropped the old one.
 */
export function planCancellation(
  context: Context,
  { old, oldVsize, estimate, rateMax }: Cancelling,
): BuiltTransaction | BuildError {
  const { retrieveMinAmount, inputsMax } = context.state.config
  const coins = newCoinSet()
  for (const utxo of old.utxos) addCoin(coins, utxo)
  const utxos = selectGreedily({ coins, without: new Map() }, retrieveMinAmount)
  if (utxos === undefined) return { type: 'notEnoughFunds' }
  const { mainScript } = rootOf(context)
  const recipients = [mainRecipient(context, retrieveMinAmount)]
  const build = (rate: bigint): BuiltTransaction | BuildError =>
    buildTransaction({ utxos, recipients, mainScript, rate, inputsMax })
  const vsize = worstCaseVsize(utxos.length, [mainScript.length, mainScript.length])
  const higher = rateAbove(old, vsize)
  const isWanted =
    oldVsize <= STANDARD_VSIZE_MAX &&
    higher > estimate &&
    (rateMax === undefined || higher <= rateMax)
  const outcome = isWanted ? build(higher) : undefined
  return outcome?.type === 'built' ? outcome : build(estimate)
}

/** What nodes that have the old one ask for: a higher rate, and a higher fee altogether. */
function rateAbove(
  { feeRate = 0n, withdrawalFee }: View<SubmittedTransaction>,
  vsize: bigint,
): bigint {
  const byFee = divCeil((withdrawalFee?.bitcoinFee ?? 0n) * 1_000n, vsize)
  return (byFee > feeRate ? byFee : feeRate) + RELAY_RATE_INCREASE_MIN
}

/** What is owed for cancelled withdrawals is due as a reimbursement (step 4). */
export function scheduleCancelled({ state, record }: Context): void {
  for (const [burnBlockIndex, { request, amount, error }] of [...state.cancelled]) {
    const { reimbursementAccount: account } = request
    if (account === undefined) continue // Nobody knows whose it was: it stays owed.
    record({ type: 'scheduleWithdrawalReimbursement', account, burnBlockIndex, amount, error })
  }
}
