/** Questions about the best chain that need more than one step. Source: `docs/spec/bitcoin.md` §12. */
import type { BlockHash, Txid } from '../../base/bytes.ts'
import { equalBytes } from '../../base/bytes.ts'
import type { BlockHeader } from '../block.ts'
import type { HeaderNode } from '../header-tree.ts'
import { medianTimeOf } from '../header-tree.ts'
import { HEADERS_MAX } from '../message.ts'
import type { OutPoint, Transaction } from '../transaction.ts'
import { outpointKey } from '../transaction.ts'
import type { Chain } from './chain.ts'
import type { Coin, CoinView } from './coins.ts'
import type { OutputStatus } from './node.ts'

export type MinedTransaction = {
  readonly transaction: Transaction
  readonly height: number
  readonly confirmations: number
}

export function minedTransaction(chain: Chain, id: Txid): MinedTransaction | undefined {
  const height = chain.heightOf(id)
  const node = height === undefined ? undefined : chain.nodeAt(height)
  if (node === undefined || height === undefined) return undefined
  const index = chain.txids(node.hash).findIndex((one) => equalBytes(one, id))
  const transaction = chain.block(node.hash)?.transactions[index]
  if (transaction === undefined) return undefined
  return { transaction, height, confirmations: chain.tip.height - height + 1 }
}

export function outputStatus(chain: Chain, outpoint: OutPoint): OutputStatus {
  const coin = chain.coins.get(outpointKey(outpoint))
  if (coin !== undefined) return { type: 'unspent', ...coin }
  const outputs = minedTransaction(chain, outpoint.txid)?.transaction.outputs ?? []
  return { type: outpoint.vout < outputs.length ? 'spent' : 'unknown' }
}

/** Headers of the best chain after the first locator hash on it, up to `stop` or 2000. */
export function headersAfter(
  chain: Chain,
  locator: readonly BlockHash[],
  stop: BlockHash,
): readonly BlockHeader[] {
  const known = locator.map((hash) => chain.activeHeight(hash))
  const start = known.find((height) => height !== undefined) ?? 0
  const headers: BlockHeader[] = []
  for (let height = start + 1; headers.length < HEADERS_MAX; height++) {
    const node = chain.nodeAt(height)
    if (node === undefined) break
    headers.push(node.header)
    if (equalBytes(node.hash, stop)) break
  }
  return headers
}

/** Facts of the chain that its own rules do not need in this form. */
export class ChainFacts {
  readonly #chain: Chain

  constructor(chain: Chain) {
    this.#chain = chain
  }

  /** A header of any branch, and the median time past of its block. */
  header(hash: BlockHash): (HeaderNode & { readonly medianTime: number }) | undefined {
    const node = this.#chain.find(hash)
    return node && { ...node, medianTime: medianTimeOf(this.#chain.tree, node) }
  }

  /** What the block of the best chain at a height has spent of what was there before it. */
  spentAt(height: number): CoinView {
    return this.#chain.spentAt(height)
  }

  /** All that is unspent, by `outpointKey`. */
  coins(): Iterable<readonly [string, Coin]> {
    return this.#chain.allCoins()
  }
}
