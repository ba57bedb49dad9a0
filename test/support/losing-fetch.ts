/** A way to a network that loses answers or requests of calls, as the test says. */
export type Loss =
  /** The call arrives and is executed; nothing comes back. */
  | 'answer'
  /** The call never arrives, and nobody can tell. */
  | 'request'

/** In CBOR. */
const EMPTY_MAP = new Uint8Array([0xa0])

/** `losses` is asked for each call, first to last; after the last one everything passes. */
export function losingFetch(
  forward: typeof fetch,
  losses: readonly (Loss | undefined)[],
): typeof fetch {
  let calls = 0
  /** After a loss nobody answers who can be believed: then the wallet is not patient. */
  let isBroken = false
  return async (input, init) => {
    const request = new Request(input, init)
    const isCall = request.url.endsWith('/call')
    if (!isCall && isBroken) return new Response(EMPTY_MAP)
    if (!isCall) return forward(input, init)
    const loss = losses[calls++]
    if (loss === undefined) return forward(input, init)
    isBroken = true
    if (loss === 'answer') await forward(input, init)
    throw reset()
  }
}

const reset = (): TypeError =>
  new TypeError('fetch failed', {
    cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }),
  })
