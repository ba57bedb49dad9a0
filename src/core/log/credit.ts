/**
 * For whose items the log makes haste: one whose items count for nothing, slot after slot, must not
 * keep an idle subnet busy with them. Source: threshold §17.4, "When to propose".
 */
import type { NodeIndex } from '../base/party.ts'

/** Slots in a row in which items of a node were, and no item counted. §23 */
export const VAIN_SLOTS_MAX = 8

export class Credit {
  readonly #vain = new Map<NodeIndex, number>()
  /** Whose items are in the slot that is executed. */
  readonly #present = new Set<NodeIndex>()

  /** An item that waited for the node is in the slot. */
  ordered(from: NodeIndex): void {
    this.#present.add(from)
  }

  /** `wasQuiet`: none of the items of the slot counted. */
  executed(wasQuiet: boolean): void {
    for (const node of this.#present)
      this.#vain.set(node, wasQuiet ? (this.#vain.get(node) ?? 0) + 1 : 0)
    this.#present.clear()
  }

  has(node: NodeIndex): boolean {
    return (this.#vain.get(node) ?? 0) < VAIN_SLOTS_MAX
  }
}
