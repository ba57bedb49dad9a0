/**
 * The IC interface over HTTP: sockets, limits and time-outs around the gateway. Implements
 * `docs/spec/ic-interface.md` §19.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { isIP } from 'node:net'
import { HostPortBusy } from '../../core/base/errors.ts'
import type { IcGateway, IcResponse } from './gateway.ts'
import { plain } from './gateway.ts'

/** Any body (§25). */
const BODY_BYTES_MAX = 4 * 1024 * 1024
/** Time for a body to arrive. */
const BODY_MS_MAX = 30_000
const HEADERS_MS_MAX = 10_000
const KEEP_ALIVE_MS = 60_000
const CONNECTIONS_MAX = 1_000
/** Node looks for requests that are too slow at this interval. */
const CHECK_INTERVAL_MS = 1_000

export type HttpServerOptions = {
  readonly gateway: IcGateway
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Names beside `localhost` under which the server may be asked. */
  readonly names?: readonly string[]
  /** Hears of what no rule foresaw; the client is told that the server failed. */
  readonly onError?: (error: unknown) => void
}

export interface HttpServer {
  readonly port: number
  readonly url: string
  /** Ends every connection; done when the port is free. */
  close(): Promise<void>
}

/** Listens. Throws `HostPortBusy`. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { host, port } = options
  const server = createServer(
    {
      requestTimeout: BODY_MS_MAX,
      headersTimeout: HEADERS_MS_MAX,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
    },
    (request, response) => {
      serve(options, request).then(
        (answer) => send(response, request, answer),
        (error: unknown) => {
          options.onError?.(error)
          send(response, request, plain(500, 'The server failed. Its log says more.'))
        },
      )
    },
  )
  server.maxConnections = CONNECTIONS_MAX
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new HostPortBusy({ host, port }, cause)))
    server.listen({ host, port }, resolve)
  })
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  return {
    port: bound,
    url: `http://${isIP(host) === 6 ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function serve(options: HttpServerOptions, request: IncomingMessage): Promise<IcResponse> {
  if (!isOwnName(request.headers.host, options.names ?? []))
    return plain(403, 'This server is not asked under that name.')
  const body = await readBody(request)
  if (body === undefined)
    return plain(413, `A body of more than ${BODY_BYTES_MAX} bytes is not read.`, {
      connection: 'close',
    })
  const [path = '/'] = (request.url ?? '/').split('?')
  return options.gateway.handle({
    method: request.method ?? 'GET',
    path,
    contentType: request.headers['content-type'],
    body,
  })
}

/** A page of another origin whose name was made to lead here is not served (DNS rebinding). */
function isOwnName(header: string | undefined, names: readonly string[]): boolean {
  if (header === undefined) return false
  const name = header
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase()
  return (
    isIP(name) !== 0 ||
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    names.some((own) => own.toLowerCase() === name)
  )
}

/** Undefined when it is too large; the rest of it is not read. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > BODY_BYTES_MAX) return undefined
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > BODY_BYTES_MAX) return undefined
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

function send(response: ServerResponse, request: IncomingMessage, answer: IcResponse): void {
  if (response.destroyed || response.headersSent) return
  const { status, headers, body } = answer
  const bytes = Buffer.from(body)
  response.writeHead(
    status,
    status === 204 ? headers : { ...headers, 'content-length': bytes.length },
  )
  response.end(request.method === 'HEAD' || status === 204 ? undefined : bytes)
}
