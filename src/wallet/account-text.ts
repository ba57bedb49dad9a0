/** Accounts and ids as commands show them. Source: ledger §3.1, IC interface §3. */
import { equalBytes } from '../core/base/bytes.ts'
import { attempt, BadEncoding } from '../core/base/errors.ts'
import type { Account as LedgerAccount } from '../core/ic/account.ts'
import { accountOfText, textOfAccount as accountText } from '../core/ic/account.ts'
import type { Principal } from '../core/ic/principal.ts'
import { principal, textOfPrincipal } from '../core/ic/principal.ts'

export type Account = LedgerAccount

export const textOfAccount = (account: Account): string => accountText(account)

export const textOfId = (id: Principal): string => textOfPrincipal(id)

/** The account of somebody who only looks. */
export const nobody: Account = { owner: principal(new Uint8Array()) }

/** Whether `text`, of an account, names one of this owner's. */
export function isAccountOf(text: string, owner: Principal): boolean {
  const account = attempt(() => accountOfText(text))
  return !(account instanceof BadEncoding) && equalBytes(account.owner, owner)
}
