/** Choices of one action, drawn from a few words that its history gives it. For tests only. */
import { present } from '../../../src/core/base/errors.ts'

/** As many words; an action that needs more goes round, changed a little. */
export const WORDS = 8

export class Draw {
  readonly #words: readonly number[]
  #drawn = 0

  constructor(words: readonly number[]) {
    this.#words = words
  }

  below(limit: number): number {
    const word = this.#words[this.#drawn % this.#words.length] ?? 0
    const round = Math.floor(this.#drawn / this.#words.length)
    this.#drawn += 1
    return (Math.imul(word ^ (round * 0x9e37_79b9), round === 0 ? 1 : 0x85eb_ca6b) >>> 0) % limit
  }

  oneIn(times: number): boolean {
    return this.below(times) === 0
  }

  pick<T>(values: readonly T[]): T {
    return present(values[this.below(values.length)], 'a value to pick')
  }
}
