/** Every coin that the minter knows of, by what may become of it. Source: minter §§4, 13, 20.3. */
import { fromHex } from '../../base/bytes.ts'
import { present } from '../../base/errors.ts'
import type { View } from '../../base/view.ts'
import type { Account } from '../../ic/account.ts'
import { principal } from '../../ic/principal.ts'
import type { Context } from '../context.ts'
import { coinsBetween } from '../state/coin-set.ts'
import type { AccountKey } from '../state/state.ts'
import { keyOfUtxo } from '../state/state.ts'
import type { Utxo } from '../types.ts'
import type { PageArgs } from './pages.ts'
import { rangeOf, slice } from './pages.ts'

/**
 * `available` can be spent. `reserved` is an input of a transaction that is being signed,
 * `inFlight` of one that was sent and is not final. `lost` was credited, and a reorganisation took
 * it back; it is in one of these three too. `quarantined` and `tooSmall` were not credited, nor was
 * what is `unminted`: checked, and the mint failed or its outcome is not known. A `donation` came
 * to the main address from others.
 */
export const COIN_KINDS = [
  'available',
  'reserved',
  'inFlight',
  'lost',
  'quarantined',
  'tooSmall',
  'unminted',
  'donation',
] as const
export type CoinKind = (typeof COIN_KINDS)[number]

export type Coin = {
  readonly utxo: View<Utxo>
  /** Who paid to whose address; absent where nobody was credited. */
  readonly account?: Account | undefined
  /** The transaction that spends it. */
  readonly spentBy?: Uint8Array | undefined
}

export type CoinsPage = { readonly total: bigint; readonly coins: readonly Coin[] }

/** One kind, in an order that stays while nothing changes. Available ones: smallest first. */
export function coinsOf(
  context: Context,
  { kind, ...page }: PageArgs & { readonly kind: CoinKind },
): CoinsPage {
  const { total, coins } = coinsOfKind(context, kind)
  const { from, to } = rangeOf(page, { total })
  return { total: BigInt(total), coins: coins(from, to) }
}

type Coins = {
  readonly total: number
  readonly coins: (from: number, to: number) => readonly Coin[]
}

const listed = (coins: readonly Coin[]): Coins => ({
  total: coins.length,
  coins: (from, to) => coins.slice(from, to),
})

function coinsOfKind({ state, volatile }: Context, kind: CoinKind): Coins {
  const owned = (utxo: View<Utxo>): Coin => ({ utxo, ...ownerOf(state, utxo) })
  const ofMap = (map: ReadonlyMap<string, View<Utxo>>): Coins => ({
    total: map.size,
    coins: (from, to) => slice(map.values(), from, to).map(owned),
  })
  switch (kind) {
    case 'available':
      return {
        total: state.availableUtxos.size,
        coins: (from, to) => coinsBetween(state.coins, from, to).map(owned),
      }
    case 'lost':
      return ofMap(volatile.lost)
    case 'donation':
      return ofMap(state.donations)
    case 'reserved':
      // Of a replacement they are those of what it replaces, which is in flight.
      return spent(
        [...state.signing.values()].filter(({ purpose }) => purpose.type !== 'toReplace'),
        owned,
      )
    case 'inFlight':
      return spent([...state.submitted.values()], owned)
    case 'quarantined':
      return suspended(state, 'quarantined')
    case 'tooSmall':
      return suspended(state, 'valueTooSmall')
    case 'unminted':
      return listed([...state.checkedUtxos.values()].map(({ utxo }) => ({ utxo })))
  }
}

type Spender = { readonly txid: Uint8Array; readonly utxos: readonly View<Utxo>[] }

function spent(spenders: readonly View<Spender>[], owned: (utxo: View<Utxo>) => Coin): Coins {
  const coins = spenders.flatMap(({ txid, utxos }) => utxos.map((utxo) => ({ txid, utxo })))
  return {
    total: coins.length,
    coins: (from, to) =>
      coins.slice(from, to).map(({ txid, utxo }) => ({ ...owned(utxo), spentBy: txid })),
  }
}

const ownerOf = (
  { outpointAccount }: Pick<Context['state'], 'outpointAccount'>,
  utxo: View<Utxo>,
): { readonly account?: Account } => {
  const account = outpointAccount.get(keyOfUtxo(utxo))
  return account === undefined ? {} : { account }
}

/** Nobody is credited for them, so there are few: a sender loses each. */
function suspended(
  state: Pick<Context['state'], 'suspendedUtxos' | 'legacySuspendedUtxos'>,
  reason: 'quarantined' | 'valueTooSmall',
): Coins {
  const coins: Coin[] = []
  for (const [key, suspensions] of state.suspendedUtxos)
    for (const suspension of suspensions.values())
      if (suspension.reason === reason)
        coins.push({ utxo: suspension.utxo, account: accountOfKey(key) })
  for (const suspension of state.legacySuspendedUtxos.values())
    if (suspension.reason === reason) coins.push({ utxo: suspension.utxo })
  return listed(coins)
}

/** The inverse of `accountKey`. */
export function accountOfKey(key: AccountKey): Account {
  const [owner, subaccount] = key.split('.')
  const bytes = fromHex(present(subaccount, 'a key of an account has two parts'))
  const isDefault = bytes.every((byte) => byte === 0)
  return { owner: principal(fromHex(owner ?? '')), ...(!isDefault && { subaccount: bytes }) }
}
