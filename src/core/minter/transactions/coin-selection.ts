/** Which coins pay: greedy, then a few more when there are very many. Source: minter §9. */
import type { View } from '../../base/view.ts'
import { outpointKey } from '../../btc/transaction.ts'
import type { Spendable } from '../state/coin-set.ts'
import {
  ascending,
  canBeSpent,
  countOf,
  descending,
  fundsOf,
  worthAtLeast,
} from '../state/coin-set.ts'
import type { Utxo } from '../types.ts'

type Coin = View<Utxo>

/**
 * While the goal is above 0: the smallest coin that reaches it, else the largest (§9.1).
 *
 * Undefined when all coins together do not reach `target`. Nothing is taken out. After `countMax`
 * coins it ends as it is.
 */
export function selectGreedily(
  spendable: Spendable,
  target: bigint,
  { countMax = Number.POSITIVE_INFINITY }: { readonly countMax?: number } = {},
): readonly Coin[] | undefined {
  if (fundsOf(spendable) < target) return undefined
  const chosen: Coin[] = []
  let goal = target
  // From above as long as none reaches it; then the smallest that does is looked up.
  for (const coin of descending(spendable.coins)) {
    if (goal <= 0n || chosen.length >= countMax) break
    if (!canBeSpent(spendable, coin)) continue
    if (coin.value >= goal) break
    chosen.push(coin)
    goal -= coin.value
  }
  if (goal <= 0n || chosen.length >= countMax) return chosen
  for (const coin of worthAtLeast(spendable.coins, goal))
    if (canBeSpent(spendable, coin)) return [...chosen, coin]
  return undefined
}

/**
 * With very many coins left, each transaction takes the smallest along, one input for each output
 * (§9.2), and never more than a transaction may have.
 */
export function selectCoins(
  spendable: Spendable,
  {
    target,
    recipients,
    countThreshold,
    inputsMax,
  }: {
    readonly target: bigint
    readonly recipients: number
    readonly countThreshold: number
    readonly inputsMax: bigint
  },
): readonly Coin[] | undefined {
  // Who is alone is told how many it would need; of several it is enough that they are too many.
  const countMax = recipients > 1 ? Number(inputsMax) + 1 : Number.POSITIVE_INFINITY
  const chosen = selectGreedily(spendable, target, { countMax })
  if (chosen === undefined || countOf(spendable) - chosen.length <= countThreshold) return chosen
  const outputs = recipients + 1
  const inputs = inputsMax < outputs ? Number(inputsMax) : outputs
  const taken = new Set(chosen.map(({ outpoint }) => outpointKey(outpoint)))
  const along: Coin[] = []
  for (const coin of ascending(spendable.coins)) {
    if (chosen.length + along.length >= inputs) break
    if (canBeSpent(spendable, coin) && !taken.has(outpointKey(coin.outpoint))) along.push(coin)
  }
  return [...chosen, ...along]
}
