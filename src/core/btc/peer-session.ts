/**
 * One connection to a peer: framing, handshake, keep-alive, strikes. Source: `docs/spec/bitcoin.md`
 * §3.1–§3.4, §3.9.
 */
import type { Message, VersionMessage } from './message.ts'
import { service } from './message.ts'
import { MessageStream } from './message-stream.ts'
import type { Network } from './network.ts'

/** What we announce (HS-1). */
export const PROTOCOL_VERSION = 70_016
const VERSION_MIN = 70_015
export const HANDSHAKE_MS = 10_000
/** Until the proxy has connected (HS-5). */
export const PROXIED_CONNECT_MS = 30_000
export const PING_EVERY_MS = 120_000
export const PONG_WITHIN_MS = 30_000
/** Blocks that a pruned peer has below its last one (BIP159). */
export const LIMITED_BLOCKS = 288
const STRIKES_MAX = 3
const STRIKE_WINDOW_MS = 600_000

/** Why a connection ended by our choice. */
export type Offence = {
  readonly kind:
    | 'badFrame'
    /** A message or a list beyond its limit. */
    | 'oversize'
    | 'strikes'
    | 'protocol'
    | 'unsuitable'
    | 'selfConnection'
    | 'timeout'
    | 'badHeaders'
    | 'unconnected'
    | 'mutatedBlock'
    | 'invalidBlock'
    | 'filterLie'
    /** No offence at all: there are enough better peers, or nobody needs any. */
    | 'unneeded'
  readonly reason: string
}

export type SessionEvent =
  | { readonly type: 'send'; readonly message: Message }
  | { readonly type: 'ready' }
  /** Only once ready; the handshake's and keep-alive's messages stay inside. */
  | { readonly type: 'message'; readonly message: Message }
  | { readonly type: 'end'; readonly offence: Offence }

export type SessionOptions = {
  readonly network: Network
  /** Sent in `version`; a peer that has it too is ourselves. */
  readonly nonce: bigint
  /** Nonces of all our open connections. */
  readonly ownNonces: ReadonlySet<bigint>
  readonly userAgent: string
  readonly startHeight: number
  readonly nowMs: number
  /** We want to hear of transactions (HS-1). */
  readonly relay?: boolean
  /** The peer must serve compact filters. */
  readonly filters?: boolean
  /** The connection goes through a proxy. */
  readonly isProxied?: boolean
  /** Height of the lowest block that is still to come: a pruned peer may not have it. */
  readonly lowestNeeded?: () => number
}

type Phase = 'connecting' | 'awaitVersion' | 'awaitVerack' | 'ready' | 'ended'

export class PeerSession {
  readonly #options: SessionOptions
  readonly #stream: MessageStream
  #phase: Phase = 'connecting'
  #deadlineMs: number
  #pingNonce: bigint | undefined
  #pings = 0n
  #strikesMs: number[] = []
  #wtxidRelay = false
  #startHeight = 0
  #isPruned = false

  constructor(options: SessionOptions) {
    this.#options = options
    this.#stream = new MessageStream(options.network)
    this.#deadlineMs = options.nowMs + (options.isProxied ? PROXIED_CONNECT_MS : HANDSHAKE_MS)
  }

  get isReady(): boolean {
    return this.#phase === 'ready'
  }
  get nonce(): bigint {
    return this.#options.nonce
  }
  /** The peer wants announcements by wtxid (BIP339). */
  get wtxidRelay(): boolean {
    return this.#wtxidRelay
  }
  /** Height that the peer said it had: a hint (HS-6). */
  get startHeight(): number {
    return this.#startHeight
  }
  /** It has only the last 288 blocks (BIP159). */
  get isPruned(): boolean {
    return this.#isPruned
  }
  /** When `expire` has something to do. */
  get deadlineMs(): number {
    return this.#deadlineMs
  }

  /** The TCP connection stands: the initiator speaks first (HS-2). */
  open(nowMs: number): readonly SessionEvent[] {
    if (this.#phase !== 'connecting') return []
    this.#phase = 'awaitVersion'
    this.#deadlineMs = nowMs + HANDSHAKE_MS // HS-5
    return [{ type: 'send', message: this.#version(nowMs) }]
  }

  #version(nowMs: number): VersionMessage {
    const nobody = { services: 0n, address: new Uint8Array(16), port: 0 }
    return {
      type: 'version',
      version: PROTOCOL_VERSION,
      services: service.witness,
      time: BigInt(Math.floor(nowMs / 1000)),
      receiver: nobody,
      sender: nobody,
      nonce: this.#options.nonce,
      userAgent: this.#options.userAgent,
      startHeight: this.#options.startHeight,
      relay: this.#options.relay ?? true,
    }
  }

  /** Total: whatever the bytes are, the answer is events. What follows an `end` does not count. */
  receive(bytes: Uint8Array, nowMs: number): readonly SessionEvent[] {
    const events: SessionEvent[] = []
    for (const event of this.#stream.push(bytes)) {
      if (this.#phase === 'connecting') break
      switch (event.type) {
        case 'message':
          events.push(...this.#handle(event.message, nowMs))
          break
        case 'strike':
          events.push(...this.strike(event.reason, nowMs))
          break
        case 'fault':
          events.push(...this.#end(event.ban ? 'oversize' : 'badFrame', event.reason))
          break
      }
    }
    return events
  }

  /** Counts a small offence; the third in ten minutes ends the connection. */
  strike(reason: string, nowMs: number): readonly SessionEvent[] {
    this.#strikesMs = this.#strikesMs.filter((at) => nowMs - at < STRIKE_WINDOW_MS)
    this.#strikesMs.push(nowMs)
    return this.#strikesMs.length < STRIKES_MAX ? [] : this.#end('strikes', reason)
  }

  #end(kind: Offence['kind'], reason: string): readonly SessionEvent[] {
    this.#phase = 'ended'
    this.#deadlineMs = Number.POSITIVE_INFINITY
    return [{ type: 'end', offence: { kind, reason } }]
  }

  #handle(message: Message, nowMs: number): readonly SessionEvent[] {
    switch (message.type) {
      case 'version':
        return this.#phase === 'awaitVersion' ? this.#greet(message) : [] // HS-4
      case 'verack':
        return this.#phase === 'awaitVerack' ? this.#complete(nowMs) : []
      case 'wtxidrelay':
      case 'sendaddrv2':
        if (this.#phase === 'ready') return this.#end('protocol', `${message.type} after verack`)
        if (message.type === 'wtxidrelay') this.#wtxidRelay = true
        return []
      case 'ping':
        return [{ type: 'send', message: { type: 'pong', nonce: message.nonce } }] // KA-3
      case 'pong':
        if (message.nonce !== this.#pingNonce) return [] // KA-2
        this.#pingNonce = undefined
        this.#deadlineMs = nowMs + PING_EVERY_MS
        return []
      case 'sendheaders':
      case 'sendcmpct':
      case 'feefilter':
      case 'getaddr':
      case 'addr':
      case 'addrv2':
      case 'getheaders':
      case 'getblocks':
      case 'headers':
      case 'inv':
      case 'getdata':
      case 'notfound':
      case 'block':
      case 'tx':
      case 'getcfilters':
      case 'getcfheaders':
      case 'getcfcheckpt':
      case 'cfilter':
      case 'cfheaders':
      case 'cfcheckpt':
      case 'unknown':
        return this.#phase === 'ready' ? [{ type: 'message', message }] : []
    }
  }

  #greet({ version, services, nonce, startHeight }: VersionMessage): readonly SessionEvent[] {
    this.#startHeight = startHeight
    if (this.#options.ownNonces.has(nonce))
      return this.#end('selfConnection', 'the peer is this program')
    const unsuitable = this.#unsuitable(version, services)
    this.#isPruned = (services & service.network) === 0n
    if (unsuitable !== undefined) return this.#end('unsuitable', unsuitable)
    this.#phase = 'awaitVerack'
    const replies: Message[] =
      version >= PROTOCOL_VERSION ? [{ type: 'wtxidrelay' }, { type: 'sendaddrv2' }] : []
    return [...replies, { type: 'verack' } as const].map((message) => ({ type: 'send', message }))
  }

  /**
   * HS-3. The start height is no reason by itself (HS-6); pruned peers serve what a follower of the
   * tip needs.
   */
  #unsuitable(version: number, services: bigint): string | undefined {
    if (version < VERSION_MIN) return `protocol version ${version}, at least ${VERSION_MIN} needed`
    if ((services & service.witness) === 0n) return 'no WITNESS service'
    if (this.#options.filters === true && (services & service.compactFilters) === 0n)
      return 'no COMPACT_FILTERS service'
    // Filters point at blocks of any age, which pruned peers do not have.
    if (this.#options.filters === true && (services & service.network) === 0n)
      return 'no NETWORK service'
    if ((services & service.network) !== 0n) return undefined
    if ((services & service.networkLimited) === 0n)
      return 'neither NETWORK nor NETWORK_LIMITED service'
    const lowest = this.#startHeight - LIMITED_BLOCKS
    const needed = this.#options.lowestNeeded?.() ?? Number.POSITIVE_INFINITY
    return needed < lowest ? `it has no blocks below ${lowest}, which are needed` : undefined
  }

  #complete(nowMs: number): readonly SessionEvent[] {
    this.#phase = 'ready'
    this.#deadlineMs = nowMs + PING_EVERY_MS
    return [{ type: 'send', message: { type: 'sendheaders' } }, { type: 'ready' }]
  }

  /** Time has passed: the handshake is late, a ping is due, or a pong is. */
  expire(nowMs: number): readonly SessionEvent[] {
    if (nowMs < this.#deadlineMs) return []
    if (this.#phase !== 'ready')
      return this.#end('timeout', `no handshake within ${HANDSHAKE_MS} ms`)
    if (this.#pingNonce !== undefined)
      return this.#end('timeout', `no pong within ${PONG_WITHIN_MS} ms`)
    this.#pings += 1n
    this.#pingNonce = BigInt.asUintN(64, this.#options.nonce + this.#pings)
    this.#deadlineMs = nowMs + PONG_WITHIN_MS
    return [{ type: 'send', message: { type: 'ping', nonce: this.#pingNonce } }]
  }
}
