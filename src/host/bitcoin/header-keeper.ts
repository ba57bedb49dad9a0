/**
 * The best chain of headers that a node's adapter has seen, in the node's store: it is not fetched
 * again at the next start. Source: `docs/spec/bitcoin.md` §4.4 HDR-16; architecture §7.
 *
 * Pages of headers by height, written as they come. What is damaged or missing ends what is read,
 * and is fetched again.
 */
import { concat, concatAll, equalBytes, u32be, utf8 } from '../../core/base/bytes.ts'
import { HostDisk } from '../../core/base/errors.ts'
import type { View } from '../../core/base/view.ts'
import type { BlockHeader } from '../../core/btc/block.ts'
import { decodeHeader, encodeHeader, HEADER_SIZE } from '../../core/btc/block.ts'
import type { HeaderNode } from '../../core/btc/header-tree.ts'
import type { Store } from '../store/store.ts'

const PAGES = utf8('bitcoin-headers/')
/** Headers of a page: each new block writes the last one again. */
export const PAGE_HEADERS = 128
/** Pages of one part: judging them takes some 20 ms. */
const PART_PAGES = 16

const pageKey = (page: number): Uint8Array => concat(PAGES, u32be(page))

export class HeaderKeeper {
  readonly #store: Store
  /** What lies in the store, after genesis. */
  #kept: readonly View<HeaderNode>[] = []

  constructor(store: Store) {
    this.#store = store
  }

  /** Headers after genesis in parts, parents first, as far as they can be read. */
  *load(): Generator<readonly BlockHeader[], undefined> {
    for (let page = 0; ; page += PART_PAGES) {
      const from = pageKey(page)
      const entries = this.#store.range({ prefix: PAGES, from, limit: PART_PAGES })
      const part: BlockHeader[] = []
      const isWhole = entries.every(
        ({ key, value }, i) => equalBytes(key, pageKey(page + i)) && readPage(value, part),
      )
      if (part.length > 0) yield part
      if (!isWhole || entries.length < PART_PAGES) return undefined
    }
  }

  /** The chain that came of what was loaded, genesis first: the rest of the store is void. */
  adopt(best: readonly View<HeaderNode>[]): void {
    this.#kept = best.slice(1)
  }

  /** The best chain, genesis first. A disk that cannot take it only makes the next start slower. */
  keep(best: readonly View<HeaderNode>[]): void {
    const headers = best.slice(1)
    let common = Math.min(headers.length, this.#kept.length)
    while (common > 0 && headers[common - 1] !== this.#kept[common - 1]) common--
    try {
      this.#write(headers, Math.floor(common / PAGE_HEADERS))
      this.#kept = headers
    } catch (error) {
      if (!(error instanceof HostDisk)) throw error
    }
  }

  #write(headers: readonly View<HeaderNode>[], firstPage: number): void {
    this.#store.transaction((writer) => {
      let page = firstPage
      for (; page * PAGE_HEADERS < headers.length; page++) {
        const part = headers.slice(page * PAGE_HEADERS, (page + 1) * PAGE_HEADERS)
        writer.put(pageKey(page), concatAll(part.map(({ header }) => encodeHeader(header))))
      }
      for (const { key } of writer.range({ prefix: PAGES, from: pageKey(page) })) writer.remove(key)
    })
  }
}

/** Appends the headers of a page; false if it is not whole, or the last one. */
function readPage(bytes: Uint8Array, headers: BlockHeader[]): boolean {
  const count = Math.floor(bytes.length / HEADER_SIZE)
  for (let i = 0; i < Math.min(count, PAGE_HEADERS); i++)
    headers.push(decodeHeader(bytes.subarray(i * HEADER_SIZE, (i + 1) * HEADER_SIZE)))
  return bytes.length === PAGE_HEADERS * HEADER_SIZE
}
