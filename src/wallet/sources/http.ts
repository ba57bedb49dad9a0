/**
 * Questions to a server over HTTP: few at a time, bounded in size and time, patient when it is told
 * to wait. Source: `docs/spec/bitcoin.md` §8.6 RPC-1, RPC-5, §8.7 ES-3.
 */
import { concatAll } from '../../core/base/bytes.ts'
import { Problem, UsageInvalid } from '../../core/base/errors.ts'
import type { SourcePorts } from '../bitcoin-source.ts'
import { falseAnswer, quoted, unreachable, unusable } from './failures.ts'

/** ES-3. */
export const IN_FLIGHT_MAX = 4
const ATTEMPTS_MAX = 5
const BACK_OFF_FIRST_MS = 1_000
/** A server that asks for more patience is given up. */
const RETRY_AFTER_MS_MAX = 60_000
export const ANSWER_WITHIN_MS = 30_000
/** What an error page may say. */
const REFUSAL_BYTES_MAX = 65_536

export type HttpReply = { readonly status: number; readonly body: Uint8Array }

export type HttpOptions = {
  /** More is not read, and refused. */
  readonly bytesMax: number
  readonly post?: { readonly body: string; readonly type: string }
  readonly authorization?: string
}

/** Statuses that say: later. */
const laterStatuses: readonly number[] = [429, 502, 503, 504]

export class HttpEndpoint {
  readonly #base: string
  readonly #ports: SourcePorts
  readonly #withinMs: number
  readonly #waiting: (() => void)[] = []
  #inFlight = 0
  #hasAnswered = false
  /** Without path and secrets, for people. */
  readonly name: string

  constructor(
    url: URL,
    {
      ports,
      withinMs = ANSWER_WITHIN_MS,
    }: { readonly ports: SourcePorts; readonly withinMs?: number },
  ) {
    this.#base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`
    this.name = url.host
    this.#ports = ports
    this.#withinMs = withinMs
  }

  /** Any status but those that say "later" is an answer. */
  async ask(path: string, options: HttpOptions): Promise<HttpReply> {
    await this.#enter()
    try {
      return await this.#persist(path, options)
    } finally {
      this.#inFlight -= 1
      this.#waiting.shift()?.()
    }
  }

  async #enter(): Promise<void> {
    while (this.#inFlight >= IN_FLIGHT_MAX)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#inFlight += 1
  }

  async #persist(path: string, options: HttpOptions): Promise<HttpReply> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(path, options)
      if (!(outcome instanceof Later)) return outcome
      if (attempt === ATTEMPTS_MAX || outcome.afterMs > RETRY_AFTER_MS_MAX)
        throw unreachable(this.name, outcome.reason, outcome.cause)
      const { wait, signal } = this.#ports
      await wait(Math.max(outcome.afterMs, BACK_OFF_FIRST_MS * 2 ** (attempt - 1)), signal)
      signal?.throwIfAborted()
    }
  }

  async #attempt(path: string, options: HttpOptions): Promise<HttpReply | Later> {
    const { signal, fetch } = this.#ports
    const { post, authorization } = options
    const late = AbortSignal.timeout(this.#withinMs)
    try {
      const response = await fetch(`${this.#base}${path}`, {
        method: post === undefined ? 'GET' : 'POST',
        ...(post === undefined ? {} : { body: post.body }),
        headers: {
          ...(post === undefined ? {} : { 'content-type': post.type }),
          ...(authorization === undefined ? {} : { authorization }),
        },
        redirect: 'error',
        signal: signal === undefined ? late : AbortSignal.any([signal, late]),
      })
      this.#hasAnswered = true
      const { status } = response
      const bytesMax = status === 200 ? options.bytesMax : REFUSAL_BYTES_MAX
      const body = await readBounded(response, bytesMax)
      if (body === undefined)
        throw falseAnswer(this.name, `an answer of more than ${bytesMax} bytes`)
      if (!laterStatuses.includes(status)) return { status, body }
      return new Later(`status ${status}`, retryAfterMs(response))
    } catch (error) {
      if (error instanceof Problem) throw error
      signal?.throwIfAborted()
      // Nobody is there, and nobody was: waiting would not help.
      if (!this.#hasAnswered && noOneThere.includes(codeOf(error)))
        throw unreachable(this.name, reasonOf(error), error)
      if (late.aborted) return new Later(`nothing within ${this.#withinMs / 1_000} s`, 0, error)
      return new Later(reasonOf(error), 0, error)
    }
  }
}

class Later {
  readonly reason: string
  readonly afterMs: number
  readonly cause: unknown

  constructor(reason: string, afterMs: number, cause?: unknown) {
    this.reason = reason
    this.afterMs = afterMs
    this.cause = cause
  }
}

const noOneThere: readonly string[] = ['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH']

/** The system's code, one level down. */
function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  const code: unknown = cause instanceof Object ? Reflect.get(cause, 'code') : undefined
  return typeof code === 'string' ? code : ''
}

/** The platform hides the reason one level down. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'an unknown failure'
  const { cause } = error
  return quoted(cause instanceof Error && cause.message !== '' ? cause.message : error.message)
}

/** In seconds; a date is taken as no wish. */
function retryAfterMs({ headers }: Response): number {
  const seconds = Number(headers.get('retry-after') ?? 0)
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : 0
}

/** Undefined when there is more than `bytesMax`. */
async function readBounded(response: Response, bytesMax: number): Promise<Uint8Array | undefined> {
  if (Number(response.headers.get('content-length') ?? 0) > bytesMax) {
    await response.body?.cancel()
    return undefined
  }
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body ?? []) {
    size += part.length
    if (size > bytesMax) return undefined // Leaving the loop ends the connection.
    parts.push(part)
  }
  return concatAll(parts)
}

/** The address of a server; without a password, and not in the clear over a network of others. */
export function serverUrl(text: string, name: string, insecure = false): URL {
  const command = 'ckbtc verify-reserves --help'
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new UsageInvalid(`"${text}" is not an address of a server`, {
      fix: `give ${name}=https://<host>`,
      command,
    })
  if (url.username !== '' || url.password !== '')
    throw new UsageInvalid('a password on the command line can be read by every program here', {
      fix: `put <user>:<password> into a file, and name it: ${name}=<url>?cookie=<file>`,
      command,
    })
  if (url.protocol === 'http:' && !insecure && !isPrivateHost(url.hostname))
    throw unusable(
      url.host,
      'plain HTTP to a public address can be read and changed on its way',
      'use https, or reach it over a tunnel that ends on this computer',
    )
  return url
}

/** Loopback, private and link-local addresses (RFC 1918, 4193, 4291). */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase()
  if (host === 'localhost' || host === '::1') return true
  if (host.includes(':')) return /^(?:f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]):/.test(host)
  const parts = host.split('.').map(Number)
  const [a = 0, b = 0] = parts
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255))
    return false
  if (a === 127 || a === 10) return true
  return (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 169 && b === 254)
}
