/**
 * Items that this node has submitted and not yet seen in a slot: handed in again while unserved.
 * Source: threshold §17.4.
 */
import { toHex } from '../base/bytes.ts'
import { sha256 } from '../base/hash.ts'

/** Slots without an item after which it is handed in again: the log may have had no room for it. */
const PATIENCE_SLOTS = 16n
/**
 * Items remembered; beyond that the oldest is let go. §23 gives one node as much room in the log.
 */
const ITEMS_MAX = 1_000

type Pending = { readonly item: Uint8Array; submittedAt: bigint }

export class Unserved {
  readonly #pending = new Map<string, Pending>()

  /** The item leaves for the log while the node works on `slot`. */
  add(item: Uint8Array, slot: bigint): void {
    this.#pending.set(toHex(sha256(item)), { item, submittedAt: slot })
    const [oldest] = this.#pending.keys()
    if (this.#pending.size > ITEMS_MAX && oldest !== undefined) this.#pending.delete(oldest)
  }

  /**
   * A slot was executed: what it held is served; what has waited too long is to be handed in again.
   */
  afterSlot(slot: bigint, items: readonly Uint8Array[]): readonly Uint8Array[] {
    if (this.#pending.size === 0) return []
    for (const item of items) this.#pending.delete(toHex(sha256(item)))
    const late = [...this.#pending.values()].filter(
      ({ submittedAt }) => slot - submittedAt >= PATIENCE_SLOTS,
    )
    for (const pending of late) pending.submittedAt = slot
    return late.map(({ item }) => item)
  }
}
