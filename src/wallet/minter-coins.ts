/**
 * Every coin of the minter, as a replay of its events says. Implements `docs/spec/cli.md` §5.14
 * (`utxos`).
 */
import { equalBytes, toDisplayHex } from '../core/base/bytes.ts'
import type { ExtendedKey } from '../core/base/derivation.ts'
import type { OutPoint } from '../core/btc/transaction.ts'
import { outpointKey } from '../core/btc/transaction.ts'
import type { Account } from '../core/ic/account.ts'
import { sameAccount, textOfAccount } from '../core/ic/account.ts'
import { scriptOf } from '../core/minter/addresses.ts'
import { replay } from '../core/minter/events/replay.ts'
import type { State } from '../core/minter/state/state.ts'
import type { Utxo } from '../core/minter/types.ts'
import { accountOfKey } from '../core/minter/views/coins.ts'
import type { Claim } from './bitcoin-source.ts'
import type { OnProgress } from './client/logs.ts'
import type { Client } from './client.ts'
import type { CoinState } from './coin-states.ts'
import type { BitcoinView } from './reserve-coins.ts'
import { keyOf } from './reserves.ts'

export type MinterCoin = {
  readonly outpoint: OutPoint
  readonly txid: string
  readonly vout: number
  readonly amountSat: bigint
  readonly height: number
  /** Who paid it in; undefined where nobody was credited. */
  readonly owner: Account | undefined
  readonly account: string | undefined
  /** Its owner is the minter: change, or what was consolidated. */
  readonly isMinters: boolean
  readonly state: CoinState
  /** The transaction that spends it. */
  readonly spentBy: string | undefined
}

export type MinterCoins = { readonly coins: readonly MinterCoin[]; readonly events: number }

export async function readMinterCoins(
  client: Client,
  onProgress?: OnProgress,
): Promise<MinterCoins> {
  const { minter: minterId } = client.network.ids
  const events = await client.events(onProgress)
  const state = replay(events, minterId)
  const lost = new Set(
    ((await client.views.coins('lost')) ?? []).map(({ utxo }) => outpointKey(utxo.outpoint)),
  )
  const coins = coinsOf(state).map(
    ({ utxo, state: found, owner = ownerOf(state, utxo), spentBy }): MinterCoin => ({
      outpoint: utxo.outpoint,
      txid: toDisplayHex(utxo.outpoint.txid),
      vout: utxo.outpoint.vout,
      amountSat: utxo.value,
      height: utxo.height,
      owner,
      account: owner && textOfAccount(owner),
      isMinters: owner !== undefined && sameAccount(owner, { owner: minterId }),
      state: lost.has(outpointKey(utxo.outpoint)) ? 'lost' : found,
      spentBy: spentBy && toDisplayHex(spentBy),
    }),
  )
  return { coins, events: events.length }
}

type Found = {
  readonly utxo: Utxo
  readonly state: CoinState
  readonly owner?: Account | undefined
  readonly spentBy?: Uint8Array | undefined
}

const ownerOf = ({ outpointAccount }: State, { outpoint }: Utxo): Account | undefined =>
  outpointAccount.get(outpointKey(outpoint))

function coinsOf(state: State): readonly Found[] {
  const spent = (
    transactions: Iterable<{ readonly txid: Uint8Array; readonly utxos: readonly Utxo[] }>,
    found: CoinState,
  ): readonly Found[] =>
    [...transactions].flatMap(({ txid: spentBy, utxos }) =>
      utxos.map((utxo) => ({ utxo, state: found, spentBy })),
    )
  // A replacement spends the coins of what it replaces, which is in flight.
  const signing = [...state.signing.values()].filter(({ purpose }) => purpose.type !== 'toReplace')
  const words = { quarantined: 'quarantined', valueTooSmall: 'too-small' } as const
  const suspended = [...state.suspendedUtxos].flatMap(([key, coins]) =>
    [...coins.values()].map(({ utxo, reason }) => ({
      utxo,
      state: words[reason],
      owner: accountOfKey(key),
    })),
  )
  const legacy = [...state.legacySuspendedUtxos.values()].map(({ utxo, reason }) => ({
    utxo,
    state: words[reason],
  }))
  return [
    ...[...state.availableUtxos.values()].map((utxo) => ({ utxo, state: 'available' as const })),
    ...spent(signing, 'reserved'),
    ...spent(state.submitted.values(), 'in-flight'),
    ...suspended,
    ...legacy,
    ...[...state.checkedUtxos.values()].map(({ utxo }) => ({ utxo, state: 'unminted' as const })),
    ...[...state.donations.values()].map((utxo) => ({ utxo, state: 'gift' as const })),
  ]
}

export type Sight = 'unspent' | 'spent' | 'not-found' | 'different'

/** What Bitcoin says of each, in their order; undefined where its sources stand apart. */
export async function lookForCoins(
  client: Client,
  bitcoin: BitcoinView,
  coins: readonly MinterCoin[],
): Promise<{ readonly height: number; readonly sights: readonly Sight[] } | undefined> {
  const key = await keyOf(client)
  const minter = { owner: client.network.ids.minter }
  const claims = coins.map((coin): Claim => claimOf(coin, key, minter))
  const viewed = await bitcoin.outputs(claims)
  if (viewed === undefined) return undefined
  const sights = viewed.outputs.map((output, place): Sight => {
    if (output.type === 'unknown') return 'not-found'
    if (output.type === 'spent') return 'spent'
    const [coin, claim] = [coins[place], claims[place]]
    const isSame =
      output.value === coin?.amountSat && equalBytes(output.script, claim?.script ?? output.script)
    return isSame ? 'unspent' : 'different'
  })
  return { height: viewed.height, sights }
}

const claimOf = (
  { outpoint, height, owner }: MinterCoin,
  key: ExtendedKey,
  minter: Account,
): Claim => ({ outpoint, height, script: scriptOf(key, owner ?? minter) })
