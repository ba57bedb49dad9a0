/** Blocks that the chain view wants, from any peer. Source: `docs/spec/bitcoin.md` §3.6, §3.9. */
import type { BlockHash } from '../base/bytes.ts'
import type { AdapterHeaders } from './adapter-headers.ts'
import type { AdapterLinks, Link, OpenLink } from './adapter-links.ts'
import type { AdapterTurn } from './adapter-turn.ts'
import type { Block, BlockHeader } from './block.ts'
import { blockSize, checkBlock, headerHash } from './block.ts'
import type { BlockPeer } from './block-download.ts'
import { BlockDownload } from './block-download.ts'
import { bestHeader } from './header-tree.ts'
import type { InventoryItem } from './message.ts'
import { inventory } from './message.ts'
import type { Network } from './network.ts'
import { LIMITED_BLOCKS } from './peer-session.ts'

type Parts = {
  readonly network: Network
  readonly turn: AdapterTurn
  readonly links: AdapterLinks
  readonly headers: AdapterHeaders
}

export class AdapterBlocks {
  readonly #parts: Parts
  readonly #download = new BlockDownload()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  get deadlineMs(): number {
    return this.#download.deadlineMs
  }

  want(hashes: readonly BlockHash[]): void {
    this.#download.want(hashes)
  }

  forget(peer: number): void {
    this.#download.forget(peer)
  }

  /** A peer has shown the headers of new blocks (BD-7). */
  announced(peer: number, headers: readonly BlockHeader[]): void {
    for (const header of headers) this.#download.announced(headerHash(header), peer)
  }

  /** Everything that is wanted has been handed on. */
  get isComplete(): boolean {
    return this.#download.isComplete
  }

  /** Height of the lowest block that is still to come. */
  get lowestNeeded(): number {
    const { headers } = this.#parts
    const heights = this.#download.wanted.flatMap((hash) => headers.find(hash)?.height ?? [])
    return Math.min(headers.bestHeight + 1, ...heights)
  }

  /** BD-6. */
  lacking(peer: number, items: readonly InventoryItem[]): void {
    for (const { hash } of items) this.#download.refused(hash, peer, this.#parts.turn.nowMs)
  }

  receive(link: Link, block: Block): void {
    const { network, turn, links, headers } = this.#parts
    const hash = headerHash(block.header)
    const node = headers.find(hash)
    if (node === undefined) {
      headers.ask(link) // HD-6
      return
    }
    const isBest = node === bestHeader(headers.tree) && this.#download.lacks(hash)
    if (!this.#download.answered(hash, link.peer) && !isBest) return // BD-5
    const flaw = checkBlock(block, { network, height: node.height })
    if (flaw?.kind === 'mutated') {
      links.end(link, { kind: 'mutatedBlock', reason: flaw.reason })
      return
    }
    this.#download.delivered(hash, blockSize(block).total, turn.nowMs)
    // An invalid block is handed on too: its body belongs to its header, so it condemns it
    // everywhere.
    turn.emit({ type: 'block', hash, block })
    if (flaw === undefined) return
    headers.condemn(node)
    links.end(link, { kind: 'invalidBlock', reason: flaw.reason })
  }

  /** Asks for what can be asked for now. */
  request(): void {
    const { turn, links, headers } = this.#parts
    const peers = links.ready.map((link) => this.#peerOf(link))
    const canAsk = (hash: BlockHash): boolean => headers.isGood(hash)
    for (const { peer, hashes } of this.#download.assign(peers, turn.nowMs, canAsk)) {
      const items = hashes.map((hash) => ({ kind: inventory.witnessBlock, hash })) // BD-4
      turn.send(peer, { type: 'getdata', items })
    }
  }

  #peerOf(link: OpenLink): BlockPeer {
    const { headers } = this.#parts
    const highest = headers.heightOf(link)
    const lowest = link.session.isPruned ? highest - LIMITED_BLOCKS : 0
    const has = (hash: BlockHash): boolean => {
      const height = headers.find(hash)?.height
      return height !== undefined && height <= highest && height >= lowest
    }
    return { peer: link.peer, has }
  }

  expire(): void {
    const { turn, links } = this.#parts
    for (const { peer, reason } of this.#download.expire(turn.nowMs)) {
      const link = links.find(peer)
      if (link !== undefined) links.end(link, { kind: 'timeout', reason })
    }
  }
}
