/**
 * Answers of the Bitcoin side that clients are served from again for a while. Source: minter §5.4.
 *
 * Nothing is credited twice because of it [H 1]. It is never asked for what is final, nor by
 * automatic minting, which a block wakes to see that very block.
 */
import { NS_PER_SECOND } from '../../base/units.ts'
import type { Account } from '../../ic/account.ts'
import { accountKey } from '../../ic/account.ts'
import type { UtxosResult } from '../ports.ts'

export type UtxosAnswer = Extract<UtxosResult, { type: 'utxos' }>

type Cached = { readonly at: bigint; readonly answer: UtxosAnswer }

export type UtxoCache = {
  /** By `accountKey`, then by the confirmations asked for; what was asked for longest ago comes first. */
  readonly answers: Map<string, Map<number, Cached>>
}

export const emptyCache = (): UtxoCache => ({ answers: new Map() })

/** Accounts in it at most: everybody may ask for any number of them. */
const ACCOUNTS_MAX = 1_000

export type UtxosAsked = {
  readonly account: Account
  readonly minConfirmations: number
  readonly now: bigint
}

/** How long an answer serves; undefined: the cache is off. */
export const expirationNs = ({
  utxosCacheExpirationSeconds: seconds,
}: {
  readonly utxosCacheExpirationSeconds: bigint | undefined
}): bigint | undefined =>
  seconds === undefined || seconds === 0n ? undefined : seconds * NS_PER_SECOND

/** The answer to the same question, if it is not older than `expiration`. */
export function lookUp(
  cache: UtxoCache,
  { account, minConfirmations, now }: UtxosAsked,
  expiration: bigint,
): UtxosAnswer | undefined {
  const found = cache.answers.get(accountKey(account))?.get(minConfirmations)
  return found === undefined || now - found.at > expiration ? undefined : found.answer
}

/** In place of an older one; who was asked about longest ago makes room. */
export function keep(
  cache: UtxoCache,
  { account, minConfirmations, now }: UtxosAsked,
  answer: UtxosAnswer,
): void {
  const key = accountKey(account)
  const ofAccount = cache.answers.get(key) ?? new Map<number, Cached>()
  cache.answers.delete(key)
  cache.answers.set(key, ofAccount.set(minConfirmations, { at: now, answer }))
  for (const oldest of cache.answers.keys()) {
    if (cache.answers.size <= ACCOUNTS_MAX) return
    cache.answers.delete(oldest)
  }
}
