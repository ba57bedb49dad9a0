/**
 * What nodes say of slots beyond the one worked on: votes of the next one are kept, bounded; of
 * later ones it is only known that there are some. Source: threshold §17.8 rule 3.
 */
import type { NodeIndex } from '../base/party.ts'
import { reconstructionThreshold } from '../base/party.ts'
import { ROUNDS_AHEAD_MAX } from './agreement.ts'
import type { VotesMessage } from './message.ts'
import type { Vote } from './vote.ts'

/** `bval` of both values, `aux`, `conf` and a share of the coin. */
const VOTES_PER_ROUND = 5
/** `echo`, `ready` and `term`. */
const VOTES_WITHOUT_ROUND = 3

type Kept = {
  readonly slot: bigint
  readonly life: bigint
  readonly votes: Vote[]
  dropped: boolean
}

type Early = {
  readonly votes: ReadonlyMap<NodeIndex, readonly Vote[]>
  /** Whose votes of the slot may have been dropped. */
  readonly lacking: readonly NodeIndex[]
}

export class EarlyVotes {
  readonly #nodes: number
  readonly #perSenderMax: number
  /** Of one slot per sender. */
  readonly #kept = new Map<NodeIndex, Kept>()
  /** The newest slot beyond the next one that each node spoke of. */
  readonly #ahead = new Map<NodeIndex, bigint>()

  constructor(nodes: number) {
    this.#nodes = nodes
    const perInstance = VOTES_WITHOUT_ROUND + VOTES_PER_ROUND * (ROUNDS_AHEAD_MAX + 1)
    this.#perSenderMax = 1 + nodes * perInstance
  }

  /** Votes that are kept. */
  get size(): number {
    return [...this.#kept.values()].reduce((sum, { votes }) => sum + votes.length, 0)
  }

  /** f + 1 nodes, so an honest one, have spoken of slots beyond the one worked on. */
  get isBehind(): boolean {
    const beyond = new Set([...this.#kept.keys(), ...this.#ahead.keys()])
    return beyond.size >= reconstructionThreshold(this.#nodes)
  }

  /**
   * `following`: the slot after the one worked on. True when with this sender f + 1 nodes, so an
   * honest one, are beyond it.
   */
  hear(
    from: NodeIndex,
    message: Pick<VotesMessage, 'slot' | 'life' | 'votes'>,
    following: bigint,
  ): boolean {
    const { slot } = message
    if (slot === following) this.#keep(from, message)
    if (slot <= following) return false
    const isFirst = !this.#ahead.has(from)
    this.#ahead.set(from, slot)
    return isFirst && this.#ahead.size === reconstructionThreshold(this.#nodes)
  }

  #keep(
    from: NodeIndex,
    { slot, life, votes }: Pick<VotesMessage, 'slot' | 'life' | 'votes'>,
  ): void {
    const before = this.#kept.get(from)
    // What was kept of a slot that came from elsewhere, or of another life, counts for nothing.
    const isSame = before?.slot === slot && before.life === life
    const kept = isSame ? before : { slot, life, votes: [], dropped: false }
    this.#kept.set(from, kept)
    for (const vote of votes) {
      const isSecond = vote.type === 'initial' && kept.votes.some(({ type }) => type === 'initial')
      if (isSecond) continue
      if (kept.votes.length < this.#perSenderMax) kept.votes.push(vote)
      else kept.dropped = true
    }
  }

  /** The node begins to work on a slot: what came for it of the lives that count there, once. */
  enter(slot: bigint, lifeOf: (node: NodeIndex, slot: bigint) => bigint): Early {
    const kept = [...this.#kept].filter(
      ([node, one]) => one.slot === slot && one.life === lifeOf(node, slot),
    )
    this.#kept.clear()
    const dropped = kept.filter(([, one]) => one.dropped).map(([node]) => node)
    // Those who spoke of this slot before the one before it was worked on are among them.
    const further = [...this.#ahead].filter(([, ahead]) => ahead >= slot).map(([node]) => node)
    for (const [node, ahead] of this.#ahead) if (ahead <= slot) this.#ahead.delete(node)
    return {
      votes: new Map(kept.map(([node, { votes }]) => [node, votes])),
      lacking: [...new Set([...dropped, ...further])],
    }
  }
}
