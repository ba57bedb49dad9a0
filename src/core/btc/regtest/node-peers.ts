/**
 * All P2P connections of the regtest node, those that it opened and those that others did, without
 * I/O. Source: `docs/spec/bitcoin.md` RN-20, §3.4.
 */
import type { Message } from '../message.ts'
import type { SyncOutput } from './block-sync.ts'
import { BlockSync } from './block-sync.ts'
import type { NodeEvent, RegtestNode } from './node.ts'
import { PeerLink } from './peer-link.ts'
import type { ChainTalk, DropReason, LinkInput } from './peer-link-port.ts'
import { HANDSHAKE_SECONDS_MAX } from './peer-link-port.ts'

/** A connection that we opened is asked so often whether it lives (KA-1). */
export const PING_EVERY_MS = 120_000

export type PeersInput =
  | {
      readonly type: 'connected'
      readonly peer: number
      /** Random: tells a connection to ourselves from others. */
      readonly nonce: bigint
      readonly isOutbound: boolean
    }
  | { readonly type: 'bytes'; readonly peer: number; readonly bytes: Uint8Array }
  /** The socket has sent what it was given. */
  | { readonly type: 'drained'; readonly peer: number }
  /** Not stepped for a connection that was dropped. */
  | { readonly type: 'closed'; readonly peer: number }
  | { readonly type: 'event'; readonly event: NodeEvent }
  | { readonly type: 'alarm' }

export type PeersOutput =
  | {
      readonly type: 'send'
      readonly peer: number
      readonly bytes: Uint8Array
      /** To be written so much later, for a test. */
      readonly lagMs: number
    }
  /** Close the connection: nothing more is said on it. */
  | {
      readonly type: 'drop'
      readonly peer: number
      readonly reason: DropReason
      readonly detail: string
    }
  /** Replaces the alarm before. */
  | { readonly type: 'alarm'; readonly afterMs: number }

type Entry = {
  readonly link: PeerLink
  readonly nonce: bigint
  readonly isOutbound: boolean
  /** When the handshake must be complete, or the next ping is due. */
  dueMs: number
  /** What the peer was told that we take. */
  toldSatPerKvb: bigint
}

/** One input at a time; total for whatever peers send. */
export class NodePeers {
  readonly #node: RegtestNode
  readonly #sync: BlockSync
  readonly #entries = new Map<number, Entry>()
  #alarmMs = Number.POSITIVE_INFINITY
  /** Of the step under way. */
  #nowMs = 0
  #out: PeersOutput[] = []
  /** What links heard of chains: looked at when the link has answered. */
  #heard: { readonly peer: number; readonly talk: ChainTalk }[] = []

  constructor(node: RegtestNode) {
    this.#node = node
    this.#sync = new BlockSync(node)
  }

  link(peer: number): PeerLink | undefined {
    return this.#entries.get(peer)?.link
  }

  step(input: PeersInput, nowMs: number): readonly PeersOutput[] {
    this.#nowMs = nowMs
    this.#out = []
    this.#take(input)
    for (let next = this.#heard.shift(); next !== undefined; next = this.#heard.shift())
      if (this.#entries.has(next.peer))
        this.#act(this.#sync.hear(next.peer, next.talk, this.#nowMs))
    this.#tellMinimum()
    this.#setAlarm()
    return this.#out
  }

  #take(input: PeersInput): void {
    switch (input.type) {
      case 'connected':
        this.#connect(input)
        break
      case 'bytes':
        this.#tell(input.peer, { type: 'bytes', bytes: input.bytes, nowSeconds: this.#seconds })
        break
      case 'drained':
        this.#tell(input.peer, { type: 'drained' })
        break
      case 'closed':
        this.#forget(input.peer)
        break
      case 'event':
        if (input.event.type === 'dropPeers') {
          for (const peer of [...this.#entries.keys()])
            this.#tell(peer, { type: 'blame', reason: 'asked-to', detail: 'for a test' })
          break
        }
        if (input.event.type === 'newTip') this.#sync.learn(input.event.header, this.#nowMs)
        for (const peer of [...this.#entries.keys()])
          this.#tell(peer, { type: 'event', event: input.event })
        break
      case 'alarm':
        this.#alarmMs = Number.POSITIVE_INFINITY
        this.#expire()
        break
    }
  }

  get #seconds(): number {
    return Math.floor(this.#nowMs / 1_000)
  }

  #connect({ peer, nonce, isOutbound }: Extract<PeersInput, { type: 'connected' }>): void {
    const link = new PeerLink({
      node: this.#node,
      peer: `${peer}`,
      nonce,
      isOutbound,
      isOwnNonce: (other) => [...this.#entries.values()].some((entry) => entry.nonce === other),
      follow: (talk) => this.#heard.push({ peer, talk }),
    })
    const dueMs = this.#nowMs + HANDSHAKE_SECONDS_MAX * 1_000
    const toldSatPerKvb = this.#node.relayRateSatPerKvb // In its handshake.
    this.#entries.set(peer, { link, nonce, isOutbound, dueMs, toldSatPerKvb })
    if (isOutbound) this.#tell(peer, { type: 'open', nowSeconds: this.#seconds })
  }

  #act(outputs: readonly SyncOutput[]): void {
    for (const output of outputs)
      switch (output.type) {
        case 'tell':
          this.#say(output.peer, output.message)
          break
        case 'strike': {
          const { detail } = output
          this.#tell(output.peer, { type: 'strike', detail, nowSeconds: this.#seconds })
          break
        }
        case 'blame': {
          const { reason, detail } = output
          this.#tell(output.peer, { type: 'blame', reason, detail })
          break
        }
      }
  }

  #say(peer: number, message: Message): void {
    this.#tell(peer, { type: 'tell', message })
  }

  #tell(peer: number, input: LinkInput): void {
    const outputs = this.#entries.get(peer)?.link.step(input) ?? []
    const { isStalled, lagMs } = this.#node.switches
    for (const output of outputs) {
      if (output.type === 'drop') {
        this.#out.push({ ...output, peer })
        this.#forget(peer)
      } else if (!isStalled) this.#out.push({ ...output, peer, lagMs })
    }
  }

  /** Peers hear of the minimum of a full mempool when it has moved by a third, or is gone (§10.6). */
  #tellMinimum(): void {
    const rate = this.#node.mempoolInfo(this.#seconds).minimumRateSatPerKvb
    for (const [peer, entry] of this.#entries) {
      const told = entry.toldSatPerKvb
      const isNear = 4n * told > 3n * rate && 3n * told < 4n * rate
      if (isNear || rate === told || !entry.link.ready) continue
      entry.toldSatPerKvb = rate
      this.#say(peer, { type: 'feefilter', feeRateSatPerKvb: rate })
    }
  }

  /** What the peer owed is asked of others. */
  #forget(peer: number): void {
    if (!this.#entries.delete(peer)) return
    this.#node.forgetPeer(`${peer}`)
    this.#act(this.#sync.forget(peer, this.#nowMs))
  }

  #expire(): void {
    for (const [peer, entry] of [...this.#entries]) {
      if (entry.dueMs > this.#nowMs) continue
      if (!entry.link.ready) this.#tell(peer, { type: 'deadline' })
      else if (entry.isOutbound) this.#tell(peer, { type: 'keepAlive' })
      entry.dueMs = entry.isOutbound ? this.#nowMs + PING_EVERY_MS : Number.POSITIVE_INFINITY
    }
    this.#act(this.#sync.expire(this.#nowMs))
  }

  #setAlarm(): void {
    const due = [...this.#entries.values()].map(({ dueMs }) => dueMs)
    const dueMs = Math.min(this.#sync.deadlineMs, ...due)
    if (dueMs === this.#alarmMs || dueMs === Number.POSITIVE_INFINITY) return
    this.#alarmMs = dueMs
    this.#out.push({ type: 'alarm', afterMs: Math.max(0, Math.ceil(dueMs - this.#nowMs)) })
  }
}
