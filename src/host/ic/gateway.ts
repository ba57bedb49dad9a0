/**
 * The IC interface as a function from request to answer, without sockets. Implements
 * `docs/spec/ic-interface.md` §§1, 6 and 8 to 12.
 */
import { equalBytes, toHex } from '../../core/base/bytes.ts'
import { attempt, BadEncoding, SubnetDown } from '../../core/base/errors.ts'
import type { Ed25519 } from '../../core/base/verification.ts'
import type { Admitted, Refused } from '../../core/ic/admission.ts'
import { admit } from '../../core/ic/admission.ts'
import type { Rejection } from '../../core/ic/call-reply.ts'
import { rejected } from '../../core/ic/call-reply.ts'
import type { CallContent, Content, Envelope, QueryContent } from '../../core/ic/envelope.ts'
import { decodeEnvelope } from '../../core/ic/envelope.ts'
import type { Principal } from '../../core/ic/principal.ts'
import { principalOfText, selfAuthenticating, textOfPrincipal } from '../../core/ic/principal.ts'
import { callBody, readStateBody, rejectionBody, statusBody } from '../../core/ic/responses.ts'
import type { Clock } from '../clock.ts'
import type { IcBackend } from './backend.ts'

/** How long a synchronous call waits for its certificate (§25). */
const SYNC_WAIT_MS = 10_000
/** Requests that are worked on at one time (§19). */
const REQUESTS_MAX = 2_000

export type IcRequest = {
  readonly method: string
  /** Without query. */
  readonly path: string
  readonly contentType: string | undefined
  readonly body: Uint8Array
}

export type IcResponse = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | string
}

export type GatewayOptions = {
  readonly backend: IcBackend
  readonly clock: Clock
  readonly ed25519: Ed25519
  /** `ckbtc-<version>`. */
  readonly implementation: string
  /** Off: v3 and v4 calls are unknown, and clients fall back to polling. */
  readonly syncCalls?: boolean
}

const CORS: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, HEAD, OPTIONS',
  'access-control-allow-headers':
    'accept, authorization, content-type, cookie, dnt, range, user-agent, x-requested-with',
}
const cbor = (body: Uint8Array): IcResponse => ({
  status: 200,
  headers: { ...CORS, 'content-type': 'application/cbor' },
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

type Route = {
  readonly scope: 'canister' | 'subnet'
  readonly version: 2 | 3 | 4
  readonly id: string
  readonly action: 'call' | 'query' | 'read_state'
}

const ROUTE = /^\/api\/v([234])\/(canister|subnet)\/([^/]+)\/(call|query|read_state)$/
const VERSIONS: Readonly<Record<string, readonly number[]>> = {
  'canister/call': [2, 3, 4],
  'canister/query': [2, 3],
  'canister/read_state': [2, 3],
  'subnet/read_state': [2, 3],
  'subnet/call': [4],
  'subnet/query': [3],
}

export class IcGateway {
  readonly #options: GatewayOptions
  #working = 0

  constructor(options: GatewayOptions) {
    this.#options = options
  }

  async handle(request: IcRequest): Promise<IcResponse> {
    if (request.method === 'OPTIONS') return { status: 204, headers: CORS, body: '' }
    if (this.#working >= REQUESTS_MAX)
      return plain(429, 'Too many requests are worked on.', { 'retry-after': '1' })
    this.#working += 1
    try {
      return await this.#route(request)
    } catch (error) {
      if (!(error instanceof SubnetDown)) throw error
      return plain(503, 'The subnet is not running.')
    } finally {
      this.#working -= 1
    }
  }

  #route(request: IcRequest): Promise<IcResponse> | IcResponse {
    const { method, path } = request
    if (path === '/api/v2/status')
      return method === 'GET' || method === 'HEAD' ? this.#status() : notAllowed('GET')
    const route = routeOf(path)
    if (route === undefined || !this.#serves(route))
      return plain(404, 'There is nothing under this path.')
    if (method !== 'POST') return notAllowed('POST')
    if (request.contentType?.split(';')[0]?.trim().toLowerCase() !== 'application/cbor')
      return plain(400, 'The content type must be application/cbor.')
    return this.#serve(route, request.body)
  }

  #serves({ scope, version, action }: Route): boolean {
    const synchronous = scope === 'canister' && action === 'call' && version > 2
    return !synchronous || this.#options.syncCalls !== false
  }

  #status(): IcResponse {
    const { backend, implementation } = this.#options
    return cbor(statusBody({ rootKey: backend.rootKey, implementation, ...backend.status }))
  }

  /** Checks 3 to 13 of §6. */
  #serve(route: Route, body: Uint8Array): Promise<IcResponse> | IcResponse {
    const envelope = attempt(() => decodeEnvelope(body))
    if (envelope instanceof BadEncoding) return plain(400, `Malformed request: ${envelope.message}`)
    const { content } = envelope
    if (content.type !== (route.action === 'read_state' ? 'readState' : route.action))
      return plain(400, `A request of type ${content.type} does not belong to this path.`)
    const id = attempt(() => principalOfText(route.id))
    if (id instanceof BadEncoding) return plain(400, `Invalid principal in the URL: ${id.message}`)
    if (route.scope === 'subnet') return this.#serveSubnet(route, id, envelope)
    const mismatch = content.type === 'readState' ? undefined : mismatchOf(content, id)
    if (mismatch !== undefined) return mismatch
    const admitted = this.#admit(envelope, body.length)
    if (admitted.type === 'refused') return plain(admitted.status, admitted.reason)
    return this.#serveCanister(route, id, { admitted, body })
  }

  #serveSubnet(
    route: Route,
    id: Principal,
    { content }: Envelope,
  ): Promise<IcResponse> | IcResponse {
    const { rootKey } = this.#options.backend
    if (rootKey === undefined) return unavailable
    if (!equalBytes(id, selfAuthenticating(rootKey)))
      return plain(400, `subnet_not_found: ${textOfPrincipal(id)} is not the subnet of this node`)
    if (content.type !== 'readState')
      return plain(400, 'This subnet hosts ckBTC only and takes no calls of subnet administrators.')
    // Public data: neither signature nor expiry is checked (§10).
    const { paths, sender } = content
    return this.#read(route, { id, paths, sender, targets: undefined })
  }

  #admit(envelope: Envelope, sizeBytes: number): Admitted | Refused {
    const { clock, ed25519 } = this.#options
    return admit(envelope, { now: clock(), ed25519, sizeBytes })
  }

  #serveCanister(
    route: Route,
    id: Principal,
    { admitted, body }: { readonly admitted: Admitted; readonly body: Uint8Array },
  ): Promise<IcResponse> | IcResponse {
    const { content, requestId, targets } = admitted
    switch (content.type) {
      case 'call':
        return this.#call(route, content, { envelope: body, requestId })
      case 'query':
        return this.#query({ requestId, content })
      case 'readState':
        return this.#read(route, { id, paths: content.paths, sender: content.sender, targets })
    }
  }

  async #call(
    { version }: Route,
    content: CallContent,
    call: Parameters<IcBackend['call']>[0],
  ): Promise<IcResponse> {
    const { backend } = this.#options
    const refusal = this.#inspect(content)
    if (refusal !== undefined) return cbor(rejectionBody(refusal, { withStatus: version > 2 }))
    if (backend.rootKey === undefined) return unavailable
    const outcome = await backend.call(call, version > 2 ? SYNC_WAIT_MS : 0)
    switch (outcome.type) {
      case 'busy':
        return plain(503, 'Too many calls are waiting.')
      case 'certified':
        if (version > 2) return cbor(callBody(outcome.certificate))
        return plain(202, '')
      case 'pending':
        return plain(202, version > 2 ? 'The call was accepted and is not finished.' : '')
    }
  }

  /** §18, and check 14 of §6. */
  #inspect({ canisterId, methodName }: CallContent): Rejection | undefined {
    if (canisterId.length === 0) {
      const words = 'This subnet hosts ckBTC only. It cannot run user canisters.'
      return rejected('IC0407', `${words} Users cannot call '${methodName}'.`)
    }
    if (this.#options.backend.hasCanister(canisterId)) return undefined
    return rejected('IC0301', `Canister ${textOfPrincipal(canisterId)} not found`)
  }

  async #query(query: {
    readonly requestId: Admitted['requestId']
    readonly content: QueryContent
  }): Promise<IcResponse> {
    return cbor(await this.#options.backend.query(query))
  }

  async #read(
    { scope, version }: Route,
    read: Pick<Parameters<IcBackend['readState']>[0], 'paths' | 'sender' | 'targets'> & {
      readonly id: Principal
    },
  ): Promise<IcResponse> {
    const { id: effectiveId, ...rest } = read
    const state = { scope, effectiveId, version: version === 2 ? 2 : 3, ...rest } as const
    const outcome = await this.#options.backend.readState(state)
    return outcome.type === 'refused'
      ? plain(outcome.status, outcome.reason)
      : cbor(readStateBody(outcome.certificate))
  }
}

const unavailable = plain(503, 'Certified state is not available yet. Please try again...')
const notAllowed = (allow: string): IcResponse =>
  plain(405, `This path takes ${allow}.`, { allow: `${allow}, OPTIONS` })

function routeOf(path: string): Route | undefined {
  const [, version, scope, id, action] = ROUTE.exec(path) ?? []
  if (id === undefined || (scope !== 'canister' && scope !== 'subnet')) return undefined
  if (action !== 'call' && action !== 'query' && action !== 'read_state') return undefined
  const number = version === '2' ? 2 : version === '3' ? 3 : 4
  return VERSIONS[`${scope}/${action}`]?.includes(number) === true
    ? { scope, version: number, id, action }
    : undefined
}

/** Check 5 of §6. Calls of the management canister go to whichever canister they are about. */
function mismatchOf(content: Exclude<Content, { type: 'readState' }>, id: Principal) {
  const { canisterId } = content
  if (canisterId.length === 0 || equalBytes(canisterId, id)) return undefined
  const [named, url] = [canisterId, id].map(textOfPrincipal)
  return plain(
    400,
    `Specified CanisterId ${named} does not match effective canister id in URL ${url}`,
  )
}

/** Name of a request in logs and answers. */
export const requestName = (requestId: Uint8Array): string => `0x${toHex(requestId)}`

/**
 * The gateway as agents in this process reach it: `fetch` without sockets. What is not a request to
 * the interface is answered as the HTTP server would.
 */
export function gatewayFetch(gateway: IcGateway): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const response = await gateway.handle({
      method: request.method,
      path: new URL(request.url).pathname,
      contentType: request.headers.get('content-type') ?? undefined,
      body: new Uint8Array(await request.arrayBuffer()),
    })
    const { status, headers, body } = response
    const bytes = typeof body === 'string' ? body : new Uint8Array(body)
    return new Response(status === 204 ? null : bytes, { status, headers: { ...headers } })
  }
}
