/**
 * What an account has, what is on its way to it, and what is on its way out. Implements cli §5.3.
 * Read by queries: nothing is unlocked, and nothing is changed.
 */

import { outpointKey } from '../core/btc/transaction.ts'
import type { Account } from '../core/ic/account.ts'
import type { StatusOfBlock } from '../core/minter/types.ts'
import type { Client } from './client.ts'
import { derivations } from './deposit-address.ts'
import { tokenOf } from './token.ts'

/** A coin at the deposit address that is not credited yet. */
export type IncomingCoin = {
  readonly amountSat: bigint
  /** At least 1: before its first block nobody tells. */
  readonly confirmations: number
  /** Before the minter credits it. */
  readonly needed: number
}

type Outgoing = { readonly blockIndex: bigint; readonly amountSat: bigint }

export type AccountBalance = {
  readonly balanceSat: bigint
  /** Undefined where the deposit address or the Bitcoin canister is not known. */
  readonly incoming: readonly IncomingCoin[] | undefined
  /** Burned and not paid out yet; undefined of a further token, for which no bitcoin is paid. */
  readonly outgoing: readonly Outgoing[] | undefined
}

/** Open redemptions of one account that are looked up; a person has fewer. */
const OUTGOING_MAX = 50

export async function readBalance(
  client: Client,
  account: Account,
  { certified }: { readonly certified: boolean },
): Promise<AccountBalance> {
  if (tokenOf(client.network).isFurther) {
    const balance = await client.ledger.balanceOf(account, { certified })
    return { balanceSat: balance, incoming: undefined, outgoing: undefined }
  }
  const [balanceSat, outgoing, incoming] = await Promise.all([
    client.ledger.balanceOf(account, { certified }),
    readOutgoing(client, account),
    readIncoming(client, account),
  ])
  return { balanceSat, incoming, outgoing }
}

/** Coins that the chain has at the account's addresses and the minter has not credited. */
async function readIncoming(
  client: Client,
  account: Account,
): Promise<readonly IncomingCoin[] | undefined> {
  const { bitcoin, network } = client
  const addresses = derivations(network, account).map(({ address }) => address)
  if (bitcoin === undefined || addresses.length === 0) return undefined
  const views = await Promise.all(addresses.map((address) => bitcoin.utxosOf(address)))
  const coins = views.flatMap((view) =>
    (view?.utxos ?? []).map((utxo) => ({
      ...utxo,
      confirmations: (view?.tipHeight ?? 0) - utxo.height + 1,
    })),
  )
  if (views.includes(undefined)) return undefined
  if (coins.length === 0) return [] // Nothing there: the minter need not be asked.
  const [known, info] = await Promise.all([client.minter.knownUtxos(account), client.minter.info()])
  const { checkFee, depositMinAmount = 0n, minConfirmations: needed } = info
  const credited = new Set(known.map(({ outpoint }) => outpointKey(outpoint)))
  return coins
    .filter(({ outpoint }) => !credited.has(outpointKey(outpoint)))
    .filter(({ value }) => value > checkFee && value >= depositMinAmount)
    .map(({ value: amountSat, confirmations }) => ({ amountSat, confirmations, needed }))
}

async function readOutgoing(client: Client, account: Account): Promise<readonly Outgoing[]> {
  const open = (await client.minter.redemptions(account)).filter(isOpen).slice(-OUTGOING_MAX)
  const blocks = await Promise.all(
    open.map(({ blockIndex }) => client.blocks.range(blockIndex, blockIndex + 1n)),
  )
  return open.map(({ blockIndex }, place) => {
    const transaction = blocks[place]?.[0]?.transaction
    const amountSat = transaction?.type === 'burn' ? transaction.amount : 0n
    return { blockIndex, amountSat }
  })
}

const OPEN: readonly string[] = ['pending', 'signing', 'sending', 'submitted']

const isOpen = ({ status }: StatusOfBlock): boolean =>
  status !== undefined && OPEN.includes(status.type)
