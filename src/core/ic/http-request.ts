/**
 * `http_request`: what a canister that has pages answers a gateway. Implements
 * `docs/spec/ic-interface.md` §20 (Candid).
 */
import { utf8 } from '../base/bytes.ts'
import type { Codec } from './candid.ts'
import { blob, bool, mapped, nat16, opt, query, text, vec } from './candid.ts'
import { pair, record } from './candid-records.ts'

export type HttpHeader = readonly [name: string, value: string]

export type HttpRequest = {
  readonly method: string
  /** Path and query; no host. */
  readonly url: string
  readonly headers: readonly HttpHeader[]
  readonly body: Uint8Array
  readonly certificateVersion?: number | undefined
}

export type HttpResponse = {
  readonly statusCode: number
  readonly headers: readonly HttpHeader[]
  readonly body: Uint8Array
  /** The request is to be made again as a call. */
  readonly upgrade?: boolean | undefined
}

const header: Codec<HttpHeader> = mapped(
  pair(text, text),
  (value): HttpHeader => value,
  (value) => value,
)

const request: Codec<HttpRequest> = record({
  method: text,
  url: text,
  headers: vec(header),
  body: blob,
  certificate_version: opt(nat16),
})
const response: Codec<HttpResponse> = record({
  status_code: nat16,
  headers: vec(header),
  body: blob,
  upgrade: opt(bool),
})

export const httpInterface = { http_request: query([request], response) }

/** An answer of text. It changes with every slot, and what reads it takes the type as it is told. */
export const httpText = (
  statusCode: number,
  contentType: string,
  body: string,
  headers: readonly HttpHeader[] = [],
): HttpResponse => ({
  statusCode,
  headers: [
    ['content-type', contentType],
    ['cache-control', 'no-store'],
    ['x-content-type-options', 'nosniff'],
    ...headers,
  ],
  body: utf8(body),
})

export const httpPlain = (statusCode: number, words: string): HttpResponse =>
  httpText(statusCode, 'text/plain; charset=utf-8', `${words}\n`)
