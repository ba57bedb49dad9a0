/**
 * Regtest nodes that speak to each other in one process, over pipes that keep their order, and
 * scripted peers among them; time passes when a test says so.
 */
import { present } from '../../src/core/base/errors.ts'
import type { Message } from '../../src/core/btc/message.ts'
import { encodeMessage, service } from '../../src/core/btc/message.ts'
import { MessageStream } from '../../src/core/btc/message-stream.ts'
import { regtest } from '../../src/core/btc/network.ts'
import { RegtestNode } from '../../src/core/btc/regtest/node.ts'
import type { PeersInput, PeersOutput } from '../../src/core/btc/regtest/node-peers.ts'
import { NodePeers } from '../../src/core/btc/regtest/node-peers.ts'

type Pipe = (bytes: Uint8Array | undefined) => void

const nowhere = { services: 0n, address: new Uint8Array(16), port: 0 }

/** What a full node says first. */
export const greeting = (change = {}): Message => ({
  type: 'version',
  version: 70_015,
  services: service.network | service.witness,
  time: 0n,
  receiver: nowhere,
  sender: nowhere,
  nonce: 0x7777n,
  userAgent: '/scripted/',
  startHeight: 0,
  relay: true,
  ...change,
})

export class PeerWorld {
  nowMs: number
  readonly #deliveries: (() => void)[] = []
  #links = 0
  #busy = false

  constructor(nowSeconds: number) {
    this.nowMs = nowSeconds * 1_000
  }

  get nowSeconds(): number {
    return Math.floor(this.nowMs / 1_000)
  }

  node(blocks: RegtestNode = new RegtestNode()): Member {
    return new Member(this, blocks)
  }

  link(from: Member, to: Member): void {
    const a = this.nextLink()
    const b = this.nextLink()
    to.open(b, false, (bytes) => this.later(() => from.arrive(a, bytes)))
    from.open(a, true, (bytes) => this.later(() => to.arrive(b, bytes)))
    this.run()
  }

  /** A peer that says what the test says; `answers` is asked for every message it hears. */
  script(
    to: Member,
    answers: (message: Message) => readonly Message[],
    isOutbound = true,
  ): Scripted {
    return new Scripted(this, { to, answers, isOutbound })
  }

  nextLink(): number {
    this.#links += 1
    return this.#links
  }

  later(act: () => void): void {
    this.#deliveries.push(act)
  }

  /** Until nothing is on its way. */
  run(): void {
    if (this.#busy) return
    this.#busy = true
    for (let next = this.#deliveries.shift(); next; next = this.#deliveries.shift()) next()
    this.#busy = false
  }
}

export class Member {
  readonly node: RegtestNode
  readonly peers: NodePeers
  readonly drops: string[] = []
  /** Messages that were to leave later, which they do not here. */
  readonly lagged: number[] = []
  readonly #world: PeerWorld
  readonly #pipes = new Map<number, Pipe>()
  #alarmMs = Number.POSITIVE_INFINITY

  constructor(world: PeerWorld, node: RegtestNode) {
    this.#world = world
    this.node = node
    this.peers = new NodePeers(node)
    node.subscribe((event) => {
      world.later(() => this.#step({ type: 'event', event }))
    })
  }

  open(peer: number, isOutbound: boolean, pipe: Pipe): void {
    this.#pipes.set(peer, pipe)
    this.#step({ type: 'connected', peer, nonce: BigInt(peer), isOutbound })
  }

  /** `undefined`: the other side has closed. */
  arrive(peer: number, bytes: Uint8Array | undefined): void {
    if (!this.#pipes.has(peer)) return
    if (bytes === undefined) this.#pipes.delete(peer)
    this.#step(bytes === undefined ? { type: 'closed', peer } : { type: 'bytes', peer, bytes })
  }

  #step(input: PeersInput): void {
    for (const output of this.peers.step(input, this.#world.nowMs)) this.#perform(output)
    for (const peer of this.#pipes.keys())
      while (this.peers.link(peer)?.waiting === true)
        for (const output of this.peers.step({ type: 'drained', peer }, this.#world.nowMs))
          this.#perform(output)
  }

  #perform(output: PeersOutput): void {
    if (output.type === 'alarm') {
      this.#alarmMs = this.#world.nowMs + output.afterMs
      return
    }
    const pipe = this.#pipes.get(output.peer)
    if (output.type === 'send') {
      if (output.lagMs > 0) this.lagged.push(output.lagMs)
      pipe?.(output.bytes)
      return
    }
    this.drops.push(`${output.reason}: ${output.detail}`)
    this.#pipes.delete(output.peer)
    pipe?.(undefined)
  }

  /** Lets time pass, alarm by alarm. */
  wait(ms: number): void {
    const end = this.#world.nowMs + ms
    while (this.#alarmMs <= end) {
      this.#world.nowMs = Math.max(this.#world.nowMs, this.#alarmMs)
      this.#alarmMs = Number.POSITIVE_INFINITY
      this.#step({ type: 'alarm' })
      this.#world.run()
    }
    this.#world.nowMs = end
  }
}

export class Scripted {
  readonly heard: Message[] = []
  readonly #world: PeerWorld
  readonly #to: Member
  readonly #peer: number
  readonly #stream = new MessageStream(regtest)
  isClosed = false

  constructor(
    world: PeerWorld,
    {
      to,
      answers,
      isOutbound,
    }: {
      readonly to: Member
      readonly answers: (message: Message) => readonly Message[]
      readonly isOutbound: boolean
    },
  ) {
    this.#world = world
    this.#to = to
    this.#peer = world.nextLink()
    to.open(this.#peer, isOutbound, (bytes) => {
      this.isClosed ||= bytes === undefined
      for (const event of this.#stream.push(bytes ?? new Uint8Array(0)))
        if (event.type === 'message') {
          this.heard.push(event.message)
          world.later(() => this.say(...answers(event.message)))
        }
    })
    world.run()
  }

  say(...messages: readonly Message[]): void {
    for (const message of messages)
      this.#world.later(() => this.#to.arrive(this.#peer, encodeMessage(regtest, message)))
    this.#world.run()
  }

  close(): void {
    this.#world.later(() => this.#to.arrive(this.#peer, undefined))
    this.#world.run()
  }

  heardOf<T extends Message['type']>(type: T): readonly (Message & { readonly type: T })[] {
    return this.heard.filter(
      (message): message is Message & { readonly type: T } => message.type === type,
    )
  }
}

/** Answers as an honest node with this chain does; `lie` may say something else. */
export const answersOf =
  (
    node: RegtestNode,
    lie: (message: Message, honest: readonly Message[]) => readonly Message[] = (_, honest) =>
      honest,
  ): ((message: Message) => readonly Message[]) =>
  (message) => {
    switch (message.type) {
      case 'version':
        return lie(message, [greeting({ startHeight: node.tip().height }), { type: 'verack' }])
      case 'getheaders':
        return lie(message, [
          { type: 'headers', headers: node.headersAfter(message.locator, message.stop) },
        ])
      case 'getdata':
        return lie(
          message,
          message.items.map(({ hash }) => ({
            type: 'block',
            block: present(node.blockByHash(hash), 'an honest peer has the block'),
          })),
        )
      default:
        return lie(message, [])
    }
  }
