/** JSON-RPC of Bitcoin Core: batches, authority, its errors. Source: bitcoin.md §8.6 RPC-1, RPC-5. */
import type { BlockHash } from '../../core/base/bytes.ts'
import { toDisplayHex } from '../../core/base/bytes.ts'
import { BadEncoding } from '../../core/base/errors.ts'
import type { JsonReader, Read } from '../../core/base/json.ts'
import { anything, integer, list, text } from '../../core/base/json.ts'
import type { BlockHeader } from '../../core/btc/block.ts'
import { decodeHeader } from '../../core/btc/block.ts'
import type { SourcePorts } from '../bitcoin-source.ts'
import { falseAnswer, quoted, unreachable, unusable } from './failures.ts'
import type { HeaderServer } from './header-chain.ts'
import type { HttpEndpoint } from './http.ts'
import { displayHash, fields, longHex, maybe, parseAnswer } from './loose-json.ts'

/** Calls in one request. */
const BATCH = 500
/** A block of 4,000,000 bytes in hexadecimal, or with every output spelled out. */
export const BLOCK_ANSWER_MAX = 64_000_000
const ANSWER_MAX = 8_000_000
/** It starts, or its queue of work is full: asked again after a second, this often. */
const WARMING_MAX = 60
const WARMING_MS = 1_000

export const rpcCode = {
  warmingUp: -28,
  unknownParameter: -8,
  unknownObject: -5,
  methodUnknown: -32601,
  verifyRefused: -25,
  refused: -26,
  alreadyInChain: -27,
  decodeFailed: -22,
} as const

export type RpcError = { readonly code: number; readonly message: string }
export type RpcReply<T> =
  | { readonly type: 'result'; readonly value: T }
  | { readonly type: 'error'; readonly error: RpcError }
export type RpcCall = { readonly method: string; readonly params: readonly unknown[] }

const reply = fields({
  id: maybe(anything),
  error: maybe(fields({ code: integer(-100_000, 100_000), message: text })),
  result: maybe(anything),
})

export class BitcoindClient implements HeaderServer {
  readonly batch = BATCH
  readonly headersMax = Number.POSITIVE_INFINITY
  readonly #http: HttpEndpoint
  readonly #ports: SourcePorts
  /** `user:password`; read again when it is refused, for the cookie changes at every start. */
  readonly #authority: () => string | undefined

  constructor(http: HttpEndpoint, ports: SourcePorts, authority: () => string | undefined) {
    this.#http = http
    this.#ports = ports
    this.#authority = authority
  }

  get name(): string {
    return this.#http.name
  }

  /** The result; an error of the node is thrown unless its code is one of `expected`. */
  async call<T>(
    method: string,
    params: readonly unknown[],
    read: JsonReader<T>,
    bytesMax = ANSWER_MAX,
  ): Promise<T> {
    const [answer] = await this.calls([{ method, params }], read, bytesMax)
    if (answer?.type === 'result') return answer.value
    throw this.failed(method, answer?.error)
  }

  failed(method: string, error: RpcError | undefined) {
    const words = error === undefined ? 'nothing' : `${quoted(error.message)} (${error.code})`
    return unreachable(this.name, `${method}: ${words}`)
  }

  /** Answers in the order of the calls. */
  async calls<T>(
    calls: readonly RpcCall[],
    read: JsonReader<T>,
    bytesMax = ANSWER_MAX,
  ): Promise<readonly RpcReply<T>[]> {
    const replies: RpcReply<T>[] = []
    for (let at = 0; at < calls.length; at += BATCH)
      replies.push(...(await this.#batch(calls.slice(at, at + BATCH), read, bytesMax)))
    return replies
  }

  async #batch<T>(
    calls: readonly RpcCall[],
    read: JsonReader<T>,
    bytesMax: number,
  ): Promise<readonly RpcReply<T>[]> {
    for (let attempt = 1; ; attempt++) {
      const replies = await this.#post(calls, read, bytesMax)
      const isWarming = replies.some(
        (one) => one.type === 'error' && one.error.code === rpcCode.warmingUp,
      )
      if (!isWarming) return replies
      if (attempt === WARMING_MAX) throw unreachable(this.name, 'it is still starting')
      this.#ports.onStep?.(`${this.name} is starting`)
      await this.#ports.wait(WARMING_MS, this.#ports.signal)
      this.#ports.signal?.throwIfAborted()
    }
  }

  async #post<T>(
    calls: readonly RpcCall[],
    read: JsonReader<T>,
    bytesMax: number,
  ): Promise<readonly RpcReply<T>[]> {
    const body = JSON.stringify(
      calls.map(({ method, params }, id) => ({ jsonrpc: '1.0', id, method, params })),
    )
    const authority = this.#authority()
    const { status, body: bytes } = await this.#http.ask('/', {
      bytesMax,
      post: { body, type: 'application/json' },
      ...(authority === undefined ? {} : { authorization: `Basic ${btoa(authority)}` }),
    })
    if (status === 401 || status === 403)
      throw unusable(
        this.name,
        status === 401 ? 'it refuses the cookie' : 'it refuses this computer',
        'name its cookie file: bitcoind=<url>?cookie=<file>; it is new at every start',
      )
    if (status !== 200)
      throw unreachable(this.name, `status ${status}: ${quoted(new TextDecoder().decode(bytes))}`)
    return this.#sorted(calls, parseAnswer(bytes, list(reply, calls.length)), read)
  }

  /** A batch may be answered in any order. */
  #sorted<T>(
    calls: readonly RpcCall[],
    answers: readonly Read<typeof reply>[] | BadEncoding,
    read: JsonReader<T>,
  ): readonly RpcReply<T>[] {
    if (answers instanceof BadEncoding) throw falseAnswer(this.name, answers.message)
    const byId = new Map(answers.map((answer) => [answer.id, answer]))
    return calls.map(({ method }, id): RpcReply<T> => {
      const answer = byId.get(id)
      if (answer === undefined) throw falseAnswer(this.name, `no answer to ${method}`)
      if (answer.error !== undefined) return { type: 'error', error: answer.error }
      try {
        return { type: 'result', value: read(answer.result, method) }
      } catch (error) {
        if (!(error instanceof BadEncoding)) throw error
        throw falseAnswer(this.name, `its answer is none: ${error.message}`)
      }
    })
  }

  async tip(): Promise<{ readonly hash: BlockHash; readonly height: number }> {
    const read = fields({ blocks: integer(0, 2 ** 31), bestblockhash: displayHash })
    const { blocks, bestblockhash } = await this.call('getblockchaininfo', [], read)
    return { hash: bestblockhash, height: blocks }
  }

  async hashAt(height: number): Promise<BlockHash | undefined> {
    const call = { method: 'getblockhash', params: [height] }
    const [answer] = await this.calls([call], displayHash)
    if (answer?.type === 'result') return answer.value
    if (answer?.error.code === rpcCode.unknownParameter) return undefined
    throw this.failed('getblockhash', answer?.error)
  }

  async headersAt(heights: readonly number[]): Promise<readonly BlockHeader[]> {
    const hashes = await this.calls(
      heights.map((height) => ({ method: 'getblockhash', params: [height] })),
      displayHash,
    )
    const known = hashes.flatMap((one) => (one.type === 'result' ? [one.value] : []))
    const headers = await this.calls(
      known.map((hash) => ({ method: 'getblockheader', params: [toDisplayHex(hash), false] })),
      headerOfHex,
    )
    return headers.flatMap((one) => (one.type === 'result' ? [one.value] : []))
  }
}

const headerOfHex: JsonReader<BlockHeader> = (value, where) => decodeHeader(longHex(value, where))
