/**
 * The operator's way out of a loss: what never comes back is written off where the rest covers all
 * that was promised, and what was paid in to cover it becomes the minter's. Source: minter §18.8.
 */
import type { View } from '../../base/view.ts'
import type { OutPoint } from '../../btc/transaction.ts'
import { outpointKey } from '../../btc/transaction.ts'
import type { Account } from '../../ic/account.ts'
import { scriptOf } from '../addresses.ts'
import { coinsOfChain, spendsAny } from '../apply/apply-losses.ts'
import { callsInTransit } from '../call-journal.ts'
import { OUTPOINTS_PER_CALL_MAX } from '../constants.ts'
import type { Context } from '../context.ts'
import { rootOf, schedule } from '../context.ts'
import { chainOf, liveTransaction } from '../state/replacement-chain.ts'
import { reserveEquation } from '../state/reserve.ts'
import type { OutpointKey, WithdrawalRequest } from '../state/state.ts'
import { keyOfTxid, keyOfUtxo, mainAccount, sumOf } from '../state/state.ts'
import { stoppedAsBroken } from '../state/stopped.ts'
import type { BuiltTransaction } from '../transactions/build-transaction.ts'
import { buildTransaction } from '../transactions/build-transaction.ts'
import { selectGreedily } from '../transactions/coin-selection.ts'
import { estimateRate } from '../transactions/fees.ts'
import { startSigning } from '../transactions/signing.ts'
import type { Utxo } from '../types.ts'
import { compareRequests } from '../withdrawals/batch.ts'
import { paidAlready } from './paid-already.ts'

export type LossOutcome =
  | { readonly type: 'ok' }
  | { readonly type: 'err'; readonly reason: string }

const OK: LossOutcome = { type: 'ok' }
const refused = (reason: string): { readonly type: 'err'; readonly reason: string } => ({
  type: 'err',
  reason,
})

const nameOfTxid = (txid: Uint8Array): string => keyOfTxid(Uint8Array.from(txid).reverse())
const nameOf = ({ txid, vout }: OutPoint): string => `${nameOfTxid(txid)}:${vout}`

/** Gives up coins that are lost now. The whole of it or nothing. */
export function writeOffLost(context: Context, outpoints: readonly OutPoint[]): LossOutcome {
  const { volatile, state, record } = context
  const stopped = stoppedAsBroken(volatile)
  if (stopped !== undefined) return refused(stopped.message)
  if (volatile.root === undefined || volatile.mustLook)
    return refused('the view of Bitcoin is behind: what is missing is not known')
  if (outpoints.length > OUTPOINTS_PER_CALL_MAX) return refused('too many coins for one call')
  const utxos = new Map<OutpointKey, Utxo>()
  for (const outpoint of outpoints) {
    const utxo = volatile.lost.get(outpointKey(outpoint))
    if (utxo === undefined) return refused(`${nameOf(outpoint)} is not missing`)
    utxos.set(outpointKey(outpoint), utxo)
  }
  if (utxos.size === 0) return OK
  const uncovered = uncoveredBy(context, sumOf(utxos.values()))
  if (uncovered !== undefined) return uncovered
  const again = paymentsToMakeAgain(context, utxos)
  if (again.type === 'err') return again
  record({ type: 'xWrittenOff', utxos: [...utxos.values()] })
  for (const { built, requests } of again.payments) startSigning(context, built, { requests })
  if (state.queue.length > 0 || volatile.lost.size === 0) schedule(context, 'process', context.now)
  return OK
}

/** [§18.5, 11] What is left must cover every token and every promise. */
function uncoveredBy({ state, ports }: Context, loss: bigint): LossOutcome | undefined {
  const supply = ports.ledger.totalSupply()
  if (supply === undefined) return refused('the ledger does not tell its supply')
  const { surplus } = reserveEquation(state, supply, callsInTransit({ state, ports }))
  if (surplus >= loss) return undefined
  return refused(
    `the loss of ${loss} satoshis is ${loss - surplus} more than the surplus: ` +
      'pay that much to the main address, adopt it, and try again',
  )
}

type Payment = { readonly built: BuiltTransaction; readonly requests: readonly bigint[] }
type Payments =
  | { readonly type: 'payments'; readonly payments: readonly Payment[] }
  | { readonly type: 'err'; readonly reason: string }

/**
 * Withdrawals that are on their way are paid anew out of the same coins, as far as there
 * are any: if the lost coin comes back after all, at most one of the two can confirm [H 2].
 */
function paymentsToMakeAgain(context: Context, lost: ReadonlyMap<OutpointKey, Utxo>): Payments {
  const { state } = context
  const payments: Payment[] = []
  const taken = new Map<OutpointKey, View<Utxo>>(context.volatile.lost)
  for (const { utxos, requests, isCancelled } of completeWithdrawals(context, lost)) {
    if (isCancelled)
      return refused('withdrawals of such a coin are being taken back: wait for that')
    const paid = paidAlready(
      context,
      requests.map(({ blockIndex }) => blockIndex),
    )
    if (paid !== undefined)
      return refused(`withdrawals of such a coin are paid: ${nameOfTxid(paid)} confirmed after all`)
    const kept = utxos.filter((utxo) => !lost.has(keyOfUtxo(utxo)))
    if (kept.length === 0) continue
    const missing = requests.reduce((sum, { amount }) => sum + amount, 0n) - sumOf(kept)
    const more = missing > 0n ? selectGreedily({ coins: state.coins, without: taken }, missing) : []
    const built = more && buildAgain(context, [...kept, ...more], requests)
    if (more === undefined || built === undefined)
      return refused('withdrawals of such a coin cannot be paid out of other coins now')
    for (const utxo of more) taken.set(keyOfUtxo(utxo), utxo)
    payments.push({ built, requests: ordered(requests).map(({ blockIndex }) => blockIndex) })
  }
  return { type: 'payments', payments }
}

type Complete = {
  readonly utxos: readonly View<Utxo>[]
  readonly requests: readonly View<WithdrawalRequest>[]
  readonly isCancelled: boolean
}

/**
 * Transactions for withdrawals that spend such a coin, and that somebody may have whole: these, or
 * the ones in whose place they stand since an earlier write-off.
 */
function* completeWithdrawals(
  { state }: Context,
  lost: ReadonlyMap<OutpointKey, Utxo>,
): Iterable<Complete> {
  for (const signing of state.signing.values())
    if (signing.purpose.type === 'toConfirm' && spendsAny(signing.utxos, lost))
      yield { utxos: signing.utxos, requests: signing.purpose.requests, isCancelled: false }
  for (const [newest, { purpose }] of state.submitted) {
    const chain = chainOf(state, newest)
    const utxos = coinsOfChain(state, chain)
    if (purpose.type === 'toConsolidate' || !spendsAny(utxos, lost)) continue
    const isBeingCancelled = [...state.signing.values()].some(
      ({ purpose: next }) =>
        next.type === 'toReplace' &&
        next.reason.type === 'toCancel' &&
        chain.includes(keyOfTxid(next.oldTxid)),
    )
    const isCancelled = purpose.type === 'toCancel' || isBeingCancelled
    yield { utxos, requests: purpose.requests, isCancelled }
  }
}

const ordered = (
  requests: readonly View<WithdrawalRequest>[],
): readonly View<WithdrawalRequest>[] => [...requests].sort(compareRequests)

function buildAgain(
  context: Context,
  utxos: readonly View<Utxo>[],
  requests: readonly View<WithdrawalRequest>[],
): BuiltTransaction | undefined {
  const rate = estimateRate(context)
  if (rate === undefined) return undefined
  const built = buildTransaction({
    utxos,
    recipients: ordered(requests),
    mainScript: rootOf(context).mainScript,
    rate,
    inputsMax: context.state.config.inputsMax,
    dialect: context.settings.dialect,
  })
  return built.type === 'built' ? built : undefined
}

/**
 * Takes in what somebody else paid to the main address, and coins that were written off and are
 * there again; deep enough, as a deposit must be.
 */
export function adoptCoins(context: Context, outpoints: readonly OutPoint[]): LossOutcome {
  const { volatile, record, state } = context
  const stopped = stoppedAsBroken(volatile)
  if (stopped !== undefined) return refused(stopped.message)
  if (volatile.root === undefined) return refused('the key is not made yet')
  if (outpoints.length > OUTPOINTS_PER_CALL_MAX) return refused('too many coins for one call')
  const found = new Map<OutpointKey, { readonly utxo: Utxo; readonly account: Account }>()
  for (const outpoint of outpoints) {
    const coin = coinToAdopt(context, outpoint)
    if (coin === undefined)
      return refused(`${nameOf(outpoint)} is no confirmed donation, and no coin that came back`)
    found.set(outpointKey(outpoint), coin)
  }
  for (const [key, { utxo, account }] of found) {
    if (!state.writtenOff.has(key) && !state.donations.has(key)) record({ type: 'xDonation', utxo })
    record({ type: 'xAdoptedCoin', utxo, account })
  }
  if (found.size > 0) schedule(context, 'process', context.now)
  return OK
}

function coinToAdopt(
  { state, volatile, ports }: Context,
  outpoint: OutPoint,
): { readonly utxo: Utxo; readonly account: Account } | undefined {
  const { root } = volatile
  const key = outpointKey(outpoint)
  const { minConfirmations } = state.config
  const account = state.writtenOff.get(key)?.account ?? mainAccount(state)
  const isOurs = !state.writtenOff.has(key) && state.mintedOutpoints.has(key)
  const txid = keyOfTxid(outpoint.txid)
  const isChange = liveTransaction(state, txid) !== undefined || state.signing.has(txid)
  if (root === undefined || isOurs || isChange) return undefined
  const answer = ports.bitcoin.utxos({ script: scriptOf(root.key, account), minConfirmations })
  const utxos = answer.type === 'utxos' ? answer.utxos : []
  const utxo = utxos.find((each) => keyOfUtxo(each) === key)
  return utxo === undefined ? undefined : { utxo, account }
}
