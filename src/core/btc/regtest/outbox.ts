/**
 * What a node tells of its chain: first it is made to last, then everybody hears of it. Source: RN-6.
 */
import { present } from '../../base/errors.ts'
import type { Block } from '../block.ts'
import { headerHash } from '../block.ts'
import type { HeaderNode } from '../header-tree.ts'
import type { Chain } from './chain.ts'
import type { ChainChange, NodeEvent } from './node.ts'

export class Outbox {
  readonly #chain: Chain
  readonly #keep: ((change: ChainChange) => void) | undefined
  readonly #listeners = new Set<(event: NodeEvent) => void>()
  /** Where the chain ended that was kept last. */
  #kept: HeaderNode
  /** What nobody has heard of yet. */
  #untold: NodeEvent[] = []

  /** The chain as it is now counts as kept. */
  constructor(chain: Chain, keep: ((change: ChainChange) => void) | undefined) {
    this.#chain = chain
    this.#keep = keep
    this.#kept = chain.tip
  }

  subscribe(listener: (event: NodeEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  addBlocks(blocks: readonly Block[]): void {
    for (const { header } of blocks)
      this.#untold.push({ type: 'newTip', hash: headerHash(header), header })
  }

  /** To be told with the next publication. */
  add(event: NodeEvent): void {
    this.#untold.push(event)
  }

  /** For what need not last. */
  tell(event: NodeEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  /** Makes what has changed last, then tells of it; nobody hears of what could not be kept. */
  publish(): void {
    const untold = this.#untold
    this.#untold = []
    const { tip } = this.#chain
    if (tip !== this.#kept) {
      this.#keep?.(this.#changeSince(this.#kept))
      this.#kept = tip
    }
    for (const event of untold) this.tell(event)
  }

  #changeSince(old: HeaderNode): ChainChange {
    let common = old
    while (this.#chain.nodeAt(common.height) !== common)
      common = present(common.parent, 'all chains have one genesis')
    const height = common.height + 1
    const blocks = Array.from({ length: this.#chain.tip.height - common.height }, (_, i) => {
      const node = this.#chain.nodeAt(height + i)
      const block = node === undefined ? undefined : this.#chain.block(node.hash)
      return present(block, 'the best chain has its blocks')
    })
    return { height, blocks }
  }
}
