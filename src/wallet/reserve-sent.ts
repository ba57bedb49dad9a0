/**
 * What became of a transaction of the minter's, or of those that it replaces: at most one of them is
 * mined. Source: cli §5.13 step 5; minter §14.
 */
import { equalBytes, toDisplayHex } from '../core/base/bytes.ts'
import { attempt, BadEncoding } from '../core/base/errors.ts'
import type { View } from '../core/base/view.ts'
import type { OutPoint, Transaction } from '../core/btc/transaction.ts'
import { decodeTransaction, outpointKey, txid } from '../core/btc/transaction.ts'
import { owedAfterCancellation } from '../core/minter/state/cancelled.ts'
import { liveTransaction, replacedOf } from '../core/minter/state/replacement-chain.ts'
import type { State, SubmittedTransaction } from '../core/minter/state/state.ts'
import { requestsOf } from '../core/minter/state/state.ts'
import type { Utxo } from '../core/minter/types.ts'
import type { ChainOutput } from './bitcoin-source.ts'

export type SentViews = {
  /** Script of the minter's main address. */
  readonly main: Uint8Array
  /** What the chain said of every claim. */
  readonly outputOf: (outpoint: OutPoint) => ChainOutput
}

type Sent = View<SubmittedTransaction>
type Chain = readonly Sent[]

/** Transactions that replace each other, newest first. */
export const sentChains = (minter: State): readonly Chain[] =>
  [...minter.submitted.keys()].map((newest) =>
    [...replacedOf(minter, newest)].flatMap((key) => liveTransaction(minter, key) ?? []),
  )

/** Each coin that one of them spends, once. */
export function coinsOfChain(chain: Chain): readonly View<Utxo>[] {
  const coins = chain.flatMap(({ utxos }) => utxos)
  return [...new Map(coins.map((coin) => [outpointKey(coin.outpoint), coin])).values()]
}

const bytesOf = ({ signedTransaction }: Sent): Transaction | undefined => {
  const read =
    signedTransaction === undefined
      ? undefined
      : attempt(() => decodeTransaction(signedTransaction))
  return read instanceof BadEncoding ? undefined : read
}

/** What it pays to the minter itself: change, and more where it cancels or consolidates. */
export function ownOutputs(sent: Sent, main: Uint8Array): readonly OutPoint[] {
  const { changeOutput, txid: id } = sent
  const own = bytesOf(sent)?.outputs.flatMap(({ script }, vout) =>
    equalBytes(script, main) ? [{ txid: id, vout }] : [],
  )
  return own ?? (changeOutput === undefined ? [] : [{ txid: id, vout: changeOutput.vout }])
}

export type ChainCount = {
  /** Outputs to the minter that are mined and not final. */
  readonly inFlightSat: bigint
  /** What must be there unspent. */
  readonly coins: readonly View<Utxo>[]
  readonly owedSat: bigint
}

/** Adds to `found` what is not as the books say. */
export function countChain(views: SentViews, chain: Chain, found: string[]): ChainCount {
  for (const sent of chain) checkBytes(sent, found)
  const coins = coinsOfChain(chain)
  const mined = chain.find((sent) => isMined(views, sent))
  const [newest] = chain
  if (mined === undefined) {
    const requests = newest === undefined ? [] : requestsOf(newest.purpose)
    return { inFlightSat: 0n, coins, owedSat: sum(requests.map(({ amount }) => amount)) }
  }
  const inFlightSat = minedValue(views, mined, found)
  if (mined.purpose.type !== 'toCancel') return { inFlightSat, coins: [], owedSat: 0n }
  const spent = new Set(mined.utxos.map(({ outpoint }) => outpointKey(outpoint)))
  const owed = owedAfterCancellation(mined.purpose.requests, mined.withdrawalFee)
  return {
    inFlightSat,
    coins: coins.filter(({ outpoint }) => !spent.has(outpointKey(outpoint))),
    owedSat: sum(owed.map(({ amount }) => amount)),
  }
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, one) => total + one, 0n)

const nameOf = ({ txid: id }: Sent): string => `transaction ${toDisplayHex(id)}`

/** What the event says against the transaction's own bytes. */
function checkBytes(sent: Sent, found: string[]): void {
  const transaction = bytesOf(sent)
  if (sent.changeOutput === undefined || transaction === undefined) {
    found.push(`${nameOf(sent)} cannot be read back`)
    return
  }
  const spends = new Set(transaction.inputs.map(({ outpoint }) => outpointKey(outpoint)))
  const sameInputs =
    spends.size === sent.utxos.length &&
    sent.utxos.every(({ outpoint }) => spends.has(outpointKey(outpoint)))
  if (!equalBytes(txid(transaction), sent.txid) || !sameInputs)
    found.push(`${nameOf(sent)} is not the one its event names`)
}

const isMined = ({ outputOf }: SentViews, { txid: id, changeOutput }: Sent) =>
  changeOutput !== undefined && outputOf({ txid: id, vout: changeOutput.vout }).type === 'unspent'

/** Of the outputs to the minter those that are on the chain as the books have them. */
function minedValue({ main, outputOf }: SentViews, sent: Sent, found: string[]) {
  const { changeOutput } = sent
  const written = bytesOf(sent)?.outputs
  let total = 0n
  for (const outpoint of ownOutputs(sent, main)) {
    const output = outputOf(outpoint)
    const isChange = outpoint.vout === changeOutput?.vout
    const value = isChange ? changeOutput.value : written?.[outpoint.vout]?.value
    if (output.type === 'unspent' && output.value === value && equalBytes(output.script, main))
      total += output.value
    else if (isChange) found.push(`the change of ${nameOf(sent)} is not what its event says`)
    else found.push(`output ${outpoint.vout} of ${nameOf(sent)} is not on the chain`)
  }
  return total
}
