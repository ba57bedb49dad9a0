/** The endpoints of an Esplora server, as data. Source: `docs/spec/bitcoin.md` §8.7 ES-1. */
import type { BlockHash, Hash32, Txid } from '../../core/base/bytes.ts'
import {
  equalBytes,
  fromDisplayHex,
  fromHex,
  fromUtf8,
  toDisplayHex,
} from '../../core/base/bytes.ts'
import { attempt, BadEncoding } from '../../core/base/errors.ts'
import type { JsonReader, Read } from '../../core/base/json.ts'
import { flag, integer, list } from '../../core/base/json.ts'
import type { BlockHeader } from '../../core/btc/block.ts'
import { decodeHeader } from '../../core/btc/block.ts'
import { PAYLOAD_MAX } from '../../core/btc/message.ts'
import type { Transaction } from '../../core/btc/transaction.ts'
import { decodeTransaction } from '../../core/btc/transaction.ts'
import { falseAnswer, quoted, unreachable, unusable } from './failures.ts'
import type { HeaderServer } from './header-chain.ts'
import type { HttpEndpoint, HttpReply } from './http.ts'
import { displayHash, fields, maybe, parseAnswer, satoshis } from './loose-json.ts'

const SMALL_BYTES_MAX = 65_536
/** An address with more entries than fit is not looked through (ES-3). */
const LIST_BYTES_MAX = 4_000_000
const HEIGHT_MAX = 100_000_000
/** A block may come between the questions for hash and height. */
const TIP_ATTEMPTS = 3
const height = integer(0, HEIGHT_MAX)

const proof = fields({ block_height: height, merkle: list(displayHash, 32), pos: height })
const block = fields({ tx_count: integer(1, 1_000_000), height })
const spend = fields({
  spent: flag,
  txid: maybe(displayHash),
  status: maybe(fields({ confirmed: flag, block_height: maybe(height) })),
})
const utxos = list(
  fields({
    txid: displayHash,
    vout: integer(0, 2 ** 32 - 1),
    value: satoshis,
    status: fields({ confirmed: flag, block_height: maybe(height) }),
  }),
  100_000,
)

export class EsploraClient implements HeaderServer {
  /** Two questions for each header, and servers limit them. */
  readonly batch = 100
  readonly headersMax = 20_000
  readonly #http: HttpEndpoint

  constructor(http: HttpEndpoint) {
    this.#http = http
  }

  get name(): string {
    return this.#http.name
  }

  async tip(): Promise<{ readonly hash: BlockHash; readonly height: number }> {
    for (let attempt = 0; attempt < TIP_ATTEMPTS; attempt++) {
      const hash = await this.#hash('/blocks/tip/hash')
      const at = await this.#text('/blocks/tip/height')
      if (!/^\d{1,9}$/.test(at ?? '')) throw this.#malformed('/blocks/tip/height', 'no height')
      const named = await this.hashAt(Number(at))
      if (hash === undefined) throw this.#malformed('/blocks/tip/hash', 'not found')
      if (named !== undefined && equalBytes(named, hash)) return { hash, height: Number(at) }
    }
    throw falseAnswer(this.name, 'height and hash of its tip disagree')
  }

  hashAt = (at: number): Promise<BlockHash | undefined> => this.#hash(`/block-height/${at}`)

  headersAt(heights: readonly number[]): Promise<readonly BlockHeader[]> {
    return Promise.all(
      heights.map(async (at) => {
        const hash = await this.hashAt(at)
        const path = `/block/${toDisplayHex(hash ?? new Uint8Array(32))}/header`
        const text = await this.#text(path)
        const header = attempt(() => decodeHeader(fromHex(text ?? '')))
        if (header instanceof BadEncoding) throw this.#malformed(path, header.message)
        return header
      }),
    )
  }

  /** Undefined where the server knows none. */
  async transaction(id: Txid): Promise<Transaction | undefined> {
    const path = `/tx/${toDisplayHex(id)}/hex`
    const text = await this.#text(path, 2 * PAYLOAD_MAX + 2)
    if (text === undefined) return undefined
    const transaction = attempt(() => decodeTransaction(fromHex(text)))
    if (transaction instanceof BadEncoding) throw this.#malformed(path, transaction.message)
    return transaction
  }

  /** Undefined while it is in no block. */
  async merkleProof(id: Txid): Promise<Read<typeof proof> | undefined> {
    return this.#json(`/tx/${toDisplayHex(id)}/merkle-proof`, proof)
  }

  async transactionCount(hash: BlockHash): Promise<number> {
    const path = `/block/${toDisplayHex(hash)}`
    const found = await this.#json(path, block)
    if (found === undefined) throw this.#malformed(path, 'not found')
    return found.tx_count
  }

  async coinbaseId(hash: BlockHash): Promise<Txid> {
    const path = `/block/${toDisplayHex(hash)}/txid/0`
    const found = await this.#hash(path)
    if (found === undefined) throw this.#malformed(path, 'not found')
    return found
  }

  /** Undefined where the server knows no such output. */
  async outspend(id: Txid, vout: number): Promise<Read<typeof spend> | undefined> {
    return this.#json(`/tx/${toDisplayHex(id)}/outspend/${vout}`, spend)
  }

  async utxosOf(address: string): Promise<Read<typeof utxos>> {
    const path = `/address/${address}/utxo`
    const reply = await this.#http.ask(path, { bytesMax: LIST_BYTES_MAX })
    if (reply.status === 400)
      throw unusable(
        this.name,
        `it does not list ${address}: ${wordsOf(reply)}`,
        'ask another source: this one leaves out addresses with many outputs',
        { reason: 'TooManyUtxos' },
      )
    return this.#read(path, reply, utxos) ?? []
  }

  async blockBytes(hash: BlockHash): Promise<Uint8Array | undefined> {
    const path = `/block/${toDisplayHex(hash)}/raw`
    const reply = await this.#http.ask(path, { bytesMax: PAYLOAD_MAX })
    return this.#found(path, reply) ? reply.body : undefined
  }

  /** The refusal in the server's words; undefined when it is accepted. */
  async send(hex: string): Promise<string | undefined> {
    const post = { body: hex, type: 'text/plain' }
    const reply = await this.#http.ask('/tx', { bytesMax: SMALL_BYTES_MAX, post })
    return reply.status === 200 ? undefined : wordsOf(reply)
  }

  async #hash(path: string): Promise<Hash32 | undefined> {
    const text = await this.#text(path)
    if (text === undefined) return undefined
    const hash = attempt(() => fromDisplayHex(text))
    if (hash instanceof BadEncoding) throw this.#malformed(path, 'no hash')
    return hash
  }

  async #text(path: string, bytesMax = SMALL_BYTES_MAX): Promise<string | undefined> {
    const reply = await this.#http.ask(path, { bytesMax })
    if (!this.#found(path, reply)) return undefined
    const text = attempt(() => fromUtf8(reply.body).trim())
    if (text instanceof BadEncoding) throw this.#malformed(path, text.message)
    return text
  }

  async #json<T>(path: string, read: JsonReader<T>): Promise<T | undefined> {
    return this.#read(path, await this.#http.ask(path, { bytesMax: SMALL_BYTES_MAX }), read)
  }

  #read<T>(path: string, reply: HttpReply, read: JsonReader<T>): T | undefined {
    if (!this.#found(path, reply)) return undefined
    const value = parseAnswer(reply.body, read)
    if (value instanceof BadEncoding) throw this.#malformed(path, value.message)
    return value
  }

  #found(path: string, reply: HttpReply): boolean {
    if (reply.status === 200) return true
    if (reply.status === 404) return false
    throw unreachable(this.name, `${path} answers ${reply.status}: ${wordsOf(reply)}`)
  }

  #malformed = (path: string, what: string) =>
    falseAnswer(this.name, `its answer to ${path} is none: ${what}`)
}

const wordsOf = ({ body }: HttpReply): string => quoted(new TextDecoder().decode(body))
