/** What a subnet can do with the nodes that are up, in words. Layout of `docs/spec/cli.md` §5.16. */
import { parseCount } from '../../core/base/amounts.ts'
import { NODES_MAX } from '../../host/subnet-settings.ts'
import type { Warning } from '../../terminal/json.ts'
import type { Terminal } from '../../terminal/terminal.ts'

export type Strength = {
  readonly nodes: number
  readonly nodesUp: readonly number[]
  readonly nodesNeeded: number
  readonly nodesLying: readonly number[]
}

/** Ids as they were typed, each once. Throws `USAGE_INVALID`. */
export const parseIds = (words: readonly string[]): readonly number[] => [
  ...new Set(
    words.map((word) => parseCount(word, { what: 'the id of a node', min: 1, max: NODES_MAX })),
  ),
]

export const goesOn = ({ nodesUp, nodesNeeded }: Strength): boolean => nodesUp.length >= nodesNeeded

const isTrustworthy = ({ nodes, nodesUp, nodesNeeded, nodesLying }: Strength): boolean =>
  nodes - nodesUp.length + nodesLying.length <= nodes - nodesNeeded

const upText = ({ nodes, nodesUp, nodesNeeded }: Strength): string =>
  `${nodesUp.length} of ${nodes} nodes up. Ordering and signing need ${nodesNeeded}`

/** What is wrong, if anything. */
function weakness(strength: Strength): Warning | undefined {
  const { nodes, nodesUp, nodesNeeded, nodesLying } = strength
  if (!goesOn(strength)) {
    const message = `${upText(strength)}: transfers and redemptions will wait, nothing is lost.`
    return { code: 'NODES_MISSING', message }
  }
  if (isTrustworthy(strength)) return undefined
  const faulty = `${nodes - nodesUp.length + nodesLying.length} of ${nodes} nodes down or lying`
  const message = `${faulty}, ${nodes - nodesNeeded} tolerated: nothing is promised.`
  return { code: 'NODES_FAULTY', message }
}

/** For programs; people read it in the answer. */
export function strengthWarnings({ settings }: Terminal, strength: Strength): readonly Warning[] {
  const warning = settings.json ? weakness(strength) : undefined
  return warning === undefined ? [] : [warning]
}

/** The line that says whether signing works, and what to do if not. */
export function printStrength({ answer, paint }: Terminal, strength: Strength): void {
  const weak = weakness(strength)
  if (weak === undefined) {
    answer(`${paint.good('✓')} ${upText(strength)}: nothing waits.`)
    return
  }
  answer(`! ${weak.message}`)
  if (goesOn(strength)) return
  answer(
    '  Balances are shown with their age.        Bring them back: ckbtc subnet heal-node --all',
  )
}
