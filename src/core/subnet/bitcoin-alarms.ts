/**
 * What is wrong with Bitcoin and the minter that people must hear of. Source: bitcoin TREE-7, §13.2; minter [H 15], §18.5.
 */
import type { View } from '../base/view.ts'
import { isDiverged } from '../btc/chain-queries.ts'
import { mintingStopped } from '../minter/losses/lost-coins.ts'
import { stoppedAsBroken } from '../minter/state/stopped.ts'
import type { ReplicaState } from './replica-state.ts'

/** Empty while all is well. */
export function bitcoinAlarms({
  chain,
  minter,
}: Pick<View<ReplicaState>, 'chain' | 'minter'>): readonly string[] {
  const { height } = chain.tree.anchor.node
  const diverged = `a heavier chain forks below height ${height}, which is final here: Bitcoin is not answered`
  const stopped = mintingStopped(minter.state)
  const broken = stoppedAsBroken(minter.state.volatile)
  return [
    ...(isDiverged(chain) ? [diverged] : []),
    ...(broken === undefined ? [] : [broken.message]),
    ...(stopped === undefined ? [] : [stopped.message]),
  ]
}
