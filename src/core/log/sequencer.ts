/**
 * Substitute for the log (threshold §17.6): one object that orders for all nodes, behind the
 * interface of §17.1.
 */
import { toHex } from '../base/bytes.ts'
import { sha256 } from '../base/hash.ts'
import type { NodeIndex } from '../base/party.ts'
import { agreementQuorum, reconstructionThreshold } from '../base/party.ts'
import { bytesInput, integerInput, oracleBytes } from '../base/random-oracle.ts'
import type { TimestampNs } from '../base/units.ts'
import { addNs } from '../base/units.ts'
import type { Log, LogDelivery, LogInput, LogOutput, Slot } from './log.ts'
import { ITEM_SIZE_MAX, SLOT_SIZE_MAX } from './log.ts'

/** Items of one node that wait for a slot; what is beyond is dropped and submitted again. §23. */
const WAITING_ITEMS_MAX = 1_000
const WAITING_SIZE_MAX = 8 * 1024 * 1024

type Waiting = { readonly item: Uint8Array; readonly from: NodeIndex }

/**
 * It waits, like the real log, for n − f nodes before it decides a slot, and for f + 1 nodes before
 * it gives ω of a slot away. What it cannot give is trust: who runs it chooses order and ω.
 */
export class Sequencer implements Log {
  readonly #nodes: number
  readonly #entropy: Uint8Array
  readonly #slots: Slot[] = []
  readonly #waiting = new Map<string, Waiting>()
  readonly #ordered = new Set<string>()
  /** Slot that each node works on; absent while it is down. */
  readonly #working = new Map<NodeIndex, bigint>()
  readonly #tapeWishes = new Map<bigint, Set<NodeIndex>>()

  /** `entropy`: 32 fresh secret bytes, from which every ω is drawn. */
  constructor(nodes: number, entropy: Uint8Array) {
    this.#nodes = nodes
    this.#entropy = entropy
  }

  step(from: NodeIndex, input: LogInput, now: TimestampNs): readonly LogDelivery[] {
    switch (input.type) {
      case 'submit':
        this.#submit(from, input.item)
        return this.#decide(now)
      case 'working':
        return this.#work(from, input.slot, now)
      case 'tape':
        return this.#tape(from, input.slot)
    }
  }

  down(node: NodeIndex): void {
    this.#working.delete(node)
    for (const wishes of this.#tapeWishes.values()) wishes.delete(node)
  }

  get #next(): bigint {
    return BigInt(this.#slots.length)
  }

  #submit(from: NodeIndex, item: Uint8Array): void {
    const id = toHex(sha256(item))
    if (item.length > ITEM_SIZE_MAX || this.#ordered.has(id) || this.#waiting.has(id)) return
    const own = [...this.#waiting.values()].filter((waiting) => waiting.from === from)
    const size = own.reduce((sum, waiting) => sum + waiting.item.length, item.length)
    if (own.length < WAITING_ITEMS_MAX && size <= WAITING_SIZE_MAX)
      this.#waiting.set(id, { item, from })
  }

  #work(from: NodeIndex, slot: bigint, now: TimestampNs): readonly LogDelivery[] {
    // No such slot yet: a node that says so is wrong or of another run.
    if (slot < 0n || slot > this.#next) return []
    this.#working.set(from, slot)
    const decided = this.#slots[Number(slot)]
    // One slot at a time: a node that is behind asks for the next one by working on it.
    if (decided !== undefined) return [{ to: from, output: this.#output(decided) }]
    return this.#decide(now)
  }

  #decide(now: TimestampNs): readonly LogDelivery[] {
    const ready = [...this.#working].filter(([, slot]) => slot === this.#next)
    if (this.#waiting.size === 0 || ready.length < agreementQuorum(this.#nodes)) return []
    const slot = this.#take(now)
    this.#slots.push(slot)
    return ready.map(([to]) => ({ to, output: this.#output(slot) }))
  }

  #output(slot: Slot): LogOutput {
    return { type: 'slot', slot, head: this.#next - 1n }
  }

  #take(now: TimestampNs): Slot {
    const items: Uint8Array[] = []
    let size = 0
    for (const [id, { item }] of this.#waiting) {
      size += item.length
      if (items.length > 0 && size > SLOT_SIZE_MAX) break
      items.push(item)
      this.#waiting.delete(id)
      this.#ordered.add(id)
    }
    const last = this.#slots.at(-1)
    const earliest = last === undefined ? now : addNs(last.time, 1n)
    return { number: this.#next, time: now > earliest ? now : earliest, items }
  }

  #tape(from: NodeIndex, slot: bigint): readonly LogDelivery[] {
    const position = this.#working.get(from)
    if (position === undefined || slot < 0n || slot >= position) return []
    const wishes = this.#tapeWishes.get(slot) ?? new Set()
    this.#tapeWishes.set(slot, wishes.add(from))
    if (wishes.size < reconstructionThreshold(this.#nodes)) return []
    const value = oracleBytes(
      'ckbtc-sequencer-tape',
      { entropy: bytesInput(this.#entropy), slot: integerInput(slot) },
      32,
    )
    // To all who asked: who asks later finds the wishes there and is answered at once.
    return [...wishes].map((to) => ({ to, output: { type: 'tape', slot, value } }))
  }
}
