/** Waits until enough nodes say the same bytes. */
import { toHex } from '../core/base/bytes.ts'
import type { NodeIndex } from '../core/base/party.ts'

export class Quorum {
  /** What enough nodes say alike; undefined when nobody can say any more what that is. */
  readonly answer: Promise<Uint8Array | undefined>
  readonly #enough: number
  /** Nodes that may still speak; undefined: whoever comes. */
  readonly #silent: Set<NodeIndex> | undefined
  readonly #votes = new Map<NodeIndex, string>()
  #resolve: (answer: Uint8Array | undefined) => void = () => undefined

  /** `voters`: who is asked. Without them the answer is waited for until `giveUp`. */
  constructor(enough: number, voters?: Iterable<NodeIndex>) {
    this.#enough = enough
    this.#silent = voters === undefined ? undefined : new Set(voters)
    this.answer = new Promise((resolve) => {
      this.#resolve = resolve
    })
    this.#consider()
  }

  /** The first word of a node counts. */
  vote(node: NodeIndex, answer: Uint8Array): void {
    if (this.#votes.has(node)) return
    const text = toHex(answer)
    this.#votes.set(node, text)
    const same = [...this.#votes.values()].filter((vote) => vote === text).length
    if (same >= this.#enough) this.#resolve(answer)
    this.abstain(node)
  }

  /** The node will say nothing (more): it was ended. */
  abstain(node: NodeIndex): void {
    this.#silent?.delete(node)
    this.#consider()
  }

  giveUp(): void {
    this.#resolve(undefined)
  }

  /** Once all have spoken, nothing can change; an answer given before stands. */
  #consider(): void {
    if (this.#silent?.size === 0) this.giveUp()
  }
}
