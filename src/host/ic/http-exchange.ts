/**
 * One HTTP request and its answer, over a connection that may be slow, endless or gone. Implements
 * `docs/spec/ic-interface.md` §§6 (checks 1, 2) and 19.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { IcGateway } from './gateway.ts'
import { isOwnName } from './host-names.ts'
import type { IcResponse } from './messages.ts'
import { overloaded, plain, tooLarge } from './messages.ts'
import type { ByteBudget } from './request-body.ts'
import { readBody } from './request-body.ts'
import { bodyBytesMax } from './routes.ts'

/** What is read and dropped of a body that was refused, so that its sender hears why. */
const DROPPED_BYTES_MAX = 16 * 1024 * 1024

export type ExchangeContext = {
  readonly gateway: IcGateway
  readonly budget: ByteBudget
  /** Names beside `localhost` under which the server may be asked. */
  readonly names: readonly string[]
  /** Time for an answer to be taken. */
  readonly answerMsMax: number
  readonly isClosing: () => boolean
  /** Connections with a request that has arrived and an answer that has not left. */
  readonly working: Set<Socket>
  /** Hears of what no rule foresaw; the client is told that the server failed. */
  readonly onError: (error: unknown) => void
}

/** Never rejects. `proceed` asks for a body that the client holds back until then. */
export async function exchange(
  context: ExchangeContext,
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  proceed: () => void,
): Promise<void> {
  const { gateway, names, budget } = context
  response.on('error', () => undefined) // The client is gone; `close` follows.
  const url = request.url ?? '/'
  const [path = '/'] = url.split('?')
  const head = {
    method: request.method ?? 'GET',
    path,
    query: url.slice(path.length),
    host: request.headers.host,
    contentType: request.headers['content-type'],
  }
  const early = isOwnName(request.headers.host, names)
    ? gateway.answerHead(head)
    : plain(403, 'This server is not asked under that name.')
  if (early !== undefined) return send(context, { request, response }, early)
  const bytesMax = bodyBytesMax(path)
  if (Number(request.headers['content-length'] ?? 0) > bytesMax)
    return send(context, { request, response }, tooLarge(bytesMax))
  proceed()
  const body = await readBody(request, { bytesMax, budget })
  switch (body.type) {
    case 'gone':
      return
    case 'tooLarge':
      return send(context, { request, response }, tooLarge(bytesMax))
    case 'noRoom':
      return send(context, { request, response }, overloaded('Too many bytes are worked on.'))
    case 'body': {
      const { socket } = request
      context.working.add(socket)
      response.once('close', () => context.working.delete(socket))
      const answer = await gateway.handle({ ...head, body: body.bytes }).catch((error) => {
        context.onError(error)
        return plain(500, 'The server failed. Its log says more.')
      })
      budget.give(body.heldBytes)
      return send(context, { request, response }, answer)
    }
  }
}

function send(
  { budget, answerMsMax, isClosing }: ExchangeContext,
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  { status, headers, body }: IcResponse,
): void {
  if (response.destroyed || response.headersSent) return
  const bytes = Buffer.from(body)
  const hasBody = status !== 204
  response.writeHead(status, {
    ...headers,
    ...(hasBody ? { 'content-length': bytes.length } : {}),
    ...(isClosing() ? { connection: 'close' } : {}),
  })
  budget.hold(bytes.length)
  const impatience = setTimeout(() => request.socket.destroy(), answerMsMax)
  response.once('close', () => {
    clearTimeout(impatience)
    budget.give(bytes.length)
  })
  if (hasBody && request.method !== 'HEAD') response.write(bytes)
  else response.flushHeaders()
  afterRequest(request, () => response.end())
}

/**
 * Ends the answer once the request has: a connection that closes while its client still writes
 * loses the answer.
 */
function afterRequest(request: IncomingMessage, done: () => void): void {
  if (request.readableEnded || request.destroyed) {
    done()
    return
  }
  let dropped = 0
  request.on('data', (chunk: Uint8Array) => {
    dropped += chunk.length
    if (dropped > DROPPED_BYTES_MAX) request.socket.destroy()
  })
  request.once('end', done)
  request.once('close', done)
}
