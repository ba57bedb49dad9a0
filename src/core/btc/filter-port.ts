/** What the client of compact filters takes and gives. Source: `docs/spec/bitcoin.md` §8.1, §8.5. */
import type { BlockHash, Hash32 } from '../base/bytes.ts'
import type { AdapterConfig, AdapterInput, AdapterOutput } from './adapter-port.ts'
import type { Block, BlockHeader } from './block.ts'
import type { WatchedCoin, WatchGroup } from './filter-scan.ts'

/** The client's own alarm, beside that of its adapter. */
export const FILTER_ALARM = 'bitcoin-filters'

/** What need not be fetched again; nothing of it is believed that the chain does not prove. */
export type FilterMemory = {
  /** Of the best chain, after genesis. */
  readonly headers: readonly BlockHeader[]
  /** Filter headers of the same blocks, or of the first of them. */
  readonly filterHeaders: readonly Hash32[]
  readonly groups: readonly WatchGroup[]
  readonly coins: readonly WatchedCoin[]
}

/** All but the block headers, which others keep. */
export type FilterFindings = Omit<FilterMemory, 'headers'>

export type FilterConfig = Omit<AdapterConfig, 'filters'> & {
  /** Of an earlier life; its headers are given as `knownHeaders`, before `start`. */
  readonly memory?: FilterFindings | undefined
}

export type FilterInput =
  | Exclude<AdapterInput, { readonly type: 'want' | 'ask' | 'accuse' }>
  | { readonly type: 'watch'; readonly scripts: readonly Uint8Array[]; readonly birth: number }
  /** A block of the best chain is wanted for itself; answered by `fetched`. */
  | { readonly type: 'fetch'; readonly hash: BlockHash }

export type FilterOutput =
  | Extract<
      AdapterOutput,
      { readonly type: 'connect' | 'send' | 'disconnect' | 'alarm' | 'evidence' | 'lookUp' }
    >
  /** Its body belongs to its header; undefined: it is not on the best chain (any more). */
  | { readonly type: 'fetched'; readonly hash: BlockHash; readonly block: Block | undefined }
  /** The status is another than it was. */
  | { readonly type: 'changed' }

export type FilterStatus = {
  readonly tip: { readonly hash: BlockHash; readonly height: number; readonly time: number }
  /** The peers have shown all their headers, of enough work, and the filters up to the tip agree. */
  readonly synced: boolean
  /** Height up to which filter headers are known. */
  readonly filters: number
  /** Everything that is watched has been searched for up to this height. */
  readonly searched: number
  /** Peers that stand for all filters up to the tip. */
  readonly vouchers: number
  /** Peers that may still come to stand for them; those that are looked for count as one. */
  readonly hopeful: number
  /** Peers that were proven to lie. */
  readonly liars: number
  /** Grows while headers are read that are not kept yet. */
  readonly headersRead: number
  /** How far a header that a peer shows lies before our clock, if that is too far. */
  readonly aheadSeconds: number | undefined
  /** Blocks of which the peers' filters differ, and nobody can tell who is right. */
  readonly undecided: number
}
