/**
 * One binary agreement among n nodes by itself, over a network that does as a test says. Source:
 * threshold §§17.3, 22.4.
 */
import { present } from '../../src/core/base/errors.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { faultyMax, reconstructionThreshold } from '../../src/core/base/party.ts'
import type { InstanceVote } from '../../src/core/log/agreement.ts'
import { Agreement } from '../../src/core/log/agreement.ts'
import type { Bit } from '../../src/core/log/coin.ts'
import { FIXED_COINS } from '../../src/core/log/coin.ts'
import type { BitSet } from '../../src/core/log/vote.ts'
import { Wrong } from './log-checker.ts'
import { Random } from './random.ts'

export type Sent = {
  readonly from: NodeIndex
  readonly to: NodeIndex
  readonly vote: InstanceVote
}

const TRUE_SHARE = 1

export class AgreementNet {
  readonly random: Random
  readonly nodes: number
  readonly honest: readonly NodeIndex[]
  readonly liars: readonly NodeIndex[]
  readonly inputs = new Map<NodeIndex, Bit>()
  /** On its way. */
  readonly wire: Sent[] = []
  /** What honest nodes have said, by node. */
  readonly said = new Map<NodeIndex, InstanceVote[]>()
  readonly #parties = new Map<NodeIndex, Agreement>()
  readonly #coins: Bit[] = []
  /** Shares of the coin that exist, by round: with the first honest one liars know the coin. */
  readonly #tossed = new Set<number>()

  constructor(nodes: number, seed: string) {
    this.nodes = nodes
    this.random = new Random(seed)
    const order = this.random.shuffle(Array.from({ length: nodes }, (_, i) => i))
    this.liars = order.slice(0, faultyMax(nodes))
    this.honest = order.slice(faultyMax(nodes))
    for (const node of this.honest) this.#parties.set(node, this.#party(node))
  }

  #party(me: NodeIndex): Agreement {
    const { nodes } = this
    return new Agreement({
      nodes,
      me,
      coin: {
        share: (round) => {
          this.#tossed.add(round)
          return Uint8Array.of(TRUE_SHARE)
        },
        toss: (round, shares) => {
          const blamed = [...shares].filter(([, [s]]) => s !== TRUE_SHARE).map(([node]) => node)
          const isEnough = shares.size - blamed.length >= reconstructionThreshold(nodes)
          return { value: isEnough ? this.#coin(round) : undefined, blamed }
        },
      },
      say: (vote) => this.#say(me, vote),
      fault: (culprit) => {
        if (!this.liars.includes(culprit)) throw new Wrong(`honest node ${culprit} blamed`)
      },
    })
  }

  #say(from: NodeIndex, vote: InstanceVote): void {
    const said = this.said.get(from) ?? []
    this.said.set(from, said)
    said.push(vote)
    for (const to of this.honest) if (to !== from) this.wire.push({ from, to, vote })
    this.party(from).receive(from, vote)
  }

  #coin(round: number): Bit {
    const fixed = FIXED_COINS[round]
    if (fixed !== undefined) return fixed
    while (this.#coins.length <= round) this.#coins.push(this.random.oneIn(2) ? 1 : 0)
    return present(this.#coins[round], 'it was tossed')
  }

  /** What whoever controls the network knows of a coin. */
  knownCoin(round: number): Bit | undefined {
    return round < FIXED_COINS.length || this.#tossed.has(round) ? this.#coin(round) : undefined
  }

  party(node: NodeIndex): Agreement {
    return present(this.#parties.get(node), 'an honest node')
  }

  input(node: NodeIndex, value: Bit): void {
    this.inputs.set(node, value)
    this.party(node).input(value)
  }

  /** A liar says something to one node. */
  lie(from: NodeIndex, to: NodeIndex, vote: InstanceVote): void {
    this.wire.push({ from, to, vote })
  }

  deliver({ from, to, vote }: Sent): void {
    const party = this.party(to)
    if (!party.receive(from, vote) && this.honest.includes(from))
      throw new Wrong(`honest node ${from} contradicts itself`)
    party.settle()
  }

  /** Delivers what is on its way and chosen, oldest first, until `until` holds or none is left. */
  deliverWhere(isChosen: (sent: Sent) => boolean, until: () => boolean = () => false): void {
    while (!until()) {
      const at = this.wire.findIndex(isChosen)
      const [sent] = at < 0 ? [] : this.wire.splice(at, 1)
      if (sent === undefined) return
      this.deliver(sent)
    }
  }

  /** Delivers one message, any of those on their way. */
  deliverAny(): boolean {
    const at = this.random.below(Math.max(1, this.wire.length))
    const [last, sent] = [this.wire.at(-1), this.wire[at]]
    if (last === undefined || sent === undefined) return false
    this.wire[at] = last
    this.wire.pop()
    this.deliver(sent)
    return true
  }

  get isDecided(): boolean {
    return this.honest.every((node) => this.party(node).decision !== undefined)
  }

  /** The estimate of a node in a round. */
  estimate(node: NodeIndex, round: number): Bit | undefined {
    for (const vote of this.said.get(node) ?? [])
      if (vote.type === 'bval' && vote.round === round && vote.isEstimate) return vote.value
    return undefined
  }

  hasSaid(node: NodeIndex, type: InstanceVote['type'], round: number, value?: Bit): boolean {
    return (this.said.get(node) ?? []).some(
      (vote) =>
        vote.type === type &&
        'round' in vote &&
        vote.round === round &&
        (value === undefined || ('value' in vote && vote.value === value)),
    )
  }

  /** The highest round that an honest node is in. */
  get round(): number {
    const votes = this.honest.flatMap((node) => this.said.get(node) ?? [])
    return votes.reduce((most, vote) => ('round' in vote ? Math.max(most, vote.round) : most), 0)
  }

  /** One decision, and one that an honest node wanted. */
  check(): Bit {
    const decisions = new Set(this.honest.map((node) => this.party(node).decision))
    const [decision, ...others] = decisions
    if (decision === undefined || others.length > 0) throw new Wrong('not one decision')
    if (![...this.inputs.values()].includes(decision)) throw new Wrong('no honest node wanted it')
    return decision
  }
}

/** Any vote, of a round that is near. */
export function anyVote(round: number, random: Random): InstanceVote {
  const near = { round: Math.max(0, round - 1 + random.below(3)) }
  const value: Bit = random.oneIn(2) ? 1 : 0
  switch (random.below(5)) {
    case 0:
      return { type: 'bval', ...near, value, isEstimate: true }
    case 1:
      return { type: 'aux', ...near, value }
    case 2:
      return { type: 'conf', ...near, values: random.pick<BitSet>([1, 2, 3]) }
    case 3:
      return { type: 'coin', ...near, share: Uint8Array.of(random.below(3)) }
    default:
      return { type: 'term', value }
  }
}
