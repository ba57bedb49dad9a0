/**
 * Binary agreement with a common coin: whether one proposal enters the slot. Source: threshold
 * §17.3, whose steps the comments name.
 */
import { assert, present } from '../base/errors.ts'
import type { NodeIndex } from '../base/party.ts'
import { agreementQuorum, reconstructionThreshold, verificationThreshold } from '../base/party.ts'
import type { Bit, Combined } from './coin.ts'
import { FIXED_COINS } from './coin.ts'
import type { AgreementVote, BitSet } from './vote.ts'
import { setOf } from './vote.ts'

/** Rounds beyond its own of which a node keeps the votes of others; threshold §17.8. */
export const ROUNDS_AHEAD_MAX = 16

/** The coins of one instance from round 2 on. */
export type InstanceCoin = {
  /** Undefined while the own share cannot be made, or the coin needs none. */
  readonly share: (round: number) => Uint8Array | undefined
  readonly toss: (round: number, shares: ReadonlyMap<NodeIndex, Uint8Array>) => Combined
}

type WithoutInstance<V> = V extends AgreementVote ? Omit<V, 'instance'> : never
/** A vote of one instance. */
export type InstanceVote = WithoutInstance<AgreementVote>

export type AgreementOptions = {
  readonly nodes: number
  readonly me: NodeIndex
  readonly coin: InstanceCoin
  /** Says a vote to all, itself included: it comes back through `receive` at once. */
  readonly say: (vote: InstanceVote) => void
  readonly fault: (culprit: NodeIndex, reason: string) => void
}

/** What one round has heard. A node's own votes are among them. */
type Round = {
  readonly bval: readonly [Set<NodeIndex>, Set<NodeIndex>]
  /** Accepted values, in the order of acceptance. */
  readonly bin: Bit[]
  readonly aux: Map<NodeIndex, Bit>
  readonly conf: Map<NodeIndex, BitSet>
  readonly shares: Map<NodeIndex, Uint8Array>
  readonly falseShares: Set<NodeIndex>
  /** U of step 4, fixed once. */
  union: BitSet | undefined
}

/**
 * Like `Broadcast`, it finds what it has said among what it has heard: own recorded votes given back
 * through `receive` put it where it was.
 */
export class Agreement {
  readonly #options: AgreementOptions
  readonly #rounds: Round[] = []
  /** Of `term`, by sender. */
  readonly #terms = new Map<NodeIndex, Bit>()
  #round = 0
  #estimate: Bit | undefined
  #decision: Bit | undefined
  /** The lowest round of which votes were dropped. */
  #droppedFrom = Number.POSITIVE_INFINITY

  constructor(options: AgreementOptions) {
    this.#options = options
  }

  /** Votes that are kept. */
  get size(): number {
    const counts = this.#rounds.map(({ bval: [zero, one], aux, conf, shares }) =>
      [zero, one, aux, conf, shares].reduce((sum, kept) => sum + kept.size, 0),
    )
    return counts.reduce((sum, count) => sum + count, this.#terms.size)
  }

  get decision(): Bit | undefined {
    return this.#decision
  }

  /** Nobody needs this node any more. */
  get isStopped(): boolean {
    const { nodes } = this.#options
    const decision = this.#decision
    return decision !== undefined && this.#termsFor(decision) >= verificationThreshold(nodes)
  }

  get hasInput(): boolean {
    return this.#estimate !== undefined
  }

  /** Whether votes of the present round were dropped and must be asked for; says so once. */
  takeDropped(): boolean {
    const isDue = this.#round >= this.#droppedFrom
    if (isDue) this.#droppedFrom = Number.POSITIVE_INFINITY
    return isDue
  }

  input(value: Bit): void {
    if (this.hasInput) return
    this.#begin(0, value)
    this.settle()
  }

  #begin(round: number, estimate: Bit): void {
    this.#round = round
    this.#estimate = estimate
    // With a repetition of this value said already, the record still needs the estimate.
    this.#options.say({ type: 'bval', round, value: estimate, isEstimate: true })
  }

  /** False when the sender contradicts itself; such a vote does not count. */
  receive(from: NodeIndex, vote: InstanceVote): boolean {
    if (vote.type === 'term') {
      if (from === this.#options.me) this.#decision ??= vote.value
      return keepFirst(this.#terms, from, vote.value)
    }
    if (vote.round > this.#round + ROUNDS_AHEAD_MAX && from !== this.#options.me) {
      this.#droppedFrom = Math.min(this.#droppedFrom, vote.round)
      return true
    }
    const round = this.#at(vote.round)
    switch (vote.type) {
      case 'bval':
        round.bval[vote.value].add(from)
        if (from === this.#options.me && vote.isEstimate && vote.round >= this.#round)
          [this.#round, this.#estimate] = [vote.round, vote.value] // Also when it starts again.
        return true
      case 'aux':
        return keepFirst(round.aux, from, vote.value)
      case 'conf':
        return keepFirst(round.conf, from, vote.values)
      case 'coin':
        if (!round.falseShares.has(from) && !round.shares.has(from))
          round.shares.set(from, vote.share)
        return true
    }
  }

  #at(round: number): Round {
    while (this.#rounds.length <= round) this.#rounds.push(emptyRound())
    return present(this.#rounds[round], 'rounds are made in order')
  }

  /** Everything that follows from what has come. */
  settle(): void {
    while (this.#advance());
  }

  #advance(): boolean {
    if (this.isStopped) return false
    return this.#terminate() || this.#repeat() || (this.hasInput && this.#playRound())
  }

  /** Step 7: f + 1 say that they decided. */
  #terminate(): boolean {
    const { nodes } = this.#options
    for (const value of [0, 1] as const)
      if (this.#decision === undefined && this.#termsFor(value) >= reconstructionThreshold(nodes))
        return this.#decide(value)
    return false
  }

  #decide(value: Bit): true {
    this.#decision = value
    if (!this.#terms.has(this.#options.me)) this.#options.say({ type: 'term', value })
    return true
  }

  #termsFor(value: Bit): number {
    return [...this.#terms.values()].filter((term) => term === value).length
  }

  /** Step 1, in own and past rounds: repeat what f + 1 say, accept what 2f + 1 say. */
  #repeat(): boolean {
    const { nodes, me, say } = this.#options
    let changed = false
    for (let r = 0; r <= this.#round; r++) {
      const { bval, bin } = this.#at(r)
      for (const value of [0, 1] as const) {
        const heard = bval[value]
        if (heard.size >= reconstructionThreshold(nodes) && !heard.has(me)) {
          say({ type: 'bval', round: r, value, isEstimate: false })
          changed = true
        }
        if (heard.size >= verificationThreshold(nodes) && !bin.includes(value)) {
          bin.push(value)
          changed = true
        }
      }
    }
    return changed
  }

  #playRound(): boolean {
    const { me, nodes, say } = this.#options
    const r = this.#round
    const round = this.#at(r)
    const [first] = round.bin
    if (first === undefined) return false
    if (!round.aux.has(me)) {
      say({ type: 'aux', round: r, value: first }) // Step 2.
      return true
    }
    const accepted = round.bin.reduce<number>((set, bit) => set | setOf(bit), 0)
    if (!round.conf.has(me)) {
      const inside = [...round.aux.values()].filter((value) => round.bin.includes(value))
      if (inside.length < agreementQuorum(nodes)) return false
      say({ type: 'conf', round: r, values: unionOf(inside.map(setOf)) }) // Step 3.
      return true
    }
    if (round.union === undefined) {
      const inside = [...round.conf.values()].filter((values) => (values & ~accepted) === 0)
      if (inside.length < agreementQuorum(nodes)) return false
      round.union = unionOf(inside) // Step 4: only now is the coin looked at.
      return true
    }
    return this.#toss(round, round.union)
  }

  /** Steps 5 and 6. */
  #toss(round: Round, union: BitSet): boolean {
    const coin = this.#coin(round)
    if (coin === undefined) return false
    if (union !== 3) {
      const value: Bit = union === 1 ? 0 : 1
      if (value === coin && this.#decision === undefined) this.#decide(value)
      this.#begin(this.#round + 1, value)
    } else this.#begin(this.#round + 1, coin)
    return true
  }

  #coin(round: Round): Bit | undefined {
    const { me, coin, say, fault } = this.#options
    const fixed = FIXED_COINS[this.#round]
    if (fixed !== undefined) return fixed
    const own = round.shares.has(me) ? undefined : coin.share(this.#round)
    if (own !== undefined) say({ type: 'coin', round: this.#round, share: own })
    const { value, blamed } = coin.toss(this.#round, round.shares)
    for (const node of blamed) {
      assert(node !== me, 'own shares of the coin are right')
      round.shares.delete(node)
      round.falseShares.add(node)
      fault(node, 'InvalidShare: coin')
    }
    return value
  }
}

const emptyRound = (): Round => ({
  bval: [new Set(), new Set()],
  bin: [],
  aux: new Map(),
  conf: new Map(),
  shares: new Map(),
  falseShares: new Set(),
  union: undefined,
})

/** The union of sets that are not all empty. */
function unionOf(sets: readonly BitSet[]): BitSet {
  const union = sets.reduce<number>((all, set) => all | set, 0)
  assert(union === 1 || union === 2 || union === 3, 'a quorum of sets is not empty')
  return union
}

/** False when another value was there. */
function keepFirst<T>(votes: Map<NodeIndex, T>, from: NodeIndex, value: T): boolean {
  const before = votes.get(from)
  if (before === undefined) votes.set(from, value)
  return before === undefined || before === value
}
