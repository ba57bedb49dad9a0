/** What our minter asks of others during a step, in the words of a recording. */
import type { Readable } from './format.ts'

export type OurCall = {
  readonly m: string
  readonly in: Readable
  readonly out: Readable
  /** When a timer made it. */
  readonly t?: string | undefined
}

export class OurCalls {
  #calls: OurCall[] = []

  add(call: OurCall): void {
    this.#calls.push(call)
  }

  /** Of the step that ends here. */
  take(): readonly OurCall[] {
    return this.#calls.splice(0)
  }

  get count(): number {
    return this.#calls.length
  }
}
