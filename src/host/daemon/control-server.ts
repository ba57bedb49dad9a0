/**
 * The control port: operations of the owner of the subnet, over a socket that web pages cannot
 * reach. Implements `docs/spec/ic-interface.md` §19.
 */
import { chmodSync, rmSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { attempt, BadEncoding, CkbtcError, Problem } from '../../core/base/errors.ts'
import { parseJson } from '../../core/base/json.ts'
import type { OperationName, ReplyOf, RequestOf } from '../control/protocol.ts'
import { isOperation, operations, REQUEST_BYTES_MAX, wireJson } from '../control/protocol.ts'

const CONNECTIONS_MAX = 64
const BODY_MS_MAX = 30_000
const SOCKET_MODE = 0o600

/** One function for each operation; what it throws goes to whoever asked. */
export type ControlHandlers = {
  readonly [N in OperationName]: (request: RequestOf<N>) => Promise<ReplyOf<N>> | ReplyOf<N>
}

export type ControlServerOptions = {
  /** A Unix socket in a folder that only its owner may enter, or a Windows pipe. */
  readonly path: string
  readonly handlers: ControlHandlers
  /** Hears of what no rule foresaw. */
  readonly onError: (error: unknown) => void
}

export interface ControlServer {
  close(): Promise<void>
}

/** Listens; a socket that a dead process left is replaced. */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const { path } = options
  const isPipe = process.platform === 'win32'
  if (!isPipe) rmSync(path, { force: true })
  const server = createServer({ requestTimeout: BODY_MS_MAX }, (request, response) => {
    answer(options, request).then(
      ({ status, body }) => send(response, status, body),
      (error: unknown) => {
        options.onError(error)
        send(response, 500, failureOf(error))
      },
    )
  })
  server.maxConnections = CONNECTIONS_MAX
  await listen(server, path)
  if (!isPipe) chmodSync(path, SOCKET_MODE)
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
}

type Reply = { readonly status: number; readonly body: string }

async function answer(options: ControlServerOptions, request: IncomingMessage): Promise<Reply> {
  const name = (request.url ?? '/').slice(1)
  if (request.method !== 'POST' || !isOperation(name)) return { status: 404, body: '{}' }
  const body = await readBody(request)
  if (body === undefined) return { status: 413, body: '{}' }
  try {
    return { status: 200, body: await perform(options.handlers, name, body) }
  } catch (error) {
    if (!(error instanceof CkbtcError)) throw error
    return { status: 409, body: failureOf(error) }
  }
}

async function perform<N extends OperationName>(
  handlers: ControlHandlers,
  name: N,
  body: string,
): Promise<string> {
  const request = attempt(() => parseJson(body, operations[name].request))
  if (request instanceof BadEncoding)
    throw new Problem(
      'USAGE_INVALID',
      `the subnet does not take this request: ${request.message}`,
      {
        fix: 'use the same version of ckbtc that started the subnet',
        command: 'ckbtc subnet stop && ckbtc subnet start',
      },
    )
  return wireJson(await handlers[name](request))
}

/** What is known of a failure; a stranger to the catalogue is a bug and keeps its place hidden. */
function failureOf(error: unknown): string {
  const known = error instanceof CkbtcError
  const message = error instanceof Error ? error.message : String(error)
  return wireJson({
    code: known ? error.code : 'BUG',
    message,
    fix: known ? error.fix : 'report it with the log of the subnet',
    command: known ? error.command : 'ckbtc subnet logs',
    details: known ? error.details : {},
  })
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > REQUEST_BYTES_MAX) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function send(response: ServerResponse, status: number, body: string): void {
  if (response.destroyed) return
  const bytes = Buffer.from(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    connection: 'close',
  })
  response.end(bytes)
}
