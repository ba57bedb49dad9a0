/**
 * Request ids that were executed: each at most once while it is valid. Source: IC interface §6.1.
 */
import { toHex } from '../base/bytes.ts'
import type { TimestampNs } from '../base/units.ts'

export class IngressHistory {
  /** Expiry of each id, in the order of execution. */
  readonly #seen = new Map<string, TimestampNs>()

  /**
   * True the first time. An id whose expiry has passed is forgotten: nothing admits it any more.
   */
  first(requestId: Uint8Array, expiry: TimestampNs, now: TimestampNs): boolean {
    this.#forget(now)
    const name = toHex(requestId)
    if (this.#seen.has(name)) return false
    this.#seen.set(name, expiry)
    return true
  }

  /**
   * From the oldest on, until one is still valid: no call pays for more than a few of these steps.
   */
  #forget(now: TimestampNs): void {
    for (const [name, expiry] of this.#seen) {
      if (expiry >= now) return
      this.#seen.delete(name)
    }
  }
}
