/**
 * The connections of the Bitcoin adapter: which stand, and when one is tried again. Source:
 * `docs/spec/bitcoin.md` §3.8.
 */
import type { AdapterConfig, PeerAddress, PeerRole, PeerStatus } from './adapter-port.ts'
import type { AdapterTurn } from './adapter-turn.ts'
import { backOffMs } from './address-book.ts'
import { isLoopback } from './network-address.ts'
import type { Ban } from './peer-bans.ts'
import { PeerBans } from './peer-bans.ts'
import type { Offence } from './peer-session.ts'
import { PeerSession } from './peer-session.ts'

/** A connection that lasted so long starts the back-off anew. */
const LASTING_MS = 60_000

export type Link = {
  readonly peer: number
  readonly address: PeerAddress
  role: PeerRole
  session: PeerSession | undefined
  failures: number
  openedMs: number
  /** When to connect again, while there is no session. */
  retryMs: number
  lastOffence: Offence | undefined
}

/** A link whose connection is being made, or stands. */
export type OpenLink = Link & { readonly session: PeerSession }

/** `offence`: the connection was ended by us. */
export type Loss = { readonly wasReady: boolean; readonly offence: Offence | undefined }

type Parts = {
  readonly turn: AdapterTurn
  /** Hears of every connection that is gone. */
  readonly forget: (peer: number) => void
  /** Hears of discovered peers that are gone for good; `offence`: it was our choice. */
  readonly lost: (link: Link, how: Loss) => void
  /** Height of the lowest block that is still to come (HS-3). */
  readonly lowestNeeded: () => number
}

export class AdapterLinks {
  readonly #config: AdapterConfig
  readonly #turn: AdapterTurn
  readonly #parts: Parts
  readonly #links = new Map<number, Link>()
  readonly #bans = new PeerBans()
  #next = 0

  constructor(config: AdapterConfig, parts: Parts) {
    this.#config = config
    this.#turn = parts.turn
    this.#parts = parts
    for (const address of config.peers) this.add(address, 'named')
  }

  /** A peer more, not yet connected. */
  add(address: PeerAddress, role: PeerRole): Link {
    const link = {
      peer: this.#next++,
      address,
      role,
      session: undefined,
      failures: 0,
      openedMs: 0,
      retryMs: Number.POSITIVE_INFINITY,
      lastOffence: undefined,
    }
    this.#links.set(link.peer, link)
    return link
  }

  get all(): readonly Link[] {
    return [...this.#links.values()]
  }
  get open(): readonly OpenLink[] {
    return this.all.filter(isOpen)
  }
  get ready(): readonly OpenLink[] {
    return this.open.filter(({ session }) => session.isReady)
  }
  get status(): readonly PeerStatus[] {
    return this.all.map(({ address, role, session, lastOffence }) => ({
      address,
      role,
      state: session === undefined ? 'waiting' : session.isReady ? 'ready' : 'connecting',
      lastOffence,
    }))
  }

  /** In force, with reason and end (MB-3). */
  get bans(): readonly Ban[] {
    return this.#bans.list(this.#turn.nowMs)
  }

  find(peer: number): OpenLink | undefined {
    const link = this.#links.get(peer)
    return link !== undefined && isOpen(link) ? link : undefined
  }

  /** Hosts that discovery may not use now. */
  get isBanned(): (host: string) => boolean {
    const until = this.#bans.judge(this.#turn.nowMs)
    return (host) => until(host) !== undefined
  }

  /** Whoever was not named and is banned is not called: discovery sees to that. */
  connect(link: Link, startHeight: number): void {
    const nonce = this.#turn.nonce()
    link.openedMs = this.#turn.nowMs
    link.session = new PeerSession({
      network: this.#config.network,
      nonce,
      ownNonces: new Set([nonce, ...this.open.map(({ session }) => session.nonce)]),
      userAgent: this.#config.userAgent,
      startHeight,
      nowMs: this.#turn.nowMs,
      relay: link.role !== 'blocks',
      filters: this.#config.filters ?? false,
      lowestNeeded: this.#parts.lowestNeeded,
      isProxied: this.#config.isProxied === true && !isLoopback(link.address.host),
    })
    this.#turn.emit({ type: 'connect', peer: link.peer, ...link.address })
  }

  /**
   * The connection is gone: what it owed is asked of others. It is tried again later, unless it was
   * discovered: then there are others.
   */
  close(link: Link, offence?: Offence): void {
    const { nowMs } = this.#turn
    link.failures = nowMs - link.openedMs >= LASTING_MS ? 1 : link.failures + 1
    link.retryMs = nowMs + backOffMs(link.failures, this.#turn.fraction())
    const isDiscovered = link.role !== 'named'
    if (isDiscovered) this.#links.delete(link.peer)
    const wasReady = link.session?.isReady === true
    link.session = undefined
    this.#parts.forget(link.peer)
    if (isDiscovered) this.#parts.lost(link, { wasReady, offence })
  }

  /** A small offence: the third in ten minutes ends the connection (§3.9). */
  strike(link: Link, reason: string): void {
    for (const event of link.session?.strike(reason, this.#turn.nowMs) ?? [])
      if (event.type === 'end') this.end(link, event.offence)
  }

  /** Ends a connection that stands, for a reason. */
  end(link: Link, offence: Offence): void {
    if (link.session === undefined) return
    link.lastOffence = offence
    const { host } = link.address
    const mayBan = link.role !== 'named' && !isLoopback(host)
    if (mayBan) this.#bans.punish(host, offence, this.#turn.nowMs)
    this.close(link, offence)
    this.#turn.emit({ type: 'disconnect', peer: link.peer, offence })
  }
}

const isOpen = (link: Link): link is OpenLink => link.session !== undefined
