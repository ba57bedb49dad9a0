/**
 * Makes blocks for the node: of what the mempool offers, or of transactions that are given. Source:
 * RN-9, RN-11, RN-12.
 */
import type { Block } from '../block.ts'
import { headerHash } from '../block.ts'
import type { HeaderNode } from '../header-tree.ts'
import type { Transaction } from '../transaction.ts'
import { outpointKey, txid } from '../transaction.ts'
import type { Chain } from './chain.ts'
import type { CoinView } from './coins.ts'
import { CoinOverlay } from './coins.ts'
import { extraNonceOf, mineBlock } from './miner.ts'
import type { Pool } from './pool.ts'
import { selectTransactions } from './template.ts'

export type BlockJob = {
  readonly payToScript: Uint8Array
  readonly nowSeconds: number
}

export class BlockMaker {
  readonly #chain: Chain
  #extraNonce: bigint
  /** Of the blocks that are made; what consensus allows where it is undefined. */
  weightMax: number | undefined

  /** `blocks` were made in an earlier life: none is made again. */
  constructor(chain: Chain, blocks: readonly Block[]) {
    this.#chain = chain
    this.#extraNonce = blocks.map(extraNonceOf).reduce((a, b) => (a > b ? a : b), -1n) + 1n
  }

  /** The next block of the best chain, of what pays most. */
  fromPool(pool: Pool, job: BlockJob): Block {
    const { weightMax } = this
    const template = selectTransactions(pool, weightMax === undefined ? {} : { weightMax })
    return this.#make({ ...job, ...template, parent: this.#chain.tip })
  }

  /**
   * A solved block of exactly these transactions, valid or not. Where all coins are known, their
   * fees are its miner's.
   */
  of(
    transactions: readonly Transaction[],
    job: BlockJob & { readonly parent?: HeaderNode },
  ): Block {
    const fees = feesOf(transactions, this.#chain.coins)
    return this.#make({ parent: this.#chain.tip, ...job, transactions, fees })
  }

  #make(job: Omit<Parameters<typeof mineBlock>[0], 'tree' | 'extraNonce'>): Block {
    const make = () => mineBlock({ ...job, tree: this.#chain.tree, extraNonce: this.#extraNonce++ })
    let block = make()
    // Another node may have made the very same one, in the same second for the same script.
    while (this.#chain.find(headerHash(block.header)) !== undefined) block = make()
    return block
  }
}

function feesOf(transactions: readonly Transaction[], coins: CoinView): bigint {
  const overlay = new CoinOverlay(coins)
  let fees = 0n
  for (const tx of transactions) {
    const spent = tx.inputs.map(({ outpoint }) => overlay.get(outpointKey(outpoint))?.value)
    const paid = tx.outputs.reduce((sum, { value }) => sum + value, 0n)
    const fee = spent.reduce((sum: bigint, value) => sum + (value ?? 0n), -paid)
    if (fee > 0n && spent.every((value) => value !== undefined)) fees += fee
    overlay.apply(tx, { id: txid(tx), height: 0 })
  }
  return fees
}
