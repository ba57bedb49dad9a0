/** Links between simulated nodes: which are down, and how often each has been. */
import type { NodeIndex } from '../../src/core/base/party.ts'

const nameOf = (a: NodeIndex, b: NodeIndex): string => `${Math.min(a, b)}/${Math.max(a, b)}`

export class LinkStates {
  readonly #cut = new Map<string, readonly [NodeIndex, NodeIndex]>()
  readonly #lives = new Map<string, number>()

  isCut(a: NodeIndex, b: NodeIndex): boolean {
    return this.#cut.has(nameOf(a, b))
  }

  /** What is on its way arrives only in the life in which it left. */
  life(a: NodeIndex, b: NodeIndex): number {
    return this.#lives.get(nameOf(a, b)) ?? 0
  }

  cut(a: NodeIndex, b: NodeIndex): void {
    this.#cut.set(nameOf(a, b), [a, b])
    this.#lives.set(nameOf(a, b), this.life(a, b) + 1)
  }

  /** All links are up; those that were down. */
  heal(): readonly (readonly [NodeIndex, NodeIndex])[] {
    const healed = [...this.#cut.values()]
    this.#cut.clear()
    return healed
  }
}
