/**
 * Turns the state root of a slot into a certificate's signature, together with the other nodes.
 * Source: threshold §16.2 "Certifying".
 *
 * A root is *settled* when n − f nodes, this one included, have named it for the slot. Combining
 * their shares waits until somebody wants the signature: most slots are never read.
 */
import type { Hash32 } from '../base/bytes.ts'
import { equalBytes, toHex } from '../base/bytes.ts'
import type { NodeIndex } from '../base/party.ts'
import { agreementQuorum, reconstructionThreshold } from '../base/party.ts'
import type { RootVote } from './peer-message.ts'

/** Votes kept for slots that this node has not executed, per sender: the newest ones. */
const EARLY_VOTES_MAX = 16
/**
 * Own votes kept. Nobody is in a slot before n − f nodes have executed the one before it, so roots
 * older than those of the last two slots are given up by whoever waits for them (§17.8).
 */
const OWN_VOTES_KEPT = 2

/** The certification key as the signer lends it out. */
export interface CertificationKey {
  /** Own share over a root; undefined while it cannot be made. */
  share(root: Hash32): Uint8Array | undefined
  /** Id of the transcript that shares made now are of: a refresh changes it between two slots. */
  transcript(): bigint | undefined
  /** The signature; without it, whose shares are to blame. All are of one transcript. */
  combine(
    root: Hash32,
    shares: ReadonlyMap<NodeIndex, Uint8Array>,
    transcript: bigint | undefined,
  ): { readonly signature: Uint8Array | undefined; readonly blamed: readonly NodeIndex[] }
}

export type CertifierOutput =
  | { readonly type: 'vote'; readonly to: NodeIndex | 'all'; readonly vote: RootVote }
  | { readonly type: 'fault'; readonly culprit: NodeIndex; readonly reason: string }
  /** The slot in work is over: settled, or given up because the others have gone on. */
  | { readonly type: 'released'; readonly slot: bigint; readonly settled: boolean }
  /** f + 1 nodes have signed another root for a slot that was executed here. */
  | {
      readonly type: 'diverged'
      readonly slot: bigint
      readonly own: Hash32
      readonly other: Hash32
    }

export type CertifierOutputs = readonly CertifierOutput[]

type Ballot = {
  readonly slot: bigint
  readonly root: Hash32
  /** Of the shares that are given for this slot. */
  readonly transcript: bigint | undefined
  readonly votes: Map<NodeIndex, RootVote>
  readonly answered: Set<NodeIndex>
  /** Gave false shares; nothing more of them counts. */
  readonly blamed: Set<NodeIndex>
  signature: Uint8Array | undefined
}

export type NamedRoot = { readonly slot: bigint; readonly root: Hash32 }

export type CertifierConfig = {
  readonly me: NodeIndex
  readonly nodes: number
  readonly key: CertificationKey
}

export class Certifier {
  readonly #config: CertifierConfig
  /** The newest slot executed, until its root is settled. */
  #open: Ballot | undefined
  #settled: Ballot | undefined
  /** Own votes of the newest slots, oldest first, for those who ask again. */
  #own: readonly RootVote[] = []
  readonly #early = new Map<NodeIndex, RootVote[]>()
  /** Newest slot that each node has named. */
  readonly #newest = new Map<NodeIndex, bigint>()
  #diverged = false

  constructor(config: CertifierConfig) {
    this.#config = config
  }

  /** Whether the newest slot executed waits for the votes of others. */
  get isWaiting(): boolean {
    return this.#open !== undefined
  }

  /** Whether f + 1 others have signed another root than this node came to: a person must look. */
  get hasDiverged(): boolean {
    return this.#diverged
  }

  /** The newest root that this node named to the others. */
  get named(): NamedRoot | undefined {
    return this.#own.at(-1)
  }

  /** The newest slot whose root is settled. */
  get settled(): NamedRoot | undefined {
    return this.#settled
  }

  /** The newest slot of the log was executed and led to `root`. */
  executed(slot: bigint, root: Hash32): CertifierOutputs {
    if (this.#diverged) return []
    const vote = { slot, root, share: this.#config.key.share(root) }
    this.#own = [...this.#own, vote].slice(-OWN_VOTES_KEPT)
    this.#open = {
      slot,
      root,
      transcript: this.#config.key.transcript(),
      votes: new Map(),
      answered: new Set(),
      blamed: new Set(),
      signature: undefined,
    }
    const early = [...this.#early].flatMap(([from, kept]) =>
      kept.filter((other) => other.slot === slot).map((other) => ({ from, vote: other })),
    )
    for (const [from, kept] of this.#early)
      this.#early.set(
        from,
        kept.filter((other) => other.slot > slot),
      )
    return [
      { type: 'vote', to: 'all', vote },
      ...early.flatMap((other) => this.#count(other.from, other.vote)),
      // What others said before of later slots they do not say again.
      ...this.#giveUpIfPassed(),
    ]
  }

  /** A slot was executed that is not the newest: nobody signs its root any more. */
  passed(): void {
    this.#open = undefined
  }

  /** A vote of a peer, or this node's own as it comes back. */
  receive(from: NodeIndex, vote: RootVote): CertifierOutputs {
    if (this.#diverged) return []
    const newest = this.#newest.get(from)
    if (newest === undefined || vote.slot > newest) this.#newest.set(from, vote.slot)
    const current = this.#open ?? this.#settled
    if (current === undefined || vote.slot > current.slot) {
      this.#keep(from, vote)
      return this.#giveUpIfPassed()
    }
    if (vote.slot === current.slot) return this.#count(from, vote)
    return this.#answer(from, current)
  }

  #keep(from: NodeIndex, vote: RootVote): void {
    const kept = this.#early.get(from) ?? []
    if (kept.some(({ slot }) => slot === vote.slot)) return
    const all = [...kept, vote].toSorted((a, b) => (a.slot < b.slot ? -1 : 1))
    this.#early.set(from, all.slice(-EARLY_VOTES_MAX))
  }

  /** Own newest votes, for a node that starts (again). */
  resend(to: NodeIndex): CertifierOutputs {
    if (to === this.#config.me || this.#diverged) return []
    return this.#own.map((vote) => ({ type: 'vote', to, vote }))
  }

  /** The signature over the settled root; combined when first asked for. */
  signature(): { readonly signature: Uint8Array | undefined; readonly faults: CertifierOutputs } {
    const ballot = this.#settled
    if (ballot === undefined || ballot.signature !== undefined)
      return { signature: ballot?.signature, faults: [] }
    const shares = new Map<NodeIndex, Uint8Array>()
    for (const [node, { root, share }] of ballot.votes)
      if (share !== undefined && equalBytes(root, ballot.root)) shares.set(node, share)
    const { signature, blamed } = this.#config.key.combine(ballot.root, shares, ballot.transcript)
    ballot.signature = signature
    for (const node of blamed) {
      ballot.votes.delete(node)
      ballot.blamed.add(node)
    }
    const faults = blamed.map(
      (culprit): CertifierOutput => ({
        type: 'fault',
        culprit,
        reason: 'InvalidCertificationShare',
      }),
    )
    return { signature, faults }
  }

  #count(from: NodeIndex, vote: RootVote): CertifierOutputs {
    const ballot = this.#open?.slot === vote.slot ? this.#open : this.#settled
    if (ballot?.slot !== vote.slot || ballot.votes.has(from) || ballot.blamed.has(from)) return []
    ballot.votes.set(from, vote)
    const { nodes, me } = this.#config
    if (ballot === this.#open) {
      const same = [...ballot.votes.values()].filter(({ root }) => equalBytes(root, ballot.root))
      if (same.length >= agreementQuorum(nodes) && ballot.votes.has(me)) {
        this.#settled = ballot
        this.#open = undefined
        return [{ type: 'released', slot: ballot.slot, settled: true }]
      }
    }
    return this.#judgeDivergence(ballot)
  }

  /** Only signed words of f + 1 others count: f of them may lie about anything. */
  #judgeDivergence(ballot: Ballot): CertifierOutputs {
    const others = new Map<string, Map<NodeIndex, RootVote>>()
    for (const [node, vote] of ballot.votes) {
      if (equalBytes(vote.root, ballot.root)) continue
      const name = toHex(vote.root)
      others.set(name, (others.get(name) ?? new Map()).set(node, vote))
    }
    const enough = reconstructionThreshold(this.#config.nodes)
    for (const votes of others.values()) {
      const [first] = votes.values()
      const shares = new Map<NodeIndex, Uint8Array>()
      for (const [node, { share }] of votes) if (share !== undefined) shares.set(node, share)
      if (first === undefined || shares.size < enough) continue
      const { signature } = this.#config.key.combine(first.root, shares, ballot.transcript)
      if (signature === undefined) continue
      this.#diverged = true
      this.#open = undefined
      return [{ type: 'diverged', slot: ballot.slot, own: ballot.root, other: first.root }]
    }
    return []
  }

  /** f + 1 nodes are in later slots, so an honest one is: the votes of this slot may be gone. */
  #giveUpIfPassed(): CertifierOutputs {
    const { slot } = this.#open ?? {}
    if (slot === undefined) return []
    const ahead = [...this.#newest.values()].filter((newest) => newest > slot).length
    if (ahead < reconstructionThreshold(this.#config.nodes)) return []
    this.#open = undefined
    return [{ type: 'released', slot, settled: false }]
  }

  /** Who is behind learns how far this node is, and may need its votes; once for each of its slots. */
  #answer(from: NodeIndex, current: Ballot): CertifierOutputs {
    if (current.answered.has(from)) return []
    current.answered.add(from)
    return this.resend(from)
  }
}
