/**
 * May a transaction spend its inputs: existence, maturity, amounts, lock times. Source: BLK-10 to
 * BLK-14.
 */
import type { Sat } from '../../base/units.ts'
import { MONEY_MAX, sat } from '../../base/units.ts'
import { COINBASE_MATURITY } from '../block-spends.ts'
import type { Transaction } from '../transaction.ts'
import { outpointKey, SEQUENCE_FINAL } from '../transaction.ts'
import type { Coin, CoinView } from './coins.ts'
import { sequence as field, LOCK_TIME_THRESHOLD } from './spend-checker.ts'

const SEQUENCE_GRANULARITY_S = 512

/** Where a transaction would be confirmed: a block at `height` on top of a given chain. */
export type SpendContext = {
  readonly height: number
  /** Median time past of the block before. */
  readonly medianTimePast: number
  /** Median time past of the chain's block at a height. */
  readonly medianTimeAt: (height: number) => number
}

export type Spent = {
  readonly type: 'spendable'
  readonly coins: readonly Coin[]
  readonly fee: Sat
}
export type Unspendable = { readonly type: 'refused'; readonly reason: string }

const refused = (reason: string): Unspendable => ({ type: 'refused', reason })

/**
 * Everything but lock times and scripts. The transaction is sane (`checkTransaction`), and no
 * coinbase.
 */
export function checkInputs(tx: Transaction, coins: CoinView, height: number): Spent | Unspendable {
  const found: Coin[] = []
  let total = 0n
  for (const { outpoint } of tx.inputs) {
    const coin = coins.get(outpointKey(outpoint))
    if (coin === undefined) return refused('bad-txns-inputs-missingorspent')
    found.push(coin)
  }
  for (const coin of found) {
    if (coin.coinbase && height - coin.height < COINBASE_MATURITY)
      return refused('bad-txns-premature-spend-of-coinbase') // BLK-11
    total += coin.value
    if (total > MONEY_MAX) return refused('bad-txns-inputvalues-outofrange')
  }
  const paid = tx.outputs.reduce((sum, { value }) => sum + value, 0n)
  if (paid > total) return refused('bad-txns-in-belowout') // BLK-12
  return { type: 'spendable', coins: found, fee: sat(total - paid) }
}

/** BLK-14, first half: nLockTime by BIP113. A coinbase is judged as well. */
export function isFinal(
  tx: Transaction,
  { height, medianTimePast }: Pick<SpendContext, 'height' | 'medianTimePast'>,
): boolean {
  if (tx.lockTime === 0) return true
  const now = tx.lockTime < LOCK_TIME_THRESHOLD ? height : medianTimePast
  return tx.lockTime < now || tx.inputs.every(({ sequence }) => sequence === SEQUENCE_FINAL)
}

/** BLK-14, second half: BIP68. `coins` are those of the inputs, in order. */
export function sequenceLocksHold(
  tx: Transaction,
  coins: readonly Coin[],
  { height, medianTimePast, medianTimeAt }: SpendContext,
): boolean {
  if (tx.version < 2) return true
  return tx.inputs.every(({ sequence }, i) => {
    if ((sequence & field.disabled) !== 0) return true
    const coinHeight = coins[i]?.height ?? height
    const units = sequence & field.mask
    if ((sequence & field.time) === 0) return coinHeight + units <= height
    // Counted from the median time past of the block before the one that holds the coin.
    const start = medianTimeAt(Math.max(coinHeight - 1, 0))
    return start + units * SEQUENCE_GRANULARITY_S <= medianTimePast
  })
}
