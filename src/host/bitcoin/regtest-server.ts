/**
 * TCP listener of the embedded regtest node, on loopback only. Source: `docs/spec/bitcoin.md`
 * RN-20, RN-22, KA-4.
 */
import { randomBytes } from 'node:crypto'
import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:net'
import { fromBigEndian } from '../../core/base/bytes.ts'
import { assert } from '../../core/base/errors.ts'
import type { RegtestNode } from '../../core/btc/regtest/node.ts'
import type { DropReason, SessionInput } from '../../core/btc/regtest/peer-server.ts'
import { HANDSHAKE_SECONDS_MAX, ServerSession } from '../../core/btc/regtest/peer-server.ts'

const LOOPBACK = '127.0.0.1'
export const PEERS_MAX = 64
/** No bytes in either direction for so long end a connection (KA-4). */
const IDLE_MS_MAX = 20 * 60_000
/** Unsent bytes of one peer beyond which it is taken to have stopped reading. */
const UNSENT_BYTES_MAX = 16_000_000

export type RegtestPeer = {
  readonly address: string
  readonly userAgent: string
  readonly ready: boolean
}

export interface RegtestServer {
  readonly host: string
  readonly port: number
  peers(): readonly RegtestPeer[]
  /** Ends every connection and the listener; done when the port is free. */
  close(): Promise<void>
}

export type RegtestServerOptions = {
  readonly node: RegtestNode
  /** 0, the default, for any free port. */
  readonly port?: number
  readonly nowSeconds?: () => number
  /** Hears of every connection that is dropped for what its peer did. */
  readonly onDrop?: (peer: string, reason: DropReason, detail: string) => void
}

/** Listens; rejects with the system's error when the port is taken. */
export async function startRegtestServer(options: RegtestServerOptions): Promise<RegtestServer> {
  const connections = new Set<Connection>()
  const server = createServer((socket) => {
    // An error of a socket is followed by its `close`.
    socket.on('error', () => undefined)
    if (connections.size >= PEERS_MAX) {
      socket.destroy()
      return
    }
    const connection = new Connection(socket, options)
    connections.add(connection)
    socket.once('close', () => {
      connection.end()
      connections.delete(connection)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, LOOPBACK, resolve)
  })
  return {
    host: LOOPBACK,
    port: portOf(server.address()),
    peers: () => [...connections].map((connection) => connection.peer()),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const connection of connections) connection.end()
      }),
  }
}

function portOf(address: AddressInfo | string | null): number {
  assert(address !== null && typeof address !== 'string', 'a TCP listener has a port')
  return address.port
}

/** A socket with its session, until one of them ends. */
class Connection {
  readonly #socket: Socket
  readonly #options: RegtestServerOptions
  readonly #session: ServerSession
  readonly #name: string
  readonly #unsubscribe: () => void
  readonly #deadline: NodeJS.Timeout

  constructor(socket: Socket, options: RegtestServerOptions) {
    this.#socket = socket
    this.#options = options
    this.#name = `${socket.remoteAddress}:${socket.remotePort}`
    const nonce = fromBigEndian(randomBytes(8))
    this.#session = new ServerSession({ node: options.node, peer: this.#name, nonce })
    this.#unsubscribe = options.node.subscribe((event) => this.#step({ type: 'event', event }))
    this.#deadline = setTimeout(
      () => this.#step({ type: 'deadline' }),
      HANDSHAKE_SECONDS_MAX * 1_000,
    )
    socket.setNoDelay(true)
    socket.setTimeout(IDLE_MS_MAX, () => this.end())
    socket.on('data', (bytes) => {
      const nowSeconds = (options.nowSeconds ?? systemSeconds)()
      this.#step({ type: 'bytes', bytes: new Uint8Array(bytes), nowSeconds })
    })
    socket.on('drain', () => this.#step({ type: 'drained' }))
  }

  peer(): RegtestPeer {
    const { userAgent, ready } = this.#session
    return { address: this.#name, userAgent, ready }
  }

  end(): void {
    clearTimeout(this.#deadline)
    this.#unsubscribe()
    this.#socket.destroy()
  }

  #step(input: SessionInput): void {
    if (this.#socket.destroyed) return
    let roomLeft = true
    for (const output of this.#session.step(input)) {
      if (output.type === 'drop') {
        this.#options.onDrop?.(this.#name, output.reason, output.detail)
        this.end()
        return
      }
      roomLeft = this.#socket.write(output.bytes)
    }
    if (this.#socket.writableLength > UNSENT_BYTES_MAX) this.end()
    // With room in the socket no `drain` comes, so the rest is fetched here.
    else if (roomLeft && this.#session.waiting) setImmediate(() => this.#step({ type: 'drained' }))
  }
}

const systemSeconds = (): number => Math.floor(Date.now() / 1_000)
