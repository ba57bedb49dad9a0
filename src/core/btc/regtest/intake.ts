/**
 * How transactions come in: into the mempool, or among the orphans until their parents are there.
 * Source: RN-7.
 */
import type { Block } from '../block.ts'
import type { Transaction } from '../transaction.ts'
import { isCoinbase, txid } from '../transaction.ts'
import type { Judged, Mempool } from './mempool.ts'
import { Orphans } from './orphans.ts'
import type { MempoolEntry } from './pool.ts'

/** `from`: the peer that brought it, if one did. */
export type Taken = { readonly entry: MempoolEntry; readonly from?: string }

export type Offered = {
  readonly verdict: Judged
  /** What entered the mempool: the transaction itself, then orphans that waited for it. */
  readonly taken: readonly Taken[]
}

/** Orphans tried for one transaction or block that came: those that become acceptable in turn. */
const TRIES_MAX = 200

export class Intake {
  readonly #mempool: Mempool
  readonly #orphans = new Orphans()

  constructor(mempool: Mempool) {
    this.#mempool = mempool
  }
  get orphans(): Pick<Orphans, 'size' | 'has'> {
    return this.#orphans
  }

  offer(transaction: Transaction, nowSeconds: number, from?: string): Offered {
    const verdict = this.#mempool.add(transaction, nowSeconds)
    if (verdict.type === 'acceptable') {
      const own = { entry: verdict.entry, ...(from === undefined ? {} : { from }) }
      return { verdict, taken: [own, ...this.#adopt([transaction], nowSeconds)] }
    }
    if (verdict.missing !== undefined && from !== undefined)
      this.#orphans.add(transaction, from, nowSeconds)
    return { verdict, taken: [] }
  }

  /** Blocks joined the chain, and the mempool knows it. Returns orphans that became acceptable. */
  blocksCame(blocks: readonly Block[], nowSeconds: number): readonly Taken[] {
    if (this.#orphans.size === 0) return []
    for (const block of blocks) this.#orphans.blockCame(block)
    const parents = blocks.flatMap(({ transactions }) => transactions)
    return this.#adopt(
      parents.filter((tx) => !isCoinbase(tx)),
      nowSeconds,
    )
  }

  forgetPeer(peer: string): void {
    this.#orphans.forgetPeer(peer)
  }

  /** Tries the orphans that spend any of these, and then those that spend what was taken. */
  #adopt(parents: readonly Transaction[], nowSeconds: number): readonly Taken[] {
    const taken: Taken[] = []
    const queue = parents.map(txid)
    let tries = 0
    for (const parent of queue) {
      if (tries >= TRIES_MAX) break
      for (const { transaction, from, time } of this.#orphans.takeChildren(parent)) {
        tries += 1
        const verdict = this.#mempool.add(transaction, nowSeconds)
        if (verdict.type === 'acceptable') {
          taken.push({ entry: verdict.entry, from })
          queue.push(verdict.entry.txid)
        } else if (verdict.missing !== undefined) this.#orphans.add(transaction, from, time)
      }
    }
    return taken
  }
}
