/** A clock that tests move without waiting, or hold. Source: RN-11. */
export class ChainClock {
  readonly #now: () => number
  #ahead = 0
  #frozen: number | undefined

  /** `now`: Unix seconds. */
  constructor(now: () => number) {
    this.#now = now
  }

  now(): number {
    return this.#frozen ?? this.#now() + this.#ahead
  }

  /** From here on it stands still, until it is resumed. */
  freeze(): void {
    this.#frozen = this.now()
  }

  /** Goes on from where it stands. */
  resume(): void {
    if (this.#frozen === undefined) return
    this.#ahead = this.#frozen - this.#now()
    this.#frozen = undefined
  }

  /** Never back: blocks and entries of the mempool have times already. */
  advance(seconds: number): void {
    if (!(Number.isSafeInteger(seconds) && seconds >= 0))
      throw new RangeError(`a clock advances by whole seconds, not by ${seconds}`)
    if (this.#frozen === undefined) this.#ahead += seconds
    else this.#frozen += seconds
  }
}
