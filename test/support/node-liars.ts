/** Lying nodes: a liar of the log and one of the signer in one, at random. Source: threshold §22.4. */
import { present } from '../../src/core/base/errors.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { faultyMax } from '../../src/core/base/party.ts'
import { encodeLogMessage, votesContent } from '../../src/core/log/message.ts'
import { logMessage, tagLogMessage } from '../../src/core/subnet/peer-message.ts'
import { runPrefix } from '../../src/core/tecdsa/evidence.ts'
import type { Tongue } from './log-liars.ts'
import { flipped, Silent, someLiar } from './log-liars.ts'
import type { Liar, Message } from './log-net-options.ts'
import type { NodeWorld } from './node-world.ts'
import type { Random } from './random.ts'
import { SignerLiar } from './signer-liars.ts'

function tongueOf({ genesis, keys }: NodeWorld): Tongue {
  const { incarnation } = genesis
  const encoded: Tongue['encoded'] = (message) => encodeLogMessage(incarnation, message)
  return {
    incarnation,
    encoded,
    votesBytes: (me, slot, votes) => {
      const content = votesContent(runPrefix(genesis), { slot, life: 0n, votes })
      const signature = present(keys[me], 'a node of this world').sign('vote', content)
      return encoded({ type: 'votes', slot, life: 0n, votes, signature })
    },
  }
}

/** How often, out of a hundred, it does each thing to a message beside the log. */
type Temper = { readonly drop: number; readonly more: number }

const OLD_MAX = 200

class NodeLiar implements Liar {
  readonly #ofLog: Liar | undefined
  readonly #ofSigner: SignerLiar
  readonly #temper: Temper
  readonly #tongue: Tongue
  readonly #nodes: number
  readonly #old: Uint8Array[] = []

  constructor(
    world: NodeWorld,
    {
      ofLog,
      ofSigner,
      temper,
    }: {
      /** Without it, it is honest there. */
      readonly ofLog: Liar | undefined
      readonly ofSigner: SignerLiar
      readonly temper: Temper
    },
  ) {
    this.#ofLog = ofLog
    this.#ofSigner = ofSigner
    this.#temper = temper
    this.#tongue = tongueOf(world)
    this.#nodes = world.nodes
  }

  says(message: Message, random: Random): readonly Message[] {
    const ofLog = logMessage(message.bytes)
    if (ofLog !== undefined)
      return (
        this.#ofLog
          ?.says({ ...message, bytes: ofLog }, random)
          .map((said) => ({ ...said, bytes: tagLogMessage(said.bytes) })) ?? [message]
      )
    const { drop, more } = this.#temper
    if (this.#old.length < OLD_MAX) this.#old.push(message.bytes)
    else this.#old[random.below(OLD_MAX)] = message.bytes
    const said: Message[] = []
    if (random.below(100) >= drop)
      said.push({ ...message, bytes: this.#ofSigner.says(message.bytes, random) })
    if (random.below(100) < more) said.push({ ...message, bytes: this.#another(random) })
    return said
  }

  #another(random: Random): Uint8Array {
    switch (random.below(4)) {
      case 0:
        return random.bytes(1 + random.below(100))
      case 1:
        return random.pick(this.#old)
      case 2:
        return flipped(random.pick(this.#old), random)
      default:
        return this.#item(this.#ofSigner.item(random))
    }
  }

  #item(item: Uint8Array): Uint8Array {
    return tagLogMessage(this.#tongue.encoded({ type: 'item', item }))
  }

  hears(message: Message, random: Random): readonly Message[] {
    const { from, to, bytes } = message
    const ofLog = logMessage(bytes)
    if (ofLog !== undefined)
      return (
        this.#ofLog
          ?.hears({ ...message, bytes: ofLog }, random)
          .map((said) => ({ ...said, bytes: tagLogMessage(said.bytes) })) ?? []
      )
    const others = Array.from({ length: this.#nodes }, (_, i) => i).filter((i) => i !== to)
    return this.#ofSigner
      .hears(from, bytes)
      .flatMap((item) => others.map((peer) => ({ from: to, to: peer, bytes: this.#item(item) })))
  }
}

/** One of many kinds of liar. */
export function someNodeLiar(world: NodeWorld, me: NodeIndex, random: Random): Liar {
  const { nodes } = world
  if (random.oneIn(8)) return new Silent(random.below(5_000))
  const others = Array.from({ length: nodes }, (_, i) => i).filter((i) => i !== me)
  const ofSigner = new SignerLiar({
    genesis: world.genesis,
    keys: present(world.keys[me], 'a node of this world'),
    me,
    twist: random.pick([0, 30, 100, 100]),
    victims: random.shuffle(others).slice(0, random.below(faultyMax(nodes) + 1)),
  })
  return new NodeLiar(world, {
    ofLog: random.oneIn(2) ? someLiar(nodes, me, random, tongueOf(world)) : undefined,
    ofSigner,
    temper: { drop: random.pick([0, 0, 20]), more: random.pick([0, 5, 20]) },
  })
}
