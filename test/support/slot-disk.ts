/** The slots of one node in memory, as its disk would keep them. */
import type { Hash32 } from '../../src/core/base/bytes.ts'
import type { LogPosition, Slot } from '../../src/core/log/log.ts'
import type { SlotDisk } from '../../src/core/log/log-io.ts'
import { encodeSlot, slotHash } from '../../src/core/log/slot-codec.ts'
import type { Genesis } from '../../src/core/tecdsa/membership.ts'
import { subnetIdOf } from '../../src/core/tecdsa/membership.ts'

export class SlotMemory implements SlotDisk {
  readonly slots: Slot[] = []
  readonly #contents: Uint8Array[] = []
  readonly #hashes: Hash32[] = []
  readonly #origin: Hash32
  readonly #incarnation: bigint

  constructor(genesis: Genesis) {
    this.#origin = subnetIdOf(genesis)
    this.#incarnation = genesis.incarnation
  }

  get position(): LogPosition {
    const next = BigInt(this.slots.length)
    return { next, previous: this.#hashes.at(-1) ?? this.#origin, time: this.slots.at(-1)?.time }
  }

  /** A slot that is there already is passed over. */
  append(slot: Slot): void {
    if (slot.number !== this.position.next) return
    const content = encodeSlot({ incarnation: this.#incarnation, slot })
    this.#hashes.push(slotHash(this.position.previous, content))
    this.#contents.push(content)
    this.slots.push(slot)
  }

  contentAt(slot: bigint): Uint8Array | undefined {
    return this.#contents[Number(slot)]
  }

  hashAt(slot: bigint): Hash32 | undefined {
    return this.#hashes[Number(slot)]
  }
}
