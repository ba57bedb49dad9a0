/** Balances and the pool of tokens not yet minted. Implements `docs/spec/ledger.md` §§4, 7. */
import { assert } from '../../base/errors.ts'
import type { Tokens } from '../../base/units.ts'
import { tokens } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { Account } from '../../ic/account.ts'
import { packAccount } from './account-key.ts'

export type Balances = {
  /** By `packAccount`; never zero, so an account without funds has no entry. */
  readonly amounts: Map<string, Tokens>
  /** What can still be minted: the largest amount less the total supply. */
  pool: Tokens
}

export const emptyBalances = (max: Tokens): Balances => ({ amounts: new Map(), pool: max })

const ZERO = tokens(0n)

export function balanceOf(balances: View<Balances>, account: Account): Tokens {
  return balances.amounts.get(packAccount(account)) ?? ZERO
}

/** The balance, if it does not cover `amount`. Not even zero can be taken from an empty account. */
export function shortBalance(
  balances: View<Balances>,
  account: Account,
  amount: bigint,
): Tokens | undefined {
  const balance = balanceOf(balances, account)
  return balance === 0n || balance < amount ? balance : undefined
}

export function mint(balances: Balances, to: Account, amount: Tokens): void {
  assert(amount <= balances.pool, 'a mint is covered by the token pool')
  balances.pool = tokens(balances.pool - amount)
  credit(balances, to, amount)
}

export function burn(balances: Balances, from: Account, amount: bigint): void {
  debit(balances, from, amount)
  balances.pool = tokens(balances.pool + amount)
}

export function credit(balances: Balances, to: Account, amount: Tokens): void {
  if (amount === 0n) return
  const key = packAccount(to)
  balances.amounts.set(key, tokens((balances.amounts.get(key) ?? 0n) + amount))
}

export function debit(balances: Balances, from: Account, amount: bigint): void {
  const key = packAccount(from)
  const rest = (balances.amounts.get(key) ?? 0n) - amount
  assert(rest >= 0n, 'a debit is covered by the balance')
  if (rest === 0n) balances.amounts.delete(key)
  else balances.amounts.set(key, tokens(rest))
}
