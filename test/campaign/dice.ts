/** Random choices that one seed repeats. Source: style §9. */
import { utf8 } from '../../src/core/base/bytes.ts'
import type { Generator } from '../../src/core/base/seed.ts'
import { Seed } from '../../src/core/base/seed.ts'

export class Dice {
  readonly #generator: Generator

  constructor(seed: string) {
    this.#generator = Seed.fromBytes(utf8(seed)).generator()
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#generator.bytes(4)
    const number = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d
    return least + (number % (most - least + 1))
  }
}
