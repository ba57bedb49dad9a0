/**
 * The connections of the Bitcoin adapter: which stand, and when one is tried again. Source:
 * `docs/spec/bitcoin.md` §3.8.
 */
import type { AdapterConfig, PeerAddress, PeerStatus } from './adapter-port.ts'
import type { AdapterTurn } from './adapter-turn.ts'
import { isLoopback } from './network-address.ts'
import type { Ban } from './peer-bans.ts'
import { PeerBans } from './peer-bans.ts'
import type { Offence } from './peer-session.ts'
import { PeerSession } from './peer-session.ts'

/** AD-10: from one second to ten minutes, a fifth more or less. */
export const BACK_OFF_FIRST_MS = 1_000
export const BACK_OFF_MAX_MS = 600_000
const BACK_OFF_JITTER = 0.2
/** A connection that lasted so long starts the back-off anew. */
const LASTING_MS = 60_000

export type Link = {
  readonly peer: number
  readonly address: PeerAddress
  /** By the user: never banned (MB-1). */
  readonly isNamed: boolean
  session: PeerSession | undefined
  failures: number
  openedMs: number
  /** When to connect again, while there is no session. */
  retryMs: number
  lastOffence: Offence | undefined
}

/** A link whose connection is being made, or stands. */
export type OpenLink = Link & { readonly session: PeerSession }

type Parts = {
  readonly turn: AdapterTurn
  /** Hears of every connection that is gone. */
  readonly forget: (peer: number) => void
  /** Height of the lowest block that is still to come (HS-3). */
  readonly lowestNeeded: () => number
}

export class AdapterLinks {
  readonly #config: AdapterConfig
  readonly #turn: AdapterTurn
  readonly #parts: Parts
  readonly #links: readonly Link[]
  readonly #bans = new PeerBans()

  constructor(config: AdapterConfig, parts: Parts) {
    this.#config = config
    this.#turn = parts.turn
    this.#parts = parts
    this.#links = config.peers.map(({ host, port, isFound }, peer) => ({
      peer,
      address: { host, port },
      isNamed: isFound !== true,
      session: undefined,
      failures: 0,
      openedMs: 0,
      retryMs: Number.POSITIVE_INFINITY,
      lastOffence: undefined,
    }))
  }

  get all(): readonly Link[] {
    return this.#links
  }
  get open(): readonly OpenLink[] {
    return this.#links.filter(isOpen)
  }
  get ready(): readonly OpenLink[] {
    return this.open.filter(({ session }) => session.isReady)
  }
  get status(): readonly PeerStatus[] {
    return this.#links.map(({ address, session, lastOffence }) => ({
      address,
      state: session === undefined ? 'waiting' : session.isReady ? 'ready' : 'connecting',
      lastOffence,
    }))
  }

  /** In force, with reason and end (MB-3). */
  get bans(): readonly Ban[] {
    return this.#bans.list(this.#turn.nowMs)
  }

  find(peer: number): OpenLink | undefined {
    const link = this.#links[peer]
    return link !== undefined && isOpen(link) ? link : undefined
  }

  /** Whether it was connected: a banned host waits for the end of its ban. */
  connect(link: Link, startHeight: number): boolean {
    const bannedMs = link.isNamed
      ? undefined
      : this.#bans.until(link.address.host, this.#turn.nowMs)
    if (bannedMs !== undefined) {
      link.retryMs = bannedMs
      return false
    }
    const nonce = this.#turn.nonce()
    link.openedMs = this.#turn.nowMs
    link.session = new PeerSession({
      network: this.#config.network,
      nonce,
      ownNonces: new Set([nonce, ...this.open.map(({ session }) => session.nonce)]),
      userAgent: this.#config.userAgent,
      startHeight,
      nowMs: this.#turn.nowMs,
      filters: this.#config.filters ?? false,
      lowestNeeded: this.#parts.lowestNeeded,
    })
    this.#turn.emit({ type: 'connect', peer: link.peer, ...link.address })
    return true
  }

  /** The connection is gone: what it owed is asked of others, and it is tried again later. */
  close(link: Link): void {
    const { nowMs } = this.#turn
    link.failures = nowMs - link.openedMs >= LASTING_MS ? 1 : link.failures + 1
    const pause = Math.min(BACK_OFF_MAX_MS, BACK_OFF_FIRST_MS * 2 ** (link.failures - 1))
    link.retryMs = nowMs + pause * (1 + BACK_OFF_JITTER * (2 * this.#turn.fraction() - 1))
    link.session = undefined
    this.#parts.forget(link.peer)
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
    if (!link.isNamed && !isLoopback(host)) this.#bans.punish(host, offence, this.#turn.nowMs)
    this.close(link)
    this.#turn.emit({ type: 'disconnect', peer: link.peer, offence })
  }
}

const isOpen = (link: Link): link is OpenLink => link.session !== undefined
