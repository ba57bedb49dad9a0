/** The minter's pages. Implements `docs/spec/minter.md` §20.2. */
import { BadEncoding } from '../../base/errors.ts'
import type { HttpRequest, HttpResponse } from '../../ic/http-request.ts'
import { httpPlain, httpText } from '../../ic/http-request.ts'
import type { HttpUrl } from '../../ic/http-url.ts'
import { urlOf } from '../../ic/http-url.ts'
import type { Context, World } from '../context.ts'
import { contextOf } from '../context.ts'
import type { Minter } from '../machine.ts'
import { dashboardPage } from '../pages/dashboard.ts'
import { eventsPage, healthPage, reservesPage } from '../pages/exports.ts'
import { logsPage } from '../pages/logs.ts'
import { metricsPage } from '../pages/metrics.ts'

const HTML = 'text/html; charset=utf-8'
const JSON_TYPE = 'application/json; charset=utf-8'
const JSON_LINES = 'application/x-ndjson; charset=utf-8'
const METRICS = 'text/plain; version=0.0.4; charset=utf-8'

/** A page that could be told to do something is told to do nothing. */
const INERT = [
  [
    'content-security-policy',
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ],
  ['referrer-policy', 'no-referrer'],
] as const

type Page = (context: Context, url: HttpUrl) => HttpResponse

const answer = (contentType: string, body: string | BadEncoding): HttpResponse =>
  body instanceof BadEncoding
    ? httpPlain(400, `Bad request: ${body.message}.`)
    : httpText(200, contentType, body, INERT)

const pages: Readonly<Record<string, Page>> = {
  '/metrics': (context) => answer(METRICS, metricsPage(context)),
  '/dashboard': (context, url) => answer(HTML, dashboardPage(context, url)),
  '/logs': (context, url) => answer(JSON_TYPE, logsPage(context, url)),
  '/events': (context, url) => answer(JSON_LINES, eventsPage(context, url)),
  '/reserves': (context) => {
    const body = reservesPage(context)
    return body === undefined
      ? httpPlain(503, 'The ledger does not say now what its supply is.')
      : answer(JSON_TYPE, body)
  },
  '/healthz': (context) => {
    const { isWell, body } = healthPage(context)
    return httpText(isWell ? 200 : 503, JSON_TYPE, body, INERT)
  },
}

/** Whatever is asked gets an answer; nothing is written. */
export function httpRequest(minter: Minter, world: World, request: HttpRequest): HttpResponse {
  const url = urlOf(request.url)
  if (url instanceof BadEncoding) return httpPlain(400, `Bad request: ${url.message}.`)
  const page = Object.hasOwn(pages, url.path) ? pages[url.path] : undefined
  if (page === undefined) return httpPlain(404, 'There is nothing under this path.')
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return httpPlain(405, 'This path takes GET.')
  return page(contextOf(minter, world), url)
}
