/** The embedded regtest node behind one face: chain, mempool, miner. Source: `docs/spec/bitcoin.md` §12. */
import type { BlockHash, Txid } from '../../base/bytes.ts'
import type { Sat } from '../../base/units.ts'
import type { Block, BlockHeader } from '../block.ts'
import type { OutPoint, Transaction } from '../transaction.ts'

/** `reason` is Bitcoin Core's string, so that users can search for it. */
export type Refused = { readonly type: 'refused'; readonly reason: string }
export type TransactionReply = { readonly type: 'accepted'; readonly txid: Txid } | Refused
/** `tip`: whether the block is now the end of the chain, or lies on a branch with less work. */
export type BlockReply =
  | { readonly type: 'accepted'; readonly hash: BlockHash; readonly tip: boolean }
  | Refused

export type Tip = {
  readonly hash: BlockHash
  readonly height: number
  readonly header: BlockHeader
}

/** `confirmations` 0: in the mempool, without `height`. */
export type FoundTransaction = {
  readonly transaction: Transaction
  readonly confirmations: number
  readonly height?: number
}

/** State of an output on the best chain; the mempool is not asked. */
export type OutputStatus =
  | {
      readonly type: 'unspent'
      readonly value: Sat
      readonly script: Uint8Array
      readonly height: number
      readonly coinbase: boolean
    }
  | { readonly type: 'spent' }
  | { readonly type: 'unknown' }

export type MempoolEntry = {
  readonly transaction: Transaction
  readonly txid: Txid
  readonly wtxid: Uint8Array
  readonly fee: Sat
  readonly vsize: number
  /** Unix seconds of its arrival. */
  readonly time: number
}

/** What the P2P server tells its peers. `from`: the peer that brought it, if one did. */
export type NodeEvent =
  | { readonly type: 'newTip'; readonly hash: BlockHash; readonly height: number }
  | {
      readonly type: 'newTransaction'
      readonly txid: Txid
      readonly wtxid: Uint8Array
      readonly from?: string
    }

/** All calls are synchronous and take Unix seconds where time matters. */
export interface RegtestNode {
  /** Mines `count` blocks from the mempool that pay subsidy and fees to `payToScript`. */
  mine(count: number, payToScript: Uint8Array, nowSeconds: number): readonly BlockHash[]
  submit(transaction: Transaction | Uint8Array, nowSeconds: number, from?: string): TransactionReply
  submitBlock(block: Block | Uint8Array, nowSeconds: number): BlockReply
  tip(): Tip
  /** The block of the best chain at a height; genesis included. */
  blockAt(height: number): Block | undefined
  blockByHash(hash: BlockHash): Block | undefined
  transaction(txid: Txid): FoundTransaction | undefined
  utxo(outpoint: OutPoint): OutputStatus
  /** Entries in the order of arrival: parents before children. */
  mempool(): readonly MempoolEntry[]
  /**
   * Replaces the last `depth` blocks by `depth + 1` new ones that pay to `payToScript`.
   * Their transactions return to the mempool and are mined again, unless they are dropped.
   */
  reorganise(
    depth: number,
    options: {
      readonly dropTransactions: boolean
      readonly payToScript: Uint8Array
      readonly nowSeconds: number
    },
  ): readonly BlockHash[]
  /** Events since the last call, oldest first. */
  takeEvents(): readonly NodeEvent[]
}
