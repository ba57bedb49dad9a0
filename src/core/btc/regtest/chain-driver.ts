/**
 * Moves the chain and brings the mempool along: blocks that come or are mined, branches that are
 * cut, made or judged again. Source: RN-6, RN-9, RN-14, RN-15.
 */
import type { BlockHash } from '../../base/bytes.ts'
import { toHex } from '../../base/bytes.ts'
import { assert, present } from '../../base/errors.ts'
import type { Block } from '../block.ts'
import type { HeaderNode } from '../header-tree.ts'
import type { Transaction } from '../transaction.ts'
import { isCoinbase, txid } from '../transaction.ts'
import type { BlockJob, BlockMaker } from './block-maker.ts'
import type { Chain, Move } from './chain.ts'
import type { Intake } from './intake.ts'
import type { Mempool } from './mempool.ts'
import type { BlockReply, ForkedReply, Reorganisation, ReorganisedReply, Tip } from './node.ts'
import type { Outbox } from './outbox.ts'

type Parts = {
  readonly chain: Chain
  readonly mempool: Mempool
  readonly intake: Intake
  readonly maker: BlockMaker
  readonly outbox: Outbox
}

export class ChainDriver {
  readonly #chain: Chain
  readonly #mempool: Mempool
  readonly #intake: Intake
  readonly #maker: BlockMaker
  readonly #outbox: Outbox

  constructor({ chain, mempool, intake, maker, outbox }: Parts) {
    this.#chain = chain
    this.#mempool = mempool
    this.#intake = intake
    this.#maker = maker
    this.#outbox = outbox
  }

  mine(count: number, job: BlockJob & { readonly empty?: boolean }): readonly BlockHash[] {
    return Array.from({ length: count }, () => {
      const block = job.empty
        ? this.#maker.of([], job)
        : this.#maker.fromPool(this.#mempool.pool, job)
      // Many blocks within one second run ahead of the clock, and must not meet the two-hour rule.
      const reply = this.add(block, Math.max(job.nowSeconds, block.header.time))
      return present(reply.type === 'accepted' ? reply.hash : undefined, 'a mined block is valid')
    })
  }

  /** What became of it is told with the next publication. */
  add(block: Block, nowSeconds: number): BlockReply {
    const added = this.#chain.add(block, nowSeconds)
    if (added.type === 'refused') return added
    if (added.move !== undefined) this.#follow(added.move, nowSeconds)
    return { type: 'accepted', hash: added.hash, tip: added.move !== undefined }
  }

  reorganise(depth: number, options: Reorganisation): ReorganisedReply {
    const { dropTransactions, drop = [], length = depth + 1, nowSeconds } = options
    const oldTip = this.#tip()
    const { height } = oldTip
    if (!Number.isInteger(depth) || depth < 1 || depth > height)
      return { type: 'refused', reason: `depth ${depth} is not between 1 and ${height}` }
    if (!Number.isInteger(length) || length < 1)
      return { type: 'refused', reason: `length ${length} is not at least 1` }
    const { move, restore } = this.#chain.cut(height - depth)
    const old = move.disconnected.flatMap(({ transactions }) => transactions)
    const dropped = new Set(drop.map(toHex))
    const returning = old.filter((tx) => !dropTransactions && !dropped.has(toHex(txid(tx))))
    this.#follow(move, nowSeconds, returning)
    const hashes = this.mine(length, { ...options, empty: options.keepMempool === true })
    if (length > depth) restore() // Peers may go on with the old blocks, and win.
    this.#outbox.publish() // The shorter chain in between is kept nowhere and told nobody.
    const unconfirmed = old
      .filter((tx) => !isCoinbase(tx))
      .map(txid)
      .filter((id) => this.#chain.heightOf(id) === undefined)
    return { type: 'reorganised', oldTip, newTip: this.#tip(), hashes, unconfirmed }
  }

  invalidate(hash: BlockHash, nowSeconds: number): BlockReply {
    return this.#judgeAgain(hash, nowSeconds, (node) => this.#chain.invalidate(node))
  }
  reconsider(hash: BlockHash, nowSeconds: number): BlockReply {
    return this.#judgeAgain(hash, nowSeconds, (node) => this.#chain.reconsider(node))
  }

  fork(height: number, count: number, job: BlockJob): ForkedReply {
    const room = this.#chain.tip.height - height
    let parent = this.#chain.nodeAt(height)
    if (parent === undefined || !Number.isInteger(count) || count < 1 || count > room)
      return { type: 'refused', reason: `a fork at ${height} has room for ${Math.max(room, 0)}` }
    const hashes: BlockHash[] = []
    for (let made = 0; made < count; made++) {
      const block: Block = this.#maker.of([], { ...job, parent })
      const reply = this.add(block, Math.max(job.nowSeconds, block.header.time))
      assert(reply.type === 'accepted', 'an empty block is valid')
      this.#outbox.add({ type: 'sideBlock', hash: reply.hash, header: block.header })
      hashes.push(reply.hash)
      parent = present(this.#chain.find(reply.hash), 'an accepted block is in the tree')
    }
    this.#outbox.publish()
    return { type: 'forked', hashes }
  }

  #judgeAgain(hash: BlockHash, nowSeconds: number, judge: (node: HeaderNode) => Move): BlockReply {
    const node = this.#chain.find(hash)
    if (node === undefined) return { type: 'refused', reason: 'Block not found' }
    if (node.parent === undefined) return { type: 'refused', reason: 'genesis is valid' }
    const move = judge(node)
    this.#follow(move, nowSeconds)
    this.#outbox.publish()
    return { type: 'accepted', hash, tip: this.#chain.nodeAt(node.height) === node }
  }

  /**
   * Brings the mempool up to a move of the chain; `returning` replaces what comes back by itself.
   */
  #follow(
    { disconnected, connected }: Move,
    nowSeconds: number,
    returning: readonly Transaction[] = disconnected.flatMap(({ transactions }) => transactions),
  ): void {
    this.#mempool.confirm(connected, nowSeconds)
    if (disconnected.length > 0) this.#mempool.rebuild(returning, nowSeconds)
    this.#outbox.addBlocks(connected)
    for (const one of this.#intake.blocksCame(connected, nowSeconds))
      this.#outbox.add({ type: 'newTransaction', ...one })
  }

  #tip(): Tip {
    const { hash, height, header } = this.#chain.tip
    return { hash, height, header }
  }
}
