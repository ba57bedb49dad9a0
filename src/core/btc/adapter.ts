/**
 * The Bitcoin adapter of one node: follows peers, without I/O. Source: `docs/spec/bitcoin.md` §3,
 * §10.5.
 */
import type { TimestampNs } from '../base/units.ts'
import { NS_PER_MS } from '../base/units.ts'
import type { View } from '../base/view.ts'
import { AdapterBlocks } from './adapter-blocks.ts'
import { AdapterDiscovery } from './adapter-discovery.ts'
import { AdapterHeaders } from './adapter-headers.ts'
import { AdapterIdle } from './adapter-idle.ts'
import type { Link, OpenLink } from './adapter-links.ts'
import { AdapterLinks } from './adapter-links.ts'
import type {
  AdapterConfig,
  AdapterInput,
  AdapterOutput,
  AdapterStatus,
  PeerStatus,
} from './adapter-port.ts'
import { ADAPTER_ALARM } from './adapter-port.ts'
import { AdapterRelay } from './adapter-relay.ts'
import { adapterStatus } from './adapter-status.ts'
import { AdapterTurn } from './adapter-turn.ts'
import { BACK_OFF_MAX_MS } from './address-book.ts'
import type { KnownPeers } from './address-book-file.ts'
import { NO_PEERS } from './address-book-file.ts'
import { fromAddressV1 } from './address-message.ts'
import type { HeaderTree } from './header-tree.ts'
import type { Message } from './message.ts'
import type { SessionEvent } from './peer-session.ts'
import type { Announcement, TransactionReport } from './transaction-relay.ts'

/** A clock that goes back by more makes deadlines of what was asked meaningless. */
const CLOCK_BACK_MS = 60_000

/** One input at a time; total for whatever peers send. */
export class BitcoinAdapter {
  readonly #config: AdapterConfig
  readonly #turn: AdapterTurn
  readonly #links: AdapterLinks
  readonly #headers: AdapterHeaders
  readonly #blocks: AdapterBlocks
  readonly #relay: AdapterRelay
  readonly #discovery: AdapterDiscovery | undefined
  readonly #idle: AdapterIdle
  #alarmMs = Number.POSITIVE_INFINITY

  constructor(config: AdapterConfig) {
    const { network, seed, push } = config
    const turn = new AdapterTurn(network, seed)
    const links = new AdapterLinks(config, {
      turn,
      forget: (peer) => this.#forget(peer),
      lost: (link, how) => this.#discovery?.lost(link, how),
      lowestNeeded: () => this.#blocks.lowestNeeded,
    })
    const headers = new AdapterHeaders({
      network,
      turn,
      links,
      announced: (peer, shown) => this.#blocks.announced(peer, shown),
    })
    this.#config = config
    this.#turn = turn
    this.#links = links
    this.#headers = headers
    this.#blocks = new AdapterBlocks({ network, turn, links, headers })
    this.#relay = new AdapterRelay({ turn, links, push })
    this.#idle = new AdapterIdle(config.idleAfterMs)
    if (config.discovery !== undefined)
      this.#discovery = new AdapterDiscovery({
        network,
        config: config.discovery,
        filters: config.filters ?? false,
        isProxied: config.isProxied ?? false,
        turn,
        links,
        headers,
        connect: (link) => this.#connect(link),
      })
  }

  /** Height of the best header that peers have shown. */
  get bestHeight(): number {
    return this.#headers.bestHeight
  }

  /** Every header that peers have shown. */
  get headers(): View<HeaderTree> {
    return this.#headers.tree
  }

  /** Height of a peer's chain by its own word, and whether it has shown all its headers. */
  shownBy(peer: number): { readonly height: number; readonly isAll: boolean } {
    const link = this.#links.find(peer)
    const isSettled = this.#headers.syncOf(peer)?.isSettled === true
    const height = link === undefined ? 0 : this.#headers.heightOf(link)
    return { height, isAll: link?.session.isReady === true && isSettled }
  }

  /**
   * How far a header that a peer shows lies before our clock, if it is too far to be taken: then
   * either is wrong, and which one only the user can tell (HDR-10).
   */
  get aheadSeconds(): number | undefined {
    return this.#headers.aheadSeconds
  }

  /** Headers that peers have shown with success: it grows while a chain is read and not yet kept. */
  get headersRead(): number {
    return this.#headers.headersRead
  }

  get peers(): readonly PeerStatus[] {
    return this.#links.status
  }

  /** As of the last step. */
  get status(): AdapterStatus {
    return adapterStatus({
      links: this.#links,
      headers: this.#headers,
      blocks: this.#blocks,
      isIdle: this.#idle.isIdle,
      isConnectOnly: this.#discovery === undefined,
    })
  }

  /** Of peers that nobody named; undefined where only those are used. */
  get search(): { readonly isHopeful: boolean; readonly calls: number } | undefined {
    return this.#discovery
  }

  /** Peers that a later life may begin with. */
  toKeep(): KnownPeers {
    return this.#discovery?.toKeep() ?? NO_PEERS
  }

  /** Since when peers announce a transaction that was never in our list. */
  heardMs(ids: Pick<Announcement, 'txid' | 'wtxid'>): number | undefined {
    return this.#relay.heardMs(ids)
  }

  /** Of our transactions, for people. */
  report(now: TimestampNs): readonly TransactionReport[] {
    return this.#relay.report(Number(now / NS_PER_MS))
  }

  step(input: AdapterInput, now: TimestampNs): readonly AdapterOutput[] {
    const backMs = this.#turn.nowMs - Number(now / NS_PER_MS)
    this.#turn.begin(Number(now / NS_PER_MS))
    if (backMs > CLOCK_BACK_MS) this.#startOver()
    this.#take(input)
    this.#discovery?.advance()
    this.#blocks.request()
    this.#setAlarm()
    return this.#turn.outputs
  }

  #take(input: AdapterInput): void {
    switch (input.type) {
      case 'start':
        this.#idle.called(this.#turn.nowMs)
        this.#begin()
        break
      case 'connected':
        this.#with(input.peer, (link) => this.#handle(link, link.session.open(this.#turn.nowMs)))
        break
      case 'bytes':
        this.#with(input.peer, (link) =>
          this.#handle(link, link.session.receive(input.bytes, this.#turn.nowMs)),
        )
        break
      case 'disconnected':
        this.#with(input.peer, (link) => this.#links.close(link))
        break
      case 'alarm':
        if (input.name === ADAPTER_ALARM) this.#expire()
        break
      case 'knownHeaders':
        this.#headers.learn(input.headers)
        break
      case 'want':
        this.#blocks.want(input.hashes)
        break
      case 'announce':
        this.#relay.announce(input.transactions)
        break
      case 'ask':
        this.#with(input.peer, ({ peer }) => this.#turn.send(peer, input.message))
        break
      case 'accuse':
        this.#with(input.peer, (link) => this.#links.end(link, input.offence))
        break
      case 'lookedUp':
        this.#discovery?.lookedUp(input.seed, input.addresses)
        break
      case 'called':
        if (this.#idle.called(this.#turn.nowMs)) this.#begin()
        break
    }
  }

  #with(peer: number, act: (link: OpenLink) => void): void {
    const link = this.#links.find(peer)
    if (link !== undefined) act(link)
  }

  #begin(): void {
    for (const link of this.#links.all) if (link.session === undefined) this.#connect(link)
    this.#discovery?.start()
  }

  /** What was to be done at times that are far away now is done anew. */
  #startOver(): void {
    const reason = 'the clock was set back'
    for (const link of this.#links.open) this.#links.end(link, { kind: 'unneeded', reason })
    for (const link of this.#links.all)
      if (!this.#idle.isIdle)
        link.retryMs = Math.min(link.retryMs, this.#turn.nowMs + BACK_OFF_MAX_MS)
    if (!this.#idle.isIdle) this.#discovery?.start()
    this.#alarmMs = Number.POSITIVE_INFINITY
  }

  /** AD-11. */
  #rest(): void {
    const reason = 'nobody has called for a long time'
    this.#discovery?.stop()
    for (const link of this.#links.open) this.#links.end(link, { kind: 'unneeded', reason })
    for (const link of this.#links.all) link.retryMs = Number.POSITIVE_INFINITY
  }

  #connect(link: Link): void {
    this.#links.connect(link, this.bestHeight)
    this.#headers.begin(link.peer)
  }

  /** What a connection owed is asked of others. */
  #forget(peer: number): void {
    this.#blocks.forget(peer)
    this.#relay.forget(peer)
    this.#headers.forget(peer)
    this.#discovery?.forget(peer)
  }

  #handle(link: OpenLink, events: readonly SessionEvent[]): void {
    const { session } = link
    for (const event of events) {
      if (this.#links.find(link.peer)?.session !== session) return // Ended: the rest is not read.
      switch (event.type) {
        case 'send':
          this.#turn.send(link.peer, event.message)
          break
        case 'ready':
          if (this.#config.filters) this.#turn.emit({ type: 'peerReady', peer: link.peer })
          this.#headers.ask(link)
          this.#relay.ready()
          this.#discovery?.ready(link)
          break
        case 'message':
          this.#receive(link, event.message)
          break
        case 'end':
          this.#links.end(link, event.offence)
          break
      }
    }
  }

  #receive(link: OpenLink, message: Message): void {
    const { peer } = link
    switch (message.type) {
      case 'headers':
        this.#headers.receive(link, message.headers)
        break
      case 'block':
        this.#blocks.receive(link, message.block)
        break
      case 'inv':
        this.#headers.heard(link, message.items)
        this.#relay.heard(peer, message.items)
        break
      case 'notfound':
        this.#blocks.lacking(peer, message.items)
        break
      case 'feefilter':
        this.#relay.filter(peer, message.feeRateSatPerKvb)
        break
      case 'getdata':
        this.#relay.serve(peer, message.items)
        break
      case 'addr':
        this.#discovery?.heard(link, message.addresses.map(fromAddressV1))
        break
      case 'addrv2':
        this.#discovery?.heard(link, message.addresses)
        break
      case 'cfilter':
      case 'cfheaders':
      case 'cfcheckpt':
        if (this.#config.filters) this.#turn.emit({ type: 'filterMessage', peer, message })
        break
      case 'getheaders': // We serve no chain (HS-1); the rest needs no answer.
      case 'getblocks':
      case 'getaddr':
      case 'tx':
      case 'sendheaders':
      case 'sendcmpct':
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

  #expire(): void {
    const { nowMs } = this.#turn
    this.#alarmMs = Number.POSITIVE_INFINITY
    if (this.#idle.expire(nowMs)) this.#rest()
    for (const link of this.#links.all) {
      if (link.session === undefined) {
        if (link.retryMs <= nowMs) this.#connect(link)
        continue
      }
      this.#with(link.peer, (open) => this.#handle(open, open.session.expire(nowMs)))
      this.#headers.expire(link)
    }
    this.#headers.expireRace()
    this.#blocks.expire()
    this.#relay.expire()
  }

  #setAlarm(): void {
    const { nowMs } = this.#turn
    const links = this.#links.all.map(({ peer, session, retryMs }) =>
      session === undefined
        ? retryMs
        : Math.min(
            session.deadlineMs,
            this.#headers.syncOf(peer)?.deadlineMs ?? Number.POSITIVE_INFINITY,
          ),
    )
    const parts = [this.#blocks, this.#relay, this.#headers, this.#idle, this.#discovery]
    const deadlines = parts.map((part) => part?.deadlineMs ?? Number.POSITIVE_INFINITY)
    const dueMs = Math.min(...deadlines, ...links)
    if (dueMs === this.#alarmMs || dueMs === Number.POSITIVE_INFINITY) return
    this.#alarmMs = dueMs
    const afterMs = Math.max(0, Math.ceil(dueMs - nowMs))
    this.#turn.emit({ type: 'alarm', name: ADAPTER_ALARM, afterMs })
  }
}
