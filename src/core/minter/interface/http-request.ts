/** The minter's pages. Implements `docs/spec/minter.md` §20.2. */
import { METRICS } from '../../ic/exposition.ts'
import { INERT, pageOf, servePage } from '../../ic/http-pages.ts'
import type { HttpRequest, HttpResponse } from '../../ic/http-request.ts'
import { httpPlain, httpText } from '../../ic/http-request.ts'
import type { HttpUrl } from '../../ic/http-url.ts'
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

type Page = (context: Context, url: HttpUrl) => HttpResponse

const pages: Readonly<Record<string, Page>> = {
  '/metrics': (context) => pageOf(METRICS, metricsPage(context)),
  '/dashboard': (context, url) => pageOf(HTML, dashboardPage(context, url)),
  '/logs': (context, url) => pageOf(JSON_TYPE, logsPage(context, url)),
  '/events': (context, url) => pageOf(JSON_LINES, eventsPage(context, url)),
  '/reserves': (context) => {
    const body = reservesPage(context)
    return body === undefined
      ? httpPlain(503, 'The ledger does not say now what its supply is.')
      : pageOf(JSON_TYPE, body)
  },
  '/healthz': (context) => {
    const { isWell, body } = healthPage(context)
    return httpText(isWell ? 200 : 503, JSON_TYPE, body, INERT)
  },
}

/** Whatever is asked gets an answer; nothing is written. */
export const httpRequest = (minter: Minter, world: World, request: HttpRequest): HttpResponse =>
  servePage(pages, request, (page, url) => page(contextOf(minter, world), url))
