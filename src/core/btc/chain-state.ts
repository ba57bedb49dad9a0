/**
 * State, requests, events and replies of the replicated Bitcoin machine. Source:
 * `docs/spec/bitcoin.md` §5–§7, §10.5.
 */
import type { Txid } from '../base/bytes.ts'
import { assert } from '../base/errors.ts'
import type { Block, BlockHeader, BlockReject } from './block.ts'
import type { SpendReject } from './block-spends.ts'
import type { BlockTree, CheckedBlock } from './block-tree.ts'
import { newBlockTree } from './block-tree.ts'
import type { HeaderNode, HeaderTree, HeaderVerdict } from './header-tree.ts'
import { bestHeader, newHeaderTree } from './header-tree.ts'
import type { Network } from './network.ts'
import type { Outgoing } from './outgoing.ts'
import type { UtxoSet } from './utxo-set.ts'
import { NO_CHANGES, newUtxoSet } from './utxo-set.ts'

/** Blocks whose parent's body is still missing (TREE-5). */
export const ORPHANS_MAX = 16
export const ORPHAN_BYTES_MAX = 32 * 1024 * 1024
/**
 * Final blocks that are kept whole, for look-ups and for the way back out of a deep reorganisation.
 */
export const STABLE_BLOCKS_MAX = 10_000
export const STABLE_BYTES_MAX = 128 * 1024 * 1024
export const STABILITY_THRESHOLD = 144

export type Config = {
  readonly network: Network
  /** δ ≥ 1 of §6. */
  readonly stabilityThreshold: number
}

export type Orphan = {
  readonly node: HeaderNode
  readonly block: Block
  readonly txids: readonly Txid[]
  readonly sizeBytes: number
}

export type State = {
  config: Config
  readonly headers: HeaderTree
  readonly tree: BlockTree
  /** Headers above the anchor whose block is not here, parents first. */
  readonly missing: Map<string, HeaderNode>
  readonly orphans: Map<string, Orphan>
  /** Outputs below the anchor. */
  readonly utxos: UtxoSet
  /** Newest blocks below the anchor, by height. */
  readonly stable: Map<number, CheckedBlock>
  stableBytes: number
  /** Every block held, on whichever branch, by the txids in it. */
  readonly byTxid: Map<string, CheckedBlock[]>
  readonly outgoing: Map<string, Outgoing>
  /** The tip that was told of last: what a change is told against (TREE-8). */
  tipTold: HeaderNode
  /** Of the main chain; the last that were not empty (FEE-4). */
  feePercentiles: readonly bigint[]
  /** The operator's level in millisatoshi per virtual byte, if one is set (FEE-5). */
  feeLevel: bigint | undefined
}

export type Request =
  /** A header that enough nodes have proposed. */
  | { readonly type: 'header'; readonly header: BlockHeader }
  | { readonly type: 'block'; readonly block: Block }
  /** `keep`: the minter's own, which never expires. */
  | { readonly type: 'sendTransaction'; readonly bytes: Uint8Array; readonly keep: boolean }
  | { readonly type: 'setFeeLevel'; readonly rateMsatPerVb: bigint | undefined }
  | { readonly type: 'setStabilityThreshold'; readonly stabilityThreshold: number }

/** The main chain ends elsewhere (TREE-8). */
export type TipChange = {
  readonly type: 'tipChanged'
  readonly old: HeaderNode
  readonly new: HeaderNode
  readonly commonAncestor: HeaderNode
  /** Blocks that left the main chain, newest first. */
  readonly disconnected: readonly HeaderNode[]
  /** Blocks that joined it, oldest first. */
  readonly connected: readonly HeaderNode[]
}

export type Event =
  | { readonly type: 'headerAccepted'; readonly node: HeaderNode }
  | { readonly type: 'blockAttached'; readonly block: CheckedBlock }
  | { readonly type: 'orphanKept'; readonly orphan: Orphan }
  | { readonly type: 'orphanDropped'; readonly key: string }
  | { readonly type: 'blockInvalid'; readonly node: HeaderNode }
  | { readonly type: 'anchorAdvanced'; readonly key: string }
  /** Back to a final block that is held. */
  | { readonly type: 'anchorRetreated'; readonly key: string }
  | { readonly type: 'feesObserved'; readonly percentiles: readonly bigint[] }
  | { readonly type: 'transactionQueued'; readonly outgoing: Outgoing }
  | { readonly type: 'transactionDropped'; readonly key: string; readonly reason: DropReason }
  | { readonly type: 'feeLevelSet'; readonly rateMsatPerVb: bigint | undefined }
  | { readonly type: 'stabilityThresholdSet'; readonly stabilityThreshold: number }
  | TipChange

export type DropReason = 'settled' | 'expired' | 'displaced'

export type Reply =
  | { readonly type: 'accepted' }
  | { readonly type: 'known' }
  /** Header: its parent was never accepted. Block: its header was not. */
  | { readonly type: 'unknownParent' }
  | { readonly type: 'unknownHeader' }
  /** The header may be proposed again later (HDR-10). */
  | { readonly type: 'early' }
  | { readonly type: 'full' }
  /** Kept until its parent's block arrives. */
  | { readonly type: 'orphan' }
  /** The block lies on a branch that lost for good. */
  | { readonly type: 'stale' }
  /** The body does not belong to the header; nothing is held against the header. */
  | { readonly type: 'mutated'; readonly reason: BlockReject }
  | { readonly type: 'invalid'; readonly reason: BlockReject | SpendReject | HeaderReason }
  | { readonly type: 'malformedTransaction' }
  | { readonly type: 'queueFull' }

type HeaderReason = Extract<HeaderVerdict, { type: 'invalid' }>['reason']

export type Decision = { readonly events: readonly Event[]; readonly reply: Reply }

/** A view that begins at the genesis block, whose output nobody can spend. */
export function newState(config: Config): State {
  assert(config.stabilityThreshold >= 1, 'the stability threshold is at least 1')
  const headers = newHeaderTree(config.network)
  const genesis = {
    node: bestHeader(headers),
    transactions: [],
    txids: [],
    sizeBytes: 0,
    changes: NO_CHANGES,
    feeRates: [],
  }
  return {
    config,
    headers,
    tree: newBlockTree(config.network, genesis),
    missing: new Map(),
    orphans: new Map(),
    utxos: newUtxoSet(),
    stable: new Map(),
    stableBytes: 0,
    byTxid: new Map(),
    tipTold: genesis.node,
    outgoing: new Map(),
    feePercentiles: [],
    feeLevel: undefined,
  }
}
