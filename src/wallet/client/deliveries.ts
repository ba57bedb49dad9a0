/**
 * Every request passes here on its way to the endpoint: repeated with the same bytes, bounded, and
 * with a record of whether a call may have arrived. Implements IC interface §21.5 (retries).
 */
import { concatAll, toHex } from '../../core/base/bytes.ts'
import { attempt, BadEncoding, Problem } from '../../core/base/errors.ts'
import type { TimestampNs } from '../../core/base/units.ts'
import { decodeEnvelope, requestId } from '../../core/ic/envelope.ts'

export type Fetch = typeof globalThis.fetch

/** A call as others can look it up: its id, and when it can no longer be executed. */
export type SubmittedRequest = { readonly requestId: Uint8Array; readonly expiresAt: TimestampNs }

/** Is told before the first byte of a call leaves, and waited for. */
export type OnSubmit = (request: SubmittedRequest) => void | Promise<void>

export type Delivery = {
  readonly onSubmit: OnSubmit | undefined
  /** Undefined while nothing was signed. */
  request: SubmittedRequest | undefined
  /**
   * `no`: certainly not taken in; `refused`: so somebody says whom nobody has to believe; `maybe`:
   * sent, and no answer that says otherwise.
   */
  arrived: 'no' | 'refused' | 'maybe' | 'yes'
}

export type DeliveryOptions = {
  readonly fetch: Fetch
  /** Repetitions after a failure: 0 on this machine, 3 elsewhere. */
  readonly retries: number
  /** A 503 of our own subnet says that the call was not taken in; elsewhere it says nothing. */
  readonly ownSubnet: boolean
  readonly signal: AbortSignal | undefined
  /** A line for each request, for `-vv`. */
  readonly trace: ((line: string) => void) | undefined
}

/** Longer than a synchronous call waits, shorter than a person does. */
const REQUEST_MS_MAX = 30_000
/** Larger than any answer of §25 with its certificate. */
const BODY_BYTES_MAX = 8 * 1024 * 1024
const PAUSE_MS = { first: 400, factor: 2 } as const
const CALL_PATH = /\/canister\/[^/]+\/call$/

/** Codes of the system and of `fetch` for connections that never came to be. */
const NEVER_CONNECTED: readonly string[] = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]

export class Deliveries {
  readonly #options: DeliveryOptions
  /** By nonce, in hexadecimal. */
  readonly #open = new Map<string, Delivery>()

  constructor(options: DeliveryOptions) {
    this.#options = options
  }

  /** Follows the call that carries this nonce. `end` when its outcome is known. */
  follow(nonce: Uint8Array, onSubmit: OnSubmit | undefined): Delivery {
    const delivery: Delivery = { onSubmit, request: undefined, arrived: 'no' }
    this.#open.set(toHex(nonce), delivery)
    return delivery
  }

  end(nonce: Uint8Array): void {
    this.#open.delete(toHex(nonce))
  }

  /** Takes the place of `fetch`. */
  readonly fetch: Fetch = async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input)
    const delivery = CALL_PATH.test(url.pathname) ? this.#deliveryOf(init.body) : undefined
    await delivery?.onSubmit?.(requestOf(delivery))
    for (let repetition = 0; ; repetition++) {
      const last = repetition >= this.#options.retries
      const answer = await this.#once(url, init, delivery)
      if (answer instanceof Response && (last || !mayRepeat(answer.status))) return answer
      if (!(answer instanceof Response) && last) throw answer
      await this.#pause(PAUSE_MS.first * PAUSE_MS.factor ** repetition)
    }
  }

  #deliveryOf(body: unknown): Delivery | undefined {
    if (!(body instanceof Uint8Array)) return undefined
    const envelope = attempt(() => decodeEnvelope(body))
    if (envelope instanceof BadEncoding) return undefined
    const { content } = envelope
    const delivery = content.nonce === undefined ? undefined : this.#open.get(toHex(content.nonce))
    if (delivery !== undefined)
      delivery.request = { requestId: requestId(content), expiresAt: content.ingressExpiry }
    return delivery
  }

  /** One attempt: a whole answer, or why there is none. */
  async #once(
    url: URL,
    init: RequestInit,
    delivery: Delivery | undefined,
  ): Promise<Response | Problem> {
    const { fetch, signal, trace, ownSubnet } = this.#options
    signal?.throwIfAborted()
    const limit = AbortSignal.timeout(REQUEST_MS_MAX)
    const ends = signal === undefined ? limit : AbortSignal.any([signal, limit])
    try {
      const answer = await fetch(url, { ...init, signal: ends, redirect: 'error' })
      const response = await wholeResponse(answer, url)
      trace?.(`${init.method ?? 'GET'} ${url.href} ${response.status}`)
      if (delivery !== undefined) note(delivery, response.status, ownSubnet)
      return response
    } catch (error) {
      const never = neverConnected(error)
      if (delivery !== undefined && !never) delivery.arrived = 'maybe'
      signal?.throwIfAborted()
      trace?.(`${init.method ?? 'GET'} ${url.href} ${codesIn(error).join(' ')}`)
      if (never && ownSubnet) return subnetDown(url, error)
      return failure(url, error, limit.aborted)
    }
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#options
    return pause(ms, signal)
  }
}

/** Resolves after `ms`; rejects with the signal's reason as soon as it is aborted. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, ms)
    if (signal?.aborted === true) return abort()
    signal?.addEventListener('abort', abort, { once: true })
  })
}

function requestOf({ request }: Delivery): SubmittedRequest {
  if (request === undefined) throw new BadEncoding('a followed call has a request id')
  return request
}

/**
 * What a status says of the call. Once it may have arrived, only an acceptance says more. Nobody signs
 * a refusal: elsewhere it does not prove that the call was not passed on (IC interface §21.2).
 */
function note(delivery: Delivery, status: number, ownSubnet: boolean): void {
  if (status === 200 || status === 202) delivery.arrived = 'yes'
  else if (status >= 500 && !(ownSubnet && status === 503)) delivery.arrived = 'maybe'
  else if (!ownSubnet && delivery.arrived === 'no') delivery.arrived = 'refused'
}

const mayRepeat = (status: number): boolean => status === 429 || status >= 500

/** The answer with its body read, so that a connection that breaks in it counts as broken. */
async function wholeResponse(response: Response, url: URL): Promise<Response> {
  const { status, statusText, headers } = response
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body ?? []) {
    size += part.length
    if (size > BODY_BYTES_MAX)
      throw new BadEncoding(`an answer of more than ${BODY_BYTES_MAX} bytes`)
    parts.push(part)
  }
  const bodiless = status === 204 || status === 304
  const whole = new Response(bodiless ? null : concatAll(parts), { status, statusText, headers })
  // The library looks at the address to tell which version of the interface is missing.
  return Object.defineProperty(whole, 'url', { value: url.href })
}

/** `fetch` wraps the system's error: codes are looked for all the way. */
export function codesIn(error: unknown): readonly string[] {
  const codes: string[] = []
  let at: unknown = error
  for (let depth = 0; depth < 8 && at instanceof Error; depth++) {
    const code: unknown = Reflect.get(at, 'code')
    if (typeof code === 'string') codes.push(code)
    at = at.cause
  }
  return codes
}

export const neverConnected = (error: unknown): boolean =>
  codesIn(error).some((code) => NEVER_CONNECTED.includes(code))

function failure(url: URL, error: unknown, timedOut: boolean): Problem {
  const [reason = error instanceof Error ? error.message : String(error)] = codesIn(error)
  const help = {
    fix: 'check the connection and the address',
    command: 'ckbtc doctor',
    cause: error,
  }
  return timedOut
    ? new Problem('NETWORK_TIMEOUT', `${url.host} did not answer in time`, help)
    : new Problem('NETWORK_UNREACHABLE', `${url.host} does not answer: ${reason}`, help)
}

const subnetDown = (url: URL, cause: unknown): Problem =>
  new Problem('SUBNET_DOWN', `no subnet answers at ${url.host}`, {
    fix: 'start one',
    command: 'ckbtc subnet start',
    cause,
  })
