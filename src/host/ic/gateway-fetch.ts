/** The IC interface as agents in this process reach it: `fetch` without sockets. */
import { STATUS_CODES } from 'node:http'
import type { IcGateway } from './gateway.ts'
import type { IcResponse } from './messages.ts'

/** Answers as the HTTP server would; a request that is aborted rejects as one over sockets does. */
export function gatewayFetch(gateway: IcGateway): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const { signal, method, url } = request
    const body = new Uint8Array(await request.arrayBuffer())
    signal.throwIfAborted()
    const contentType = request.headers.get('content-type') ?? undefined
    const { pathname: path, search: query, host } = new URL(url)
    const handled = gateway.handle({ method, path, query, host, contentType, body })
    return responseOf(await unlessAborted(handled, signal), url)
  }
}

function responseOf({ status, headers, body }: IcResponse, url: string): Response {
  const bytes = typeof body === 'string' ? body : new Uint8Array(body)
  const response = new Response(status === 204 ? null : bytes, {
    status,
    statusText: STATUS_CODES[status] ?? '',
    headers: { ...headers },
  })
  // Agents look whether it was a synchronous call that is not there.
  return Object.defineProperty(response, 'url', { value: url })
}

/** What was asked goes on; nobody waits for it any more. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
