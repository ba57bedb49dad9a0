/** Votes for the slot after the one a node works on, bounded. Source: threshold §17.8 rule 3. */
import type { NodeIndex } from '../base/party.ts'
import { ROUNDS_AHEAD_MAX } from './agreement.ts'
import type { Vote } from './vote.ts'

/** `bval` of both values, `aux`, `conf` and a share of the coin. */
const VOTES_PER_ROUND = 5
/** `echo`, `ready` and `term`. */
const VOTES_WITHOUT_ROUND = 3

export class EarlyVotes {
  readonly #perSenderMax: number
  readonly #votes = new Map<NodeIndex, Vote[]>()
  #dropped = false

  constructor(nodes: number) {
    const perInstance = VOTES_WITHOUT_ROUND + VOTES_PER_ROUND * (ROUNDS_AHEAD_MAX + 1)
    this.#perSenderMax = 1 + nodes * perInstance
  }

  get isEmpty(): boolean {
    return this.#votes.size === 0
  }

  add(from: NodeIndex, votes: readonly Vote[]): void {
    const kept = this.#votes.get(from) ?? []
    this.#votes.set(from, kept)
    for (const vote of votes) {
      const isSecond = vote.type === 'initial' && kept.some(({ type }) => type === 'initial')
      if (isSecond) continue
      if (kept.length < this.#perSenderMax) kept.push(vote)
      else this.#dropped = true
    }
  }

  /** All of them, with whether some were dropped; the store is empty then. */
  take(): { readonly votes: ReadonlyMap<NodeIndex, readonly Vote[]>; readonly dropped: boolean } {
    const taken = { votes: new Map(this.#votes), dropped: this.#dropped }
    this.#votes.clear()
    this.#dropped = false
    return taken
  }
}
