/** Whose tokens may be spent by whom, page by page. Implements `docs/spec/ledger.md` §16 (ICRC-103). */
import { equalBytes } from '../../base/bytes.ts'
import type { TimestampNs } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { Account } from '../../ic/account.ts'
import { compareAccounts } from '../../ic/account.ts'
import type { Principal } from '../../ic/principal.ts'
import type { State } from '../state.ts'
import type { Pair } from './allowances.ts'

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
 * `icrc103_get_allowances`: what is valid at `now`, of one owner, from one of its accounts on.
 */
export function listAllowances(
  { allowances, config }: View<State>,
  { caller, args }: { readonly caller: Principal; readonly args: ListingArgs },
  now: TimestampNs,
): readonly ListedAllowance[] {
  const from = args.fromAccount ?? { owner: caller }
  const { prevSpender } = args
  const isAfter = (pair: View<Pair>): boolean =>
    prevSpender === undefined
      ? compareAccounts(pair.from, from) >= 0
      : comparePairs(pair, { from, spender: prevSpender }) > 0
  const found: ListedAllowance[] = []
  for (const { from: fromAccount, spender, amount, expiring } of allowances.entries.values()) {
    if (!equalBytes(fromAccount.owner, from.owner)) continue
    if (!isAfter({ from: fromAccount, spender })) continue
    const expiresAt = expiring?.expiresAt
    if (expiresAt !== undefined && expiresAt <= now) continue
    found.push({ fromAccount, toSpender: spender, allowance: amount, expiresAt })
  }
  const inOrder = found.sort((a, b) => comparePairs(pairOf(a), pairOf(b)))
  return inOrder.slice(0, pageSize(args.take, config.limits.takeAllowancesMax))
}

const pairOf = ({ fromAccount: from, toSpender: spender }: ListedAllowance): Pair => ({
  from,
  spender,
})

const comparePairs = (a: View<Pair>, b: View<Pair>): number =>
  compareAccounts(a.from, b.from) || compareAccounts(a.spender, b.spender)

const pageSize = (take: bigint | undefined, max: number): number =>
  take === undefined || take > BigInt(max) ? max : Number(take)
