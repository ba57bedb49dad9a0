/**
 * What the minter holds against the chain: coins that are there, payments that are made, tokens that
 * are backed. Source: minter §18.5, 12; §18.7 (a), (b). For tests only.
 */
import { toHex } from '../../../src/core/base/bytes.ts'
import { outpointKey } from '../../../src/core/btc/transaction.ts'
import type { State } from '../../../src/core/minter/state/state.ts'
import type { Tip } from './chain.ts'
import type { LedgerBooks } from './ledger-books.ts'
import type { Payments } from './payments.ts'
import { sharesOf } from './payments.ts'

type Told = {
  readonly state: State
  readonly tip: Tip
  readonly ledger: LedgerBooks
  readonly payments: Payments
}

/** Transactions of ours in the chain, by the outpoints that they spend. */
function spentBy({ tip, payments }: Pick<Told, 'tip' | 'payments'>): ReadonlyMap<string, string> {
  const spent = new Map<string, string>()
  for (const [id, { known }] of payments.all)
    if (tip.confirmed.has(id)) for (const key of known.spends) spent.set(key, id)
  return spent
}

/** Accounted coins that the chain has not, though nothing of ours spent them. */
export function missingCoins(told: Told): readonly string[] {
  const { state, tip, payments } = told
  const spent = spentBy(told)
  const inUse = [...state.signing.values(), ...state.submitted.values()].flatMap(({ utxos }) =>
    utxos.map(({ outpoint }) => `${toHex(outpoint.txid)}:${outpoint.vout}`),
  )
  const used = inUse.filter((key) => {
    const spender = spent.get(key)
    return !tip.coins.has(key) && (spender === undefined || payments.final.has(spender))
  })
  return [...[...state.availableUtxos.keys()].filter((key) => !tip.coins.has(key)), ...used]
}

/** (a), (b), 12: with no coin lost, every token is backed by coins at addresses of the minter. */
export function chainProblems(told: Told, mainScript: string): readonly string[] {
  const { state, tip, ledger, payments } = told
  const missing = missingCoins(told)
  if (missing.length > 0) return [`12: ${missing[0]} is accounted for and not in the chain`]
  let backing = 0n
  for (const [key, { value, script }] of tip.coins) {
    const [txid = ''] = key.split(':')
    const isOwnChange = script === mainScript && payments.all.has(txid)
    if (isOwnChange || ledger.credits.has(key)) backing += value
  }
  const paid = payments.paidIn(tip.confirmed)
  let owed = ledger.supplies.at(-1) ?? 0n
  for (const [burn, { amount }] of ledger.burns)
    if (!paid.has(burn) && !ledger.reimbursed.has(burn)) owed += amount - chargeOf(told, burn)
  // A mint that came late may be for a coin that was gone by then: nobody could hold it back.
  for (const { purpose, amount } of state.calls.values()) {
    if (purpose.type !== 'deposit') continue
    const key = outpointKey(purpose.utxo.outpoint)
    if (ledger.credits.has(key) && !tip.coins.has(key)) owed -= amount
  }
  return backing < owed ? [`(a): ${owed} tokens and burns stand on ${backing} satoshis`] : []
}

/** What a burn's return keeps back stays with the minter. */
function chargeOf({ state, ledger, payments, tip }: Told, burn: bigint): bigint {
  const task = state.reimbursements.get(burn) ?? state.reimbursed.get(burn)
  if (task !== undefined) return (ledger.burns.get(burn)?.amount ?? 0n) - task.amount
  // Its cancellation is in the chain, deep enough or not: what that costs is paid.
  for (const [id, payment] of payments.all)
    if (payment.cancels.includes(burn) && tip.confirmed.has(id))
      return sharesOf(payment).at(-1) ?? 0n
  return 0n
}

/** Of the true chain: a burn is paid once or given back. */
export function paymentProblems({
  tip,
  ledger,
  payments,
}: Pick<Told, 'tip' | 'ledger' | 'payments'>): readonly string[] {
  return [...payments.paidIn(tip.confirmed)].flatMap(([burn, ids]) => [
    ...(ids.length > 1 ? [`burn ${burn} is paid by ${ids.join(' and ')}`] : []),
    ...(ledger.reimbursed.has(burn) ? [`burn ${burn} is paid by ${ids[0]} and given back`] : []),
  ])
}
