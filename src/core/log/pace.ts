/** When a node proposes for the slot it works on. Source: threshold §17.4, "When to propose". */
import { reconstructionThreshold } from '../base/party.ts'
import type { TimestampNs } from '../base/units.ts'
import { NS_PER_MS } from '../base/units.ts'

/** After a quiet slot, doubled for each further one in a row. §23 */
export const QUIET_WAIT_MS = 100
export const QUIET_WAIT_MS_MAX = 10_000

export type Reasons = {
  /** An item waits that no slot holds, of a node whose items count. */
  readonly hasItem: boolean
  readonly proposers: number
  /** Some other node has said something about the slot, or has an item. */
  readonly isHeard: boolean
}

export class Pace {
  readonly #nodes: number
  /** Slots in a row in which no item was left and no timer fired. */
  #quietRow = 0
  #enteredAt: TimestampNs | undefined
  #isDue = false
  #isRead = false

  constructor(nodes: number) {
    this.#nodes = nodes
  }

  /** A slot was executed, and the next one begins. */
  entered(now: TimestampNs, wasQuiet: boolean): void {
    this.#quietRow = wasQuiet ? this.#quietRow + 1 : 0
    this.#enteredAt = now
    this.#isDue = false
    this.#isRead = false
  }

  /** Own clock has passed the earliest timer of the replicated state. */
  due(): void {
    this.#isDue = true
  }

  /** A client of this node reads, and what is certified is too old. */
  read(): void {
    this.#isRead = true
  }

  /** Milliseconds until it is time to propose, 0 for now; undefined when nothing asks for it. */
  waitMs({ hasItem, proposers, isHeard }: Reasons, now: TimestampNs): number | undefined {
    if (hasItem || this.#isRead || proposers >= reconstructionThreshold(this.#nodes)) return 0
    if (!this.#isDue && !isHeard) return undefined
    if (this.#quietRow === 0 || this.#enteredAt === undefined) return 0
    // Without this wait one liar, or one fast clock, keeps an idle subnet busy.
    const wait = Math.min(QUIET_WAIT_MS * 2 ** (this.#quietRow - 1), QUIET_WAIT_MS_MAX)
    const passed = Number((now - this.#enteredAt) / NS_PER_MS)
    // A clock that was set back waits anew, not for hours.
    return passed < 0 ? wait : Math.max(0, wait - passed)
  }
}
