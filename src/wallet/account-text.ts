/** Accounts and ids as commands show them. Source: ledger §3.1, IC interface §3. */
import type { Account as LedgerAccount } from '../core/ic/account.ts'
import { textOfAccount as accountText } from '../core/ic/account.ts'
import type { Principal } from '../core/ic/principal.ts'
import { textOfPrincipal } from '../core/ic/principal.ts'

export type Account = LedgerAccount

export const textOfAccount = (account: Account): string => accountText(account)

export const textOfId = (id: Principal): string => textOfPrincipal(id)
