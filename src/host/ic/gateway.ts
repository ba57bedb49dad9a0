/**
 * The IC interface as a function from request to answer, without sockets. Implements
 * `docs/spec/ic-interface.md` §§1, 6, 8 to 12 and 18.
 */
import { equalBytes } from '../../core/base/bytes.ts'
import { attempt, BadEncoding, SubnetDown } from '../../core/base/errors.ts'
import type { Ed25519 } from '../../core/base/verification.ts'
import type { Admitted } from '../../core/ic/admission.ts'
import { admit } from '../../core/ic/admission.ts'
import type { CallContent, Content, Envelope } from '../../core/ic/envelope.ts'
import { decodeEnvelope, requestId } from '../../core/ic/envelope.ts'
import type { Principal } from '../../core/ic/principal.ts'
import { principalOfText, selfAuthenticating, textOfPrincipal } from '../../core/ic/principal.ts'
import { callBody, readStateBody, rejectionBody, statusBody } from '../../core/ic/responses.ts'
import type { Clock } from '../clock.ts'
import type { IcBackend } from './backend.ts'
import { canisterPage, pageTarget } from './canister-pages.ts'
import { inspect, judgeCanister } from './canister-rules.ts'
import type { IcRequest, IcResponse } from './messages.ts'
import {
  cbor,
  notAllowed,
  notFound,
  overloaded,
  plain,
  preflight,
  tooLarge,
  unavailable,
} from './messages.ts'
import type { Route } from './routes.ts'
import { bodyBytesMax, isSynchronous, routeOf, STATUS_PATH } from './routes.ts'

/** How long a synchronous call waits for its certificate (§25). */
const SYNC_WAIT_MS = 10_000
/** Requests that are worked on at one time (§19). */
export const REQUESTS_MAX = 2_000

export type GatewayOptions = {
  readonly backend: IcBackend
  readonly clock: Clock
  readonly ed25519: Ed25519
  /** `ckbtc-<version>`. */
  readonly implementation: string
  /** Off: v3 and v4 calls are unknown, and clients fall back to polling. */
  readonly syncCalls?: boolean
  readonly syncWaitMs?: number
  /** Time for a canister to answer with a page. */
  readonly pageWaitMs?: number
  /** For the log: what was asked and how it ended; never arguments or signatures. */
  readonly onAnswer?: (answered: Answered) => void
}

export type Answered = {
  readonly type: Content['type']
  readonly requestId: Uint8Array
  readonly sender: Principal
  /** Absent for reads. */
  readonly methodName: string | undefined
  readonly status: number
  /** The words of a refusal. */
  readonly reason: string | undefined
}

export class IcGateway {
  readonly #options: GatewayOptions
  #working = 0

  constructor(options: GatewayOptions) {
    this.#options = options
  }

  /** The answer, when none of the body is needed for it: check 1 of §6, status, preflight. */
  answerHead(head: Omit<IcRequest, 'body'>): IcResponse | undefined {
    const { method, path, contentType } = head
    if (method === 'OPTIONS') return preflight
    const target = pageTarget(head)
    if (target?.type === 'refused') return plain(400, target.reason)
    if (target !== undefined)
      return method === 'GET' || method === 'HEAD' ? undefined : notAllowed('GET')
    if (path === STATUS_PATH)
      return method === 'GET' || method === 'HEAD' ? this.#status() : notAllowed('GET')
    const route = routeOf(path)
    if (route === undefined || !this.#serves(route)) return notFound
    if (method !== 'POST') return notAllowed('POST')
    if (contentType?.split(';')[0]?.trim().toLowerCase() !== 'application/cbor')
      return plain(400, 'The content type must be application/cbor.')
    return undefined
  }

  /** Rejects only when an invariant of ours is broken. */
  async handle(request: IcRequest): Promise<IcResponse> {
    const early = this.answerHead(request)
    if (early !== undefined) return early
    const bytesMax = bodyBytesMax(request.path)
    if (request.body.length > bytesMax) return tooLarge(bytesMax)
    if (this.#working >= REQUESTS_MAX) return overloaded('Too many requests are worked on.')
    this.#working += 1
    try {
      const route = routeOf(request.path)
      return route === undefined
        ? await this.#page(request)
        : await this.#serve(route, request.body)
    } finally {
      this.#working -= 1
    }
  }

  #serves(route: Route): boolean {
    return this.#options.syncCalls !== false || !isSynchronous(route)
  }

  #status(): IcResponse {
    const { backend, implementation } = this.#options
    return cbor(statusBody({ rootKey: backend.rootKey, implementation, ...backend.status }))
  }

  async #page(request: IcRequest): Promise<IcResponse> {
    const target = pageTarget(request)
    if (target?.type !== 'canister') return notFound
    if (this.#options.backend.rootKey === undefined) return unavailable
    try {
      return await canisterPage(this.#options, { ...target, method: request.method })
    } catch (error) {
      if (!(error instanceof SubnetDown)) throw error
      return plain(503, 'The subnet is not running.')
    }
  }

  async #serve(route: Route, body: Uint8Array): Promise<IcResponse> {
    // §6 check 3
    const envelope = attempt(() => decodeEnvelope(body))
    if (envelope instanceof BadEncoding) return plain(400, `Malformed request: ${envelope.message}`)
    const answer = await this.#answer(route, envelope, body)
    this.#options.onAnswer?.(answered(envelope.content, answer))
    return answer
  }

  async #answer(route: Route, envelope: Envelope, body: Uint8Array): Promise<IcResponse> {
    const { content } = envelope
    if (content.type !== (route.action === 'read_state' ? 'readState' : route.action))
      return plain(400, `A request of type ${content.type} does not belong to this path.`)
    // §6 check 4
    const id = attempt(() => principalOfText(route.id))
    if (id instanceof BadEncoding) return plain(400, `Invalid principal in the URL: ${id.message}`)
    try {
      return await (route.scope === 'subnet'
        ? this.#answerSubnet(route, id, content)
        : this.#answerCanister(route, id, { envelope, body }))
    } catch (error) {
      if (!(error instanceof SubnetDown)) throw error
      return plain(503, 'The subnet is not running.')
    }
  }

  #answerSubnet(route: Route, id: Principal, content: Content): Promise<IcResponse> | IcResponse {
    const { rootKey } = this.#options.backend
    if (rootKey === undefined) return unavailable
    if (!equalBytes(id, selfAuthenticating(rootKey)))
      return plain(400, `subnet_not_found: ${textOfPrincipal(id)} is not the subnet of this node`)
    if (content.type !== 'readState')
      return plain(400, 'This subnet hosts ckBTC only and takes no calls of subnet administrators.')
    // Public data: neither signature nor expiry is checked (§10).
    const { paths, sender } = content
    return this.#read(route, { effectiveId: id, paths, sender, targets: undefined })
  }

  #answerCanister(
    route: Route,
    id: Principal,
    { envelope, body }: { readonly envelope: Envelope; readonly body: Uint8Array },
  ): Promise<IcResponse> | IcResponse {
    const { backend, clock, ed25519 } = this.#options
    const refusal = judgeCanister(envelope.content, id) // §6 checks 4 and 5
    if (refusal !== undefined) return plain(400, refusal)
    const context = { now: clock(), ed25519, sizeBytes: body.length }
    const admitted = admit(envelope, context)
    if (admitted.type === 'refused') return plain(admitted.status, admitted.reason)
    const { content, targets } = admitted
    if (content.type === 'call') return this.#call(route, content, { admitted, body })
    if (backend.rootKey === undefined) return unavailable
    if (content.type === 'query')
      return backend.query({ requestId: admitted.requestId, content }).then(cbor)
    const { paths, sender } = content
    return this.#read(route, { effectiveId: id, paths, sender, targets })
  }

  async #call(
    route: Route,
    content: CallContent,
    { admitted, body }: { readonly admitted: Admitted; readonly body: Uint8Array },
  ): Promise<IcResponse> {
    const { backend, syncWaitMs = SYNC_WAIT_MS } = this.#options
    const withStatus = isSynchronous(route)
    const rejection = inspect(content, (id) => backend.hasCanister(id)) // §6 check 14
    if (rejection !== undefined) return cbor(rejectionBody(rejection, { withStatus }))
    if (backend.rootKey === undefined) return unavailable
    const call = { envelope: body, requestId: admitted.requestId, expiry: content.ingressExpiry }
    const outcome = await backend.call(call, withStatus ? syncWaitMs : 0)
    switch (outcome.type) {
      case 'busy':
        return plain(503, 'Too many calls are waiting.')
      case 'certified':
        return withStatus ? cbor(callBody(outcome.certificate)) : plain(202, '')
      case 'pending':
        return plain(202, withStatus ? 'The call was accepted and is not finished.' : '')
    }
  }

  async #read(
    { scope, version }: Route,
    read: Omit<Parameters<IcBackend['readState']>[0], 'scope' | 'version'>,
  ): Promise<IcResponse> {
    const state = { scope, version: version === 2 ? 2 : 3, ...read } as const
    const outcome = await this.#options.backend.readState(state)
    return outcome.type === 'refused'
      ? plain(outcome.status, outcome.reason)
      : cbor(readStateBody(outcome.certificate))
  }
}

function answered(content: Content, { status, body }: IcResponse): Answered {
  const { type, sender } = content
  return {
    type,
    requestId: requestId(content),
    sender,
    methodName: type === 'readState' ? undefined : content.methodName,
    status,
    reason: typeof body === 'string' && body !== '' ? body : undefined,
  }
}
