/**
 * Items that no slot holds yet, by the node they came from. Source: threshold §§17.4, 23.
 */
import type { Hash32 } from '../base/bytes.ts'
import { toHex } from '../base/bytes.ts'
import type { NodeIndex } from '../base/party.ts'
import { Credit } from './credit.ts'
import { SLOT_ITEMS_MAX } from './log.ts'
import { PROPOSED_BODIES_MAX } from './proposal.ts'

/** Stored of one other node; what is beyond is dropped, and sent again by its node later. §23 */
export const STORED_ITEMS_MAX = 1_000
export const STORED_SIZE_MAX = 8 * 1024 * 1024
/** Own ones: nobody else hands them in again. */
export const OWN_ITEMS_MAX = 4_000
export const OWN_SIZE_MAX = 64 * 1024 * 1024
/**
 * Items remembered as ordered. A repeat of an older one is ordered again, which does no harm: every
 * machine drops what it has served.
 */
export const ORDERED_MAX = 20_000
/** An item of another node is proposed when it is unserved after the slot that follows its coming. */
const SLOTS_WAITED = 2n

type Stored = {
  readonly hash: Hash32
  readonly item: Uint8Array
  /** Slot that this node worked on when it came, for an own one when it was handed in last. */
  slot: bigint
}

type Store = { readonly items: Map<string, Stored>; size: number }

export class Pool {
  readonly #me: NodeIndex
  readonly #stores: readonly Store[]
  /** Hashes, oldest first. */
  readonly #ordered = new Set<string>()
  readonly #credit = new Credit()

  constructor(nodes: number, me: NodeIndex) {
    this.#me = me
    this.#stores = Array.from({ length: nodes }, () => ({ items: new Map(), size: 0 }))
  }

  /** Of all items that wait. */
  get bytes(): number {
    return this.#stores.reduce((sum, { size }) => sum + size, 0)
  }

  /** Whether any item waits. */
  get isEmpty(): boolean {
    return this.#stores.every(({ items }) => items.size === 0)
  }

  /** Whether one waits for which to make haste. */
  get isUrgent(): boolean {
    const isHeeded = (node: NodeIndex): boolean => node === this.#me || this.#credit.has(node)
    return this.#stores.some(({ items }, node) => items.size > 0 && isHeeded(node))
  }

  /**
   * False when it is known, was ordered lately, or its node has too many waiting. An own one that is
   * handed in again in a later slot is as good as new: others may have had no room for it.
   */
  add(
    from: NodeIndex,
    item: { readonly hash: Hash32; readonly body: Uint8Array },
    slot: bigint,
  ): boolean {
    const name = toHex(item.hash)
    const store = this.#stores[from]
    if (store === undefined || this.#ordered.has(name)) return false
    const known = store.items.get(name)
    if (known !== undefined) {
      if (from !== this.#me || known.slot >= slot) return false
      known.slot = slot
      return true
    }
    const size = store.size + item.body.length
    if (!this.#hasRoom(from, store.items.size + 1, size)) return false
    store.items.set(name, { hash: item.hash, item: item.body, slot })
    store.size = size
    return true
  }

  #hasRoom(node: NodeIndex, count: number, size: number): boolean {
    return node === this.#me
      ? count <= OWN_ITEMS_MAX && size <= OWN_SIZE_MAX
      : count <= STORED_ITEMS_MAX && size <= STORED_SIZE_MAX
  }

  body(hash: Hash32): Uint8Array | undefined {
    const name = toHex(hash)
    for (const { items } of this.#stores) {
      const stored = items.get(name)
      if (stored !== undefined) return stored.item
    }
    return undefined
  }

  /** This node's own items, for a node that may have missed them. */
  own(): readonly Uint8Array[] {
    return [...(this.#stores[this.#me]?.items.values() ?? [])].map(({ item }) => item)
  }

  /**
   * What this node proposes for `slot`: its own items, and those of others that have waited, by
   * turns of the nodes they came from, oldest first.
   */
  choose(slot: bigint): readonly Hash32[] {
    const queues = this.#turns(slot).map((node) =>
      [...(this.#stores[node]?.items.values() ?? [])].filter(
        (stored) => node === this.#me || stored.slot + SLOTS_WAITED <= slot,
      ),
    )
    const chosen = new Map<string, Hash32>()
    let size = 0
    for (let turn = 0; queues.some((queue) => turn < queue.length); turn++)
      for (const queue of queues) {
        const stored = queue[turn]
        if (stored === undefined || chosen.has(toHex(stored.hash))) continue
        size += stored.item.length
        if (size > PROPOSED_BODIES_MAX || chosen.size === SLOT_ITEMS_MAX)
          return [...chosen.values()]
        chosen.set(toHex(stored.hash), stored.hash)
      }
    return [...chosen.values()]
  }

  /**
   * This node first, then another one first in each slot: two large items of liars fill a proposal,
   * and must not do so for ever.
   */
  #turns(slot: bigint): readonly NodeIndex[] {
    const nodes = this.#stores.length
    const first = Number(slot % BigInt(nodes))
    const others = Array.from({ length: nodes }, (_, i) => (first + i) % nodes)
    return [this.#me, ...others.filter((node) => node !== this.#me)]
  }

  /** A slot holds the item. */
  ordered(hash: Hash32): void {
    const name = toHex(hash)
    for (const [node, store] of this.#stores.entries()) {
      const stored = store.items.get(name)
      if (stored === undefined) continue
      store.items.delete(name)
      store.size -= stored.item.length
      this.#credit.ordered(node)
    }
    this.#ordered.add(name)
    const [oldest] = this.#ordered
    if (this.#ordered.size > ORDERED_MAX && oldest !== undefined) this.#ordered.delete(oldest)
  }

  /** The slot is executed whose items were told last; `wasQuiet`: none of them counted. */
  executed(wasQuiet: boolean): void {
    this.#credit.executed(wasQuiet)
  }
}
