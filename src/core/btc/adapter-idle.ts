/** Connections that nobody needs for a while. Source: `docs/spec/bitcoin.md` §3.8 AD-11. */

export class AdapterIdle {
  /** Undefined: never idle. */
  readonly #afterMs: number | undefined
  #calledMs = 0
  #isIdle = false

  constructor(afterMs: number | undefined) {
    this.#afterMs = afterMs
  }

  get isIdle(): boolean {
    return this.#isIdle
  }

  get deadlineMs(): number {
    if (this.#afterMs === undefined || this.#isIdle) return Number.POSITIVE_INFINITY
    return this.#calledMs + this.#afterMs
  }

  /** Whether connections are to be made again. */
  called(nowMs: number): boolean {
    const wasIdle = this.#isIdle
    this.#calledMs = nowMs
    this.#isIdle = false
    return wasIdle
  }

  /** Whether connections are to end now. */
  expire(nowMs: number): boolean {
    if (nowMs < this.deadlineMs) return false
    this.#isIdle = true
    return true
  }
}
