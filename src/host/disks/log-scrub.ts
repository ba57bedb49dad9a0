/**
 * The old part of a log, read through after a start: a start from a snapshot does not read it, and
 * what is damaged there must be known before another node, or the next start, needs it. Source:
 * ledger §18 (D3), case 140.
 */
import type { DiskLog } from './disk-log.ts'

/** Slots looked at in one piece of work. */
export const SCRUB_SLOTS = 32n
/** Between two pieces, so that little is taken from what the node is there for. */
export const SCRUB_PAUSE_MS = 50

export class LogScrub {
  readonly #log: Pick<DiskLog, 'read'>
  /** What is written from now on is read by whoever executes it. */
  readonly #end: bigint
  #next = 0n

  constructor(log: Pick<DiskLog, 'read' | 'position'>) {
    this.#log = log
    this.#end = log.position.next
  }

  /** One piece; whether more is left. Throws the problem of a damaged store, which names the slot. */
  step(): boolean {
    const end = this.#next + SCRUB_SLOTS
    for (; this.#next < end && this.#next < this.#end; this.#next++) this.#log.read(this.#next)
    return this.#next < this.#end
  }
}
