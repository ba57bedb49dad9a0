/**
 * The regtest node's side of one P2P connection, without I/O. Source: `docs/spec/bitcoin.md`
 * §3.1–§3.5, §3.9, RN-20.
 */
import type { BlockHash, Hash32 } from '../../base/bytes.ts'
import { toHex } from '../../base/bytes.ts'
import { BASIC_FILTER } from '../compact-filter.ts'
import type { InventoryItem, Message, NetworkAddress, VersionMessage } from '../message.ts'
import { encodeMessage, INVENTORY_MAX, inventory, service } from '../message.ts'
import type { StreamEvent } from '../message-stream.ts'
import { MessageStream } from '../message-stream.ts'
import { regtest } from '../network.ts'
import { stripWitness } from '../transaction.ts'
import type { FilterQuestion } from './filter-server.ts'
import { answerFilterQuestion } from './filter-server.ts'
import type { NodeEvent, RegtestNode } from './node.ts'
import { RELAY_RATE_MIN_SAT_PER_VB } from './policy.ts'
import type { MempoolEntry } from './pool.ts'

export const PROTOCOL_VERSION = 70_016
/** Older peers know neither witnesses nor headers-first relay. */
export const PROTOCOL_VERSION_MIN = 70_015
export const HANDSHAKE_SECONDS_MAX = 10
export const STRIKES_MAX = 3
export const STRIKE_WINDOW_S = 600
/** Items asked for and not served yet; more is an attack. */
export const REQUESTS_MAX = INVENTORY_MAX
/** A step stops serving data beyond this and goes on when the socket has drained. */
export const SEND_BYTES_SOFT_MAX = 1_000_000
/** Bytes of replies that one chunk of a peer may cause: some fifty full batches of headers. */
export const REPLY_BYTES_MAX = 8_000_000
/** Transactions that a peer is remembered to know. */
const KNOWN_MAX = 10_000
/** A filter among the items that are still to be served; no inventory item has this kind. */
const FILTER_ITEM = -1
const USER_AGENT = '/ckbtc-regtest:0.1.0/'
const SATS_PER_KVB = 1_000n

/** Why a connection ends; `detail` says more. */
export type DropReason =
  | 'handshake-timeout'
  | 'obsolete-version'
  | 'self-connection'
  | 'late-feature'
  | 'malformed-stream'
  | 'too-many-strikes'
  | 'too-many-requests'
  | 'bad-filter-request'

export type SessionInput =
  | { readonly type: 'bytes'; readonly bytes: Uint8Array; readonly nowSeconds: number }
  /** What the node tells everybody. */
  | { readonly type: 'event'; readonly event: NodeEvent }
  /** The socket has sent what it was given. */
  | { readonly type: 'drained' }
  /** `HANDSHAKE_SECONDS_MAX` after the connection was made. */
  | { readonly type: 'deadline' }

export type SessionOutput =
  | { readonly type: 'send'; readonly bytes: Uint8Array }
  /** Close the connection; the session yields no more. */
  | { readonly type: 'drop'; readonly reason: DropReason; readonly detail: string }

export type SessionConfig = {
  readonly node: RegtestNode
  /** Names the peer among all; no two sessions share one. */
  readonly peer: string
  /** Random; a version message that carries it is our own. */
  readonly nonce: bigint
}

const NOWHERE: NetworkAddress = { services: 0n, address: new Uint8Array(16), port: 0 }

/** One inbound connection. Total: nothing that a peer sends makes it throw. */
export class ServerSession {
  readonly #config: SessionConfig
  readonly #stream = new MessageStream(regtest)
  /** What the peer said of itself; set once. */
  #version: VersionMessage | undefined
  #ready = false
  #dropped = false
  #wantsHeaders = false
  #wantsWtxids = false
  #feeFilterSatPerKvb = 0n
  #strikes: number[] = []
  #requests: InventoryItem[] = []
  readonly #known = new Set<string>()

  constructor(config: SessionConfig) {
    this.#config = config
  }

  /** Data is still to be served: the host steps `drained` when its socket has room. */
  get waiting(): boolean {
    return this.#requests.length > 0 && !this.#dropped
  }
  get ready(): boolean {
    return this.#ready
  }
  get userAgent(): string {
    return this.#version?.userAgent ?? ''
  }

  step(input: SessionInput): readonly SessionOutput[] {
    if (this.#dropped) return []
    switch (input.type) {
      case 'bytes':
        return this.#receive(input.bytes, input.nowSeconds)
      case 'event':
        return this.#ready ? this.#announce(input.event) : []
      case 'drained':
        return this.#serve()
      case 'deadline':
        return this.#ready ? [] : this.#drop('handshake-timeout', 'no verack in time')
    }
  }

  #receive(bytes: Uint8Array, nowSeconds: number): readonly SessionOutput[] {
    const outputs: SessionOutput[] = []
    let replied = 0
    for (const event of this.#stream.push(bytes)) {
      if (this.#dropped) break
      const replies =
        replied > REPLY_BYTES_MAX
          ? this.#drop('too-many-requests', 'replies outgrow the requests')
          : this.#react(event, nowSeconds)
      for (const reply of replies) replied += reply.type === 'send' ? reply.bytes.length : 0
      outputs.push(...replies)
    }
    return outputs
  }

  #react(event: StreamEvent, nowSeconds: number): readonly SessionOutput[] {
    switch (event.type) {
      case 'message':
        return this.#handle(event.message, nowSeconds)
      case 'strike':
        return this.#strike(event.reason, nowSeconds)
      case 'fault':
        return this.#drop('malformed-stream', event.reason)
    }
  }

  #strike(detail: string, nowSeconds: number): readonly SessionOutput[] {
    const recent = this.#strikes.filter((at) => at > nowSeconds - STRIKE_WINDOW_S)
    this.#strikes = [...recent, nowSeconds]
    return this.#strikes.length < STRIKES_MAX ? [] : this.#drop('too-many-strikes', detail)
  }

  #drop(reason: DropReason, detail: string): readonly SessionOutput[] {
    this.#dropped = true
    this.#requests = []
    return [{ type: 'drop', reason, detail }]
  }

  #send(...messages: readonly Message[]): readonly SessionOutput[] {
    return messages.map((message) => ({ type: 'send', bytes: encodeMessage(regtest, message) }))
  }

  #handle(message: Message, nowSeconds: number): readonly SessionOutput[] {
    if (message.type === 'version') return this.#greet(message, nowSeconds)
    if (this.#version === undefined) return [] // HS-4: nothing counts before `version`.
    return this.#ready ? this.#converse(message, nowSeconds) : this.#shakeHands(message)
  }

  #greet(version: VersionMessage, nowSeconds: number): readonly SessionOutput[] {
    if (this.#version !== undefined) return []
    if (version.nonce === this.#config.nonce) return this.#drop('self-connection', 'own nonce')
    if (version.version < PROTOCOL_VERSION_MIN)
      return this.#drop('obsolete-version', `protocol version ${version.version}`)
    this.#version = version
    const own: Message = {
      type: 'version',
      version: PROTOCOL_VERSION,
      services: service.network | service.witness | service.compactFilters,
      time: BigInt(nowSeconds),
      receiver: NOWHERE,
      sender: NOWHERE,
      nonce: this.#config.nonce,
      userAgent: USER_AGENT,
      startHeight: this.#config.node.tip().height,
      relay: true,
    }
    const features: readonly Message[] =
      version.version >= PROTOCOL_VERSION ? [{ type: 'wtxidrelay' }, { type: 'sendaddrv2' }] : []
    return this.#send(own, ...features, { type: 'verack' })
  }

  /** Between `version` and `verack`. */
  #shakeHands(message: Message): readonly SessionOutput[] {
    if (message.type === 'wtxidrelay') this.#wantsWtxids = true
    if (message.type !== 'verack') return []
    this.#ready = true
    const feeRateSatPerKvb = RELAY_RATE_MIN_SAT_PER_VB * SATS_PER_KVB
    return this.#send({ type: 'sendheaders' }, { type: 'feefilter', feeRateSatPerKvb })
  }

  #converse(message: Message, nowSeconds: number): readonly SessionOutput[] {
    switch (message.type) {
      case 'wtxidrelay':
      case 'sendaddrv2':
        return this.#drop('late-feature', `${message.type} after verack`)
      case 'sendheaders':
        this.#wantsHeaders = true
        return []
      case 'feefilter':
        this.#feeFilterSatPerKvb = message.feeRateSatPerKvb
        return []
      case 'ping':
        return this.#send({ type: 'pong', nonce: message.nonce })
      case 'getaddr':
        return this.#send({ type: 'addr', addresses: [] })
      case 'getheaders': {
        const headers = this.#config.node.headersAfter(message.locator, message.stop)
        return this.#send({ type: 'headers', headers })
      }
      case 'getdata':
        return this.#request(message.items)
      case 'inv':
        return this.#ask(message.items)
      case 'tx':
        return this.#accept(message, nowSeconds)
      case 'getcfilters':
      case 'getcfheaders':
      case 'getcfcheckpt':
        return this.#answerFilters(message)
      // Blocks come from this node's miner alone; the rest is said in passing.
      case 'cfilter':
      case 'cfheaders':
      case 'cfcheckpt':
      case 'version':
      case 'verack':
      case 'sendcmpct':
      case 'pong':
      case 'addr':
      case 'headers':
      case 'notfound':
      case 'block':
      case 'unknown':
        return []
    }
  }

  /** Asks for the transactions that the mempool lacks. */
  #ask(items: readonly InventoryItem[]): readonly SessionOutput[] {
    const { node } = this.#config
    const offered = items.filter(({ kind }) => kind === inventory.tx || kind === inventory.wtx)
    for (const { hash } of offered) this.#remember(hash)
    const wanted = offered.filter(({ hash }) => node.pooled(hash) === undefined)
    if (wanted.length === 0) return []
    const asked = wanted.map(({ kind, hash }) => ({
      kind: kind === inventory.wtx ? inventory.wtx : inventory.witnessTx,
      hash,
    }))
    return this.#send({ type: 'getdata', items: asked })
  }

  /** A refusal is not answered: the protocol has no word for it any more. */
  #accept(
    { transaction }: Extract<Message, { readonly type: 'tx' }>,
    nowSeconds: number,
  ): readonly SessionOutput[] {
    const { node, peer } = this.#config
    node.submit(transaction, nowSeconds, peer)
    return []
  }

  #remember(hash: Hash32): void {
    this.#known.add(toHex(hash))
    const [oldest] = this.#known
    if (this.#known.size > KNOWN_MAX && oldest !== undefined) this.#known.delete(oldest)
  }

  #announce(event: NodeEvent): readonly SessionOutput[] {
    if (event.type === 'newTransaction')
      return event.from === this.#config.peer ? [] : this.#announceTransaction(event.entry)
    return this.#wantsHeaders
      ? this.#send({ type: 'headers', headers: [event.header] })
      : this.#send({ type: 'inv', items: [{ kind: inventory.block, hash: event.hash }] })
  }

  #announceTransaction({ txid, wtxid, fee, vsize }: MempoolEntry): readonly SessionOutput[] {
    const belowFilter = fee * SATS_PER_KVB < this.#feeFilterSatPerKvb * BigInt(vsize)
    const known = this.#known.has(toHex(txid)) || this.#known.has(toHex(wtxid))
    if (this.#version?.relay !== true || belowFilter || known) return []
    const item = this.#wantsWtxids
      ? { kind: inventory.wtx, hash: wtxid }
      : { kind: inventory.tx, hash: txid }
    this.#remember(item.hash)
    return this.#send({ type: 'inv', items: [item] })
  }

  #request(items: readonly InventoryItem[]): readonly SessionOutput[] {
    if (this.#requests.length + items.length > REQUESTS_MAX)
      return this.#drop('too-many-requests', `${this.#requests.length + items.length} items`)
    const idle = this.#requests.length === 0
    this.#requests.push(...items)
    // A queue that waits for the socket goes on when that has drained.
    return idle ? this.#serve() : []
  }

  /** Serves requests in order until enough bytes are on their way. */
  #serve(): readonly SessionOutput[] {
    const outputs: SessionOutput[] = []
    const missing: InventoryItem[] = []
    let bytes = 0
    let served = 0
    for (const item of this.#requests) {
      if (bytes > SEND_BYTES_SOFT_MAX) break
      served += 1
      const found = this.#find(item)
      if (found === undefined) {
        if (item.kind !== FILTER_ITEM) missing.push(item) // Gone in a reorganisation.
      } else {
        const [output] = this.#send(found)
        if (output?.type !== 'send') continue
        bytes += output.bytes.length
        outputs.push(output)
      }
    }
    this.#requests = this.#requests.slice(served)
    if (missing.length > 0) outputs.push(...this.#send({ type: 'notfound', items: missing }))
    return outputs
  }

  #answerFilters(question: FilterQuestion): readonly SessionOutput[] {
    const answer = answerFilterQuestion(this.#config.node.filters, question)
    switch (answer.type) {
      case 'message':
        return this.#send(answer.message)
      case 'filters':
        return this.#request(answer.blocks.map((hash) => ({ kind: FILTER_ITEM, hash })))
      case 'refused':
        return this.#drop('bad-filter-request', answer.reason)
    }
  }

  #findFilter(block: BlockHash): Message | undefined {
    const found = this.#config.node.filters.of(block)
    if (found === undefined) return undefined
    return { type: 'cfilter', filterType: BASIC_FILTER, block, filter: found.filter }
  }

  #find({ kind, hash }: InventoryItem): Message | undefined {
    const { node } = this.#config
    if (kind === FILTER_ITEM) return this.#findFilter(hash)
    if (kind === inventory.block || kind === inventory.witnessBlock) {
      const block = node.blockByHash(hash)
      if (block === undefined || kind === inventory.witnessBlock)
        return block === undefined ? undefined : { type: 'block', block }
      const stripped = { ...block, transactions: block.transactions.map(stripWitness) }
      return { type: 'block', block: stripped }
    }
    if (kind !== inventory.tx && kind !== inventory.witnessTx && kind !== inventory.wtx)
      return undefined
    const transaction = node.pooled(hash)?.transaction
    if (transaction === undefined) return undefined
    const whole = kind !== inventory.tx
    return { type: 'tx', transaction: whole ? transaction : stripWitness(transaction) }
  }
}
