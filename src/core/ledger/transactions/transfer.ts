/** Transfers, mints and burns, by allowance too. Implements `docs/spec/ledger.md` §§6.1–6.3. */
import type { TimestampNs } from '../../base/units.ts'
import { tokens } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { Account } from '../../ic/account.ts'
import { sameAccount } from '../../ic/account.ts'
import type { Principal } from '../../ic/principal.ts'
import { allowanceOf } from '../accounts/allowances.ts'
import { balanceOf, shortBalance } from '../accounts/balances.ts'
import type { Transaction } from '../blocks/block.ts'
import { tokensMax } from '../config.ts'
import type { Decision, State } from '../state.ts'
import { ledgerTime } from '../state.ts'
import type {
  TransferArg,
  TransferError,
  TransferFromArgs,
  TransferFromError,
  Trap,
} from '../types.ts'
import type { Obstacle } from './admission.ts'
import { decideTransaction } from './admission.ts'
import { allowanceUsedBy, costOf } from './effect.ts'
import { NO_DELEGATED_MINTS, refuseFee, refuseMemo, SUPPLY_EXCEEDED } from './refusals.ts'

/** `icrc1_transfer`. */
export function decideTransfer(
  state: View<State>,
  caller: Principal,
  { fromSubaccount, ...arg }: TransferArg,
  now: TimestampNs,
): Decision<TransferError> {
  const movement = { ...arg, from: { owner: caller, subaccount: fromSubaccount } }
  const transaction = checkedTransaction(state, movement)
  if (!isTransaction(transaction)) return refused(transaction)
  const obstacle = () => fundsObstacle(state, transaction)
  return decideTransaction(state, transaction, ledgerTime(state, now), obstacle)
}

/** `icrc2_transfer_from`. */
export function decideTransferFrom(
  state: View<State>,
  caller: Principal,
  { spenderSubaccount, ...arg }: TransferFromArgs,
  now: TimestampNs,
): Decision<TransferFromError> {
  const spender = { owner: caller, subaccount: spenderSubaccount }
  const transaction = checkedTransaction(state, { ...arg, spender })
  if (!isTransaction(transaction)) return refused(transaction)
  const time = ledgerTime(state, now)
  const obstacle = () =>
    allowanceObstacle(state, transaction, time) ?? fundsObstacle(state, transaction)
  return decideTransaction(state, transaction, time, obstacle)
}

type Movement = Pick<TransferArg, 'to' | 'amount' | 'fee' | 'memo' | 'createdAtTime'> & {
  readonly from: Account
  readonly spender?: Account | undefined
}

type Moving = Exclude<Transaction, { readonly type: 'approve' | 'feeCollector' }>
type Refusal = TransferError | Trap

const isTransaction = (checked: Moving | Refusal): checked is Moving => 'amount' in checked

const refused = (refusal: Refusal): Decision<TransferError> => ({
  events: [],
  reply: refusal.type === 'trap' ? refusal : { type: 'err', error: refusal },
})

/** §6.3 steps 2 to 6: what can be judged before time and duplicates are looked at. */
function checkedTransaction(state: View<State>, movement: Movement): Moving | Refusal {
  const { config } = state
  const { from, to, spender, fee, memo, createdAtTime } = movement
  const badMemo = refuseMemo(config, memo)
  if (badMemo !== undefined) return badMemo
  if (movement.amount > tokensMax(config))
    return { type: 'insufficientFunds', balance: balanceOf(state.balances, from) }
  const common = { amount: tokens(movement.amount), memo, createdAtTime }
  if (sameAccount(to, config.mintingAccount))
    return refuseBurn(state, movement) ?? { type: 'burn', from, spender, ...common }
  if (sameAccount(from, config.mintingAccount)) {
    if (spender !== undefined) return NO_DELEGATED_MINTS
    return refuseFee(fee, 0n) ?? { type: 'mint', to, ...common }
  }
  const given = fee === undefined ? undefined : tokens(fee)
  return (
    refuseFee(fee, config.transferFee) ?? {
      type: 'transfer',
      from,
      to,
      spender,
      fee: given,
      ...common,
    }
  )
}

/** §6.3 step 4: a burn costs no fee, and is not smaller than one unless it burns all there is. */
function refuseBurn(
  state: View<State>,
  { from, amount, fee }: Movement,
): TransferError | undefined {
  const badFee = refuseFee(fee, 0n)
  if (badFee !== undefined) return badFee
  const { transferFee } = state.config
  const minBurnAmount = shortBalance(state.balances, from, transferFee) ?? transferFee
  if (amount < minBurnAmount) return { type: 'badBurn', minBurnAmount }
  return amount === 0n ? { type: 'badBurn', minBurnAmount: transferFee } : undefined
}

/** Effect, §6.3: the balance, or for a mint the pool, must cover it. */
function fundsObstacle(state: View<State>, transaction: Moving): Obstacle<TransferError> {
  if (transaction.type === 'mint')
    return transaction.amount > state.balances.pool ? SUPPLY_EXCEEDED : undefined
  const cost = costOf(transaction, state.config.transferFee)
  const balance = shortBalance(state.balances, transaction.from, cost)
  return balance === undefined ? undefined : { type: 'insufficientFunds', balance }
}

/** Effect, §6.3: a spender who is not the owner needs an allowance for amount and fee. */
function allowanceObstacle(
  state: View<State>,
  transaction: Moving,
  now: TimestampNs,
): Obstacle<TransferFromError> {
  const pair = allowanceUsedBy(transaction)
  if (pair === undefined) return undefined
  const { allowance } = allowanceOf(state.allowances, pair, now)
  return allowance < costOf(transaction, state.config.transferFee)
    ? { type: 'insufficientAllowance', allowance }
    : undefined
}
