/**
 * Pages of canisters for browsers: a GET becomes a query of `http_request`. Implements
 * `docs/spec/ic-interface.md` §20.
 *
 * What comes back is one node's word; no certificate of it is asked for, and none is checked.
 */

import { equalBytes } from '../../core/base/bytes.ts'
import { attempt, BadEncoding } from '../../core/base/errors.ts'
import { timestampNs } from '../../core/base/units.ts'
import { decodeArgs, encodeArgs } from '../../core/ic/candid.ts'
import type { Cbor } from '../../core/ic/cbor.ts'
import { decodeCbor } from '../../core/ic/cbor.ts'
import type { QueryContent } from '../../core/ic/envelope.ts'
import { requestId } from '../../core/ic/envelope.ts'
import type { HttpHeader, HttpResponse } from '../../core/ic/http-request.ts'
import { httpInterface } from '../../core/ic/http-request.ts'
import { urlOf } from '../../core/ic/http-url.ts'
import type { Principal } from '../../core/ic/principal.ts'
import { anonymous, principalOfText } from '../../core/ic/principal.ts'
import type { Clock } from '../clock.ts'
import type { IcBackend } from './backend.ts'
import type { IcRequest, IcResponse } from './messages.ts'
import { notFound, page, plain } from './messages.ts'

/** Time for the subnet to answer. */
const PAGE_WAIT_MS = 10_000
const EXPIRY_NS = 60_000_000_000n
/** Of the answer's own; more is not passed on. */
const HEADER_BYTES_MAX = 8_192
const STATUS_MIN = 200
const STATUS_MAX = 599

/** Who is asked for a page; undefined: none is, or words why it cannot be told who. */
export type PageTarget =
  | { readonly type: 'canister'; readonly id: Principal; readonly url: string }
  | { readonly type: 'refused'; readonly reason: string }

/**
 * The canister of `<id>.localhost`, or of `?canisterId=<id>`. Paths of the interface are no pages,
 * whatever the host is called.
 */
export function pageTarget({
  path,
  query = '',
  host,
}: Omit<IcRequest, 'body'>): PageTarget | undefined {
  if (path.startsWith('/api/')) return undefined
  const byHost = canisterOfHost(host)
  const parsed = urlOf(path + query)
  const refused = (reason: string): PageTarget => ({ type: 'refused', reason })
  if (parsed instanceof BadEncoding)
    return byHost === undefined && !query.includes('canisterId')
      ? undefined
      : refused(`Malformed URL: ${parsed.message}.`)
  const named = parsed.parameters.get('canisterId')
  const byQuery = named === undefined ? undefined : attempt(() => principalOfText(named))
  if (byQuery instanceof BadEncoding) return refused('The canister id in the URL is malformed.')
  if (byHost !== undefined && byQuery !== undefined && !equalBytes(byHost, byQuery))
    return refused('Host and URL name different canisters.')
  const id = byHost ?? byQuery
  return id === undefined ? undefined : { type: 'canister', id, url: path + query }
}

/** The one label before `localhost`, if it is the text of a principal. */
function canisterOfHost(host: string | undefined): Principal | undefined {
  const label = /^([a-z0-9-]+)\.localhost(?::\d+)?$/i.exec(host ?? '')?.[1]?.toLowerCase()
  if (label === undefined) return undefined
  const id = attempt(() => principalOfText(label))
  return id instanceof BadEncoding ? undefined : id
}

export type PageOptions = {
  readonly backend: IcBackend
  readonly clock: Clock
  readonly pageWaitMs?: number | undefined
}

/** Asks one node, as anybody. */
export async function canisterPage(
  { backend, clock, pageWaitMs = PAGE_WAIT_MS }: PageOptions,
  { id, url, method }: { readonly id: Principal; readonly url: string; readonly method: string },
): Promise<IcResponse> {
  const request = { method, url, headers: [], body: new Uint8Array() }
  const content: QueryContent = {
    type: 'query',
    sender: anonymous,
    canisterId: id,
    methodName: 'http_request',
    arg: encodeArgs(httpInterface.http_request.args, [request]),
    ingressExpiry: timestampNs(clock() + EXPIRY_NS),
  }
  const asked = backend.query({ requestId: requestId(content), content })
  const body = await within(asked, pageWaitMs)
  return body === undefined ? plain(504, 'The canister did not answer in time.') : responseOf(body)
}

/** Undefined when it takes longer; what was asked goes on, and nobody waits for it. */
function within<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(undefined), ms)
    void work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

const fieldOf = (cbor: Cbor | undefined, name: string): Cbor | undefined =>
  cbor instanceof Map ? cbor.get(name) : undefined

function responseOf(body: Uint8Array): IcResponse {
  const answer = decodeCbor(body)
  const arg = fieldOf(fieldOf(answer, 'reply'), 'arg')
  if (!(arg instanceof Uint8Array)) return refusalOf(answer)
  const decoded = attempt(() => decodeArgs([httpInterface.http_request.result], arg))
  if (decoded instanceof BadEncoding) return plain(502, 'The canister gave no HTTP answer.')
  return sanitized(decoded[0])
}

/** No canister of that id (IC0301), or none with pages (IC0536): there is nothing. */
function refusalOf(answer: Cbor): IcResponse {
  const code = fieldOf(answer, 'error_code')
  return code === 'IC0301' || code === 'IC0536'
    ? notFound
    : plain(502, 'The canister failed to answer.')
}

/** What a page may say of itself; the rest is ours to say, or would outlive the page. */
const PASSED: ReadonlySet<string> = new Set([
  'allow',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-security-policy',
  'content-type',
  'etag',
  'expires',
  'last-modified',
  'permissions-policy',
  'referrer-policy',
  'retry-after',
  'vary',
  'x-frame-options',
])

function sanitized({ statusCode, headers, body, upgrade }: HttpResponse): IcResponse {
  if (upgrade === true)
    return plain(501, 'The page asks for a call, which a gateway does not make.')
  const isStatus = statusCode >= STATUS_MIN && statusCode <= STATUS_MAX
  if (!isStatus) return plain(502, 'The canister gave no HTTP status.')
  return page(statusCode, passedHeaders(headers), body)
}

/** Printable ASCII alone: no line ends, nothing that a client could read in two ways. */
const VALUE = /^[\x20-\x7e]*$/

function passedHeaders(headers: readonly HttpHeader[]): Readonly<Record<string, string>> {
  const passed = new Map<string, string>()
  let size = 0
  for (const [given, value] of headers) {
    const name = given.toLowerCase()
    size += name.length + value.length
    if (size > HEADER_BYTES_MAX) break
    // The first of several counts: what they would mean together no two clients agree on.
    if (PASSED.has(name) && VALUE.test(value) && !passed.has(name)) passed.set(name, value)
  }
  return Object.fromEntries(passed)
}
