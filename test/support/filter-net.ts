/**
 * A client of compact filters among peers in one process: real server sessions of regtest nodes, a
 * clock of its own, and what a peer says may be altered on its way.
 */
import { present } from '../../src/core/base/errors.ts'
import { Seed } from '../../src/core/base/seed.ts'
import { timestampNs } from '../../src/core/base/units.ts'
import { FilterClient } from '../../src/core/btc/filter-client.ts'
import type { FilterInput, FilterMemory, FilterOutput } from '../../src/core/btc/filter-port.ts'
import type { Message } from '../../src/core/btc/message.ts'
import { encodeMessage } from '../../src/core/btc/message.ts'
import { MessageStream } from '../../src/core/btc/message-stream.ts'
import { regtest } from '../../src/core/btc/network.ts'
import type { Offence } from '../../src/core/btc/peer-session.ts'
import type { RegtestNode } from '../../src/core/btc/regtest/node.ts'
import { PeerLink } from '../../src/core/btc/regtest/peer-link.ts'
import type { LinkOutput } from '../../src/core/btc/regtest/peer-link-port.ts'

/** What a peer says instead of a message; nothing at all for an empty list. */
export type Alter = (message: Message) => readonly Message[]

export type PeerUnderTest = { readonly node: RegtestNode; readonly alter?: Alter }

type Live = {
  readonly session: PeerLink
  readonly stream: MessageStream
  readonly stop: () => void
}

const honest: Alter = (message) => [message]

export class FilterNet {
  readonly client: FilterClient
  readonly offences: { readonly peer: number; readonly offence: Offence }[] = []
  nowMs: number
  readonly #peers: readonly PeerUnderTest[]
  readonly #live = new Map<number, Live>()
  readonly #alarms = new Map<string, number>()
  readonly #queue: FilterInput[] = []
  #busy = false
  #sessions = 0n
  readonly #headers: FilterMemory['headers']
  /** Messages that the client got, by type: what work it had. */
  readonly received = new Map<string, number>()

  constructor(
    peers: readonly PeerUnderTest[],
    { nowS, memory }: { readonly nowS: number; readonly memory?: FilterMemory },
  ) {
    this.#peers = peers
    this.#headers = memory?.headers ?? []
    this.nowMs = nowS * 1_000
    const now = timestampNs(BigInt(this.nowMs) * 1_000_000n)
    this.client = new FilterClient(
      {
        network: regtest,
        peers: peers.map((_, i) => ({ host: '127.0.0.1', port: 18_444 + i })),
        seed: Seed.fromBytes(new Uint8Array(32).fill(7)),
        userAgent: '/ckbtc:test/',
        push: false,
        memory,
      },
      now,
    )
  }

  start(): void {
    this.step({ type: 'knownHeaders', headers: this.#headers })
    this.step({ type: 'start' })
  }

  step(input: FilterInput): void {
    this.#queue.push(input)
    if (this.#busy) return
    this.#busy = true
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const now = timestampNs(BigInt(this.nowMs) * 1_000_000n)
      for (const output of this.client.step(next, now)) this.#perform(output)
    }
    this.#busy = false
  }

  #perform(output: FilterOutput): void {
    switch (output.type) {
      case 'connect':
        this.#connect(output.peer)
        break
      case 'send': {
        const live = this.#live.get(output.peer)
        const nowSeconds = Math.floor(this.nowMs / 1_000)
        if (live !== undefined)
          this.#hear(
            output.peer,
            live.session.step({ type: 'bytes', bytes: output.bytes, nowSeconds }),
          )
        break
      }
      case 'disconnect':
        this.offences.push({ peer: output.peer, offence: output.offence })
        this.#hangUp(output.peer)
        break
      case 'alarm':
        this.#alarms.set(output.name, this.nowMs + output.afterMs)
        break
      case 'evidence':
      case 'changed':
        break
    }
  }

  #connect(peer: number): void {
    const { node } = present(this.#peers[peer], 'a configured peer')
    this.#sessions += 1n
    const session = new PeerLink({ node, peer: `${this.#sessions}`, nonce: this.#sessions })
    const stop = node.subscribe((event) => this.#hear(peer, session.step({ type: 'event', event })))
    this.#live.set(peer, { session, stop, stream: new MessageStream(regtest) })
    this.step({ type: 'connected', peer })
  }

  #hangUp(peer: number): void {
    this.#live.get(peer)?.stop()
    this.#live.delete(peer)
  }

  /** Ends a connection from the far side. */
  cut(peer: number): void {
    this.#hangUp(peer)
    this.step({ type: 'disconnected', peer })
  }

  #hear(peer: number, outputs: readonly LinkOutput[]): void {
    const live = this.#live.get(peer)
    const { alter = honest } = present(this.#peers[peer], 'a configured peer')
    if (live === undefined) return
    for (const output of outputs) {
      if (output.type === 'drop') {
        this.cut(peer)
        return
      }
      for (const event of live.stream.push(output.bytes)) {
        if (event.type !== 'message') continue
        for (const message of alter(event.message)) {
          this.received.set(message.type, (this.received.get(message.type) ?? 0) + 1)
          this.step({ type: 'bytes', peer, bytes: encodeMessage(regtest, message) })
        }
      }
    }
    if (live.session.waiting) this.#hear(peer, live.session.step({ type: 'drained' }))
  }

  /** Lets time pass; alarms ring on their way. */
  advance(ms: number): void {
    const end = this.nowMs + ms
    for (;;) {
      const [next] = [...this.#alarms].toSorted(([, a], [, b]) => a - b)
      if (next === undefined || next[1] > end) break
      this.nowMs = Math.max(this.nowMs, next[1])
      this.#alarms.delete(next[0])
      this.step({ type: 'alarm', name: next[0] })
    }
    this.nowMs = end
  }
}
