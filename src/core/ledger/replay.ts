/** Rebuilding a ledger from its blocks. Implements `docs/spec/ledger.md` §4 (I3, I8). */
import { equalBytes } from '../base/bytes.ts'
import type { View } from '../base/view.ts'
import { sameAccount } from '../ic/account.ts'
import { allowanceOf } from './accounts/allowances.ts'
import { shortBalance } from './accounts/balances.ts'
import type { Block } from './blocks/block.ts'
import { hashTransaction } from './blocks/block-hash.ts'
import type { Config } from './config.ts'
import { apply } from './machine.ts'
import type { State } from './state.ts'
import { emptyState } from './state.ts'
import { allowanceUsedBy, costOf, feeOf } from './transactions/effect.ts'
import type { BlockIndex } from './types.ts'

export type Replay =
  | { readonly type: 'replayed'; readonly state: State }
  | { readonly type: 'broken'; readonly blockIndex: BlockIndex; readonly reason: string }

/** Applies blocks 0, 1, … to an empty ledger, or says which of them does not follow. */
export function replay(config: Config, blocks: readonly Block[]): Replay {
  const state = emptyState(config)
  for (const [place, block] of blocks.entries()) {
    const reason = blockProblem(state, block)
    if (reason !== undefined) return { type: 'broken', blockIndex: BigInt(place), reason }
    const transactionHash = hashTransaction(block.transaction)
    apply(state, { type: 'appendedBlock', block, transactionHash })
  }
  return { type: 'replayed', state }
}

/** Why a block cannot follow the state; undefined if it can. */
export function blockProblem(state: View<State>, block: Block): string | undefined {
  return linkProblem(state, block) ?? fundsProblem(state, block)
}

function linkProblem(
  { chain, feeCollection, time }: View<State>,
  block: Block,
): string | undefined {
  const { parentHash, timestamp, feeCollector, feeCollectorBlock } = block
  if (!sameHash(parentHash, chain.tipHash)) return 'its parent is not the block before'
  if (timestamp < time) return 'it is older than the block before'
  if (feeCollectorBlock === undefined) return undefined
  if (feeCollector !== undefined) return 'it names a fee collector and points to another block'
  if (!feeCollection.collectors.has(feeCollectorBlock))
    return `block ${feeCollectorBlock} names no fee collector`
  return undefined
}

const sameHash = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === undefined || b === undefined ? a === b : equalBytes(a, b)

function fundsProblem(state: View<State>, block: Block): string | undefined {
  const { transaction, timestamp } = block
  if (transaction.type === 'feeCollector') {
    const { feeCollector } = transaction
    return feeCollector !== undefined && sameAccount(feeCollector, state.config.mintingAccount)
      ? 'the minting account cannot collect fees'
      : undefined
  }
  if (transaction.type === 'mint')
    return transaction.amount > state.balances.pool ? 'it mints more than there can be' : undefined
  const cost = costOf(transaction, feeOf(block, state.lastFee))
  if (shortBalance(state.balances, transaction.from, cost) !== undefined)
    return 'the balance does not cover it'
  const pair = allowanceUsedBy(transaction)
  if (pair === undefined) return undefined
  const { allowance } = allowanceOf(state.allowances, pair, timestamp)
  return allowance < cost ? 'the allowance does not cover it' : undefined
}
