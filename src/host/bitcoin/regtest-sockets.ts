/**
 * Sockets of the regtest node: those that others open and those that it opens itself. Source:
 * `docs/spec/bitcoin.md` RN-20, KA-4, AD-10.
 */
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { fromBigEndian } from '../../core/base/bytes.ts'
import type { RegtestNode } from '../../core/btc/regtest/node.ts'
import type { PeersInput, PeersOutput } from '../../core/btc/regtest/node-peers.ts'
import { NodePeers } from '../../core/btc/regtest/node-peers.ts'
import type { DropReason } from '../../core/btc/regtest/peer-link-port.ts'

/** No bytes in either direction for so long end a connection (KA-4). */
const IDLE_MS_MAX = 20 * 60_000
/** Unsent bytes of one peer beyond which it is taken to have stopped reading. */
const UNSENT_BYTES_MAX = 16_000_000
/** From the first attempt to the longest pause between two. */
const RETRY_FIRST_MS = 1_000
const RETRY_MAX_MS = 60_000

export type RegtestPeer = {
  readonly id: number
  readonly address: string
  readonly userAgent: string
  readonly ready: boolean
  readonly isOutbound: boolean
}

export type SocketsOptions = {
  readonly node: RegtestNode
  readonly nowSeconds?: () => number
  /** Hears of every connection that is dropped for what its peer did. */
  readonly onDrop?: (peer: string, reason: DropReason, detail: string) => void
}

type Open = { readonly socket: Socket; readonly address: string; readonly isOutbound: boolean }

export class RegtestSockets {
  readonly #options: SocketsOptions
  readonly #peers: NodePeers
  readonly #open = new Map<number, Open>()
  /** Inputs that arose while another was worked off: one at a time, in order. */
  readonly #queue: PeersInput[] = []
  readonly #unsubscribe: () => void
  readonly #retries = new Set<NodeJS.Timeout>()
  #alarm: NodeJS.Timeout | undefined
  #busy = false
  #closed = false
  #count = 0

  constructor(options: SocketsOptions) {
    this.#options = options
    this.#peers = new NodePeers(options.node)
    this.#unsubscribe = options.node.subscribe((event) => this.#step({ type: 'event', event }))
  }

  get size(): number {
    return this.#open.size
  }

  peers(): readonly RegtestPeer[] {
    return [...this.#open].map(([peer, { address, isOutbound }]) => {
      const link = this.#peers.link(peer)
      const { userAgent = '', ready = false } = link ?? {}
      return { id: peer, address, userAgent, ready, isOutbound }
    })
  }

  /** Takes a connection that somebody opened. */
  accept(socket: Socket): void {
    this.#serve(socket, { address: `${socket.remoteAddress}:${socket.remotePort}` })
  }

  /** Connects, and again whenever the connection ends unless once is enough; gives how to stop. */
  connect(host: string, port: number, { isOnce = false } = {}): () => void {
    let socket: Socket | undefined
    let failures = 0
    let stopped = false
    const open = (): void => {
      if (stopped || this.#closed) return
      const next = connect({ host, port })
      socket = next
      next.on('error', () => undefined) // Its `close` follows.
      next.once('connect', () => {
        failures = 0
        this.#serve(next, { address: `${host}:${port}`, isOutbound: true })
      })
      next.once('close', () => {
        if (isOnce) return
        const pauseMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** failures)
        failures += 1
        const retry = setTimeout(() => {
          this.#retries.delete(retry)
          open()
        }, pauseMs)
        this.#retries.add(retry.unref())
      })
    }
    open()
    return () => {
      stopped = true
      socket?.destroy()
    }
  }

  #serve(socket: Socket, to: { readonly address: string; readonly isOutbound?: boolean }): void {
    if (this.#closed) {
      socket.destroy()
      return
    }
    const { address, isOutbound = false } = to
    const peer = ++this.#count
    this.#open.set(peer, { socket, address, isOutbound })
    socket.setNoDelay(true)
    socket.setTimeout(IDLE_MS_MAX, () => socket.destroy())
    socket.on('data', (bytes) => this.#step({ type: 'bytes', peer, bytes: new Uint8Array(bytes) }))
    socket.on('drain', () => this.#step({ type: 'drained', peer }))
    socket.once('close', () => {
      if (this.#open.delete(peer)) this.#step({ type: 'closed', peer })
    })
    const nonce = fromBigEndian(randomBytes(8))
    this.#step({ type: 'connected', peer, nonce, isOutbound })
  }

  #step(input: PeersInput): void {
    if (this.#closed) return
    this.#queue.push(input)
    if (this.#busy) return
    this.#busy = true
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        const written = new Map<number, boolean>()
        for (const output of this.#peers.step(next, this.#nowMs())) this.#perform(output, written)
        for (const [peer, hasRoom] of written) this.#goOn(peer, hasRoom)
      }
    } finally {
      this.#busy = false
    }
  }

  #nowMs(): number {
    const { nowSeconds } = this.#options
    return nowSeconds === undefined ? Date.now() : nowSeconds() * 1_000
  }

  #perform(output: PeersOutput, written: Map<number, boolean>): void {
    switch (output.type) {
      case 'send': {
        const { peer, bytes, lagMs } = output
        const write = (): boolean | undefined => this.#open.get(peer)?.socket.write(bytes)
        // Timers of one length ring in the order in which they were set.
        if (lagMs > 0) setTimeout(write, lagMs).unref()
        else written.set(peer, write() ?? false)
        break
      }
      case 'drop': {
        const open = this.#open.get(output.peer)
        if (open === undefined) break
        this.#open.delete(output.peer)
        this.#options.onDrop?.(open.address, output.reason, output.detail)
        open.socket.destroy()
        break
      }
      case 'alarm':
        clearTimeout(this.#alarm)
        this.#alarm = setTimeout(() => this.#step({ type: 'alarm' }), output.afterMs).unref()
        break
    }
  }

  #goOn(peer: number, hasRoom: boolean): void {
    const socket = this.#open.get(peer)?.socket
    if (socket === undefined) return
    if (socket.writableLength > UNSENT_BYTES_MAX) socket.destroy()
    // With room in the socket no `drain` comes, so the rest is fetched here.
    else if (hasRoom && this.#peers.link(peer)?.waiting === true)
      setImmediate(() => this.#step({ type: 'drained', peer }))
  }

  close(): void {
    this.#closed = true
    this.#unsubscribe()
    clearTimeout(this.#alarm)
    for (const retry of this.#retries) clearTimeout(retry)
    for (const { socket } of this.#open.values()) socket.destroy()
    this.#open.clear()
  }
}
