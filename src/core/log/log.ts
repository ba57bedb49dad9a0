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
