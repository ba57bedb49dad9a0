/** What goes into one node's log and what comes out of it. Source: threshold §17.1. */
import type { Hash32 } from '../base/bytes.ts'
import type { NodeIndex } from '../base/party.ts'
import type { Coin } from './coin.ts'
import type { LogPosition, Slot } from './log.ts'

/** The delivered slots that a node has on disk. */
export interface SlotDisk {
  readonly position: LogPosition
  /** Canonical bytes; undefined beyond the end. */
  contentAt(slot: bigint): Uint8Array | undefined
  hashAt(slot: bigint): Hash32 | undefined
}

export type LogConfig = {
  readonly nodes: number
  readonly me: NodeIndex
  /** Of the time line: nothing that is said in another one counts. */
  readonly incarnation: bigint
  /** The first slot to deliver: slots on disk from there on are delivered again. */
  readonly from: bigint
  readonly disk: SlotDisk
  /** What earlier lives of this node recorded in this time line. */
  readonly records: ReadonlyMap<string, Uint8Array>
  readonly coin: Coin
  /** Of this node: 0 at first, another one after it returned (§18.4). */
  readonly life: bigint
  /** The life whose votes count in a slot: a function of the log before it. */
  readonly lifeOf: (node: NodeIndex, slot: bigint) => bigint
  /**
   * Whether the disk may be older than what this node has said: it asks the others for its last
   * votes before it says anything.
   */
  readonly checksPast: boolean
  /** Ed25519 signature over `votesContent`. */
  readonly sign: (content: Uint8Array) => Uint8Array
  readonly verify: (node: NodeIndex, content: Uint8Array, signature: Uint8Array) => boolean
  /** Begins the content of every signature: names the subnet and its time line. */
  readonly prefix: Uint8Array
  /** Whether an item may ever count: what cannot is kept by nobody. Cheap and total. */
  readonly isPlausible: (item: Uint8Array) => boolean
}

export type LogAlarm = 'turn' | 'join' | 'resend'

export type LogInput =
  | { readonly type: 'start' }
  | { readonly type: 'message'; readonly from: NodeIndex; readonly bytes: Uint8Array }
  /** The link to a peer is there (again): what was sent before may be lost. */
  | { readonly type: 'linked'; readonly peer: NodeIndex }
  /** Some time in a slot. */
  | { readonly type: 'submit'; readonly item: Uint8Array }
  /**
   * The slot that was delivered last is executed. `wasQuiet`: none of its items counted, and no
   * timer fired.
   */
  | { readonly type: 'executed'; readonly wasQuiet: boolean }
  /** Own clock has passed the earliest timer of the replicated state. */
  | { readonly type: 'due' }
  /** A client reads, and the newest certificate is too old. */
  | { readonly type: 'read' }
  | { readonly type: 'alarm'; readonly name: LogAlarm }

export type LogOutput =
  | { readonly type: 'send'; readonly to: NodeIndex | 'all'; readonly bytes: Uint8Array }
  /** Must be on disk before the outputs that follow it leave. */
  | { readonly type: 'record'; readonly key: string; readonly value: Uint8Array }
  /** Records that nobody needs any more. */
  | { readonly type: 'forget'; readonly keys: readonly string[] }
  /**
   * The next slot. It must be on disk before anything that follows from it leaves. `later`: slots
   * after it that are known to be decided, 2 for more. With 1, others may still wait for the root
   * that it leads to: they decide one slot more meanwhile.
   */
  | { readonly type: 'slot'; readonly slot: Slot; readonly later: 0 | 1 | 2 }
  /** The last one of a name counts. `turn`: as soon as whatever waits has been served. */
  | { readonly type: 'alarm'; readonly name: LogAlarm; readonly afterMs: number }
  /** This node has said more than it has on record: it has to return with a new life. */
  | { readonly type: 'rolledBack' }
  | { readonly type: 'fault'; readonly culprit: NodeIndex; readonly reason: string }
