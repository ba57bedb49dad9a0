/** What a subnet can do with the nodes that are up, in words. Layout of `docs/spec/cli.md` §5.16. */
import { parseCount } from '../../core/base/amounts.ts'
import { NODES_MAX } from '../../host/subnet-settings.ts'
import type { Terminal } from '../../terminal/terminal.ts'

export type Strength = {
  readonly nodes: number
  readonly nodesUp: readonly number[]
  readonly nodesNeeded: number
  readonly nodesLying?: readonly number[]
}

/** Ids as they were typed, each once. Throws `USAGE_INVALID`. */
export const parseIds = (words: readonly string[]): readonly number[] => [
  ...new Set(
    words.map((word) => parseCount(word, { what: 'the id of a node', min: 1, max: NODES_MAX })),
  ),
]

export const goesOn = ({ nodesUp, nodesNeeded }: Strength): boolean => nodesUp.length >= nodesNeeded

const isTrustworthy = ({ nodes, nodesUp, nodesNeeded, nodesLying = [] }: Strength): boolean =>
  nodes - nodesUp.length + nodesLying.length <= nodes - nodesNeeded

/** The line that says whether signing works, and what to do if not. */
export function printStrength({ answer, paint }: Terminal, strength: Strength): void {
  const { nodes, nodesUp, nodesNeeded } = strength
  const up = `${nodesUp.length} of ${nodes} nodes up. Ordering and signing need ${nodesNeeded}`
  if (goesOn(strength) && !isTrustworthy(strength)) {
    const faulty = nodes - nodesUp.length + (strength.nodesLying?.length ?? 0)
    answer(
      `! ${faulty} of ${nodes} nodes down or lying, ${nodes - nodesNeeded} tolerated: nothing is promised.`,
    )
    return
  }
  if (goesOn(strength)) {
    answer(`${paint.good('✓')} ${up}: nothing waits.`)
    return
  }
  answer(`! ${up}: transfers and redemptions will wait, nothing is lost.`)
  answer(
    '  Balances are shown with their age.        Bring them back: ckbtc subnet heal-node --all',
  )
}
