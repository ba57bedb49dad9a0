/** The reserve equation, term by term. Source: minter §18.5, 11. */
import type { View } from '../../base/view.ts'
import type { Utxo } from '../types.ts'
import { unspentFees } from './consolidation-fees.ts'
import type { State } from './state.ts'
import { keyOfUtxo, requestsOf, sumOf } from './state.ts'

/**
 * `coins` + `mintsInTransit` = `supply` + `burnsInTransit` + `pending` + `reimbursements` +
 * `quarantined` + `surplus`, and the terms below make up the surplus.
 */
export type ReserveEquation = {
  /** R: what the minter accounts for, inputs of live transactions counted once. */
  readonly coins: bigint
  /** L: the ledger's total supply. */
  readonly supply: bigint
  /** P: burned and neither paid for good nor given back. */
  readonly pending: bigint
  /** W: to be given back. */
  readonly reimbursements: bigint
  /** Of what is to be given back: whether it has been is not known yet. */
  readonly quarantined: bigint
  /** In the supply, with no event of ours that says so yet. */
  readonly mintsInTransit: bigint
  /** Out of the supply, with no event of ours that says so yet. */
  readonly burnsInTransit: bigint
  readonly surplus: bigint
  readonly checkFees: bigint
  readonly minterFees: bigint
  readonly reimbursementCharges: bigint
  readonly amountsTooLow: bigint
  /** Coins that the operator took in, for nothing. */
  readonly adopted: bigint
  /** Coins given up for lost: taken from the surplus. */
  readonly writtenOff: bigint
  /** Burned from the collector for consolidations that are not final. */
  readonly consolidationFees: bigint
  /** Burned by the ledger for transfers: what was minted less what was burned and what is there. */
  readonly ledgerFees: bigint
  /** The surplus is exactly its terms. */
  readonly balanced: boolean
  /** Every token in existence and every promise is covered. */
  readonly covered: boolean
}

/** Calls whose outcome is no event yet, and that the ledger has (`callsInTransit`). */
export type InTransit = { readonly minted: bigint; readonly burned: bigint }

const NOTHING: InTransit = { minted: 0n, burned: 0n }

type DurableState = View<Omit<State, 'volatile'>>

/** Costs what is on its way, not what there is. */
export function reserveEquation(
  state: DurableState,
  supply: bigint,
  inTransit = NOTHING,
): ReserveEquation {
  const { checkFees, minterFees, reimbursementCharges, amountsTooLow } = state.earnings
  const { adopted, writtenOff } = state.earnings
  const coins = accountedCoins(state)
  const pending = pendingAmount(state)
  const reimbursements = reimbursementAmount(state)
  const quarantined = quarantinedAmount(state)
  const settled = supply - inTransit.minted + inTransit.burned
  const surplus = coins - settled - pending - reimbursements - quarantined
  const minted = state.mintedFromDeposits - checkFees + state.reimbursedTotal
  const { burned } = state.consolidationFees
  const consolidationFees = unspentFees(state.consolidationFees)
  const ledgerFees = minted - state.tokensBurned - burned - settled
  const terms =
    checkFees +
    minterFees +
    reimbursementCharges +
    amountsTooLow +
    adopted -
    writtenOff +
    consolidationFees +
    ledgerFees
  return {
    coins,
    supply,
    pending,
    reimbursements,
    quarantined,
    mintsInTransit: inTransit.minted,
    burnsInTransit: inTransit.burned,
    surplus,
    checkFees,
    minterFees,
    reimbursementCharges,
    amountsTooLow,
    adopted,
    writtenOff,
    consolidationFees,
    ledgerFees,
    balanced: surplus === terms,
    covered: surplus >= 0n,
  }
}

function accountedCoins(state: DurableState): bigint {
  const spent = new Map<string, View<Utxo>>()
  const live = [...state.signing.values(), ...state.submitted.values(), ...state.stuck.values()]
  for (const { utxos } of live)
    for (const utxo of utxos)
      if (!state.availableUtxos.has(keyOfUtxo(utxo))) spent.set(keyOfUtxo(utxo), utxo)
  return state.coins.total + sumOf(spent.values())
}

function pendingAmount(state: DurableState): bigint {
  const requests = [
    ...state.queue,
    ...[...state.signing.values(), ...state.submitted.values()].flatMap(({ purpose }) =>
      requestsOf(purpose),
    ),
    ...state.cancelled.values(),
  ]
  return requests.reduce((sum, { amount }) => sum + amount, 0n)
}

function reimbursementAmount(state: DurableState): bigint {
  const tasks = [...state.reimbursements.values(), ...state.depositReimbursements.values()]
  return tasks.reduce((sum, { amount }) => sum + amount, 0n)
}

/** Owed until the ledger's blocks say that it was minted. */
function quarantinedAmount({ reimbursed }: DurableState): bigint {
  const unknown = [...reimbursed.values()].filter(
    ({ mintBlockIndex }) => mintBlockIndex === undefined,
  )
  return unknown.reduce((sum, { amount }) => sum + amount, 0n)
}
