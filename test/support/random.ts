/** Chance for simulations: the same seed gives the same run. */
import { present } from '../../src/core/base/errors.ts'
import { Seed } from '../../src/core/base/seed.ts'

export class Random {
  #words: Uint8Array
  #offset = 0
  readonly #next: () => Uint8Array

  constructor(seed: string) {
    const generator = Seed.fromBytes(new TextEncoder().encode(seed)).generator()
    this.#next = () => generator.bytes(4096)
    this.#words = this.#next()
  }

  /** 32 bits. */
  word(): number {
    if (this.#offset + 4 > this.#words.length) {
      this.#words = this.#next()
      this.#offset = 0
    }
    const view = new DataView(this.#words.buffer, this.#words.byteOffset + this.#offset, 4)
    this.#offset += 4
    return view.getUint32(0)
  }

  /** 0 … limit − 1. */
  below(limit: number): number {
    return this.word() % limit
  }

  /** True once in so many times. */
  oneIn(times: number): boolean {
    return this.below(times) === 0
  }

  pick<T>(values: readonly T[]): T {
    return present(values[this.below(values.length)], 'a value to pick')
  }

  bytes(size: number): Uint8Array {
    return Uint8Array.from({ length: size }, () => this.below(256))
  }

  shuffle<T>(values: readonly T[]): T[] {
    const rest = [...values]
    return Array.from(values, () => present(rest.splice(this.below(rest.length), 1)[0], 'left'))
  }
}
