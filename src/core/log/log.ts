/**
 * What the rest of the subnet knows of the log: one sequence of slots, equal at every honest node.
 * Source: threshold §17.1.
 */
import type { Hash32 } from '../base/bytes.ts'
import type { NodeIndex } from '../base/party.ts'
import type { TimestampNs } from '../base/units.ts'

/** Bytes of one item at most; threshold specification §23. */
export const ITEM_SIZE_MAX = 4 * 1024 * 1024

/** Bytes of the items of one slot at most, as §23 bounds the bodies that a proposal names. */
export const SLOT_SIZE_MAX = 8 * 1024 * 1024

/** Items of one slot at most, so that one block holds as many calls as IC interface §25 allows. */
export const SLOT_ITEMS_MAX = 500

/**
 * One decided slot: what was ordered, and when. Items are opaque here; their validity is judged by
 * who executes them.
 */
export type Slot = {
  /** From 0, without gaps. */
  readonly number: bigint
  /** Rises by at least 1 ns a slot. */
  readonly time: TimestampNs
  /** Whose proposals entered it, and their clocks, ascending; the sequencer has none. */
  readonly proposers: readonly { readonly node: NodeIndex; readonly clock: TimestampNs }[]
  readonly items: readonly Uint8Array[]
}

/** Where a log ends, and the next slot begins. */
export type LogPosition = {
  /** Number of the next slot. */
  readonly next: bigint
  /** Hash of the slot before it; at slot 0 the genesis id (§17.7). */
  readonly previous: Hash32
  /** Of the slot before it; none at slot 0. */
  readonly time: TimestampNs | undefined
}

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
