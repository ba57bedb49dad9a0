/**
 * Requests and answers of the IC interface without sockets. Implements `docs/spec/ic-interface.md`
 * §19: content types, CORS.
 */

export type IcRequest = {
  readonly method: string
  /** Without query. */
  readonly path: string
  /** From its question mark on; empty without. */
  readonly query?: string | undefined
  /** As the client wrote it. */
  readonly host?: string | undefined
  readonly contentType: string | undefined
  readonly body: Uint8Array
}

export type IcResponse = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | string
}

/** Any page may ask: what changes anything is signed. */
const CORS: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, HEAD, OPTIONS',
  'access-control-allow-headers':
    'accept, authorization, content-type, cookie, dnt, range, user-agent, x-requested-with',
}

export const preflight: IcResponse = { status: 204, headers: CORS, body: '' }

export const cbor = (body: Uint8Array): IcResponse => ({
  status: 200,
  headers: { ...CORS, 'content-type': 'application/cbor' },
  body,
})

/** What a canister shows. A browser takes its type as it is told. */
export const page = (
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
): IcResponse => ({
  status,
  headers: {
    ...CORS,
    'content-type': 'application/octet-stream',
    ...headers,
    'x-content-type-options': 'nosniff',
  },
  body,
})

/** A refusal in plain words. */
export const plain = (
  status: number,
  words: string,
  headers: Readonly<Record<string, string>> = {},
): IcResponse => ({
  status,
  headers: { ...CORS, 'content-type': 'text/plain; charset=utf-8', ...headers },
  body: words,
})

/** The subnet is there and cannot vouch for anything yet, or any more (§16). */
export const unavailable: IcResponse = plain(
  503,
  'Certified state is not available yet. Please try again...',
)

export const notFound: IcResponse = plain(404, 'There is nothing under this path.')

export const notAllowed = (allow: string): IcResponse =>
  plain(405, `This path takes ${allow}.`, { allow: `${allow}, OPTIONS` })

/** What a busy server says; it is asked again after a second. */
export const overloaded = (words: string): IcResponse => plain(429, words, { 'retry-after': '1' })

export const tooLarge = (bytesMax: number): IcResponse =>
  plain(413, `A body of more than ${bytesMax} bytes is not read.`, { connection: 'close' })
