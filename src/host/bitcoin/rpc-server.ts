/**
 * JSON-RPC of the regtest node over HTTP, with a cookie file, as `bitcoin-cli` and wallets use it.
 * Source: `docs/spec/bitcoin.md` RN-21, RN-22.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fromUtf8 } from '../../core/base/bytes.ts'
import { attempt, BadEncoding } from '../../core/base/errors.ts'
import type { RegtestNode } from '../../core/btc/regtest/node.ts'
import type { AddedNodes, PeerFact, RpcContext } from '../../core/btc/regtest/rpc/method.ts'
import type { RpcAnswer } from '../../core/btc/regtest/rpc/rpc.ts'
import { answerCall, parseBody } from '../../core/btc/regtest/rpc/rpc.ts'
import { removeFile, writeWholeFile } from '../daemon/whole-file.ts'
import { listen } from '../ic/listen.ts'
import { ByteBudget, readBody } from '../ic/request-body.ts'

const LOOPBACK = '127.0.0.1'
const USER = '__cookie__'
const CONNECTIONS_MAX = 64
/** A block of the greatest weight in hexadecimal, and what is around it. */
export const BODY_BYTES_MAX = 9_000_000
const BYTES_IN_WORK_MAX = 64_000_000
/** Of the answers of one batch together. */
export const ANSWER_CHARACTERS_MAX = 64_000_000
const REQUEST_MS_MAX = 30_000
const HEADERS_MS_MAX = 10_000
/** A batch gives others their turn after so long. */
const TURN_MS = 20

export type RpcServerOptions = {
  readonly node: RegtestNode
  /** 0 for any free port. */
  readonly port: number
  /** Where the line `user:password` is written, for the user alone; removed at the end. */
  readonly cookieFile: string
  readonly nowSeconds: () => number
  readonly peers?: () => readonly PeerFact[]
  /** Without it no node can be added. */
  readonly nodes?: AddedNodes
  /** What `stop` does, where it may do something. */
  readonly onStop?: (() => void) | undefined
}

export interface RpcServer {
  readonly port: number
  readonly cookieFile: string
  close(): Promise<void>
}

/** Listens on loopback; rejects with the system's error when the port is taken. */
export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const password = randomBytes(32).toString('hex')
  const endpoint = new Endpoint(options, `${USER}:${password}`)
  const server = createServer({
    requestTimeout: REQUEST_MS_MAX,
    headersTimeout: HEADERS_MS_MAX,
    connectionsCheckingInterval: 1_000,
  })
  server.maxConnections = CONNECTIONS_MAX
  server.on('request', (request, response) => void endpoint.serve(request, response))
  const port = await listen(server, { host: LOOPBACK, port: options.port })
  const { cookieFile } = options
  try {
    writeWholeFile(cookieFile, `${USER}:${password}`)
  } catch (error) {
    await closed(server)
    throw error
  }
  return {
    port,
    cookieFile,
    close: async () => {
      removeFile(cookieFile)
      await closed(server)
    },
  }
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

const NO_NODES: AddedNodes = { add: () => false, remove: () => false }

/** Wallets are asked for by name, though there is none. */
const isPlace = (url: string): boolean => url === '/' || url.startsWith('/wallet/')

const digest = (text: string): Uint8Array => createHash('sha256').update(text).digest()

class Endpoint {
  readonly #options: RpcServerOptions
  readonly #authority: Uint8Array
  readonly #budget = new ByteBudget(BYTES_IN_WORK_MAX)
  readonly #startedMs = performance.now()

  constructor(options: RpcServerOptions, authority: string) {
    this.#options = options
    this.#authority = digest(`Basic ${Buffer.from(authority).toString('base64')}`)
  }

  /** Never rejects. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined) // The client is gone.
    const early = this.#refusal(request)
    if (early !== undefined) {
      request.resume()
      send(response, early)
      return
    }
    const body = await readBody(request, { bytesMax: BODY_BYTES_MAX, budget: this.#budget })
    if (body.type === 'gone') return
    if (body.type !== 'body') {
      const status = body.type === 'tooLarge' ? 413 : 503
      send(response, { status, text: status === 503 ? 'Work queue depth exceeded' : '' })
      return
    }
    try {
      const text = attempt(() => fromUtf8(body.bytes))
      send(response, await this.#answer(text instanceof BadEncoding ? '' : text))
    } catch {
      send(response, { status: 500, text: '' })
    } finally {
      this.#budget.give(body.heldBytes)
    }
  }

  #refusal(request: IncomingMessage): RpcAnswer | undefined {
    if (!isPlace(request.url ?? '')) return { status: 404, text: '' }
    if (request.method !== 'POST')
      return { status: 405, text: 'JSONRPC server handles only POST requests' }
    const given = request.headers.authorization ?? ''
    return timingSafeEqual(digest(given), this.#authority) ? undefined : { status: 401, text: '' }
  }

  async #answer(text: string): Promise<RpcAnswer> {
    const body = parseBody(text)
    switch (body.type) {
      case 'answer':
        return body.answer
      case 'single':
        return answerCall(body.call, this.#context())
      case 'batch':
        return this.#answerAll(body.calls)
    }
  }

  async #answerAll(calls: readonly unknown[]): Promise<RpcAnswer> {
    const answers: string[] = []
    let characters = 0
    let turnMs = performance.now()
    for (const call of calls) {
      const { text } = answerCall(call, this.#context())
      if (text !== '') answers.push(text)
      characters += text.length
      if (characters > ANSWER_CHARACTERS_MAX)
        return { status: 500, text: 'the answers of this batch are too long' }
      if (performance.now() - turnMs < TURN_MS) continue
      await nextTurn()
      turnMs = performance.now()
    }
    const isSilent = answers.length === 0 && calls.length > 0
    return isSilent ? { status: 204, text: '' } : { status: 200, text: `[${answers.join(',')}]` }
  }

  #context(): RpcContext {
    const { node, nowSeconds, peers, nodes = NO_NODES, onStop } = this.#options
    return {
      node,
      nowSeconds: nowSeconds(),
      peers: () => peers?.() ?? [],
      nodes,
      stop: onStop,
      uptimeSeconds: Math.floor((performance.now() - this.#startedMs) / 1_000),
    }
  }
}

function send(response: ServerResponse, { status, text }: RpcAnswer): void {
  const isJson = text.startsWith('{') || text.startsWith('[')
  response.writeHead(status, {
    'content-type': isJson ? 'application/json' : 'text/plain',
    ...(status === 401 ? { 'www-authenticate': 'Basic realm="jsonrpc"' } : {}),
    ...(status === 413 || status === 401 ? { connection: 'close' } : {}),
  })
  response.end(status === 204 ? undefined : text === '' ? '' : `${text}\n`)
}
