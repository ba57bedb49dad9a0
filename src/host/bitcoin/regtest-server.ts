/**
 * TCP listener of the embedded regtest node, on loopback only, and the peers that it connects to
 * itself. Source: `docs/spec/bitcoin.md` RN-20, RN-22.
 */
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { assert } from '../../core/base/errors.ts'
import type { RegtestPeer, SocketsOptions } from './regtest-sockets.ts'
import { RegtestSockets } from './regtest-sockets.ts'

const LOOPBACK = '127.0.0.1'
export const PEERS_MAX = 64

export interface RegtestServer {
  readonly host: string
  readonly port: number
  peers(): readonly RegtestPeer[]
  /** Follows a node, and is followed by it; connects again by itself. Gives how to stop that. */
  connect(host: string, port: number, options?: { readonly isOnce?: boolean }): () => void
  /** Ends every connection and the listener; done when the port is free. */
  close(): Promise<void>
}

export type RegtestServerOptions = SocketsOptions & {
  /** 0, the default, for any free port. */
  readonly port?: number
}

/** Listens; rejects with the system's error when the port is taken. */
export async function startRegtestServer(options: RegtestServerOptions): Promise<RegtestServer> {
  const sockets = new RegtestSockets(options)
  const server = createServer((socket) => {
    // An error of a socket is followed by its `close`.
    socket.on('error', () => undefined)
    if (sockets.size >= PEERS_MAX) socket.destroy()
    else sockets.accept(socket)
  })
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(options.port ?? 0, LOOPBACK, resolve)
    })
  } catch (error) {
    sockets.close()
    throw error
  }
  return {
    host: LOOPBACK,
    port: portOf(server.address()),
    peers: () => sockets.peers(),
    connect: (host, port, options) => sockets.connect(host, port, options),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        sockets.close()
      }),
  }
}

function portOf(address: AddressInfo | string | null): number {
  assert(address !== null && typeof address !== 'string', 'a TCP listener has a port')
  return address.port
}
