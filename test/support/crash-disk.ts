/** The disk of one simulated node: what was committed survives it, the rest does not. Threshold §18.4. */
import type { Hash32 } from '../../src/core/base/bytes.ts'
import type { LogPosition, Slot } from '../../src/core/log/log.ts'
import type { SlotDisk } from '../../src/core/log/log-io.ts'
import { encodeSlot, slotHash } from '../../src/core/log/slot-codec.ts'

export class CrashDisk implements SlotDisk {
  records = new Map<string, Uint8Array>()
  readonly #origin: LogPosition
  readonly #incarnation: bigint
  readonly #slots: {
    readonly slot: Slot
    readonly content: Uint8Array
    readonly hash: Hash32
  }[] = []

  /** `origin`: where its time line begins. */
  constructor(origin: LogPosition, incarnation: bigint) {
    this.#origin = origin
    this.#incarnation = incarnation
  }

  get position(): LogPosition {
    const last = this.#slots.at(-1)
    if (last === undefined) return this.#origin
    return { next: last.slot.number + 1n, previous: last.hash, time: last.slot.time }
  }

  /** A slot that is there already is passed over: a node that starts again executes it anew. */
  append(slot: Slot): void {
    const { next, previous } = this.position
    if (slot.number !== next) return
    const content = encodeSlot({ incarnation: this.#incarnation, slot })
    this.#slots.push({ slot, content, hash: slotHash(previous, content) })
  }

  /** A copy of it as it is now: putting it back loses all that came since. */
  copy(): () => void {
    const [count, records] = [this.#slots.length, new Map(this.records)]
    return () => {
      this.#slots.length = count
      this.records = new Map(records)
    }
  }

  contentAt(slot: bigint): Uint8Array | undefined {
    return this.#slots[this.#place(slot)]?.content
  }

  hashAt(slot: bigint): Hash32 | undefined {
    return this.#slots[this.#place(slot)]?.hash
  }

  #place(slot: bigint): number {
    return Number(slot - this.#origin.next)
  }
}
