/**
 * The optimistic order of combining shares, whatever the signature. Source: threshold §14.5;
 * performance R6.
 */
import type { NodeIndex } from '../base/party.ts'
import type { Refusal } from './refusal.ts'

/** What came of the shares at hand, and whose were false. */
export type Combined = {
  readonly result: { readonly type: 'signature'; readonly signature: Uint8Array } | Refusal
  readonly blamed: readonly NodeIndex[]
}

type Rules<S> = {
  /** Shares that make a signature. */
  readonly t: number
  /** The signature of the first t shares, if it verifies. */
  readonly combine: (shares: ReadonlyMap<NodeIndex, S>) => Combined['result']
  readonly isGood: (node: NodeIndex, share: S) => boolean
}

/**
 * The first t shares as they are; when their signature fails, they are checked one by one until a
 * false one is found, and the next takes its place. A share is checked once, so f liars cost at most
 * t + f checks, and one that comes first costs one.
 */
export function combineOptimistically<S>(
  shares: ReadonlyMap<NodeIndex, S>,
  { t, combine, isGood }: Rules<S>,
): Combined {
  const left = new Map(shares)
  const checked = new Set<NodeIndex>()
  const blamed: NodeIndex[] = []
  for (;;) {
    const result = combine(left)
    if (!('refusal' in result) || result.refusal === 'InsufficientShares') return { result, blamed }
    const liar = [...left].slice(0, t).find(([node, share]) => {
      if (checked.has(node)) return false
      checked.add(node)
      return !isGood(node, share)
    })
    if (liar === undefined) return { result, blamed }
    left.delete(liar[0])
    blamed.push(liar[0])
  }
}
