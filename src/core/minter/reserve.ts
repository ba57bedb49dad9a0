/** The reserve equation, term by term. Source: minter §18.5, 11. */
import type { View } from '../base/view.ts'
import type { State } from './state.ts'
import { keyOfUtxo, requestsOf, sumOf } from './state.ts'
import type { Utxo } from './types.ts'

/**
 * `coins` = `supply` + `pending` + `reimbursements` + `surplus`, and the terms below make up the
 * surplus.
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
  readonly surplus: bigint
  readonly checkFees: bigint
  readonly minterFees: bigint
  readonly reimbursementCharges: bigint
  readonly amountsTooLow: bigint
  /** Burned by the ledger for transfers: what was minted less what was burned and what is there. */
  readonly ledgerFees: bigint
  /** The surplus is exactly its terms. */
  readonly balanced: boolean
  /** Every token in existence and every promise is covered. */
  readonly covered: boolean
}

export function reserveEquation(state: View<State>, supply: bigint): ReserveEquation {
  const { checkFees, minterFees, reimbursementCharges, amountsTooLow } = state.earnings
  const coins = sumOf(accountedCoins(state).values())
  const pending = pendingAmount(state)
  const reimbursements = reimbursementAmount(state)
  const surplus = coins - supply - pending - reimbursements
  const minted = state.mintedFromDeposits - checkFees + state.reimbursedTotal
  const ledgerFees = minted - state.tokensBurned - supply
  const terms = checkFees + minterFees + reimbursementCharges + amountsTooLow + ledgerFees
  return {
    coins,
    supply,
    pending,
    reimbursements,
    surplus,
    checkFees,
    minterFees,
    reimbursementCharges,
    amountsTooLow,
    ledgerFees,
    balanced: surplus === terms,
    covered: surplus >= 0n,
  }
}

function accountedCoins(state: View<State>): ReadonlyMap<string, View<Utxo>> {
  const coins = new Map(state.availableUtxos)
  const live = [...state.signing.values(), ...state.submitted.values(), ...state.stuck.values()]
  for (const { utxos } of live) for (const utxo of utxos) coins.set(keyOfUtxo(utxo), utxo)
  return coins
}

function pendingAmount(state: View<State>): bigint {
  const requests = [
    ...state.queue,
    ...[...state.signing.values(), ...state.submitted.values()].flatMap(({ purpose }) =>
      requestsOf(purpose),
    ),
  ]
  return requests.reduce((sum, { amount }) => sum + amount, 0n)
}

function reimbursementAmount(state: View<State>): bigint {
  const tasks = [...state.reimbursements.values(), ...state.depositReimbursements.values()]
  return tasks.reduce((sum, { amount }) => sum + amount, 0n)
}
