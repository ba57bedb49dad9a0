/**
 * Who may speak in a slot, and who contradicts itself. A node whose disk was put back does not know
 * all that it has said: others show it its last votes, and it is silent until the log takes it in
 * with a new life. Source: threshold §18.4, "Return of a node".
 */
import type { NodeIndex } from '../base/party.ts'
import { agreementQuorum } from '../base/party.ts'
import type { LogConfig } from './log-io.ts'
import type { VotesMessage } from './message.ts'
import { votesContent } from './message.ts'
import type { OwnVotes } from './own-votes.ts'

type Options = Pick<
  LogConfig,
  'nodes' | 'me' | 'prefix' | 'verify' | 'life' | 'lifeOf' | 'checksPast'
>

/** What this node has on record of its own votes. */
export type OwnRecord = {
  /** The first slot whose votes are on record; it has forgotten those of earlier ones. */
  readonly first: bigint
  readonly votes: Pick<OwnVotes, 'holds'>
}

export class Witness {
  readonly #options: Options
  /** What each node said last, for itself when it starts again. */
  readonly #last = new Map<NodeIndex, VotesMessage>()
  /** Nodes that have shown what they had from this one. */
  readonly #shown = new Set<NodeIndex>()
  /** Own votes are not on record that others have had. */
  #isForgetful = false
  /** Whether that was told. */
  #isTold = false
  /** The newest slot in which others have had votes of another life of this node. */
  #otherLife = -1n
  /** Who was blamed for contradicting itself in the current slot. */
  readonly #blamed = new Set<NodeIndex>()

  constructor(options: Options) {
    this.#options = options
  }

  /** Enough nodes have been asked what they had from this one, and it knew all of that. */
  get isSure(): boolean {
    const { checksPast, nodes } = this.#options
    return !checksPast || (!this.#isForgetful && this.#shown.size + 1 >= agreementQuorum(nodes))
  }

  /** Whether this node may vote in a slot. */
  mayVote(slot: bigint): boolean {
    return this.isSure && this.#isLiving(slot) && this.#otherLife < slot
  }

  #isLiving(slot: bigint): boolean {
    const { me, life, lifeOf } = this.#options
    return lifeOf(me, slot) === life
  }

  /**
   * True when this node has just learnt that it has forgotten votes of its own, `next` being the
   * slot that it works on: some of this life, or of a later one, which its log does not know yet.
   */
  learns(next: bigint): boolean {
    this.#isForgetful ||= this.#isLiving(next) && this.#otherLife >= next
    const isNews = this.#isForgetful && !this.#isTold
    this.#isTold = this.#isForgetful
    return isNews
  }

  /** Whether votes count: only those of the life that their node has in the slot. */
  counts(from: NodeIndex, { slot, life }: VotesMessage): boolean {
    return this.#options.lifeOf(from, slot) === life
  }

  /** Votes came from a node. */
  heard(from: NodeIndex, message: VotesMessage): void {
    const before = this.#last.get(from)
    if (before === undefined || before.slot <= message.slot) this.#last.set(from, message)
  }

  lastOf(node: NodeIndex): VotesMessage | undefined {
    return this.#last.get(node)
  }

  /** A node shows the last votes that it has had from this one. */
  shown(from: NodeIndex, last: VotesMessage | undefined, record: OwnRecord): void {
    if (last !== undefined && !this.#isSigned(this.#options.me, last)) return
    this.#shown.add(from)
    if (last === undefined) return
    if (last.life === this.#options.life)
      this.#isForgetful ||= last.slot >= record.first && !record.votes.holds(last)
    else if (last.slot > this.#otherLife) this.#otherLife = last.slot
  }

  /** Another slot. */
  begin(): void {
    this.#blamed.clear()
  }

  /** Blame needs the signature, which nothing else does (performance R18). Once per slot. */
  blames(from: NodeIndex, message: VotesMessage): boolean {
    if (this.#blamed.has(from) || !this.#isSigned(from, message)) return false
    this.#blamed.add(from)
    return true
  }

  #isSigned(node: NodeIndex, message: VotesMessage): boolean {
    const { verify, prefix } = this.#options
    return verify(node, votesContent(prefix, message), message.signature)
  }
}
