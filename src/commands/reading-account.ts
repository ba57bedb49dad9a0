/**
 * Whose account a command reads: the one that was named, or that of the selected key, which stays
 * locked. Implements cli §§3.3, 3.13.
 */
import type { Warning } from '../terminal/json.ts'
import type { Account } from '../wallet/account-text.ts'
import { textOfAccount } from '../wallet/account-text.ts'
import { parseAccount } from '../wallet/destinations.ts'
import { devUser } from '../wallet/identity.ts'
import type { Context } from './context.ts'
import { keyPorts } from './key-ports.ts'
import { keyStoreOf, selectKey } from './keys.ts'
import type { Session } from './session.ts'

export type NamedAccount = {
  readonly account: Account
  readonly text: string
  /** Name of the key it belongs to, where one is known. */
  readonly key: string | null
  /** About the files of that key. */
  readonly warnings: readonly Warning[]
}

const named = (
  account: Account,
  key: string | null,
  warnings: readonly Warning[] = [],
): NamedAccount => ({ account, text: textOfAccount(account), key, warnings })

/** The named account, or the selected key's. Throws `KEY_NONE`, `ACCOUNT_INVALID`, …. */
export function readingAccount(
  typed: string | undefined,
  { network }: Pick<Session, 'network'>,
  context: Context,
): NamedAccount {
  if (typed !== undefined) {
    const account = parseAccount(typed, { isLocal: network.kind === 'local' })
    return named(account, /^dev[0-4]$/.test(typed.trim()) ? typed.trim() : null)
  }
  const { chosen, warnings } = selectKey(context, network)
  return named({ owner: chosen.principal }, chosen.name, warnings)
}

const DEV_KEYS = [0, 1, 2, 3, 4] as const

/** Every account of the user: one for each key, and on the local subnet the test keys. */
export function everyAccount(
  { network }: Pick<Session, 'network'>,
  context: Context,
): readonly NamedAccount[] {
  const own = keyStoreOf(context, keyPorts(context))
    .list()
    .keys.map(({ name, principal }) => named({ owner: principal }, name))
  if (network.kind !== 'local') return own
  return [
    ...own,
    ...DEV_KEYS.map((index) => named({ owner: devUser(index).principal }, `dev${index}`)),
  ]
}

/** The same owner with every subaccount that the index knows; without an index, as it is. */
export async function withSubaccounts(
  { client }: Pick<Session, 'client'>,
  own: NamedAccount,
): Promise<readonly NamedAccount[]> {
  const { owner } = own.account
  const subaccounts = (await client.index?.subaccounts(owner)) ?? []
  const others = subaccounts
    .filter((subaccount) => subaccount.some((byte) => byte !== 0))
    .map((subaccount) => named({ owner, subaccount }, own.key))
  return [own, ...others]
}
