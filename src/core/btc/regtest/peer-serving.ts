/**
 * What one peer of the regtest node has asked for and not got yet: blocks, transactions, filters.
 * Source: `docs/spec/bitcoin.md` RN-20.
 */
import type { BlockHash, Hash32 } from '../../base/bytes.ts'
import { equalBytes } from '../../base/bytes.ts'
import { BASIC_FILTER } from '../compact-filter.ts'
import type { InventoryItem, Message } from '../message.ts'
import { encodeMessage, INVENTORY_MAX, inventory } from '../message.ts'
import { regtest } from '../network.ts'
import { stripWitness } from '../transaction.ts'
import type { RegtestNode } from './node.ts'

/** Items asked for and not served yet; more is an attack. */
export const REQUESTS_MAX = INVENTORY_MAX
/** Serving stops beyond this and goes on when the socket has drained. */
export const SEND_BYTES_SOFT_MAX = 1_000_000
/** A filter among the items that are still to be served; no inventory item has this kind. */
const FILTER_ITEM = -1

export const filterItem = (hash: BlockHash): InventoryItem => ({ kind: FILTER_ITEM, hash })

export class Serving {
  readonly #node: RegtestNode
  #requests: InventoryItem[] = []
  /** The last block of a full answer to `getblocks`: who asks for it wants to hear of more. */
  #continuation: BlockHash | undefined

  constructor(node: RegtestNode) {
    this.#node = node
  }

  get count(): number {
    return this.#requests.length
  }

  clear(): void {
    this.#requests = []
  }

  continueAfter(hash: BlockHash): void {
    this.#continuation = hash
  }

  /** Takes requests; the frames are to be sent now. More than `REQUESTS_MAX` is for the caller. */
  request(items: readonly InventoryItem[]): readonly Uint8Array[] {
    const idle = this.#requests.length === 0
    this.#requests.push(...items)
    // A queue that waits for the socket goes on when that has drained.
    return idle ? this.serve() : []
  }

  /** Serves requests in order until enough bytes are on their way. */
  serve(): readonly Uint8Array[] {
    const frames: Uint8Array[] = []
    const missing: InventoryItem[] = []
    let bytes = 0
    let served = 0
    for (const item of this.#requests) {
      if (bytes > SEND_BYTES_SOFT_MAX) break
      served += 1
      const found = this.#find(item)
      if (found === 'silence') continue
      if (found.length === 0 && item.kind !== FILTER_ITEM) missing.push(item)
      for (const message of found) {
        const frame = encodeMessage(regtest, message)
        bytes += frame.length
        frames.push(frame)
      }
    }
    this.#requests = this.#requests.slice(served)
    if (missing.length === 0) return frames
    return [...frames, encodeMessage(regtest, { type: 'notfound', items: missing })]
  }

  /** Nothing for what is unknown, or gone in a reorganisation. */
  #find({ kind, hash }: InventoryItem): readonly Message[] | 'silence' {
    switch (kind) {
      case FILTER_ITEM:
        return this.#filter(hash)
      case inventory.block:
      case inventory.witnessBlock:
        return this.#block(hash, kind === inventory.witnessBlock)
      case inventory.tx:
      case inventory.witnessTx:
      case inventory.wtx:
        return this.#transaction(hash, kind !== inventory.tx)
    }
    return []
  }

  #filter(block: BlockHash): readonly Message[] {
    const found = this.#node.filters.of(block)
    if (found === undefined) return []
    return [{ type: 'cfilter', filterType: BASIC_FILTER, block, filter: found.filter }]
  }

  #block(hash: BlockHash, whole: boolean): readonly Message[] | 'silence' {
    const found = this.#node.blockByHash(hash)
    if (found === undefined) return []
    const block = this.#node.switches.block(found)
    if (block === undefined) return 'silence'
    const stripped = { ...block, transactions: block.transactions.map(stripWitness) }
    const body: Message = { type: 'block', block: whole ? block : stripped }
    if (this.#continuation === undefined || !equalBytes(hash, this.#continuation)) return [body]
    this.#continuation = undefined
    const items = [{ kind: inventory.block, hash: this.#node.tip().hash }]
    return [body, { type: 'inv', items }]
  }

  #transaction(hash: Hash32, whole: boolean): readonly Message[] {
    const transaction = this.#node.pooled(hash)?.transaction
    if (transaction === undefined) return []
    return [{ type: 'tx', transaction: whole ? transaction : stripWitness(transaction) }]
  }
}
