/** Whose tokens may be spent by whom, page by page. Implements `docs/spec/ledger.md` §16 (ICRC-103). */
import { present } from '../../base/errors.ts'
import type { TimestampNs } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { Account } from '../../ic/account.ts'
import type { Principal } from '../../ic/principal.ts'
import type { State } from '../state.ts'
import { packAccount, packOwner, packPair, unpackPair } from './account-key.ts'
import { allowanceAt } from './allowances.ts'
import { keysFrom } from './sorted-keys.ts'

export type ListingArgs = {
  /** The caller's default account if absent. */
  readonly fromAccount?: Account | undefined
  /** Spender of the last allowance of the page before. */
  readonly prevSpender?: Account | undefined
  readonly take?: bigint | undefined
}

export type ListedAllowance = {
  readonly fromAccount: Account
  readonly toSpender: Account
  readonly allowance: bigint
  readonly expiresAt?: TimestampNs | undefined
}

/**
 * `icrc103_get_allowances`: what is valid at `now`, of one owner, from one of its accounts on. Looks
 * at no allowance of another owner.
 */
export function listAllowances(
  { allowances: { entries, order }, config }: View<State>,
  { caller, args }: { readonly caller: Principal; readonly args: ListingArgs },
  now: TimestampNs,
): readonly ListedAllowance[] {
  const from = args.fromAccount ?? { owner: caller }
  const { prevSpender } = args
  const owner = packOwner(from.owner)
  const start =
    prevSpender === undefined ? packAccount(from) : packPair({ from, spender: prevSpender })
  const size = pageSize(args.take, config.limits.takeAllowancesMax)
  const found: ListedAllowance[] = []
  for (const key of keysFrom(order, start)) {
    if (found.length === size || !key.startsWith(owner)) break
    if (prevSpender !== undefined && key === start) continue
    const entry = present(entries.get(key), 'a key of the order has an allowance')
    const { allowance, expiresAt } = allowanceAt(entry, now)
    if (allowance === 0n) continue // It has expired: no stored allowance is zero.
    const { from: fromAccount, spender: toSpender } = unpackPair(key)
    found.push({ fromAccount, toSpender, allowance, expiresAt })
  }
  return found
}

const pageSize = (take: bigint | undefined, max: number): number =>
  take === undefined || take > BigInt(max) ? max : Number(take)
