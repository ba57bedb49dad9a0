/** What a block does to balances and allowances. Implements `docs/spec/ledger.md` §§6–8. */
import type { Tokens } from '../../base/units.ts'
import { tokens } from '../../base/units.ts'
import type { Account } from '../../ic/account.ts'
import { sameAccount } from '../../ic/account.ts'
import type { Pair } from '../accounts/account-key.ts'
import { reduceAllowance, replaceAllowance } from '../accounts/allowances.ts'
import { burn, credit, debit, mint } from '../accounts/balances.ts'
import { collectorOf } from '../accounts/fee-collector.ts'
import type { Block, Transaction } from '../blocks/block.ts'
import type { State } from '../state.ts'

/** What `from` pays. A mint and a burn cost no fee, an approval nothing but the fee. */
export function costOf(transaction: Transaction, fee: bigint): bigint {
  switch (transaction.type) {
    case 'mint':
    case 'feeCollector':
      return 0n
    case 'burn':
      return transaction.amount
    case 'transfer':
      return transaction.amount + fee
    case 'approve':
      return fee
  }
}

/** The allowance a transaction draws on: none if the owner acts, be it as the own spender. */
export function allowanceUsedBy(transaction: Transaction): Pair | undefined {
  if (transaction.type !== 'burn' && transaction.type !== 'transfer') return undefined
  const { from, spender } = transaction
  return spender === undefined || sameAccount(from, spender) ? undefined : { from, spender }
}

/** The fee of a block; the oldest approvals bear none, and cost what the block before them did. */
export function feeOf({ transaction, fee }: Block, lastFee: Tokens): Tokens {
  const given = 'fee' in transaction ? transaction.fee : undefined
  return given ?? fee ?? lastFee
}

/** Carries out a block that fits the state. */
export function applyEffect(state: State, block: Block): void {
  const { balances, allowances } = state
  const { transaction } = block
  const fee = feeOf(block, state.lastFee)
  switch (transaction.type) {
    case 'mint':
      mint(balances, transaction.to, transaction.amount)
      return
    case 'feeCollector':
      state.config = { ...state.config, feeCollector: transaction.feeCollector }
      return
    case 'burn':
      burn(balances, transaction.from, transaction.amount)
      break
    case 'transfer':
      debit(balances, transaction.from, transaction.amount + fee)
      credit(balances, transaction.to, transaction.amount)
      payFee(state, fee, collectorOf(state.feeCollection, block))
      state.lastFee = fee
      break
    case 'approve':
      debit(balances, transaction.from, fee)
      payFee(state, fee, collectorOf(state.feeCollection, block))
      state.lastFee = fee
      replaceAllowance(allowances, transaction, {
        allowance: transaction.amount,
        expiresAt: transaction.expiresAt,
      })
      return
  }
  const pair = allowanceUsedBy(transaction)
  if (pair !== undefined) reduceAllowance(allowances, pair, costOf(transaction, fee))
}

function payFee({ balances }: State, fee: Tokens, collector: Account | undefined): void {
  if (collector === undefined) balances.pool = tokens(balances.pool + fee)
  else credit(balances, collector, fee)
}
