/** When a node asks again for what does not come. Source: threshold §17.8 rule 2. */

export const RESEND_MS = 2_000
export const RESEND_MS_MAX = 60_000

/** One alarm while a slot is open; it counts only where nothing moved since it was set. */
export class Reminder {
  #delayMs = RESEND_MS
  #isArmed = false
  #hasMoved = false

  /** Another slot. */
  begin(): void {
    this.#delayMs = RESEND_MS
    this.#isArmed = false
    this.#hasMoved = false
  }

  moved(): void {
    this.#hasMoved = true
  }

  /** Milliseconds for which an alarm is to be set now; undefined when it is set already. */
  arm(): number | undefined {
    if (this.#isArmed) return undefined
    this.#isArmed = true
    this.#hasMoved = false
    return this.#delayMs
  }

  /** The alarm fired: whether to ask. It is to be set again. */
  fire(): boolean {
    if (!this.#isArmed) return false // Of a slot that is over.
    this.#isArmed = false
    this.#delayMs = this.#hasMoved ? RESEND_MS : Math.min(2 * this.#delayMs, RESEND_MS_MAX)
    return !this.#hasMoved
  }
}
