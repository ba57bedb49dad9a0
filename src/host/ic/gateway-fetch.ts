/** The IC interface as agents in this process reach it: `fetch` without sockets. */
import type { IcGateway } from './gateway.ts'

/** Answers as the HTTP server would; a request that is aborted rejects as one over sockets does. */
export function gatewayFetch(gateway: IcGateway): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const { signal } = request
    signal.throwIfAborted()
    const handled = gateway.handle({
      method: request.method,
      path: new URL(request.url).pathname,
      contentType: request.headers.get('content-type') ?? undefined,
      body: new Uint8Array(await request.arrayBuffer()),
    })
    const { status, headers, body } = await unlessAborted(handled, signal)
    const bytes = typeof body === 'string' ? body : new Uint8Array(body)
    return new Response(status === 204 ? null : bytes, { status, headers: { ...headers } })
  }
}

/** What was asked goes on; nobody waits for it any more. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
