/**
 * Bitcoin as the wallet sees it: one interface over every source, and what proves each answer.
 * Source: bitcoin.md §8.1, §8.8.
 */
import type { BlockHash, Txid } from '../core/base/bytes.ts'
import type { Block, BlockHeader } from '../core/btc/block.ts'
import type { Network, NetworkName } from '../core/btc/network.ts'
import type { OutPoint, TxOut } from '../core/btc/transaction.ts'

export type SourceKind = 'embedded' | 'p2p' | 'bitcoind' | 'esplora' | 'canister'

/** What an answer rests on, the strongest first (RV-4). */
export type TrustLabel = 'proved' | 'own-node' | 'server-said'

const strengths: readonly TrustLabel[] = ['proved', 'own-node', 'server-said']

/** The weakest of several. */
export const weakest = (labels: readonly TrustLabel[]): TrustLabel =>
  labels.toSorted((a, b) => strengths.indexOf(b) - strengths.indexOf(a))[0] ?? 'server-said'

export type Tip = { readonly hash: BlockHash; readonly height: number; readonly time: number }

export type Capability = 'headers' | 'block' | 'utxos' | 'broadcast' | 'evidence' | 'prevouts'

export type SourceInfo = {
  readonly network: NetworkName
  readonly kind: SourceKind
  /** Of what it says of an output. */
  readonly label: TrustLabel
  readonly capabilities: readonly Capability[]
  readonly tip: Tip
  readonly synced: boolean
  /** Where it is asked: a host, or peers. */
  readonly endpoint: string
  /** What a person should know of it. */
  readonly notes: readonly string[]
}

/** An output that somebody says exists. */
export type Claim = {
  readonly outpoint: OutPoint
  /** Script that it should have: some sources find it by that alone. */
  readonly script: Uint8Array
  /** Block that should hold it, where the books say so. */
  readonly height?: number | undefined
}

/** What the chain says of an output; the mempool is not asked. */
export type ChainOutput =
  | {
      readonly type: 'unspent'
      readonly value: bigint
      readonly script: Uint8Array
      readonly height: number
    }
  | { readonly type: 'spent' }
  | { readonly type: 'unknown' }

/** Of several outputs, all as of one block (RV-2). */
export type SpendStatus = {
  readonly at: Tip
  /** In the order of the claims. */
  readonly outputs: readonly ChainOutput[]
  /** What proves that they exist, and what that they are unspent. */
  readonly exists: TrustLabel
  readonly unspent: TrustLabel
}

export type SourceUtxo = TxOut & { readonly outpoint: OutPoint; readonly height: number }

export type UtxoSnapshot = {
  readonly at: Tip
  readonly utxos: readonly SourceUtxo[]
  readonly label: TrustLabel
}

/** Why a node refuses a transaction (§10.3). */
export type RefusalKind =
  | 'inputs-missing-or-spent'
  | 'fee-too-low'
  | 'fee-too-high'
  | 'replacement-refused'
  | 'dust'
  | 'non-standard'
  | 'script-failure'
  | 'too-long-chain'
  | 'malformed'
  | 'other'

export type BroadcastOutcome =
  | { readonly type: 'accepted'; readonly txid: Txid }
  /** In the node's words. */
  | { readonly type: 'refused'; readonly kind: RefusalKind; readonly reason: string }
  /** Nobody says no in this protocol: silence is no refusal, and no success (EV-3). */
  | { readonly type: 'unknown'; readonly txid: Txid }

/** The strongest evidence of a transaction (§10.2, §10.4). */
export type TxEvidence =
  | {
      readonly type: 'inBlock'
      readonly height: number
      readonly confirmations: number
      readonly label: TrustLabel
    }
  /** Others have it: announced by `count` of those who were not told, or in a mempool. */
  | { readonly type: 'echoed'; readonly count: number; readonly label: TrustLabel }
  | { readonly type: 'requested'; readonly count: number }
  | { readonly type: 'unknown' }

export type SourceEvent =
  | { readonly type: 'tipChanged'; readonly tip: Tip }
  | { readonly type: 'syncing' | 'synced' }
  | { readonly type: 'alarm'; readonly reason: string }

/** What a source cannot do is `unsupported`; everything else that fails is an error. */
export type Unsupported = 'unsupported'

export interface BitcoinSource {
  readonly kind: SourceKind
  info(): Promise<SourceInfo>
  /** Headers of the best chain, each held to the rules of §4 by ourselves. */
  headers(fromHeight: number, count: number): Promise<readonly BlockHeader[] | Unsupported>
  /** A block of the best chain whose body belongs to its header. */
  block(hash: BlockHash): Promise<Block | Unsupported>
  /** Unspent outputs of scripts, all as of one block. */
  stableUtxos(scripts: readonly Uint8Array[]): Promise<UtxoSnapshot | Unsupported>
  /** Calls `listener` until the returned function is called. */
  subscribe(listener: (event: SourceEvent) => void): () => void
  /** Scripts that may have been paid since a height; needed by `p2p`, nothing elsewhere. */
  watch(scripts: readonly Uint8Array[], birthHeight: number): Promise<void>
  broadcast(transaction: Uint8Array): Promise<BroadcastOutcome | Unsupported>
  txEvidence(txid: Txid): Promise<TxEvidence | Unsupported>
  /** State of outputs, all as of one block. */
  spendStatus(claims: readonly Claim[]): Promise<SpendStatus>
  /** Outputs that the transactions of a block spend, in the order of their inputs. */
  prevouts(hash: BlockHash): Promise<readonly TxOut[] | Unsupported>
  close(): Promise<void>
}

/** What sources need of the world. */
export type SourcePorts = {
  readonly network: Network
  readonly fetch: typeof fetch
  /** Unix seconds. */
  readonly nowSeconds: () => number
  /** Resolves when the time is over, or before it when `over` is aborted. */
  readonly wait: (ms: number, over?: AbortSignal) => Promise<void>
  readonly signal: AbortSignal | undefined
  /** Is told what is going on, for a person who waits. */
  readonly onStep?: ((text: string) => void) | undefined
  /** Headers that were validated in an earlier run, and how to keep those of this one. */
  readonly headerStore?: HeaderStore | undefined
}

export interface HeaderStore {
  /** Of one chain, after genesis: parents first, in parts that are read when they are taken. */
  load(): { readonly count: number; readonly parts: Iterable<readonly BlockHeader[]> }
  save(headers: readonly BlockHeader[]): void
}
