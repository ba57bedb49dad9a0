/**
 * One P2P connection of the regtest node, whoever opened it, without I/O. Source:
 * `docs/spec/bitcoin.md` §3.1–§3.6, §3.9, RN-20.
 */
import type { Hash32 } from '../../base/bytes.ts'
import { equalBytes, toHex } from '../../base/bytes.ts'
import type { BlockHeader } from '../block.ts'
import { headerHash } from '../block.ts'
import type { InventoryItem, Message, NetworkAddress, VersionMessage } from '../message.ts'
import { encodeMessage, inventory, service } from '../message.ts'
import type { StreamEvent } from '../message-stream.ts'
import { MessageStream } from '../message-stream.ts'
import { regtest } from '../network.ts'
import { SATS_PER_KVB } from './fee-rate.ts'
import type { FilterQuestion } from './filter-server.ts'
import { answerFilterQuestion } from './filter-server.ts'
import type { NodeEvent } from './node.ts'
import type { DropReason, LinkConfig, LinkInput, LinkOutput } from './peer-link-port.ts'
import {
  BLOCK_HASHES_MAX,
  PROTOCOL_VERSION,
  PROTOCOL_VERSION_MIN,
  REPLY_BYTES_MAX,
  STRIKE_WINDOW_S,
  STRIKES_MAX,
} from './peer-link-port.ts'
import { filterItem, REQUESTS_MAX, Serving } from './peer-serving.ts'
import type { MempoolEntry } from './pool.ts'

/** Transactions and blocks that a peer is remembered to know. */
const KNOWN_MAX = 10_000
/** Of a long list of headers the last ones are remembered. */
const KNOWN_HEADERS_MAX = 64
export const USER_AGENT = '/ckbtc-regtest:0.1.0/'

const NOWHERE: NetworkAddress = { services: 0n, address: new Uint8Array(16), port: 0 }

/** Total: nothing that a peer sends makes it throw. */
export class PeerLink {
  readonly #config: LinkConfig
  readonly #stream = new MessageStream(regtest)
  /** What the peer said of itself; set once. */
  #version: VersionMessage | undefined
  #ready = false
  #dropped = false
  #wantsHeaders = false
  #wantsWtxids = false
  #feeFilterSatPerKvb = 0n
  #strikes: number[] = []
  #pingNonce: bigint | undefined
  readonly #serving: Serving
  readonly #known = new Set<string>()

  constructor(config: LinkConfig) {
    this.#config = config
    this.#serving = new Serving(config.node)
  }

  /** Data is still to be served: the host steps `drained` when its socket has room. */
  get waiting(): boolean {
    return this.#serving.count > 0 && !this.#dropped
  }
  get ready(): boolean {
    return this.#ready
  }
  get userAgent(): string {
    return this.#version?.userAgent ?? ''
  }

  step(input: LinkInput): readonly LinkOutput[] {
    if (this.#dropped) return []
    switch (input.type) {
      case 'bytes':
        return this.#receive(input.bytes, input.nowSeconds)
      case 'open':
        return this.#send(this.#ownVersion(input.nowSeconds))
      case 'event':
        return this.#ready ? this.#announce(input.event) : []
      case 'drained':
        return frames(this.#serving.serve())
      case 'deadline':
        return this.#ready ? [] : this.#drop('handshake-timeout', 'no verack in time')
      case 'keepAlive':
        return this.#ready ? this.#ping() : []
      case 'tell':
        return this.#ready ? this.#send(input.message) : []
      case 'strike':
        return this.#strike(input.detail, input.nowSeconds)
      case 'blame':
        return this.#drop(input.reason, input.detail)
    }
  }

  #receive(bytes: Uint8Array, nowSeconds: number): readonly LinkOutput[] {
    const outputs: LinkOutput[] = []
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

  #react(event: StreamEvent, nowSeconds: number): readonly LinkOutput[] {
    switch (event.type) {
      case 'message':
        return this.#handle(event.message, nowSeconds)
      case 'strike':
        return this.#strike(event.reason, nowSeconds)
      case 'fault':
        return this.#drop('malformed-stream', event.reason)
    }
  }

  #strike(detail: string, nowSeconds: number): readonly LinkOutput[] {
    const recent = this.#strikes.filter((at) => at > nowSeconds - STRIKE_WINDOW_S)
    this.#strikes = [...recent, nowSeconds]
    return this.#strikes.length < STRIKES_MAX ? [] : this.#drop('too-many-strikes', detail)
  }

  #drop(reason: DropReason, detail: string): readonly LinkOutput[] {
    this.#dropped = true
    this.#serving.clear()
    return [{ type: 'drop', reason, detail }]
  }

  #send(...messages: readonly Message[]): readonly LinkOutput[] {
    return messages.map((message) => ({ type: 'send', bytes: encodeMessage(regtest, message) }))
  }

  #handle(message: Message, nowSeconds: number): readonly LinkOutput[] {
    if (message.type === 'version') return this.#greet(message, nowSeconds)
    if (this.#version === undefined) return [] // HS-4: nothing counts before `version`.
    return this.#ready ? this.#converse(message, nowSeconds) : this.#shakeHands(message)
  }

  #greet(version: VersionMessage, nowSeconds: number): readonly LinkOutput[] {
    const { nonce, isOwnNonce, isOutbound = false } = this.#config
    if (this.#version !== undefined) return []
    if (version.nonce === nonce || isOwnNonce?.(version.nonce) === true)
      return this.#drop('self-connection', 'own nonce')
    if (version.version < PROTOCOL_VERSION_MIN)
      return this.#drop('obsolete-version', `protocol version ${version.version}`)
    this.#version = version
    if (isOutbound && !this.#servesBlocks)
      return this.#drop('unsuitable', `services ${version.services}: no whole blocks`)
    const features: readonly Message[] =
      version.version >= PROTOCOL_VERSION ? [{ type: 'wtxidrelay' }, { type: 'sendaddrv2' }] : []
    const own = isOutbound ? [] : [this.#ownVersion(nowSeconds)] // Else it was said first.
    return this.#send(...own, ...features, { type: 'verack' })
  }

  #ownVersion(nowSeconds: number): Message {
    return {
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
  }

  get #servesBlocks(): boolean {
    const needed = service.network | service.witness
    return ((this.#version?.services ?? 0n) & needed) === needed
  }

  /** Between `version` and `verack`. */
  #shakeHands(message: Message): readonly LinkOutput[] {
    if (message.type === 'wtxidrelay') this.#wantsWtxids = true
    if (message.type !== 'verack') return []
    this.#ready = true
    const feeRateSatPerKvb = this.#config.node.relayRateSatPerKvb
    if (this.#servesBlocks) this.#config.follow?.({ type: 'ready' })
    return this.#send({ type: 'sendheaders' }, { type: 'feefilter', feeRateSatPerKvb })
  }

  #ping(): readonly LinkOutput[] {
    if (this.#pingNonce !== undefined) return this.#drop('timeout', 'no pong in time')
    this.#pingNonce = this.#config.nonce
    return this.#send({ type: 'ping', nonce: this.#pingNonce })
  }

  #converse(message: Message, nowSeconds: number): readonly LinkOutput[] {
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
      case 'getheaders': {
        const headers = this.#config.node.headersAfter(message.locator, message.stop)
        return this.#send({ type: 'headers', headers })
      }
      case 'getblocks':
        return this.#listBlocks(message)
      case 'getdata':
        return this.#request(message.items)
      case 'inv':
        this.#config.follow?.(message)
        return this.#ask(message.items)
      case 'headers':
        this.#knows(message.headers)
        this.#config.follow?.(message)
        return []
      case 'block':
        this.#knows([message.block.header])
        this.#config.follow?.(message)
        return []
      case 'notfound':
        this.#config.follow?.(message)
        return []
      case 'pong':
        if (message.nonce === this.#pingNonce) this.#pingNonce = undefined
        return []
      case 'tx':
        return this.#accept(message, nowSeconds)
      case 'getcfilters':
      case 'getcfheaders':
      case 'getcfcheckpt':
        return this.#answerFilters(message)
      // Nobody is known here, and some peers end the connection for an empty list of addresses.
      case 'getaddr':
      case 'cfilter':
      case 'cfheaders':
      case 'cfcheckpt':
      case 'version':
      case 'verack':
      case 'sendcmpct':
      case 'addr':
      case 'addrv2':
      case 'unknown':
        return []
    }
  }

  /** Asks for the transactions that the mempool lacks. */
  #ask(items: readonly InventoryItem[]): readonly LinkOutput[] {
    const { node } = this.#config
    for (const { kind, hash } of items) if (kind === inventory.block) this.#remember(hash)
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

  /** A refusal is not answered: the protocol has no word for it. What was missing is asked for. */
  #accept(
    { transaction }: Extract<Message, { readonly type: 'tx' }>,
    nowSeconds: number,
  ): readonly LinkOutput[] {
    const { node, peer } = this.#config
    const reply = node.submit(transaction, nowSeconds, peer)
    if (reply.type === 'accepted' || reply.missing === undefined) return []
    // An orphan waits; its parents are asked of who sent it.
    const items = reply.missing.map((hash) => ({ kind: inventory.witnessTx, hash }))
    return this.#send({ type: 'getdata', items })
  }

  #remember(hash: Hash32): void {
    this.#known.add(toHex(hash))
    const [oldest] = this.#known
    if (this.#known.size > KNOWN_MAX && oldest !== undefined) this.#known.delete(oldest)
  }

  #knows(headers: readonly BlockHeader[]): void {
    for (const header of headers.slice(-KNOWN_HEADERS_MAX)) this.#remember(headerHash(header))
  }

  #announce(event: NodeEvent): readonly LinkOutput[] {
    if (event.type === 'newTransaction')
      return event.from === this.#config.peer ? [] : this.#announceTransaction(event.entry)
    if (event.type === 'dropPeers') return [] // Done for all at once.
    if (this.#known.has(toHex(event.hash))) return []
    this.#remember(event.hash)
    return this.#wantsHeaders
      ? this.#send({ type: 'headers', headers: [this.#config.node.switches.header(event.header)] })
      : this.#send({ type: 'inv', items: [{ kind: inventory.block, hash: event.hash }] })
  }

  #announceTransaction({ txid, wtxid, fee, vsize }: MempoolEntry): readonly LinkOutput[] {
    const belowFilter = fee * SATS_PER_KVB < this.#feeFilterSatPerKvb * BigInt(vsize)
    const known = this.#known.has(toHex(txid)) || this.#known.has(toHex(wtxid))
    if (this.#version?.relay !== true || belowFilter || known) return []
    const item = this.#wantsWtxids
      ? { kind: inventory.wtx, hash: wtxid }
      : { kind: inventory.tx, hash: txid }
    this.#remember(item.hash)
    return this.#send({ type: 'inv', items: [item] })
  }

  #request(items: readonly InventoryItem[]): readonly LinkOutput[] {
    const count = this.#serving.count + items.length
    if (count > REQUESTS_MAX) return this.#drop('too-many-requests', `${count} items`)
    return frames(this.#serving.request(items))
  }

  /** The question of peers that do not go by headers. */
  #listBlocks({
    locator,
    stop,
  }: Extract<Message, { readonly type: 'getheaders' | 'getblocks' }>): readonly LinkOutput[] {
    const hashes = this.#config.node
      .headersAfter(locator, stop)
      .slice(0, BLOCK_HASHES_MAX)
      .map(headerHash)
      .filter((hash) => !equalBytes(hash, stop))
    const last = hashes.at(-1)
    if (last === undefined) return []
    if (hashes.length === BLOCK_HASHES_MAX) this.#serving.continueAfter(last)
    const items = hashes.map((hash) => ({ kind: inventory.block, hash }))
    return this.#send({ type: 'inv', items })
  }

  #answerFilters(question: FilterQuestion): readonly LinkOutput[] {
    const answer = answerFilterQuestion(this.#config.node.filters, question)
    switch (answer.type) {
      case 'message':
        return this.#send(answer.message)
      case 'filters':
        return this.#request(answer.blocks.map(filterItem))
      case 'refused':
        return this.#drop('bad-filter-request', answer.reason)
    }
  }
}

const frames = (bytes: readonly Uint8Array[]): readonly LinkOutput[] =>
  bytes.map((frame) => ({ type: 'send', bytes: frame }))
