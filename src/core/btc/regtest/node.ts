/**
 * The embedded regtest node behind one face: chain, mempool, miner. Source: `docs/spec/bitcoin.md`
 * §12.
 */
import type { BlockHash, Hash32, Txid } from '../../base/bytes.ts'
import { toHex } from '../../base/bytes.ts'
import { attempt, BadEncoding, present } from '../../base/errors.ts'
import type { Block, BlockHeader } from '../block.ts'
import { decodeBlock, headerHash } from '../block.ts'
import { locator } from '../header-tree.ts'
import { regtest } from '../network.ts'
import type { OutPoint, Transaction } from '../transaction.ts'
import { decodeTransaction } from '../transaction.ts'
import type { BlockJob } from './block-maker.ts'
import { BlockMaker } from './block-maker.ts'
import { Chain } from './chain.ts'
import { ChainDriver } from './chain-driver.ts'
import { ChainFacts, headersAfter, minedTransaction, outputStatus } from './chain-reads.ts'
import { decodeChain, encodeChain } from './chain-snapshot.ts'
import type { Coin } from './coins.ts'
import { FilterIndex } from './filter-index.ts'
import { Intake } from './intake.ts'
import type { MempoolOptions } from './mempool.ts'
import { Mempool } from './mempool.ts'
import { Outbox } from './outbox.ts'
import { PeerSwitches } from './peer-switches.ts'
import type { Family, MempoolEntry } from './pool.ts'
import { ScriptVerifier } from './script-verifier.ts'

/** `reason` is Bitcoin Core's string, so that users can search for it. */
export type Refused = { readonly type: 'refused'; readonly reason: string }
export type TransactionReply =
  | { readonly type: 'accepted'; readonly txid: Txid }
  /** `missing`: transactions that would make it acceptable; with a peer it waits for them. */
  | (Refused & { readonly missing?: readonly Txid[] })
export type TestReply =
  | { readonly type: 'accepted'; readonly txid: Txid; readonly entry: MempoolEntry }
  | Refused
/** `tip`: whether the best chain now ends in the block or above it, or the block lies aside. */
export type BlockReply =
  | { readonly type: 'accepted'; readonly hash: BlockHash; readonly tip: boolean }
  | Refused
export type ReorganisedReply =
  | {
      readonly type: 'reorganised'
      readonly oldTip: Tip
      readonly newTip: Tip
      /** New blocks in the order of their heights. */
      readonly hashes: readonly BlockHash[]
      /** Transactions of the old blocks that no block of the new branch holds. */
      readonly unconfirmed: readonly Txid[]
    }
  | Refused

export type ForkedReply =
  | { readonly type: 'forked'; readonly hashes: readonly BlockHash[] }
  | Refused

export type Tip = {
  readonly hash: BlockHash
  readonly height: number
  readonly header: BlockHeader
}

/** In the mempool: no confirmations and no height. */
export type FoundTransaction = {
  readonly transaction: Transaction
  readonly confirmations: number
  readonly height?: number
}

/** State of an output on the best chain; the mempool is not asked. */
export type OutputStatus =
  | ({ readonly type: 'unspent' } & Coin)
  | { readonly type: 'spent' }
  | { readonly type: 'unknown' }

/** What the P2P server tells its peers. `from`: the peer that brought it, if one did. */
export type NodeEvent =
  | { readonly type: 'newTip'; readonly hash: BlockHash; readonly header: BlockHeader }
  /** Peers shall hear of a block in which the best chain does not end. */
  | { readonly type: 'sideBlock'; readonly hash: BlockHash; readonly header: BlockHeader }
  | { readonly type: 'newTransaction'; readonly entry: MempoolEntry; readonly from?: string }
  /** All connections end, for a test (RN-18). */
  | { readonly type: 'dropPeers' }

/** The best chain from `height` on is now `blocks`, which may be none. */
export type ChainChange = { readonly height: number; readonly blocks: readonly Block[] }

export type MempoolInfo = {
  readonly size: number
  readonly vsize: number
  readonly vsizeMax: number
  /** What a transaction has to pay now, in satoshi per 1,000 virtual bytes. */
  readonly minimumRateSatPerKvb: bigint
}

export type RegtestOptions = {
  /** The best chain of an earlier life, without genesis. */
  readonly blocks?: readonly Block[]
  /**
   * Makes a change last. It is called before anybody hears of a block; if it throws, so does the
   * call that made the change, nobody is told, and the next change holds this one too.
   */
  readonly keep?: (change: ChainChange) => void
  readonly mempool?: MempoolOptions
}

export type Reorganisation = BlockJob & {
  readonly dropTransactions: boolean
  /** These alone are dropped, with what builds on them. */
  readonly drop?: readonly Txid[]
  /** Blocks of the new branch; by default one more than are replaced. */
  readonly length?: number
  /** The new blocks are empty: what returns waits in the mempool with what was there. */
  readonly keepMempool?: boolean
}

/** Blocks that are served without being judged. */
const UNCHECKED_MAX = 16

/** All calls are synchronous; times are Unix seconds. */
export class RegtestNode {
  readonly #scripts = new ScriptVerifier()
  readonly #chain = new Chain(regtest, this.#scripts)
  readonly #mempool: Mempool
  readonly #intake: Intake
  /** Filters of the best chain (BIP157). */
  readonly filters = new FilterIndex(this.#chain)
  readonly facts = new ChainFacts(this.#chain)
  /** How its peer-to-peer side misbehaves, for tests (RN-18). */
  readonly switches = new PeerSwitches()
  readonly #outbox: Outbox
  readonly #maker: BlockMaker
  readonly #driver: ChainDriver
  readonly #unchecked = new Map<string, Block>()

  /** Blocks of an earlier life that do not make a chain are `BadEncoding`. */
  constructor({ blocks = [], keep, mempool }: RegtestOptions = {}) {
    this.#mempool = new Mempool(this.#chain, this.#scripts, mempool)
    this.#intake = new Intake(this.#mempool)
    const flaw = this.#chain.load(blocks)
    if (flaw !== undefined) throw new BadEncoding(flaw)
    this.#outbox = new Outbox(this.#chain, keep)
    this.#maker = new BlockMaker(this.#chain, blocks)
    this.#driver = new ChainDriver({
      chain: this.#chain,
      mempool: this.#mempool,
      intake: this.#intake,
      maker: this.#maker,
      outbox: this.#outbox,
    })
  }

  /**
   * Mines `count` blocks that pay subsidy and fees to `payToScript`, from the mempool unless they
   * are to be empty.
   */
  mine(
    count: number,
    payToScript: Uint8Array,
    nowSeconds: number,
    { empty = false }: { readonly empty?: boolean } = {},
  ): readonly BlockHash[] {
    const hashes = this.#driver.mine(count, { payToScript, nowSeconds, empty })
    this.#outbox.publish()
    return hashes
  }

  /** Offers a transaction to the mempool. `from`: the peer that sent it. */
  submit(offered: Transaction | Uint8Array, nowSeconds: number, from?: string): TransactionReply {
    const tx = decoded(offered, decodeTransaction)
    if (tx === undefined) return { type: 'refused', reason: 'TX decode failed' }
    const { verdict, taken } = this.#intake.offer(tx, nowSeconds, from)
    for (const one of taken) this.#outbox.tell({ type: 'newTransaction', ...one })
    return verdict.type === 'refused' ? verdict : { type: 'accepted', txid: verdict.entry.txid }
  }

  /** What `submit` would answer, without its effect (RN-8). */
  test(offered: Transaction | Uint8Array, nowSeconds: number): TestReply {
    const tx = decoded(offered, decodeTransaction)
    if (tx === undefined) return { type: 'refused', reason: 'TX decode failed' }
    const judged = this.#mempool.judge(tx, nowSeconds)
    if (judged.type === 'refused') return judged
    const { entry } = judged
    return { type: 'accepted', txid: entry.txid, entry }
  }

  submitBlock(offered: Block | Uint8Array, nowSeconds: number): BlockReply {
    const block = decoded(offered, decodeBlock)
    if (block === undefined) return { type: 'refused', reason: 'Block decode failed' }
    const reply = this.#driver.add(block, nowSeconds)
    this.#outbox.publish()
    return reply
  }

  /** Mines a block of exactly these transactions in this order; it may be refused (RN-12). */
  generateBlock(transactions: readonly Transaction[], job: BlockJob): BlockReply {
    const block = this.#maker.of(transactions, job)
    return this.submitBlock(block, Math.max(job.nowSeconds, block.header.time))
  }
  /** Such a block without judging it, to be offered to peers or changed before that. */
  makeBlock(transactions: readonly Transaction[], job: BlockJob): Block {
    return this.#maker.of(transactions, job)
  }
  /** Announces a block and serves its body, whatever is wrong with it; the chain stays (RN-12). */
  serveUnchecked(block: Block): BlockHash {
    const hash = headerHash(block.header)
    this.#unchecked.set(toHex(hash), block)
    const [oldest] = this.#unchecked.keys()
    if (this.#unchecked.size > UNCHECKED_MAX && oldest !== undefined) this.#unchecked.delete(oldest)
    this.#outbox.tell({ type: 'sideBlock', hash, header: block.header })
    return hash
  }
  /** Weight of the blocks that are mined from the mempool; undefined for what consensus allows. */
  set blockWeightMax(weight: number | undefined) {
    this.#maker.weightMax = weight
  }

  tip(): Tip {
    const { hash, height, header } = this.#chain.tip
    return { hash, height, header }
  }
  /** The block of the best chain at a height; genesis included. */
  blockAt(height: number): Block | undefined {
    const node = this.#chain.nodeAt(height)
    return node === undefined ? undefined : this.#chain.block(node.hash)
  }
  /** The best chain from height 1 on, as bytes (RN-23). */
  snapshot(): Uint8Array {
    const blocks = Array.from({ length: this.#chain.tip.height }, (_, i) =>
      present(this.blockAt(i + 1), 'the best chain has its blocks'),
    )
    return encodeChain(blocks)
  }
  /** A node on the chain of a snapshot; anything else is `BadEncoding`. */
  static restore(snapshot: Uint8Array, options: Omit<RegtestOptions, 'blocks'> = {}): RegtestNode {
    return new RegtestNode({ ...options, blocks: decodeChain(snapshot) })
  }
  /** A block of any branch. */
  blockByHash(hash: BlockHash): Block | undefined {
    return this.#chain.block(hash) ?? this.#unchecked.get(toHex(hash))
  }
  /** A block that was found or declared invalid, or builds on one. */
  isInvalid(hash: BlockHash): boolean {
    return this.#chain.tree.invalid.has(toHex(hash))
  }
  transaction(id: Txid): FoundTransaction | undefined {
    const entry = this.#mempool.pool.byTxid(id)
    if (entry !== undefined) return { transaction: entry.transaction, confirmations: 0 }
    return minedTransaction(this.#chain, id)
  }
  utxo(outpoint: OutPoint): OutputStatus {
    return outputStatus(this.#chain, outpoint)
  }
  /** Entries in the order of arrival: parents before children. */
  mempool(): readonly MempoolEntry[] {
    return this.#mempool.pool.entries()
  }
  /** Sums over an entry with its ancestors, and with its descendants. */
  family(entry: MempoolEntry): Family {
    return this.#mempool.pool.family(entry)
  }
  /** How full the mempool is, and what it asks for. */
  mempoolInfo(nowSeconds: number): MempoolInfo {
    const { size, vsize } = this.#mempool.pool
    const minimumRateSatPerKvb = this.#mempool.minimumRate(nowSeconds)
    return { size, vsize, vsizeMax: this.#mempool.vsizeMax, minimumRateSatPerKvb }
  }
  /** Takes transactions out of the mempool, with all that build on them. */
  forgetTransactions(ids: readonly Txid[]): void {
    this.#mempool.drop(ids)
  }
  /** What is below is never relayed, however empty the mempool is. */
  get relayRateSatPerKvb(): bigint {
    return this.#mempool.relayRateSatPerKvb
  }
  /** Gives the transactions that have left the mempool for it. */
  setRelayRate(satPerKvb: bigint): readonly Txid[] {
    return this.#mempool.setRelayRate(satPerKvb)
  }
  /** Transactions that wait for parents; by wtxid. */
  get orphans(): Intake['orphans'] {
    return this.#intake.orphans
  }
  dropPeers(): void {
    this.#outbox.tell({ type: 'dropPeers' })
  }
  /** The connection to a peer is gone, and with it the orphans that it sent. */
  forgetPeer(peer: string): void {
    this.#intake.forgetPeer(peer)
  }
  /** All entries that the entry builds on. */
  ancestors({ transaction }: MempoolEntry): ReadonlySet<MempoolEntry> {
    return this.#mempool.pool.ancestors(transaction)
  }
  /** The entry that spends an output of the chain or of another entry. */
  spender(outpoint: OutPoint): MempoolEntry | undefined {
    return this.#mempool.pool.spender(outpoint)
  }
  /** An entry by its txid or its wtxid. */
  pooled(hash: Hash32): MempoolEntry | undefined {
    return this.#mempool.pool.find(hash)
  }
  /** Hashes of the best chain, denser towards the tip (HD-1). */
  locator(): readonly BlockHash[] {
    return locator(this.#chain.tree)
  }
  /** Headers of the best chain after the first locator hash on it, up to `stop` or 2000. */
  headersAfter(locator: readonly BlockHash[], stop: BlockHash): readonly BlockHeader[] {
    return headersAfter(this.#chain, locator, stop)
  }

  /**
   * Replaces the last `depth` blocks by new ones that pay to `payToScript` (RN-14).
   *
   * Their transactions return to the mempool and are mined again, unless they are dropped.
   */
  reorganise(depth: number, options: Reorganisation): ReorganisedReply {
    return this.#driver.reorganise(depth, options)
  }
  /** Declares a block and all above it invalid; genesis and unknown blocks are refused (RN-15). */
  invalidate(hash: BlockHash, nowSeconds: number): BlockReply {
    return this.#driver.invalidate(hash, nowSeconds)
  }
  /** Takes that back, for the blocks below and above it as well (RN-15). */
  reconsider(hash: BlockHash, nowSeconds: number): BlockReply {
    return this.#driver.reconsider(hash, nowSeconds)
  }
  /**
   * Mines `count` empty blocks on the block at a height, with no more work than the best chain has,
   * and lets peers hear of them (RN-15).
   */
  fork(height: number, count: number, job: BlockJob): ForkedReply {
    return this.#driver.fork(height, count, job)
  }

  /**
   * Calls `listener` for every event, at the end of the call that causes it; returns how to stop
   * that.
   */
  subscribe(listener: (event: NodeEvent) => void): () => void {
    return this.#outbox.subscribe(listener)
  }
}

function decoded<T extends object>(
  offered: T | Uint8Array,
  decode: (bytes: Uint8Array) => T,
): T | undefined {
  if (!(offered instanceof Uint8Array)) return offered
  const value = attempt(() => decode(offered))
  return value instanceof BadEncoding ? undefined : value
}
