/**
 * Lying nodes of the log. A liar runs an honest node and twists what that one says, at random and
 * for each peer anew: votes, hashes, rounds, values, bodies, answers. Source: threshold §22.4.
 */
import type { Hash32 } from '../../src/core/base/bytes.ts'
import { hash32 } from '../../src/core/base/bytes.ts'
import { attempt } from '../../src/core/base/errors.ts'
import { sha256 } from '../../src/core/base/hash.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { TIMESTAMP_MAX, timestampNs } from '../../src/core/base/units.ts'
import type { Bit } from '../../src/core/log/coin.ts'
import type { LogMessage } from '../../src/core/log/message.ts'
import { decodeLogMessage } from '../../src/core/log/message.ts'
import { encodeProposal } from '../../src/core/log/proposal.ts'
import type { BitSet, Vote } from '../../src/core/log/vote.ts'
import { COIN_SHARE_SIZE } from '../../src/core/log/vote.ts'
import type { Liar, Message } from './log-net-options.ts'
import { encoded, INCARNATION, votesBytes } from './log-world.ts'
import type { Random } from './random.ts'

/** How a liar of one subnet speaks: its messages are well formed, its votes signed. */
export type Tongue = {
  readonly incarnation: bigint
  readonly encoded: (message: LogMessage) => Uint8Array
  readonly votesBytes: (me: NodeIndex, slot: bigint, votes: readonly Vote[]) => Uint8Array
}

const testTongue: Tongue = { incarnation: INCARNATION, encoded, votesBytes }

/** How often, out of a hundred, a liar does each thing to a message. */
export type Temper = {
  /** Leaves it out. */
  readonly drop: number
  /** Twists what it says; `each`: each vote of it. */
  readonly twist: number
  readonly each: number
  /** Says something more: old messages again, far slots, votes that come too early, noise. */
  readonly more: number
  /** Peers to whom it is honest. */
  readonly spared: readonly NodeIndex[]
}

/** Down for good from some message on. */
export class Silent implements Liar {
  #left: number

  constructor(messages: number) {
    this.#left = messages
  }

  says(message: Message): readonly Message[] {
    return this.#left-- > 0 ? [message] : []
  }

  hears(): readonly Message[] {
    return []
  }
}

/**
 * Tells one story to some peers and another one to the rest: of its own proposal there are two, and
 * of each agreement both values; each peer hears of one only.
 */
export class Equivocator implements Liar {
  readonly #me: NodeIndex
  readonly #others: readonly NodeIndex[]
  /** Whether the values differ, too. */
  readonly #flips: boolean
  readonly #tongue: Tongue

  constructor(
    me: NodeIndex,
    {
      others,
      flips,
      tongue = testTongue,
    }: {
      readonly others: readonly NodeIndex[]
      readonly flips: boolean
      readonly tongue?: Tongue | undefined
    },
  ) {
    this.#me = me
    this.#others = others
    this.#flips = flips
    this.#tongue = tongue
  }

  says(message: Message): readonly Message[] {
    const said = attempt(() => decodeLogMessage(this.#tongue.incarnation, message.bytes))
    const isOther = this.#others.includes(message.to)
    if (said === undefined || said instanceof Error || said.type !== 'votes') return [message]
    const votes = said.votes.map((vote) => (isOther ? this.#other(said.slot, vote) : vote))
    return [{ ...message, bytes: this.#tongue.votesBytes(this.#me, said.slot, votes) }]
  }

  #other(slot: bigint, vote: Vote): Vote {
    const proposal = encodeProposal({ clock: timestampNs(slot), items: [] })
    switch (vote.type) {
      case 'initial':
        return { type: 'initial', proposal }
      case 'echo':
      case 'ready':
        return vote.instance === this.#me ? { ...vote, hash: sha256(proposal) } : vote
      case 'bval':
      case 'aux':
      case 'term':
        return this.#flips ? { ...vote, value: vote.value === 1 ? 0 : 1 } : vote
      case 'conf':
        return this.#flips && vote.values !== 3
          ? { ...vote, values: vote.values === 1 ? 2 : 1 }
          : vote
      case 'coin':
        return vote
    }
  }

  hears(): readonly Message[] {
    return []
  }
}

const OLD_MAX = 200
const HASHES_MAX = 50

export class RandomLiar implements Liar {
  readonly #nodes: number
  readonly #me: NodeIndex
  readonly #temper: Temper
  readonly #old: Message[] = []
  readonly #hashes: Hash32[] = []
  /** Items that its proposals name and that nobody has. */
  readonly #hidden = new Map<string, Uint8Array>()
  readonly #tongue: Tongue
  #slot = 0n

  constructor(nodes: number, me: NodeIndex, temper: Temper, tongue = testTongue) {
    this.#nodes = nodes
    this.#me = me
    this.#temper = temper
    this.#tongue = tongue
  }

  says(message: Message, random: Random): readonly Message[] {
    const { drop, twist, more, spared } = this.#temper
    this.#remember(message, random)
    if (spared.includes(message.to)) return [message]
    const said: Message[] = []
    if (random.below(100) >= drop)
      said.push(random.below(100) < twist ? this.#twisted(message, random) : message)
    if (random.below(100) < more) said.push(this.#another(message, random))
    return said
  }

  /** Some get the items that it hides. */
  hears({ from, bytes }: Message, random: Random): readonly Message[] {
    const message = attempt(() => decodeLogMessage(this.#tongue.incarnation, bytes))
    if (message === undefined || message instanceof Error || message.type !== 'want') return []
    const bodies = message.items.flatMap((hash) => this.#hidden.get(hash.join()) ?? [])
    if (random.oneIn(2)) return []
    return bodies.map((item) => this.#to(from, this.#tongue.encoded({ type: 'body', item })))
  }

  #to(to: NodeIndex, bytes: Uint8Array): Message {
    return { from: this.#me, to, bytes }
  }

  #remember(message: Message, random: Random): void {
    if (this.#old.length < OLD_MAX) this.#old.push(message)
    else this.#old[random.below(OLD_MAX)] = message
  }

  #twisted({ to, bytes }: Message, random: Random): Message {
    const message = attempt(() => decodeLogMessage(this.#tongue.incarnation, bytes))
    if (message === undefined || message instanceof Error) return this.#to(to, bytes)
    if (message.type !== 'votes')
      return this.#to(to, this.#tongue.encoded(this.#other(message, random)))
    this.#slot = message.slot
    const votes = message.votes.flatMap((vote) => this.#vote(vote, random))
    return this.#to(to, this.#tongue.votesBytes(this.#me, message.slot, votes))
  }

  /** What it says of one vote. */
  #vote(vote: Vote, random: Random): readonly Vote[] {
    if ('hash' in vote) this.#learn(vote.hash)
    if (vote.type === 'initial') this.#learn(sha256(vote.proposal))
    if (random.below(100) >= this.#temper.each) return [vote]
    switch (random.below(4)) {
      case 0:
        return []
      case 1:
        return [vote, this.#anyVote(random)]
      default:
        return [this.#changed(vote, random)]
    }
  }

  #learn(hash: Hash32): void {
    this.#hashes.push(hash)
    if (this.#hashes.length > HASHES_MAX) this.#hashes.shift()
  }

  #changed(vote: Vote, random: Random): Vote {
    switch (vote.type) {
      case 'initial':
        return { type: 'initial', proposal: this.#proposal(random) }
      case 'echo':
      case 'ready':
        return { ...vote, hash: this.#hash(random) }
      case 'bval':
      case 'aux':
        return random.oneIn(3)
          ? { ...vote, round: roundNear(vote.round, random) }
          : { ...vote, value: anyBit(random) }
      case 'conf':
        return { ...vote, values: anySet(random) }
      case 'coin':
        return { ...vote, share: random.bytes(COIN_SHARE_SIZE) }
      case 'term':
        return { ...vote, value: anyBit(random) }
    }
  }

  #hash(random: Random): Hash32 {
    const fresh = hash32(random.bytes(32))
    return random.oneIn(4) || this.#hashes.length === 0 ? fresh : random.pick(this.#hashes)
  }

  /** One that does not decode, names what nobody has, or is as good as any. */
  #proposal(random: Random): Uint8Array {
    if (random.oneIn(4)) return random.bytes(random.below(80))
    const clock = timestampNs(random.pick([0n, TIMESTAMP_MAX, 1_000_000_123_456n]))
    const count = random.below(3)
    const items = Array.from({ length: count }, () => {
      const item = random.bytes(8)
      const hash = sha256(item)
      if (random.oneIn(2)) this.#hidden.set(hash.join(), item)
      return hash
    })
    const bytes = encodeProposal({ clock, items })
    this.#learn(sha256(bytes))
    return bytes
  }

  #anyVote(random: Random): Vote {
    const instance = random.below(this.#nodes + (random.oneIn(50) ? 1 : 0))
    const place = { instance, round: roundNear(0, random) }
    switch (random.below(8)) {
      case 0:
        return { type: 'initial', proposal: this.#proposal(random) }
      case 1:
        return { type: 'echo', instance, hash: this.#hash(random) }
      case 2:
        return { type: 'ready', instance, hash: this.#hash(random) }
      case 3:
        return { type: 'bval', ...place, value: anyBit(random), isEstimate: random.oneIn(2) }
      case 4:
        return { type: 'aux', ...place, value: anyBit(random) }
      case 5:
        return { type: 'conf', ...place, values: anySet(random) }
      case 6:
        return { type: 'coin', ...place, share: random.bytes(COIN_SHARE_SIZE) }
      default:
        return { type: 'term', instance, value: anyBit(random) }
    }
  }

  #other(message: Exclude<LogMessage, { readonly type: 'votes' }>, random: Random): LogMessage {
    switch (message.type) {
      case 'item':
      case 'body':
        return { ...message, item: random.oneIn(8) ? new Uint8Array() : random.bytes(6) }
      case 'want':
        return { ...message, hash: this.#hash(random), items: [this.#hash(random)] }
      case 'proposal':
        return { ...message, proposal: this.#proposal(random) }
      case 'resend':
        return { ...message, slot: slotNear(message.slot, random) }
      case 'decided': {
        const first = slotNear(message.first, random)
        return { ...message, first, hashes: message.hashes.map(() => this.#hash(random)) }
      }
      case 'copy':
        return { ...message, first: slotNear(message.first, random) }
      case 'heard':
        return { ...message, last: undefined }
      case 'slots': {
        const contents = message.contents.map((content) => flipped(content, random))
        return { ...message, contents: random.oneIn(3) ? contents.slice(1) : contents }
      }
    }
  }

  /** Something that nobody asked for. */
  #another({ to }: Message, random: Random): Message {
    const slot = this.#slot
    switch (random.below(7)) {
      case 0:
        return this.#to(to, random.bytes(random.below(60)))
      case 1:
        return this.#to(to, random.pick(this.#old).bytes)
      case 2:
        return this.#to(to, flipped(random.pick(this.#old).bytes, random))
      case 3: {
        const hashes = [this.#hash(random), this.#hash(random)]
        return this.#to(
          to,
          this.#tongue.encoded({ type: 'decided', first: slotNear(slot, random), hashes }),
        )
      }
      case 4: {
        const value = anyBit(random)
        const terms = Array.from({ length: this.#nodes }, (_, instance) => ({ instance, value }))
        const votes = terms.map((term) => ({ type: 'term', ...term }) as const)
        return this.#to(to, this.#tongue.votesBytes(this.#me, slotNear(slot, random), votes))
      }
      default: {
        const votes = Array.from({ length: 1 + random.below(20) }, () => this.#anyVote(random))
        return this.#to(to, this.#tongue.votesBytes(this.#me, slotNear(slot, random), votes))
      }
    }
  }
}

const anyBit = (random: Random): Bit => (random.oneIn(2) ? 1 : 0)
const anySet = (random: Random): BitSet => random.pick([1, 2, 3] as const)
const roundNear = (round: number, random: Random): number =>
  random.pick([round, round, round + 1, random.below(4), round + 16, round + 17, 0xffff])

function slotNear(slot: bigint, random: Random): bigint {
  const slots = [slot, slot, slot, slot + 1n, slot + 2n, slot + 1_000n, 2n ** 64n - 1n]
  return random.pick(slot > 0n ? [...slots, slot - 1n] : slots)
}

export function flipped(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length === 0) return bytes
  const changed = bytes.slice()
  const at = random.below(bytes.length)
  changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8))
  return random.oneIn(4) ? changed.slice(0, at) : changed
}

/** One of many kinds of liar. */
export function someLiar(nodes: number, me: NodeIndex, random: Random, tongue?: Tongue): Liar {
  if (random.oneIn(6)) return new Silent(random.below(300))
  if (random.oneIn(4)) {
    const others = Array.from({ length: nodes }, (_, i) => i).filter(() => random.oneIn(2))
    return new Equivocator(me, { others, flips: random.oneIn(2), tongue })
  }
  return new RandomLiar(
    nodes,
    me,
    {
      drop: random.pick([0, 0, 10, 50]),
      twist: random.pick([10, 50, 100]),
      each: random.pick([5, 20, 50, 100]),
      more: random.pick([0, 10, 30]),
      spared: random.oneIn(3) ? [random.below(nodes)] : [],
    },
    tongue,
  )
}
