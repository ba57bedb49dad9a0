/**
 * Sockets and timers of the Bitcoin adapter: connects to its peers over TCP and feeds it. Source:
 * `docs/spec/bitcoin.md` §3, KA-4, §3.11.
 */
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import type { TimestampNs } from '../../core/base/units.ts'
import type { AdapterInput, AdapterOutput, PeerAddress } from '../../core/btc/adapter-port.ts'
import { isLoopback } from '../../core/btc/network-address.ts'
import type { Clock } from '../clock.ts'
import { entropy } from '../entropy.ts'
import { SocksHandshake } from './socks.ts'

/** No bytes in either direction for so long end a connection (KA-4). */
const IDLE_MS_MAX = 20 * 60_000
/** Unsent bytes of one peer beyond which nothing more is read from it, until it has read. */
const UNSENT_BYTES_FULL = 1_000_000
/** Beyond, it is taken to have stopped reading. */
const UNSENT_BYTES_MAX = 64_000_000
/** Of the user that the proxy sees. */
const PROXY_SECRET_SIZE = 8
/** Longest delay that a timer of the platform takes. */
const TIMER_MS_MAX = 2 ** 31 - 1

type SocketInput = Extract<
  AdapterInput,
  { readonly type: 'connected' | 'bytes' | 'disconnected' | 'alarm' }
>

/** A party that speaks to peers over sockets: the adapter, or what is built on it. */
export interface PeerParty<I, O> {
  step(input: I | SocketInput, now: TimestampNs): readonly O[]
}

/** A SOCKS5 proxy. With it nothing is connected or resolved directly, whatever fails (PX-2). */
export type SocksProxy = PeerAddress & { readonly onRefusal?: (reason: string) => void }

export type DriverOptions<O> = {
  readonly clock: Clock
  readonly report: (output: O) => void
  readonly proxy?: SocksProxy | undefined
  /** Silence that ends a connection (KA-4). */
  readonly idleMs?: number
}

/** Sockets and timers of such a party; what is none of these is for `report`. */
export class PeerDriver<I, O extends AdapterOutput | { readonly type: 'changed' | 'fetched' }> {
  readonly #party: PeerParty<I, O>
  readonly #clock: Clock
  readonly #report: (output: O) => void
  readonly #proxy: SocksProxy | undefined
  readonly #idleMs: number
  readonly #sockets = new Map<number, Socket>()
  /** Inputs that arose while another was worked off: one at a time, in order. */
  readonly #queue: (I | SocketInput)[] = []
  readonly #timers = new Map<string, NodeJS.Timeout>()
  #busy = false
  #closed = false

  constructor(
    party: PeerParty<I, O>,
    { clock, report, proxy, idleMs = IDLE_MS_MAX }: DriverOptions<O>,
  ) {
    this.#party = party
    this.#clock = clock
    this.#report = report
    this.#proxy = proxy
    this.#idleMs = idleMs
  }

  step(input: I | SocketInput): void {
    if (this.#closed) return
    this.#queue.push(input)
    if (this.#busy) return
    this.#busy = true
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift())
        for (const output of this.#party.step(next, this.#clock())) {
          if (this.#closed) return
          this.#perform(output)
          this.#report(output)
        }
    } finally {
      this.#busy = false
    }
  }

  #perform(output: AdapterOutput | { readonly type: 'changed' | 'fetched' }): void {
    switch (output.type) {
      case 'connect':
        this.#connect(output)
        break
      case 'send':
        this.#send(output.peer, output.bytes)
        break
      case 'disconnect':
        this.#drop(output.peer)
        break
      case 'alarm':
        this.#ring(output.name, output.afterMs)
        break
      case 'headers':
      case 'block':
      case 'evidence':
      case 'lookUp':
      case 'peerReady':
      case 'filterMessage':
      case 'changed':
      case 'fetched':
        break
    }
  }

  #ring(name: string, afterMs: number): void {
    clearTimeout(this.#timers.get(name))
    const timer = setTimeout(
      () => this.step({ type: 'alarm', name }),
      Math.min(afterMs, TIMER_MS_MAX),
    )
    this.#timers.set(name, timer)
  }

  #connect({ peer, host, port }: Extract<AdapterOutput, { type: 'connect' }>): void {
    // Loopback never goes through a proxy.
    const proxy = isLoopback(host) ? undefined : this.#proxy
    const place = proxy ?? { host, port }
    const socket = connect({ host: place.host, port: place.port, noDelay: true })
    this.#sockets.set(peer, socket)
    // A socket that was replaced or dropped says nothing more.
    const report = (input: SocketInput): void => {
      if (this.#sockets.get(peer) === socket) this.step(input)
    }
    const hear = (bytes: Uint8Array): void => report({ type: 'bytes', peer, bytes })
    const open = (): void => report({ type: 'connected', peer })
    if (proxy === undefined) {
      socket.once('connect', open)
      socket.on('data', (bytes) => hear(new Uint8Array(bytes)))
    } else passThrough(socket, { target: { host, port }, proxy, open, hear })
    socket.on('drain', () => socket.resume())
    socket.on('error', () => undefined) // Its `close` follows.
    socket.setTimeout(this.#idleMs, () => socket.destroy())
    socket.once('close', () => {
      if (this.#sockets.get(peer) !== socket) return
      this.#sockets.delete(peer)
      this.step({ type: 'disconnected', peer })
    })
  }

  #send(peer: number, bytes: Uint8Array): void {
    const socket = this.#sockets.get(peer)
    if (socket === undefined) return
    socket.write(bytes)
    if (socket.writableLength > UNSENT_BYTES_MAX) socket.destroy()
    // Who asks faster than he reads waits: his questions stay in his own buffers.
    else if (socket.writableLength > UNSENT_BYTES_FULL) socket.pause()
  }

  #drop(peer: number): void {
    const socket = this.#sockets.get(peer)
    this.#sockets.delete(peer)
    socket?.destroy()
  }

  get isClosed(): boolean {
    return this.#closed
  }

  close(): void {
    this.#closed = true
    for (const timer of this.#timers.values()) clearTimeout(timer)
    for (const peer of [...this.#sockets.keys()]) this.#drop(peer)
  }
}

/** Speaks to the proxy first; what comes after that is the peer's. */
function passThrough(
  socket: Socket,
  {
    target,
    proxy,
    open,
    hear,
  }: {
    readonly target: PeerAddress
    readonly proxy: SocksProxy
    readonly open: () => void
    readonly hear: (bytes: Uint8Array) => void
  },
): void {
  const handshake = new SocksHandshake(target, entropy(PROXY_SECRET_SIZE))
  let isOpen = false
  socket.once('connect', () => socket.write(handshake.start()))
  socket.once('error', (error) => {
    if (!isOpen) proxy.onRefusal?.(error.message)
  })
  socket.on('data', (bytes) => {
    if (isOpen) {
      hear(new Uint8Array(bytes))
      return
    }
    const step = handshake.push(bytes)
    switch (step.type) {
      case 'more':
        if (step.send.length > 0) socket.write(step.send)
        break
      case 'connected':
        isOpen = true
        open()
        if (step.rest.length > 0) hear(step.rest)
        break
      case 'refused':
        proxy.onRefusal?.(step.reason)
        socket.destroy()
        break
    }
  })
}
