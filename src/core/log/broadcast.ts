/**
 * Reliable broadcast of one proposal: all honest nodes deliver the same one, or none. Source:
 * threshold §17.2.
 */
import type { Hash32 } from '../base/bytes.ts'
import { equalBytes } from '../base/bytes.ts'
import type { NodeIndex } from '../base/party.ts'
import { faultyMax, reconstructionThreshold, verificationThreshold } from '../base/party.ts'

type Kind = 'echo' | 'ready'

/** How many nodes voted for a hash. */
type Tally = { readonly hash: Hash32; count: number }

/** Says a vote to all, itself included: it comes back through `receive` at once. */
type Say = (kind: Kind, hash: Hash32) => void

/** More than (n + f) / 2: any two such sets of nodes share an honest one. */
export const echoQuorum = (nodes: number): number => Math.floor((nodes + faultyMax(nodes)) / 2) + 1

/**
 * What was said decides what is said again, so a node that starts anew gets its own recorded votes
 * back through `receive`.
 */
export class Broadcast {
  readonly #nodes: number
  readonly #me: NodeIndex
  readonly #say: Say
  readonly #votes: Readonly<Record<Kind, Map<NodeIndex, Hash32>>> = {
    echo: new Map(),
    ready: new Map(),
  }
  readonly #tallies: Readonly<Record<Kind, Tally[]>> = { echo: [], ready: [] }
  #delivered: Hash32 | undefined

  constructor(nodes: number, me: NodeIndex, say: Say) {
    this.#nodes = nodes
    this.#me = me
    this.#say = say
  }

  /** Hash of the proposal that all deliver. */
  get delivered(): Hash32 | undefined {
    return this.#delivered
  }

  hasEchoed(): boolean {
    return this.#votes.echo.has(this.#me)
  }

  /** The first proposal that came from the sender is here with every byte it names. */
  echo(hash: Hash32): void {
    if (!this.hasEchoed()) this.#say('echo', hash)
  }

  /** Who said that it holds the proposal. */
  echoers(hash: Hash32): readonly NodeIndex[] {
    return [...this.#votes.echo].filter(([, vote]) => equalBytes(vote, hash)).map(([node]) => node)
  }

  /** One vote per sender and kind. False for a second, different one, which does not count. */
  receive(from: NodeIndex, kind: Kind, hash: Hash32): boolean {
    const votes = this.#votes[kind]
    const before = votes.get(from)
    if (before !== undefined) return equalBytes(before, hash)
    votes.set(from, hash)
    const tallies = this.#tallies[kind]
    const tally = tallies.find((one) => equalBytes(one.hash, hash))
    if (tally === undefined) tallies.push({ hash, count: 1 })
    else tally.count += 1
    return true
  }

  /** Everything that follows from what has come. */
  settle(): void {
    const nodes = this.#nodes
    this.#ready(this.#leading('echo', echoQuorum(nodes)))
    this.#ready(this.#leading('ready', reconstructionThreshold(nodes))) // f + 1
    this.#delivered ??= this.#leading('ready', verificationThreshold(nodes)) // 2f + 1
  }

  /** A hash with so many votes of a kind: never two, as honest nodes are ready for one at most. */
  #leading(kind: Kind, quorum: number): Hash32 | undefined {
    return this.#tallies[kind].find(({ count }) => count >= quorum)?.hash
  }

  #ready(hash: Hash32 | undefined): void {
    if (hash !== undefined && !this.#votes.ready.has(this.#me)) this.#say('ready', hash)
  }
}
