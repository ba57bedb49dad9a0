/** Filters of the best branch, made when they are asked for. Source: `docs/spec/bitcoin.md` §8.5. */
import type { BlockHash, Hash32 } from '../../base/bytes.ts'
import { equalBytes, hash32 } from '../../base/bytes.ts'
import { present } from '../../base/errors.ts'
import { encodeFilter, filterElements, filterHash, filterHeader } from '../compact-filter.ts'
import type { Chain } from './chain.ts'

export type FilterEntry = {
  readonly block: BlockHash
  readonly filter: Uint8Array
  readonly hash: Hash32
  readonly header: Hash32
}

/** Filter header before genesis. */
export const NO_FILTER_HEADER = hash32(new Uint8Array(32))

export class FilterIndex {
  readonly #chain: Chain
  /** By height. */
  #entries: FilterEntry[] = []

  constructor(chain: Chain) {
    this.#chain = chain
  }

  /** The filter at a height of the best branch; undefined above it. */
  at(height: number): FilterEntry | undefined {
    this.#cut()
    while (this.#entries.length <= height && this.#chain.nodeAt(this.#entries.length)) this.#add()
    return this.#entries[height]
  }

  /** The filter of a block of the best branch, and its height. */
  of(block: BlockHash): (FilterEntry & { readonly height: number }) | undefined {
    const height = this.#chain.activeHeight(block)
    const entry = height === undefined ? undefined : this.at(height)
    return height === undefined || entry === undefined ? undefined : { ...entry, height }
  }

  /** Forgets what a reorganisation has taken away. */
  #cut(): void {
    const isGone = ({ block }: FilterEntry, height: number): boolean => {
      const node = this.#chain.nodeAt(height)
      return node === undefined || !equalBytes(node.hash, block)
    }
    while (this.#entries.length > 0) {
      const last = this.#entries.length - 1
      if (!isGone(present(this.#entries[last], 'a list has its last entry'), last)) return
      this.#entries.pop()
    }
  }

  #add(): void {
    const height = this.#entries.length
    const node = present(this.#chain.nodeAt(height), 'the best branch has this height')
    const block = present(this.#chain.block(node.hash), 'an active block has its body')
    const elements = filterElements(block, this.#chain.spentScripts(height))
    const filter = encodeFilter(node.hash, elements)
    const hash = filterHash(filter)
    const previous = this.#entries.at(-1)?.header ?? NO_FILTER_HEADER
    this.#entries.push({ block: node.hash, filter, hash, header: filterHeader(hash, previous) })
  }
}
