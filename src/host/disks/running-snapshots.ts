/**
 * When a node that runs puts a snapshot of its canisters on its disk: a start after a kill executes
 * no more than what came since. Source: architecture §7, ledger §18 (D4), case 148.
 *
 * A snapshot costs in proportion to the state, so that it waits for the log to grow in proportion to
 * it. The node is busy meanwhile: nodes take turns, so that n − f others go on.
 */
import type { NodeIndex } from '../../core/base/party.ts'
import type { Slot } from '../../core/log/log.ts'
import type { SubnetNode } from '../../core/subnet/node.ts'
import type { NodeDisk } from './node-disk.ts'
import { saveNode } from './node-restore.ts'

/** Bytes of log for which it is not worth the while. */
export const SNAPSHOT_LOG_MIN = 8 * 1024 * 1024
/** What a slot weighs, however little is in it: bytes that are executed in as much time. */
export const SLOT_WEIGHT = 4 * 1024
/** A snapshot is due when the log has grown by this part of its size. */
const GROWTH_DIVISOR = 4
/** Slots of one node's turn, where the limit is not smaller. */
const TURN_SLOTS_MAX = 64
/** Turns of all nodes that fit into the least distance of two snapshots. */
const ROUNDS = 4

export type SnapshotOptions = {
  readonly me: NodeIndex
  readonly nodes: number
  /** In place of `SNAPSHOT_LOG_MIN`. */
  readonly logMin?: number | undefined
}

/** When a snapshot is due. */
export class SnapshotPace {
  readonly #me: NodeIndex
  readonly #nodes: number
  readonly #logMin: number
  /** Slots of one turn. */
  readonly #turn: number
  /** Weight of the log since the newest snapshot. */
  #grown = 0
  /** Of the newest snapshot; 0 while it is not known. */
  #size = 0

  constructor({ me, nodes, logMin = SNAPSHOT_LOG_MIN }: SnapshotOptions) {
    this.#me = me
    this.#nodes = nodes
    this.#logMin = logMin
    const fitting = Math.floor(logMin / SLOT_WEIGHT / ROUNDS / nodes)
    this.#turn = Math.max(1, Math.min(TURN_SLOTS_MAX, fitting))
  }

  executed({ items }: Pick<Slot, 'items'>): void {
    const bytes = items.reduce((sum, item) => sum + item.length, 0)
    this.#grown += Math.max(SLOT_WEIGHT, bytes)
  }

  saved(size: number): void {
    this.#grown = 0
    this.#size = size
  }

  /**
   * Whether to take one before slot `next`. Rather not while clients may wait for this node's word
   * (`isSettling`), but when the turn comes to its end.
   */
  isDue(next: bigint, isSettling: boolean): boolean {
    if (this.#grown < Math.max(this.#logMin, this.#size / GROWTH_DIVISOR)) return false
    const turn = BigInt(this.#turn)
    if ((next / turn) % BigInt(this.#nodes) !== BigInt(this.#me)) return false
    const isLate = (Number(next % turn) + 1) * 2 > this.#turn
    return isLate || !isSettling
  }
}

export class RunningSnapshots {
  readonly #disk: NodeDisk
  readonly #pace: SnapshotPace

  constructor(disk: NodeDisk, options: SnapshotOptions) {
    this.#disk = disk
    this.#pace = new SnapshotPace(options)
  }

  executed(slot: Slot): void {
    this.#pace.executed(slot)
  }

  isDue({ slot, isSettling }: SubnetNode): boolean {
    return this.#pace.isDue(slot, isSettling)
  }

  /** What the node has come to is on disk when this returns. Throws what the disk refuses with. */
  take(node: SubnetNode): void {
    this.#pace.saved(saveNode(this.#disk, node))
  }
}
