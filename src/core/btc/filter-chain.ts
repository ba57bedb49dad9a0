/**
 * The chain of filter headers that peers stand for, beside the best chain of headers. Source:
 * bitcoin.md §8.5 CF-1, CF-2; BIP157.
 */
import type { Hash32 } from '../base/bytes.ts'
import { equalBytes, hash32 } from '../base/bytes.ts'
import { present } from '../base/errors.ts'
import type { View } from '../base/view.ts'
import { encodeFilter, filterElements, filterHash, filterHeader } from './compact-filter.ts'
import { genesisBlock } from './genesis.ts'
import type { HeaderNode, HeaderTree } from './header-tree.ts'
import type { Network } from './network.ts'

export class FilterChain {
  readonly #network: Network
  /** Filter headers by height; that of genesis is known. */
  readonly #headers: Hash32[]
  /** Blocks that they belong to; that of genesis too. */
  readonly #blocks: Hash32[]

  constructor(network: Network) {
    this.#network = network
    this.#headers = [genesisFilterHeader(network)]
    this.#blocks = [network.genesis.hash]
  }

  get height(): number {
    return this.#headers.length - 1
  }
  get network(): Network {
    return this.#network
  }

  headerAt(height: number): Hash32 {
    return present(this.#headers[height], 'a height of the filter chain')
  }

  /** What the header at a height, not genesis, would be with a filter of this hash. */
  headerWith(height: number, hash: Hash32): Hash32 {
    return filterHeader(hash, this.headerAt(height - 1))
  }

  /** Whether the filter at a height has this hash. */
  hasHash(height: number, hash: Hash32): boolean {
    return equalBytes(this.headerWith(height, hash), this.headerAt(height))
  }

  push(block: Hash32, header: Hash32): void {
    this.#headers.push(header)
    this.#blocks.push(block)
  }

  truncate(height: number): void {
    this.#headers.length = Math.min(this.#headers.length, height + 1)
    this.#blocks.length = this.#headers.length
  }

  /** Highest block of this chain that is on the best chain of headers. */
  commonHeight(tree: View<HeaderTree>): number {
    let height = Math.min(this.height, tree.best.length - 1)
    while (height > 0 && !isSame(tree.best[height], this.#blocks[height])) height--
    return height
  }

  /** Filter headers after genesis, to be kept. */
  toKeep(): readonly Hash32[] {
    return this.#headers.slice(1)
  }
}

const isSame = (node: View<HeaderNode> | undefined, block: Hash32 | undefined): boolean =>
  node !== undefined && block !== undefined && equalBytes(node.hash, block)

function genesisFilterHeader(network: Network): Hash32 {
  const filter = encodeFilter(network.genesis.hash, filterElements(genesisBlock(network), []))
  return filterHeader(filterHash(filter), hash32(new Uint8Array(32)))
}
