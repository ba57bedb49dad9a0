/**
 * The Bitcoin adapter of one node: follows peers, without I/O. Source: `docs/spec/bitcoin.md` §3,
 * §10.5.
 */
import type { Hash32 } from '../base/bytes.ts'
import { fromBigEndian } from '../base/bytes.ts'
import type { Generator } from '../base/seed.ts'
import type { TimestampNs } from '../base/units.ts'
import { NS_PER_MS } from '../base/units.ts'
import type { View } from '../base/view.ts'
import type {
  AdapterConfig,
  AdapterInput,
  AdapterOutput,
  PeerAddress,
  PeerStatus,
} from './adapter-port.ts'
import { ADAPTER_ALARM } from './adapter-port.ts'
import type { Block, BlockHeader } from './block.ts'
import { checkBlock, headerHash } from './block.ts'
import { BlockDownload } from './block-download.ts'
import { HeaderSync } from './header-sync.ts'
import type { HeaderTree } from './header-tree.ts'
import {
  addHeader,
  bestHeader,
  findHeader,
  judgeHeader,
  markInvalid,
  newHeaderTree,
} from './header-tree.ts'
import type { InventoryItem, Message } from './message.ts'
import { encodeMessage, inventory } from './message.ts'
import type { Offence, SessionEvent } from './peer-session.ts'
import { PeerSession } from './peer-session.ts'
import type { Evidence, RelayPeer, Sending } from './transaction-relay.ts'
import { TransactionRelay } from './transaction-relay.ts'

/** AD-10: from one second to ten minutes, a fifth more or less. */
export const BACK_OFF_FIRST_MS = 1_000
export const BACK_OFF_MAX_MS = 600_000
const BACK_OFF_JITTER = 0.2
/** A connection that lasted so long starts the back-off anew. */
const LASTING_MS = 60_000

type Link = {
  readonly index: number
  readonly address: PeerAddress
  session: PeerSession | undefined
  sync: HeaderSync
  failures: number
  openedMs: number
  /** When to connect again, while there is no session. */
  retryMs: number
  lastOffence: Offence | undefined
}

/** One input at a time; total for whatever peers send. */
export class BitcoinAdapter {
  readonly #config: AdapterConfig
  readonly #random: Generator
  readonly #headers: HeaderTree
  readonly #links: readonly Link[]
  readonly #blocks = new BlockDownload()
  readonly #relay: TransactionRelay
  #alarmMs = Number.POSITIVE_INFINITY
  /** Of the step under way. */
  #nowMs = 0
  #out: AdapterOutput[] = []

  constructor(config: AdapterConfig) {
    this.#config = config
    this.#random = config.seed.derive('bitcoin adapter').generator()
    this.#headers = newHeaderTree(config.network)
    this.#relay = new TransactionRelay(() => this.#fraction())
    this.#links = config.peers.map((address, index) => ({
      index,
      address,
      session: undefined,
      sync: new HeaderSync(this.#headers),
      failures: 0,
      openedMs: 0,
      retryMs: Number.POSITIVE_INFINITY,
      lastOffence: undefined,
    }))
  }

  /** Height of the best header that peers have shown. */
  get bestHeight(): number {
    return bestHeader(this.#headers).height
  }

  /** Every header that peers have shown. */
  get headers(): View<HeaderTree> {
    return this.#headers
  }

  /** Height of a peer's chain by its own word, and whether it has shown all its headers. */
  shownBy(peer: number): { readonly height: number; readonly isAll: boolean } {
    const { session, sync } = this.#links[peer] ?? {}
    const height = Math.max(session?.startHeight ?? 0, sync?.shownHeight ?? 0)
    return { height, isAll: session?.isReady === true && sync?.isSettled === true }
  }

  get peers(): readonly PeerStatus[] {
    return this.#links.map(({ address, session, lastOffence }) => ({
      address,
      state: session === undefined ? 'waiting' : session.isReady ? 'ready' : 'connecting',
      lastOffence,
    }))
  }

  step(input: AdapterInput, now: TimestampNs): readonly AdapterOutput[] {
    this.#nowMs = Number(now / NS_PER_MS)
    this.#out = []
    this.#take(input)
    this.#requestBlocks()
    this.#setAlarm()
    return this.#out
  }

  #take(input: AdapterInput): void {
    switch (input.type) {
      case 'start':
        for (const link of this.#links) if (link.session === undefined) this.#connect(link)
        break
      case 'connected':
        this.#withSession(input.peer, (link, session) =>
          this.#handle(link, session.open(this.#nowMs)),
        )
        break
      case 'bytes':
        this.#withSession(input.peer, (link, session) =>
          this.#handle(link, session.receive(input.bytes, this.#nowMs)),
        )
        break
      case 'disconnected':
        this.#withSession(input.peer, (link) => this.#close(link))
        break
      case 'alarm':
        if (input.name === ADAPTER_ALARM) this.#expire()
        break
      case 'knownHeaders':
        this.#learn(input.headers)
        break
      case 'want':
        this.#blocks.want(input.hashes)
        break
      case 'announce':
        this.#post(this.#relay.announce(input.transactions, this.#relayPeers(), this.#nowMs))
        break
      case 'ask':
        this.#withSession(input.peer, (link) => this.#send(link.index, input.message))
        break
      case 'accuse':
        this.#withSession(input.peer, (link) => this.#end(link, input.offence))
        break
    }
  }

  #withSession(peer: number, act: (link: Link, session: PeerSession) => void): void {
    const link = this.#links[peer]
    if (link?.session !== undefined) act(link, link.session)
  }

  #connect(link: Link): void {
    const nonce = fromBigEndian(this.#random.bytes(8))
    const sessions = this.#links.flatMap(({ session }) => session ?? [])
    link.openedMs = this.#nowMs
    link.sync = new HeaderSync(this.#headers)
    link.session = new PeerSession({
      network: this.#config.network,
      nonce,
      ownNonces: new Set([nonce, ...sessions.map((session) => session.nonce)]),
      userAgent: this.#config.userAgent,
      startHeight: this.bestHeight,
      nowMs: this.#nowMs,
      filters: this.#config.filters ?? false,
    })
    this.#out.push({ type: 'connect', peer: link.index, ...link.address })
  }

  /** The connection is gone: what it owed is asked of others, and it is tried again later. */
  #close(link: Link): void {
    link.failures = this.#nowMs - link.openedMs >= LASTING_MS ? 1 : link.failures + 1
    const pause = Math.min(BACK_OFF_MAX_MS, BACK_OFF_FIRST_MS * 2 ** (link.failures - 1))
    link.retryMs = this.#nowMs + pause * (1 + BACK_OFF_JITTER * (2 * this.#fraction() - 1))
    link.session = undefined
    this.#blocks.forget(link.index)
    this.#relay.forget(link.index)
  }

  #end(link: Link, offence: Offence): void {
    if (link.session === undefined) return
    link.lastOffence = offence
    this.#close(link)
    this.#out.push({ type: 'disconnect', peer: link.index, offence })
  }

  #handle(link: Link, events: readonly SessionEvent[]): void {
    const { session } = link
    for (const event of events) {
      if (link.session !== session) return // Ended meanwhile: the rest is not read.
      switch (event.type) {
        case 'send':
          this.#send(link.index, event.message)
          break
        case 'ready':
          if (this.#config.filters) this.#out.push({ type: 'peerReady', peer: link.index })
          this.#ask(link)
          for (const peer of this.#relayPeers())
            if (peer.peer === link.index) this.#post(this.#relay.peerReady(peer))
          break
        case 'message':
          this.#receive(link, event.message)
          break
        case 'end':
          this.#end(link, event.offence)
          break
      }
    }
  }

  #receive(link: Link, message: Message): void {
    switch (message.type) {
      case 'headers':
        this.#receiveHeaders(link, message.headers)
        break
      case 'block':
        this.#receiveBlock(link, message.block)
        break
      case 'inv':
        this.#receiveInventory(link, message.items)
        break
      case 'notfound':
        for (const { hash } of message.items) this.#blocks.refused(hash, link.index)
        break
      case 'getdata':
        this.#serve(link, message.items)
        break
      case 'cfilter':
      case 'cfheaders':
      case 'cfcheckpt':
        if (this.#config.filters)
          this.#out.push({ type: 'filterMessage', peer: link.index, message })
        break
      case 'getheaders': // We serve nothing (HS-1); the rest needs no answer.
      case 'getaddr':
      case 'addr':
      case 'tx':
      case 'sendheaders':
      case 'sendcmpct':
      case 'feefilter':
      case 'version':
      case 'verack':
      case 'wtxidrelay':
      case 'sendaddrv2':
      case 'ping':
      case 'pong':
      case 'getcfilters':
      case 'getcfheaders':
      case 'getcfcheckpt':
      case 'unknown':
        break
    }
  }

  #serve(link: Link, items: readonly InventoryItem[]): void {
    const { messages, evidence } = this.#relay.serve(items)
    for (const reply of messages) this.#send(link.index, reply)
    this.#report(link.index, evidence)
  }

  #receiveHeaders(link: Link, headers: readonly BlockHeader[]): void {
    const { accepted, offence, strike, ask } = link.sync.receive(headers, this.#nowMs)
    if (accepted.length > 0) this.#out.push({ type: 'headers', headers: accepted })
    if (offence !== undefined) this.#end(link, offence)
    if (strike !== undefined && link.session !== undefined)
      this.#handle(link, link.session.strike(strike, this.#nowMs))
    if (ask) this.#ask(link)
  }

  #receiveBlock(link: Link, block: Block): void {
    const hash = headerHash(block.header)
    const node = findHeader(this.#headers, hash)
    if (node === undefined) {
      this.#ask(link) // HD-6
      return
    }
    if (!this.#blocks.answered(hash, link.index)) return // BD-5
    const flaw = checkBlock(block, { network: this.#config.network, height: node.height })
    if (flaw?.kind === 'mutated') {
      this.#end(link, { kind: 'mutatedBlock', reason: flaw.reason })
      return
    }
    this.#blocks.delivered(hash, this.#nowMs)
    // An invalid block is handed on too: its body belongs to its header, so it condemns it
    // everywhere.
    this.#out.push({ type: 'block', hash, block })
    if (flaw === undefined) return
    markInvalid(this.#headers, node)
    this.#end(link, { kind: 'invalidBlock', reason: flaw.reason })
  }

  #receiveInventory(link: Link, items: readonly InventoryItem[]): void {
    const unknown = ({ kind, hash }: InventoryItem): boolean =>
      kind === inventory.block && findHeader(this.#headers, hash) === undefined
    if (items.some(unknown)) this.#ask(link) // HD-6
    this.#report(link.index, this.#relay.heard(items, link.index, this.#nowMs))
  }

  #ask(link: Link): void {
    const question = link.session?.isReady ? link.sync.ask(this.#nowMs) : undefined
    if (question !== undefined) this.#send(link.index, question)
  }

  /** Headers of the chain view; what does not fit our rules is left out. */
  #learn(headers: readonly BlockHeader[]): void {
    for (const header of headers) {
      const verdict = judgeHeader(this.#headers, header, Math.floor(this.#nowMs / 1000))
      if (verdict.type === 'valid') addHeader(this.#headers, verdict.node)
    }
  }

  #requestBlocks(): void {
    const ready = this.#links.filter(({ session }) => session?.isReady).map(({ index }) => index)
    const canAsk = (hash: Hash32): boolean => {
      const node = findHeader(this.#headers, hash)
      return node !== undefined && !this.#headers.invalid.has(node.key)
    }
    for (const { peer, hashes } of this.#blocks.assign(ready, this.#nowMs, canAsk)) {
      const items = hashes.map((hash) => ({ kind: inventory.witnessBlock, hash })) // BD-4
      this.#send(peer, { type: 'getdata', items })
    }
  }

  /**
   * Who is told of transactions: of several peers the last is the canary, and hears nothing of us
   * (EV-1).
   */
  #relayPeers(): readonly RelayPeer[] {
    const ready = this.#links.filter(({ session }) => session?.isReady)
    return ready.slice(0, Math.max(1, ready.length - 1)).map(({ index, session }) => ({
      peer: index,
      wtxidRelay: session?.wtxidRelay ?? false,
      push: this.#config.push && index === 0, // To exactly one peer (TX-4).
    }))
  }

  #post(sendings: readonly Sending[]): void {
    for (const { peer, message } of sendings) this.#send(peer, message)
  }

  #report(peer: number, evidence: readonly Evidence[]): void {
    for (const { txid, kind } of evidence) this.#out.push({ type: 'evidence', peer, txid, kind })
  }

  #send(peer: number, message: Message): void {
    this.#out.push({ type: 'send', peer, bytes: encodeMessage(this.#config.network, message) })
  }

  #expire(): void {
    this.#alarmMs = Number.POSITIVE_INFINITY
    for (const link of this.#links) {
      if (link.session === undefined) {
        if (link.retryMs <= this.#nowMs) this.#connect(link)
        continue
      }
      this.#handle(link, link.session.expire(this.#nowMs))
      const { offence, ask } = link.sync.expire(this.#nowMs)
      if (offence !== undefined) this.#end(link, offence)
      if (ask) this.#ask(link)
    }
    for (const peer of this.#blocks.expire(this.#nowMs))
      this.#withSession(peer, (link) =>
        this.#end(link, { kind: 'timeout', reason: 'blocks come too late' }),
      )
    this.#post(this.#relay.expire(this.#relayPeers(), this.#nowMs))
  }

  #setAlarm(): void {
    const links = this.#links.map(({ session, sync, retryMs }) =>
      session === undefined ? retryMs : Math.min(session.deadlineMs, sync.deadlineMs),
    )
    const dueMs = Math.min(this.#blocks.deadlineMs, this.#relay.deadlineMs, ...links)
    if (dueMs === this.#alarmMs || dueMs === Number.POSITIVE_INFINITY) return
    this.#alarmMs = dueMs
    this.#out.push({
      type: 'alarm',
      name: ADAPTER_ALARM,
      afterMs: Math.max(0, Math.ceil(dueMs - this.#nowMs)),
    })
  }

  /** In [0, 1). */
  #fraction(): number {
    return (this.#random.words(1)[0] ?? 0) / 2 ** 32
  }
}
