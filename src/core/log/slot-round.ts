/**
 * One slot in the making, at one node: a broadcast and an agreement for each proposer. Source:
 * threshold §§17.2 to 17.4.
 */
import type { Hash32 } from '../base/bytes.ts'
import { equalBytes, toHex } from '../base/bytes.ts'
import { attempt, BadEncoding, present } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'
import type { NodeIndex } from '../base/party.ts'
import { agreementQuorum, reconstructionThreshold } from '../base/party.ts'
import type { InstanceCoin } from './agreement.ts'
import { Agreement } from './agreement.ts'
import { Broadcast } from './broadcast.ts'
import type { Coin } from './coin.ts'
import { genesisCoin } from './coin.ts'
import type { LogMessage } from './message.ts'
import type { Proposal } from './proposal.ts'
import { decodeProposal, PROPOSED_BODIES_MAX } from './proposal.ts'
import type { Vote } from './vote.ts'

type ProposalMessage = Extract<LogMessage, { readonly type: 'proposal' }>

export type SlotRoundOptions = {
  readonly slot: bigint
  readonly incarnation: bigint
  readonly nodes: number
  readonly me: NodeIndex
  readonly coin: Coin
  /** An item that this node has, by hash. */
  readonly body: (hash: Hash32) => Uint8Array | undefined
  readonly fault: (culprit: NodeIndex, reason: string) => void
}

type Held = {
  readonly hash: Hash32
  readonly bytes: Uint8Array
  readonly proposal: Proposal
  /** Items that it names and that are not here. */
  lacking: readonly Hash32[]
  /** Bytes of those that are. */
  size: number
  /** All of them, once none is lacking. */
  bodies: readonly Uint8Array[] | undefined
}

/** A proposal that entered the slot, with the items it names. */
export type Entered = {
  readonly node: NodeIndex
  readonly proposal: Proposal
  readonly bodies: readonly Uint8Array[]
}

/** What a node lacks, and who has it. */
export type Missing = {
  readonly instance: NodeIndex
  /** Of the proposal. */
  readonly hash: Hash32
  readonly holders: readonly NodeIndex[]
  /** None when the proposal itself is missing. */
  readonly items: readonly Hash32[] | undefined
}

/** What must be on disk with the votes that are said (§18.4). */
export type Said = {
  readonly votes: readonly Vote[]
  /** Proposals that were echoed. */
  readonly proposals: readonly { readonly instance: NodeIndex; readonly bytes: Uint8Array }[]
  /** Items that they name. */
  readonly bodies: readonly { readonly hash: Hash32; readonly body: Uint8Array }[]
}

type Instance = {
  readonly broadcast: Broadcast
  readonly agreement: Agreement
  /** The first proposal of its node that came from itself. */
  first: Held | undefined
  /** The one that all deliver, where that is another, or came from another. */
  fetched: Held | undefined
}

export class SlotRound {
  readonly #options: SlotRoundOptions
  readonly #instances: readonly Instance[]
  /** Items named by proposals of this slot, by hash: they outlive the store of items. */
  readonly #bodies = new Map<string, Uint8Array>()
  #votes: Vote[] = []
  /** Echoed since the votes were taken. */
  #echoed: NodeIndex[] = []
  #resuming = false

  constructor(options: SlotRoundOptions) {
    this.#options = options
    const { nodes } = options
    this.#instances = Array.from({ length: nodes }, (_, i) => this.#instance(i))
  }

  #instance(instance: NodeIndex): Instance {
    const { nodes, me, fault } = this.#options
    return {
      broadcast: new Broadcast(nodes, me, (type, hash) => this.#say({ type, instance, hash })),
      agreement: new Agreement({
        nodes,
        me,
        coin: this.#coin(instance),
        say: (vote) => this.#say({ ...vote, instance }),
        fault,
      }),
      first: undefined,
      fetched: undefined,
    }
  }

  /** Which coin is decided when the slot begins, never inside it (§17.5). */
  #coin(instance: NodeIndex): InstanceCoin {
    const { coin, slot, incarnation, nodes } = this.#options
    if (!coin.isShared(slot))
      return {
        share: () => undefined,
        toss: (round) => ({
          value: genesisCoin(incarnation, { slot, instance, round }),
          blamed: [],
        }),
      }
    return {
      share: (round) => coin.share({ slot, instance, round }),
      toss: (round, shares) =>
        shares.size < reconstructionThreshold(nodes)
          ? { value: undefined, blamed: [] }
          : coin.combine({ slot, instance, round }, shares),
    }
  }

  get slot(): bigint {
    return this.#options.slot
  }

  /** Votes on agreement that are kept. */
  get votes(): number {
    return this.#instances.reduce((sum, { agreement }) => sum + agreement.size, 0)
  }

  /** Bytes of proposals and of the items that they name. */
  get bytes(): number {
    const kept = this.#instances.flatMap(({ first, fetched }) => [first?.bytes, fetched?.bytes])
    return [...kept, ...this.#bodies.values()].reduce((sum, one) => sum + (one?.length ?? 0), 0)
  }

  /** Nodes that have proposed for the slot. */
  get proposers(): number {
    return this.#instances.filter(({ first }) => first !== undefined).length
  }

  get hasProposed(): boolean {
    return this.#at(this.#options.me).first !== undefined
  }

  /** Whether there is something to say to all. */
  get owes(): boolean {
    return this.#votes.length > 0
  }

  #at(instance: NodeIndex): Instance {
    return present(this.#instances[instance], 'an instance for each node')
  }

  /** No node needs this one any more: all is decided, and what entered is delivered. */
  get isOver(): boolean {
    return this.#instances.every(
      ({ agreement, broadcast }) =>
        agreement.isStopped && (agreement.decision === 0 || broadcast.delivered !== undefined),
    )
  }

  /** What the node owes to all since this was asked last. */
  take(): Said {
    const echoed = this.#echoed.map((i) => ({ i, held: this.#at(i).first }))
    const bodies = new Map<string, { readonly hash: Hash32; readonly body: Uint8Array }>()
    for (const { held } of echoed)
      for (const hash of held?.proposal.items ?? []) {
        const name = toHex(hash)
        bodies.set(name, { hash, body: present(this.#bodies.get(name), 'what is echoed is held') })
      }
    const said = {
      votes: this.#votes,
      proposals: echoed.flatMap(({ i, held }) =>
        held === undefined ? [] : [{ instance: i, bytes: held.bytes }],
      ),
      bodies: [...bodies.values()],
    }
    this.#votes = []
    this.#echoed = []
    return said
  }

  #say(vote: Vote): void {
    if (this.#resuming) return
    this.#votes.push(vote)
    this.#count(this.#options.me, vote)
  }

  /** Own proposal, once. */
  propose(proposal: Uint8Array): void {
    this.#say({ type: 'initial', proposal })
    this.settle()
  }

  /** What an earlier life of this node had recorded for the slot: it said that, and nothing else. */
  resume(said: Said): void {
    this.#resuming = true
    for (const { hash, body } of said.bodies) this.#bodies.set(toHex(hash), body)
    for (const { instance, bytes } of said.proposals) this.#hold(instance, bytes)
    for (const vote of said.votes) this.#count(this.#options.me, vote)
    this.#resuming = false
  }

  /** Votes of one sender. Those that contradict earlier ones do not count: false. */
  receive(from: NodeIndex, votes: readonly Vote[]): boolean {
    if (votes.some((vote) => vote.type !== 'initial' && vote.instance >= this.#instances.length))
      this.#options.fault(from, 'BadEncoding: a vote about a node that there is not')
    // Every vote is counted, whatever another one turned out to be.
    const counted = votes.map((vote) => this.#count(from, vote))
    return counted.every((isFirst) => isFirst)
  }

  #count(from: NodeIndex, vote: Vote): boolean {
    if (vote.type === 'initial') return this.#hold(from, vote.proposal)
    const instance = this.#instances[vote.instance]
    if (instance === undefined) return true
    return vote.type === 'echo' || vote.type === 'ready'
      ? instance.broadcast.receive(from, vote.type, vote.hash)
      : instance.agreement.receive(from, vote)
  }

  #hold(node: NodeIndex, bytes: Uint8Array): boolean {
    const instance = this.#at(node)
    const hash = sha256(bytes)
    if (instance.first !== undefined) return equalBytes(instance.first.hash, hash)
    const proposal = attempt(() => decodeProposal(bytes))
    if (proposal instanceof BadEncoding) {
      this.#options.fault(node, `BadEncoding: ${proposal.message}`)
      return true
    }
    instance.first = fresh(hash, bytes, proposal)
    return true
  }

  /** A proposal that was asked for; others are dropped. */
  fetched({ slot, instance: node, proposal: bytes }: ProposalMessage): void {
    const instance = slot === this.slot ? this.#instances[node] : undefined
    const wanted = instance && wantedHash(instance)
    if (instance === undefined || wanted === undefined || heldOf(instance, wanted)) return
    if (!equalBytes(sha256(bytes), wanted)) return
    const proposal = attempt(() => decodeProposal(bytes))
    // Honest nodes have echoed it, so it decodes.
    if (!(proposal instanceof BadEncoding)) instance.fetched = fresh(wanted, bytes, proposal)
  }

  /** The proposal of a node, for whoever lacks it. */
  proposalOf(node: NodeIndex, hash: Hash32): Uint8Array | undefined {
    const instance = this.#instances[node]
    return instance && heldOf(instance, hash)?.bytes
  }

  /** An item that a proposal of this slot names. */
  bodyOf(hash: Hash32): Uint8Array | undefined {
    return this.#bodies.get(toHex(hash))
  }

  /** An item came; it is kept if a proposal waits for it that is not too large with it. */
  offer(hash: Hash32, body: Uint8Array): void {
    const isWanted = this.#instances.some(({ first, fetched }) =>
      [first, fetched].some(
        (one) =>
          one !== undefined &&
          one.size + body.length <= PROPOSED_BODIES_MAX &&
          one.lacking.some((item) => equalBytes(item, hash)),
      ),
    )
    if (isWanted) this.#bodies.set(toHex(hash), body)
  }

  /** Everything that follows from what has come. */
  settle(): void {
    for (const [node, instance] of this.#instances.entries()) this.#echo(node, instance)
    for (const { broadcast, agreement } of this.#instances) {
      broadcast.settle()
      if (broadcast.delivered !== undefined) agreement.input(1)
    }
    for (const { agreement } of this.#instances) agreement.settle()
    const entered = this.#instances.filter(({ agreement }) => agreement.decision === 1).length
    if (entered < agreementQuorum(this.#options.nodes)) return
    for (const { agreement } of this.#instances) agreement.input(0)
  }

  /** Echoes a proposal of which every byte is here. */
  #echo(node: NodeIndex, { first, broadcast }: Instance): void {
    if (first === undefined || broadcast.hasEchoed()) return
    const bodies = this.#bodiesOf(first)
    if (bodies === undefined) return
    this.#echoed.push(node)
    broadcast.echo(first.hash)
  }

  /** The items of a proposal; undefined while one is missing, and when they are too large. */
  #bodiesOf(one: Held): readonly Uint8Array[] | undefined {
    if (one.bodies !== undefined) return one.bodies
    one.lacking = one.lacking.filter((hash) => {
      const body = this.#find(hash)
      one.size += body?.length ?? 0
      return body === undefined
    })
    if (one.lacking.length > 0 || one.size > PROPOSED_BODIES_MAX) return undefined
    one.bodies = one.proposal.items.map((hash) => present(this.#find(hash), 'nothing is lacking'))
    return one.bodies
  }

  #find(hash: Hash32): Uint8Array | undefined {
    const name = toHex(hash)
    const here = this.#bodies.get(name)
    if (here !== undefined) return here
    const body = this.#options.body(hash)
    if (body !== undefined) this.#bodies.set(name, body)
    return body
  }

  /** What stands between this node and its echoes, or the slot. */
  missing(): readonly Missing[] {
    return this.#instances.flatMap((instance, node): Missing[] => {
      const hash = wantedHash(instance)
      if (hash !== undefined) {
        const holders = instance.broadcast.echoers(hash)
        const held = heldOf(instance, hash)
        if (held === undefined) return [{ instance: node, hash, holders, items: undefined }]
        return this.#missingItems(node, held, holders)
      }
      const { first, broadcast } = instance
      if (first === undefined || broadcast.hasEchoed()) return []
      return this.#missingItems(node, first, [node])
    })
  }

  #missingItems(instance: NodeIndex, held: Held, holders: readonly NodeIndex[]): Missing[] {
    if (this.#bodiesOf(held) !== undefined || held.size > PROPOSED_BODIES_MAX) return []
    return [{ instance, hash: held.hash, holders, items: held.lacking }]
  }

  /** The proposals that make the slot; undefined while one is undecided or not all here. */
  get entered(): readonly Entered[] | undefined {
    const all: Entered[] = []
    for (const [node, instance] of this.#instances.entries()) {
      const { decision } = instance.agreement
      if (decision === undefined) return undefined
      if (decision === 0) continue
      const hash = instance.broadcast.delivered
      const held = hash && heldOf(instance, hash)
      if (held === undefined) return undefined
      const bodies = this.#bodiesOf(held)
      if (bodies === undefined) return undefined
      all.push({ node, proposal: held.proposal, bodies })
    }
    return all
  }

  /** Whether votes of a round that has begun were dropped; says so once. */
  takeDropped(): boolean {
    return this.#instances.filter(({ agreement }) => agreement.takeDropped()).length > 0
  }
}

const fresh = (hash: Hash32, bytes: Uint8Array, proposal: Proposal): Held => ({
  hash,
  bytes,
  proposal,
  lacking: proposal.items,
  size: 0,
  bodies: undefined,
})

/** Hash of the proposal that all deliver, while it may enter the slot. */
const wantedHash = ({ broadcast, agreement }: Instance): Hash32 | undefined =>
  agreement.decision === 0 ? undefined : broadcast.delivered

function heldOf({ first, fetched }: Instance, hash: Hash32): Held | undefined {
  if (first !== undefined && equalBytes(first.hash, hash)) return first
  return fetched !== undefined && equalBytes(fetched.hash, hash) ? fetched : undefined
}
