/** Approvals replace, uses reduce, time ends them. Implements `docs/spec/ledger.md` §8 (ICRC-2). */
import { assert, present } from '../../base/errors.ts'
import type { TimestampNs, Tokens } from '../../base/units.ts'
import { tokens } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { Allowance } from '../types.ts'
import type { Pair } from './account-key.ts'
import { packPair } from './account-key.ts'
import type { Expiring, ExpiryQueue } from './expiry-queue.ts'
import { dequeue, enqueue } from './expiry-queue.ts'
import type { SortedKeys } from './sorted-keys.ts'
import { addKey, removeKey } from './sorted-keys.ts'

export type Allowances = {
  /** By `packPair`; amounts are never zero. */
  readonly entries: Map<string, Entry>
  /** The keys of `entries`, so that those of one owner are found together. */
  readonly order: SortedKeys
  /** One member for each entry that expires. */
  readonly expiry: ExpiryQueue
}

export type Entry = { readonly amount: Tokens; readonly expiring?: Expiring | undefined }

export const emptyAllowances = (): Allowances => ({ entries: new Map(), order: [], expiry: [] })

const NONE: Allowance = { allowance: tokens(0n) }

/** The allowance at `now`: valid strictly before its expiry, zero from then on. */
export function allowanceOf(allowances: View<Allowances>, pair: Pair, now: TimestampNs): Allowance {
  const entry = allowances.entries.get(packPair(pair))
  return entry === undefined ? NONE : allowanceAt(entry, now)
}

/** What an entry is worth at `now`. */
export function allowanceAt({ amount, expiring }: View<Entry>, now: TimestampNs): Allowance {
  const expiresAt = expiring?.expiresAt
  if (expiresAt === undefined) return { allowance: amount }
  return expiresAt <= now ? NONE : { allowance: amount, expiresAt }
}

/** Approves: amount and expiry replace whatever was there, expired or not. */
export function replaceAllowance(
  allowances: Allowances,
  pair: Pair,
  { allowance: amount, expiresAt }: Allowance,
): void {
  const key = packPair(pair)
  const old = allowances.entries.get(key)
  if (old?.expiring !== undefined) dequeue(allowances.expiry, old.expiring)
  if (amount === 0n) {
    if (old !== undefined) forget(allowances, key)
    return
  }
  const expiring = expiresAt === undefined ? undefined : { key, expiresAt, place: 0 }
  if (expiring !== undefined) enqueue(allowances.expiry, expiring)
  allowances.entries.set(key, { amount, expiring })
  if (old === undefined) addKey(allowances.order, key)
}

/** Spends part of an allowance, which must cover it. */
export function reduceAllowance(allowances: Allowances, pair: Pair, spent: bigint): void {
  if (spent === 0n) return
  const key = packPair(pair)
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
    remove(allowances, first.key)
  }
}

function remove(allowances: Allowances, key: string): void {
  const entry = allowances.entries.get(key)
  if (entry?.expiring !== undefined) dequeue(allowances.expiry, entry.expiring)
  forget(allowances, key)
}

function forget({ entries, order }: Allowances, key: string): void {
  entries.delete(key)
  removeKey(order, key)
}
