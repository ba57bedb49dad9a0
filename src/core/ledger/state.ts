/** State of the ledger and the events that write it. Implements `docs/spec/ledger.md` §4. */
import type { Hash32 } from '../base/bytes.ts'
import type { TimestampNs, Tokens } from '../base/units.ts'
import { timestampNs, tokens } from '../base/units.ts'
import type { View } from '../base/view.ts'
import type { Principal } from '../ic/principal.ts'
import type { Allowances } from './accounts/allowances.ts'
import { emptyAllowances } from './accounts/allowances.ts'
import type { Balances } from './accounts/balances.ts'
import { emptyBalances } from './accounts/balances.ts'
import type { FeeCollection } from './accounts/fee-collector.ts'
import { emptyFeeCollection } from './accounts/fee-collector.ts'
import type { ArchivingState } from './archive/archiving-state.ts'
import { emptyArchiving } from './archive/archiving-state.ts'
import type { Block } from './blocks/block.ts'
import type { Config, Settings } from './config.ts'
import { tokensMax } from './config.ts'
import type { RememberedQueue } from './transactions/remembered.ts'
import { emptyRememberedQueue } from './transactions/remembered.ts'
import type { BlockIndex, Reply } from './types.ts'

export type State = {
  /** As installed, with every upgrade applied. */
  config: Config
  readonly balances: Balances
  readonly allowances: Allowances
  /** Transactions that are known again within the window (§5). */
  readonly deduplication: RememberedQueue
  readonly feeCollection: FeeCollection
  readonly chain: Chain
  readonly archiving: ArchivingState
  /** The fee of the newest transfer or approval. */
  lastFee: Tokens
  /** The latest time an event bore; the ledger's time never goes back. */
  time: TimestampNs
}

export type Chain = {
  /** Index of the first block in `blocks`; those below it are in archives. */
  firstLocalIndex: BlockIndex
  readonly blocks: Block[]
  /** Hash of the newest block. */
  tipHash: Hash32 | undefined
}

/** Past events are a public format: variants are added, never changed. */
export type Event =
  /** The `count` oldest transactions leave the deduplication queue (§5 step 1). */
  | { readonly type: 'purgedTransactions'; readonly count: number; readonly at: TimestampNs }
  /** Up to `countMax` allowances that expired are removed, earliest first (§5 step 3). */
  | { readonly type: 'prunedAllowances'; readonly countMax: number; readonly at: TimestampNs }
  /** `transactionHash` is the hash of the block's `tx` map, which the decision computed. */
  | { readonly type: 'appendedBlock'; readonly block: Block; readonly transactionHash: Hash32 }
  | { readonly type: 'upgraded'; readonly settings: Settings }
  /** A round begins: the `count` oldest local blocks are to move (§12). */
  | { readonly type: 'startedArchiving'; readonly count: number }
  /** The next archive, for the blocks from the first local one on. */
  | { readonly type: 'createdArchive'; readonly canisterId: Principal }
  /** The newest archive has accepted the `count` oldest local blocks: they leave the ledger. */
  | { readonly type: 'archivedBlocks'; readonly count: number }
  /** The round ends as far as it came; the next one begins no sooner than a pause after `at`. */
  | { readonly type: 'failedArchiving'; readonly at: TimestampNs }

export type Decision<E> = { readonly events: readonly Event[]; readonly reply: Reply<E> }

/** A ledger before its first block. */
export function emptyState(config: Config): State {
  return {
    config,
    balances: emptyBalances(tokensMax(config)),
    allowances: emptyAllowances(),
    deduplication: emptyRememberedQueue(),
    feeCollection: emptyFeeCollection(),
    chain: { firstLocalIndex: 0n, blocks: [], tipHash: undefined },
    archiving: emptyArchiving(),
    lastFee: tokens(config.transferFee),
    time: timestampNs(0n),
  }
}

/** Number of blocks ever appended, which is the index of the next one. */
export const logLength = ({ chain }: View<Pick<State, 'chain'>>): BlockIndex =>
  chain.firstLocalIndex + BigInt(chain.blocks.length)

/** `now`, or the latest time the ledger has seen if the clock was set back since (§5). */
export const ledgerTime = (state: View<Pick<State, 'time'>>, now: TimestampNs): TimestampNs =>
  now < state.time ? state.time : now
