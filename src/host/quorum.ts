/** Waits until enough nodes say the same bytes. */
import { toHex } from '../core/base/bytes.ts'
import type { NodeIndex } from '../core/base/party.ts'

/** Nobody can say any more what the answer is. */
export class NoQuorum extends Error {
  override readonly name = 'NoQuorum'
}

export class Quorum {
  readonly #enough: number
  readonly #votersMax: number
  readonly #votes = new Map<NodeIndex, string>()
  readonly #resolve: (answer: Uint8Array) => void
  readonly #reject: (reason: NoQuorum) => void

  private constructor(
    enough: number,
    votersMax: number,
    settle: {
      readonly resolve: (answer: Uint8Array) => void
      readonly reject: (reason: NoQuorum) => void
    },
  ) {
    this.#enough = enough
    this.#votersMax = votersMax
    this.#resolve = settle.resolve
    this.#reject = settle.reject
  }

  /** `votersMax`: after so many different voices without agreement the promise rejects with `NoQuorum`. */
  static create(
    enough: number,
    votersMax = Number.POSITIVE_INFINITY,
  ): { readonly promise: Promise<Uint8Array>; readonly quorum: Quorum } {
    const { promise, resolve, reject } = withResolvers<Uint8Array>()
    return { promise, quorum: new Quorum(enough, votersMax, { resolve, reject }) }
  }

  /** The first word of a node counts. */
  vote(node: NodeIndex, answer: Uint8Array): void {
    if (this.#votes.has(node)) return
    const text = toHex(answer)
    this.#votes.set(node, text)
    const same = [...this.#votes.values()].filter((vote) => vote === text).length
    if (same >= this.#enough) this.#resolve(answer)
    else if (this.#votes.size >= this.#votersMax) this.giveUp()
  }

  giveUp(): void {
    this.#reject(new NoQuorum(`${this.#votes.size} answers without agreement`))
  }
}

function withResolvers<T>(): {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (reason: unknown) => void
} {
  let resolve: (value: T) => void = () => undefined
  let reject: (reason: unknown) => void = () => undefined
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
