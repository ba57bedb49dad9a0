/** Balances, allowances, supply and tip. Implements `docs/spec/ledger.md` §§2.1, 8, 10. */
import type { Hash32 } from '../base/bytes.ts'
import type { TimestampNs, Tokens } from '../base/units.ts'
import { tokens } from '../base/units.ts'
import type { View } from '../base/view.ts'
import type { Account } from '../ic/account.ts'
import { allowanceOf } from './accounts/allowances.ts'
import * as balances from './accounts/balances.ts'
import { tokensMax } from './config.ts'
import type { State } from './state.ts'
import { ledgerTime, logLength } from './state.ts'
import type { Allowance, AllowanceArgs, BlockIndex } from './types.ts'

/** `icrc1_balance_of`. */
export const balanceOf = (state: View<State>, account: Account): Tokens =>
  balances.balanceOf(state.balances, account)

/** `icrc1_total_supply`. */
export const totalSupply = (state: View<State>): Tokens =>
  tokens(tokensMax(state.config) - state.balances.pool)

/** `icrc2_allowance` at `now`. */
export const allowance = (
  state: View<State>,
  { account, spender }: AllowanceArgs,
  now: TimestampNs,
): Allowance => allowanceOf(state.allowances, { from: account, spender }, ledgerTime(state, now))

export type Tip = { readonly index: BlockIndex; readonly hash: Hash32 }

/** The newest block, which the certificate vouches for; undefined for an empty log. */
export function tip(state: View<State>): Tip | undefined {
  const { tipHash } = state.chain
  return tipHash === undefined ? undefined : { index: logLength(state) - 1n, hash: tipHash }
}
