/** Pages of a canister by path. Implements `docs/spec/ic-interface.md` §20, `docs/spec/minter.md` §20.2. */
import { BadEncoding } from '../base/errors.ts'
import type { HttpRequest, HttpResponse } from './http-request.ts'
import { httpPlain, httpText } from './http-request.ts'
import type { HttpUrl } from './http-url.ts'
import { urlOf } from './http-url.ts'

/** A page that could be told to do something is told to do nothing. */
export const INERT = [
  [
    'content-security-policy',
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ],
  ['referrer-policy', 'no-referrer'],
] as const

/** `BadEncoding`: of the parameters, in words. */
export const pageOf = (contentType: string, body: string | BadEncoding): HttpResponse =>
  body instanceof BadEncoding
    ? httpPlain(400, `Bad request: ${body.message}.`)
    : httpText(200, contentType, body, INERT)

/** Whatever is asked gets an answer: `show` is given the page of the path. */
export function servePage<P>(
  pages: Readonly<Record<string, P>>,
  request: HttpRequest,
  show: (page: P, url: HttpUrl) => HttpResponse,
): HttpResponse {
  const url = urlOf(request.url)
  if (url instanceof BadEncoding) return httpPlain(400, `Bad request: ${url.message}.`)
  const page = Object.hasOwn(pages, url.path) ? pages[url.path] : undefined
  if (page === undefined) return httpPlain(404, 'There is nothing under this path.')
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return httpPlain(405, 'This path takes GET.')
  return show(page, url)
}
