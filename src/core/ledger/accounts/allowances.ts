/** Approvals replace, uses reduce, time ends them. Implements `docs/spec/ledger.md` §8 (ICRC-2). */
import { assert, present } from '../../base/errors.ts'
import type { TimestampNs, Tokens } from '../../base/units.ts'
import { tokens } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { Account } from '../../ic/account.ts'
import { accountKey } from '../../ic/account.ts'
import type { Allowance } from '../types.ts'
import type { Expiring, ExpiryQueue } from './expiry-queue.ts'
import { dequeue, enqueue } from './expiry-queue.ts'

/** Who may spend whose tokens. */
export type Pair = { readonly from: Account; readonly spender: Account }

export type Allowances = {
  /** By `pairKey`; amounts are never zero. */
  readonly entries: Map<string, Entry>
  /** One member for each entry that expires. */
  readonly expiry: ExpiryQueue
}

export type Entry = Pair & { readonly amount: Tokens; readonly expiring?: Expiring | undefined }

export const emptyAllowances = (): Allowances => ({ entries: new Map(), expiry: [] })

const NONE: Allowance = { allowance: tokens(0n) }

export const pairKey = ({ from, spender }: Pair): string =>
  `${accountKey(from)}/${accountKey(spender)}`

/** The allowance at `now`: valid strictly before its expiry, zero from then on. */
export function allowanceOf(allowances: View<Allowances>, pair: Pair, now: TimestampNs): Allowance {
  const entry = allowances.entries.get(pairKey(pair))
  if (entry === undefined) return NONE
  const expiresAt = entry.expiring?.expiresAt
  if (expiresAt === undefined) return { allowance: entry.amount }
  return expiresAt <= now ? NONE : { allowance: entry.amount, expiresAt }
}

/** Approves: amount and expiry replace whatever was there, expired or not. */
export function replaceAllowance(
  allowances: Allowances,
  { from, spender }: Pair,
  { allowance: amount, expiresAt }: Allowance,
): void {
  const key = pairKey({ from, spender })
  remove(allowances, key)
  if (amount === 0n) return
  if (expiresAt === undefined) {
    allowances.entries.set(key, { from, spender, amount })
    return
  }
  const expiring: Expiring = { from, spender, expiresAt, place: 0 }
  enqueue(allowances.expiry, expiring)
  allowances.entries.set(key, { from, spender, amount, expiring })
}

/** Spends part of an allowance, which must cover it. */
export function reduceAllowance(allowances: Allowances, pair: Pair, spent: bigint): void {
  if (spent === 0n) return
  const key = pairKey(pair)
  const entry = present(allowances.entries.get(key), 'a spent allowance exists')
  const rest = entry.amount - spent
  assert(rest >= 0n, 'a use is covered by the allowance')
  if (rest === 0n) remove(allowances, key)
  else allowances.entries.set(key, { ...entry, amount: tokens(rest) })
}

/** Whether the first allowance of the queue has expired. */
export function someExpired(allowances: View<Allowances>, now: TimestampNs): boolean {
  const first = allowances.expiry[0]
  return first !== undefined && first.expiresAt <= now
}

/** Removes up to `countMax` expired allowances, earliest first. */
export function pruneAllowances(allowances: Allowances, now: TimestampNs, countMax: number): void {
  for (let count = 0; count < countMax; count++) {
    const first = allowances.expiry[0]
    if (first === undefined || first.expiresAt > now) return
    remove(allowances, pairKey(first))
  }
}

function remove(allowances: Allowances, key: string): void {
  const entry = allowances.entries.get(key)
  if (entry?.expiring !== undefined) dequeue(allowances.expiry, entry.expiring)
  allowances.entries.delete(key)
}
