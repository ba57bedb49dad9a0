/**
 * Asks the control port of the local subnet. Implements `docs/spec/ic-interface.md` §19.
 */
import type { IncomingMessage } from 'node:http'
import { request as httpRequest } from 'node:http'
import {
  attempt,
  BadEncoding,
  Bug,
  type ErrorCode,
  errorCatalogue,
  Problem,
} from '../../core/base/errors.ts'
import { parseJson } from '../../core/base/json.ts'
import type { OperationName, ReplyOf, RequestOf } from './protocol.ts'
import { failureShape, operations, REPLY_BYTES_MAX, wireJson } from './protocol.ts'

/** An answer that takes longer is none: signing and mining thousands of blocks take seconds. */
const REPLY_MS_MAX = 120_000

export type AskOptions = { readonly signal?: AbortSignal; readonly timeoutMs?: number }

/** No local subnet runs, or it has just ended. */
export const subnetDown = (cause?: unknown): Problem =>
  new Problem('SUBNET_DOWN', 'no local subnet is running', {
    fix: 'start one, then run the command again',
    command: 'ckbtc subnet start',
    cause,
  })

export class ControlClient {
  readonly #path: string

  /** `path`: of the socket, as the descriptor of the subnet names it. */
  constructor(path: string) {
    this.#path = path
  }

  /**
   * Throws what the operation threw; `SUBNET_DOWN` when nobody answers. The request has not been
   * performed then, unless the connection broke while it was.
   */
  async ask<N extends OperationName>(
    name: N,
    request: RequestOf<N>,
    options: AskOptions = {},
  ): Promise<ReplyOf<N>> {
    const { status, body } = await this.#post(name, wireJson(request), options)
    if (status !== 200) throw failureOf(status, body)
    const reply = attempt(() => parseJson(body, operations[name].reply))
    if (reply instanceof BadEncoding) throw otherVersion(reply.message)
    return reply
  }

  #post(
    name: string,
    body: string,
    { signal, timeoutMs = REPLY_MS_MAX }: AskOptions,
  ): Promise<{ readonly status: number; readonly body: string }> {
    return new Promise((resolve, reject) => {
      const request = httpRequest({
        socketPath: this.#path,
        path: `/${name}`,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        timeout: timeoutMs,
        ...(signal === undefined ? {} : { signal }),
      })
      request.on('timeout', () => request.destroy())
      request.on('error', (error) =>
        reject(signal?.aborted === true ? signal.reason : subnetDown(error)),
      )
      request.on('response', (response) => {
        readBody(response).then(
          (text) => resolve({ status: response.statusCode ?? 500, body: text }),
          (error: unknown) => reject(subnetDown(error)),
        )
      })
      request.end(body)
    })
  }
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response) {
    size += chunk.length
    if (size > REPLY_BYTES_MAX) throw new BadEncoding('the answer has no end')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const isCode = (code: string): code is ErrorCode => Object.hasOwn(errorCatalogue, code)

const otherVersion = (detail: string): Problem =>
  new Problem('USAGE_INVALID', `another version of ckbtc runs the subnet: ${detail}`, {
    fix: 'stop the subnet and start it with this version',
    command: 'ckbtc subnet stop && ckbtc subnet start',
  })

/** The failure as it was thrown on the other side. */
function failureOf(status: number, body: string): Error {
  if (status === 404) return otherVersion('it does not know this operation')
  const read = attempt(() => parseJson(body, failureShape))
  if (read instanceof BadEncoding) return otherVersion(read.message)
  const { code, message, ...help } = read
  if (code === 'BUG') return new Bug(message)
  return isCode(code) ? new Problem(code, message, help) : otherVersion(`it says ${message}`)
}
