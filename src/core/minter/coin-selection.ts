/** Which coins pay: greedy, then a few more when there are very many. Source: minter §9. */
import { compareBytes } from '../base/bytes.ts'
import type { Utxo } from './types.ts'

const compareOutpoints = (a: Utxo, b: Utxo): number =>
  compareBytes(a.outpoint.txid, b.outpoint.txid) || a.outpoint.vout - b.outpoint.vout

/**
 * The order in which the Bitcoin side lists them: newest block first, then outpoint (`bitcoin.md`
 * UT-4).
 */
export const compareAsListed = (a: Utxo, b: Utxo): number =>
  b.height - a.height || compareOutpoints(a, b)

/** By value, then outpoint. */
export function compareUtxos(a: Utxo, b: Utxo): number {
  if (a.value !== b.value) return a.value < b.value ? -1 : 1
  return compareOutpoints(a, b)
}

export type Selection = { readonly chosen: readonly Utxo[]; readonly rest: readonly Utxo[] }

/**
 * While the goal is above 0: the smallest coin that reaches it, else the largest (§9.1).
 *
 * Undefined when all coins together do not reach `target`. `utxos` may be in any order and stays as
 * it is.
 */
export function selectGreedily(utxos: Iterable<Utxo>, target: bigint): Selection | undefined {
  const rest = [...utxos].sort(compareUtxos)
  const chosen: Utxo[] = []
  for (let goal = target; goal > 0n; ) {
    const reaching = firstAtLeast(rest, goal)
    const [utxo] = rest.splice(Math.min(reaching, rest.length - 1), 1)
    if (utxo === undefined) return undefined
    chosen.push(utxo)
    goal -= utxo.value
  }
  return { chosen, rest }
}

/**
 * Position of the first coin worth `goal`; the length where there is none. `sorted` is ascending.
 */
function firstAtLeast(sorted: readonly Utxo[], goal: bigint): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const value = sorted[middle]?.value ?? 0n
    if (value < goal) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * With very many coins left, each transaction takes the smallest along, one input for each output
 * (§9.2), and never more than a transaction may have.
 */
export function selectCoins(
  utxos: Iterable<Utxo>,
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
): readonly Utxo[] | undefined {
  const selection = selectGreedily(utxos, target)
  if (selection === undefined) return undefined
  const { chosen, rest } = selection
  if (rest.length <= countThreshold) return chosen
  const outputs = recipients + 1
  const inputs = inputsMax < outputs ? Number(inputsMax) : outputs
  return [...chosen, ...rest.slice(0, Math.max(0, inputs - chosen.length))]
}
