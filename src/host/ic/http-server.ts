/**
 * The IC interface over HTTP: listeners, connections and time-outs around the gateway. Implements
 * `docs/spec/ic-interface.md` §19.
 */
import type { Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { Server as Listener, Socket } from 'node:net'
import { createServer as createListener } from 'node:net'
import type { Duplex } from 'node:stream'
import { isLoopback } from '../../core/btc/network-address.ts'
import type { IcGateway } from './gateway.ts'
import { addressesOf, hostInUrl } from './host-names.ts'
import type { ExchangeContext } from './http-exchange.ts'
import { exchange } from './http-exchange.ts'
import { isTaken, listen, problemOf } from './listen.ts'
import { plain } from './messages.ts'
import { ByteBudget } from './request-body.ts'

/** Bodies and answers of all requests in work (§25). */
const BYTES_IN_WORK_MAX = 128 * 1024 * 1024
const CONNECTIONS_MAX = 1_000
/** Ports that are free for IPv4 and taken for IPv6 are let go, so many times. */
const ATTEMPTS_MAX = 10

export type HttpLimits = {
  /** Time for a request to arrive, its body included. */
  readonly requestMsMax: number
  readonly headersMsMax: number
  /** Time for an answer to be taken. */
  readonly answerMsMax: number
  readonly keepAliveMs: number
  readonly connectionsMax: number
  readonly bytesInWorkMax: number
  /** How long requests in work may go on when the server closes. */
  readonly closeMsMax: number
}

const defaults: HttpLimits = {
  requestMsMax: 30_000,
  headersMsMax: 10_000,
  answerMsMax: 30_000,
  keepAliveMs: 60_000,
  connectionsMax: CONNECTIONS_MAX,
  bytesInWorkMax: BYTES_IN_WORK_MAX,
  closeMsMax: 2_000,
}
/** Node looks for requests that are too slow at this interval. */
const CHECK_INTERVAL_MS = 1_000

export type HttpServerOptions = {
  readonly gateway: IcGateway
  /** `127.0.0.1` or `localhost`: both loopback addresses. */
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Names beside `localhost` under which the server may be asked. */
  readonly names?: readonly string[]
  readonly limits?: Partial<HttpLimits>
  /** Hears that other machines reach the server. */
  readonly onWarning?: (words: string) => void
  readonly onError?: (error: unknown) => void
}

export interface HttpServer {
  readonly port: number
  readonly url: string
  /** Addresses that it listens on. */
  readonly addresses: readonly string[]
  /** Ends every connection, those with a request in work after it; done when the port is free. */
  close(): Promise<void>
}

/** Listens. Throws `HostPortBusy`, or `USAGE_INVALID` for an address that cannot be had. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { host, port, onWarning } = options
  for (let attempt = 1; ; attempt++) {
    const server = new IcHttpServer(options)
    try {
      await server.open()
      if (!isLoopback(host))
        onWarning?.(`other machines reach this subnet under ${host}, and nothing is encrypted`)
      return server
    } catch (error) {
      await server.close()
      if (!isTaken(error) || port !== 0 || attempt === ATTEMPTS_MAX)
        throw await problemOf(error, { host, port })
    }
  }
}

class IcHttpServer implements HttpServer {
  readonly #options: HttpServerOptions
  readonly #limits: HttpLimits
  readonly #server: Server
  /** Listeners of further addresses, which hand their connections to the server. */
  readonly #others: Listener[] = []
  readonly #sockets = new Set<Socket>()
  readonly #working = new Set<Socket>()
  /** What is being answered on a connection. */
  readonly #answering = new WeakMap<Duplex, ServerResponse>()
  readonly addresses: string[] = []
  port = 0
  #closing = false

  constructor(options: HttpServerOptions) {
    this.#options = options
    this.#limits = { ...defaults, ...options.limits }
    this.#server = this.#createServer()
  }

  get url(): string {
    const { host } = this.#options
    return `http://${hostInUrl(host)}:${this.port}`
  }

  #createServer(): Server {
    const { requestMsMax, headersMsMax, keepAliveMs } = this.#limits
    const context: ExchangeContext = {
      gateway: this.#options.gateway,
      budget: new ByteBudget(this.#limits.bytesInWorkMax),
      names: this.#options.names ?? [],
      answerMsMax: this.#limits.answerMsMax,
      isClosing: () => this.#closing,
      working: this.#working,
      onError: (error) => this.#options.onError?.(error),
    }
    const server = createServer({
      requestTimeout: requestMsMax,
      headersTimeout: Math.min(headersMsMax, requestMsMax),
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, requestMsMax),
    })
    // Who has sent a request and ends his side still hears the answer.
    Object.assign(server, { httpAllowHalfOpen: true })
    server.on('request', (request, response) => {
      this.#answering.set(request.socket, response)
      void exchange(context, { request, response }, () => undefined)
    })
    server.on('checkContinue', (request, response) => {
      this.#answering.set(request.socket, response)
      void exchange(context, { request, response }, () => response.writeContinue())
    })
    server.on('clientError', (error, socket) => this.#refuse(error, socket))
    server.on('connection', (socket) => this.#accept(socket))
    return server
  }

  #accept(socket: Socket): void {
    if (this.#sockets.size >= this.#limits.connectionsMax) {
      socket.destroy()
      return
    }
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  /** A request that is no HTTP, or that does not arrive. */
  #refuse(error: Error, socket: Duplex): void {
    const hasAnswer = this.#answering.get(socket)?.headersSent === true
    const code = 'code' in error ? error.code : undefined
    if (!socket.writable || hasAnswer || code === 'ECONNRESET') {
      socket.destroy()
      return
    }
    const { status, headers, body } =
      code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? plain(408, 'The request did not arrive in time.')
        : code === 'HPE_HEADER_OVERFLOW'
          ? plain(431, 'The header is too long.')
          : plain(400, 'This is not an HTTP request.')
    const bytes = Buffer.from(body)
    const lines = Object.entries({
      ...headers,
      'content-length': bytes.length,
      connection: 'close',
    })
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')
    socket.end(`HTTP/1.1 ${status} ${reasons[status] ?? 'Error'}\r\n${lines}\r\n${bytes}`)
    socket.once('finish', () => socket.destroy())
  }

  /** Rejects with what the system says. */
  async open(): Promise<void> {
    const { host, port } = this.#options
    const [first, ...further] = addressesOf(host)
    this.port = await listen(this.#server, { host: first, port })
    this.addresses.push(first)
    // A connection that could not be taken, for want of descriptors: others can.
    this.#server.on('error', (error) => this.#options.onError?.(error))
    for (const address of further) {
      const listener = createListener({ allowHalfOpen: true, noDelay: true }, (socket) =>
        this.#server.emit('connection', socket),
      )
      const isThere = await listen(listener, { host: address, port: this.port }).then(
        () => true,
        (error: unknown) => {
          if (isTaken(error)) throw error
          return false // This machine has no such address.
        },
      )
      if (!isThere) continue
      listener.on('error', (error) => this.#options.onError?.(error))
      this.#others.push(listener)
      this.addresses.push(address)
    }
  }

  async close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    const listeners = [this.#server, ...this.#others]
    const closed = Promise.all(
      listeners.map((each) => new Promise<void>((resolve) => each.close(() => resolve()))),
    )
    for (const socket of this.#sockets) if (!this.#working.has(socket)) socket.destroy()
    const impatience = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy()
    }, this.#limits.closeMsMax)
    await closed
    clearTimeout(impatience)
  }
}

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
}
