/**
 * Substitute for the log (threshold §17.6): one object that orders for all nodes, behind the
 * interface of §17.1.
 */
import { toHex } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { sha256 } from '../../src/core/base/hash.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { agreementQuorum, reconstructionThreshold } from '../../src/core/base/party.ts'
import { bytesInput, integerInput, oracleBytes } from '../../src/core/base/random-oracle.ts'
import type { TimestampNs } from '../../src/core/base/units.ts'
import { addNs } from '../../src/core/base/units.ts'
import type { LogPosition, Slot } from '../../src/core/log/log.ts'
import { ITEM_SIZE_MAX, SLOT_ITEMS_MAX, SLOT_SIZE_MAX } from '../../src/core/log/log.ts'

/** What a node says to the log. */
export type LogInput =
  /** Some time in a slot, if an honest node submits it and it is not there already. */
  | { readonly type: 'submit'; readonly item: Uint8Array }
  /** The node has every slot below `slot` on disk and acted on it; it works on `slot` now. */
  | { readonly type: 'working'; readonly slot: bigint }
  /** The node needs ω of a slot it has delivered (§16.4). */
  | { readonly type: 'tape'; readonly slot: bigint }

/** What the log says to a node. */
export type LogOutput =
  /** `head`: number of the newest slot decided; a node that gets an older one is behind. */
  | { readonly type: 'slot'; readonly slot: Slot; readonly head: bigint }
  /** ω of a slot, 32 bytes: unknown to everybody before the slot was decided. */
  | { readonly type: 'tape'; readonly slot: bigint; readonly value: Uint8Array }

/** The side of the log that a driver holds: inputs of nodes in, outputs to nodes out. */
export interface Log {
  /** `now`: the clock that slot times are taken from. Total: no input of a node makes it throw. */
  step(from: NodeIndex, input: LogInput, now: TimestampNs): readonly LogDelivery[]
  /** The node's links are down: what it said last no longer counts for progress. */
  down(node: NodeIndex): void
}

export type LogDelivery = { readonly to: NodeIndex; readonly output: LogOutput }

/** Items of one node that wait for a slot; what is beyond is dropped and submitted again. §23. */
const WAITING_ITEMS_MAX = 1_000
const WAITING_SIZE_MAX = 8 * 1024 * 1024
/** Decided slots kept in memory when older ones can be read, and bytes of their items. */
export const KEPT_SLOTS_MAX = 1_000
const KEPT_SIZE_MAX = 32 * 1024 * 1024
/**
 * Items remembered as ordered. A repeat of an older one is ordered again, which does no harm: every
 * machine drops what it has served.
 */
export const ORDERED_MAX = 20_000
/** Slots whose ω one node waits for; beyond that its oldest wish is dropped. */
export const TAPE_WISHES_MAX = 1_000

type Waiting = { readonly item: Uint8Array; readonly from: NodeIndex }

export type SequencerOptions = {
  /** Where an older log ends that is to go on; a new log begins at slot 0. */
  readonly position?: Pick<LogPosition, 'next' | 'time'>
  /**
   * A slot that a node has on disk: all those beyond which n − f nodes work are found. Without it
   * every slot stays in memory.
   */
  readonly read?: (slot: bigint) => Slot | undefined
}

/**
 * It waits, like the real log, for n − f nodes before it decides a slot, and for f + 1 nodes before
 * it gives ω of a slot away. What it cannot give is trust: who runs it chooses order and ω.
 */
export class Sequencer implements Log {
  #nodes: number
  readonly #entropy: Uint8Array
  readonly #read: SequencerOptions['read']
  /** The first slot decided here. */
  readonly #first: bigint
  #next: bigint
  /** Of the newest slot. */
  #time: TimestampNs | undefined
  /** The newest slots, ascending. */
  readonly #kept = new Map<bigint, Slot>()
  #keptSize = 0
  readonly #waiting = new Map<string, Waiting>()
  /** Oldest first. */
  readonly #ordered = new Set<string>()
  /** Slot that each node works on; absent while it is down. */
  readonly #working = new Map<NodeIndex, bigint>()
  /** Slots whose ω each node waits for, oldest wish first. */
  readonly #wishes = new Map<NodeIndex, Set<bigint>>()

  /** `entropy`: 32 fresh secret bytes, from which every ω is drawn; new ones at every start. */
  constructor(
    nodes: number,
    entropy: Uint8Array,
    { position = { next: 0n, time: undefined }, read }: SequencerOptions = {},
  ) {
    this.#nodes = nodes
    this.#entropy = entropy
    this.#read = read
    this.#first = position.next
    this.#next = position.next
    this.#time = position.time
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
    this.#wishes.delete(node)
  }

  /** The membership has changed. */
  resize(nodes: number): void {
    this.#nodes = nodes
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
    if (slot === this.#next) return this.#decide(now)
    // One slot at a time: a node that is behind asks for the next one by working on it.
    const decided = this.#kept.get(slot) ?? this.#read?.(slot)
    return decided === undefined ? [] : [{ to: from, output: this.#output(decided) }]
  }

  #decide(now: TimestampNs): readonly LogDelivery[] {
    const ready = [...this.#working].filter(([, slot]) => slot === this.#next)
    if (this.#waiting.size === 0 || ready.length < agreementQuorum(this.#nodes)) return []
    const slot = this.#take(now)
    this.#next += 1n
    this.#time = slot.time
    this.#keep(slot)
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
      const isFull = size > SLOT_SIZE_MAX || items.length === SLOT_ITEMS_MAX
      if (items.length > 0 && isFull) break
      items.push(item)
      this.#waiting.delete(id)
      remember(this.#ordered, id, ORDERED_MAX)
    }
    const earliest = this.#time === undefined ? now : addNs(this.#time, 1n)
    return { number: this.#next, time: now > earliest ? now : earliest, proposers: [], items }
  }

  /** The newest slot is on no disk yet; those before it are, as n − f nodes work beyond them. */
  #keep(slot: Slot): void {
    this.#kept.set(slot.number, slot)
    this.#keptSize += sizeOf(slot)
    if (this.#read === undefined) return
    for (const [number, old] of this.#kept) {
      if (number === slot.number) return
      if (this.#kept.size <= KEPT_SLOTS_MAX && this.#keptSize <= KEPT_SIZE_MAX) return
      this.#kept.delete(number)
      this.#keptSize -= sizeOf(old)
    }
  }

  #tape(from: NodeIndex, slot: bigint): readonly LogDelivery[] {
    const position = this.#working.get(from)
    // Pairings of slots before the start are void (§18.4), so nobody needs their ω.
    if (position === undefined || slot < this.#first || slot >= position) return []
    const wishes = this.#wishes.get(from) ?? new Set()
    this.#wishes.set(from, wishes)
    remember(wishes, slot, TAPE_WISHES_MAX)
    const waiting = [...this.#wishes].filter(([, slots]) => slots.has(slot))
    if (waiting.length < reconstructionThreshold(this.#nodes)) return []
    const value = oracleBytes(
      'ckbtc-sequencer-tape',
      { entropy: bytesInput(this.#entropy), slot: integerInput(slot) },
      32,
    )
    // To all who asked: who asks later finds the wishes there and is answered at once.
    return waiting.map(([to]) => ({ to, output: { type: 'tape', slot, value } }))
  }
}

const sizeOf = ({ items }: Slot): number => items.reduce((sum, item) => sum + item.length, 0)

/** Adds to a set that forgets its oldest member when it is full. */
function remember<T>(set: Set<T>, member: T, sizeMax: number): void {
  set.add(member)
  if (set.size <= sizeMax) return
  const [oldest] = set
  set.delete(present<T>(oldest, 'a full set has a member'))
}
