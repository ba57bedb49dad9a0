/**
 * The minter's coins against the chain: each on its derived address, unspent, of its value. Source:
 * cli §5.13 steps 3 to 6.
 */
import { equalBytes, toDisplayHex } from '../core/base/bytes.ts'
import type { ExtendedKey } from '../core/base/derivation.ts'
import type { View } from '../core/base/view.ts'
import type { OutPoint } from '../core/btc/transaction.ts'
import { outpointKey } from '../core/btc/transaction.ts'
import type { Principal } from '../core/ic/principal.ts'
import { scriptOf } from '../core/minter/addresses.ts'
import type { SigningTransaction, State, WithdrawalRequest } from '../core/minter/state/state.ts'
import { requestsOf } from '../core/minter/state/state.ts'
import type { Utxo } from '../core/minter/types.ts'
import type { ChainOutput, Claim } from './bitcoin-source.ts'
import { coinsOfChain, countChain, ownOutputs, sentChains } from './reserve-sent.ts'

/** What the chain said of outputs, all as of one height. */
export type ViewedOutputs = {
  readonly height: number
  /** In the order of the claims. */
  readonly outputs: readonly ChainOutput[]
}

/** A view of Bitcoin that the subnet has no part in. The mempool is not asked. */
export interface BitcoinView {
  height(): Promise<number>
  /** Undefined while its sources stand at different blocks. */
  outputs(claims: readonly Claim[]): Promise<ViewedOutputs | undefined>
}

/** A chain that stands still while it is asked, one output after the other. */
export interface OneChain {
  height(): Promise<number>
  output(outpoint: OutPoint): Promise<ChainOutput>
}

export const viewOfChain = (chain: OneChain): BitcoinView => ({
  height: () => chain.height(),
  outputs: async (claims) => {
    const outputs: ChainOutput[] = []
    for (const { outpoint } of claims) outputs.push(await chain.output(outpoint))
    return { height: await chain.height(), outputs }
  },
})

export type CoinCount = {
  readonly reservesSat: bigint
  readonly inFlightSat: bigint
  readonly owedSat: bigint
  /** Coins of the minter that are credited to nobody: too small, or in quarantine. */
  readonly excludedSat: bigint
  readonly coins: {
    readonly total: number
    readonly verified: number
    /** Spent, or not on the chain. */
    readonly missing: number
    /** There, with another value or script than the books say. */
    readonly mismatched: number
  }
}

export type Views = {
  readonly minterId: Principal
  /** The minter's root key. */
  readonly minterKey: ExtendedKey
  /** What the chain said of every claim. */
  readonly outputOf: (outpoint: OutPoint) => ChainOutput
  readonly minter: State
  /** Ends at the first coin that is not as the books say. */
  readonly failFast: boolean
}

/** Nothing, for books that cannot be replayed. */
export const noCoins: CoinCount = {
  reservesSat: 0n,
  inFlightSat: 0n,
  owedSat: 0n,
  excludedSat: 0n,
  coins: { total: 0, verified: 0, missing: 0, mismatched: 0 },
}

/**
 * Every output that the count asks for, in one list: some sources look for all of them in one pass
 * (RV-5).
 */
export function claimsOf({
  minter,
  minterKey,
  minterId,
}: Pick<Views, 'minter' | 'minterKey' | 'minterId'>): readonly Claim[] {
  const chains = sentChains(minter)
  const coins = [
    ...minter.availableUtxos.values(),
    ...signedAlone(minter).flatMap(({ utxos }) => utxos),
    ...chains.flatMap(coinsOfChain),
  ]
  const main = scriptOf(minterKey, { owner: minterId })
  return [
    ...coins.map(({ outpoint, height }) => {
      const owner = minter.outpointAccount.get(outpointKey(outpoint))
      return { outpoint, height, script: owner === undefined ? main : scriptOf(minterKey, owner) }
    }),
    ...chains
      .flat()
      .flatMap((sent) => ownOutputs(sent, main).map((outpoint) => ({ outpoint, script: main }))),
  ]
}

/** Counts coins, change in flight and debts. Adds to `found` what is not as the books say. */
export function countCoins(views: Views, found: string[]): CoinCount {
  const { minter } = views
  const coins: View<Utxo>[] = [...minter.availableUtxos.values()]
  const owed: { readonly amount: bigint }[] = [...minter.queue, ...minter.cancelled.values()]
  for (const { utxos, purpose } of signedAlone(minter)) {
    coins.push(...utxos)
    owed.push(...requestsOf(purpose))
  }
  let inFlightSat = 0n
  let owedInFlightSat = 0n
  const { outputOf, minterKey, minterId } = views
  const main = scriptOf(minterKey, { owner: minterId })
  for (const chain of sentChains(minter)) {
    const counted = countChain({ main, outputOf }, chain, found)
    inFlightSat += counted.inFlightSat
    owedInFlightSat += counted.owedSat
    coins.push(...counted.coins)
  }
  let reservesSat = 0n
  const count = { verified: 0, missing: 0, mismatched: 0 }
  for (const coin of coins) {
    const judged = judgeCoin(views, coin, found)
    count[judged] += 1
    if (judged === 'verified') reservesSat += coin.value
    else if (views.failFast) break
  }
  return {
    reservesSat,
    inFlightSat,
    owedSat: amountsOf(owed) + owedInFlightSat + reimbursementsOf(minter),
    excludedSat: excludedOf(minter),
    coins: { total: coins.length, ...count },
  }
}

/** A replacement spends the coins of a transaction that is submitted, and pays its requests. */
const signedAlone = ({ signing }: State): readonly SigningTransaction[] =>
  [...signing.values()].filter(({ purpose }) => purpose.type !== 'toReplace')

function excludedOf({ suspendedUtxos, legacySuspendedUtxos }: State): bigint {
  const suspended = [...suspendedUtxos.values(), legacySuspendedUtxos]
  return suspended
    .flatMap((coins) => [...coins.values()])
    .reduce((sum, { utxo }) => sum + utxo.value, 0n)
}

const amountsOf = (requests: readonly Pick<WithdrawalRequest, 'amount'>[]): bigint =>
  requests.reduce((sum, { amount }) => sum + amount, 0n)

const reimbursementsOf = (minter: State): bigint =>
  amountsOf([...minter.reimbursements.values(), ...minter.depositReimbursements.values()])

/** Whether the chain holds the coin, unspent, of its value, on an address derived from the key. */
function judgeCoin(
  { minterKey, outputOf, minter }: Views,
  { outpoint, value }: View<Utxo>,
  found: string[],
): 'verified' | 'missing' | 'mismatched' {
  const owner = minter.outpointAccount.get(outpointKey(outpoint))
  const name = `coin ${toDisplayHex(outpoint.txid)}:${outpoint.vout}`
  const output = outputOf(outpoint)
  if (output.type !== 'unspent') {
    found.push(`${name} is ${output.type} on the chain`)
    return 'missing'
  }
  if (owner === undefined) found.push(`${name} belongs to no account`)
  else if (output.value !== value) found.push(`${name} is worth ${output.value}, not ${value}`)
  else if (!equalBytes(output.script, scriptOf(minterKey, owner)))
    found.push(`${name} is not on the address of its account`)
  else return 'verified'
  return 'mismatched'
}
