/**
 * Peers beyond those that are configured: where they come from, how many, and which. Source:
 * `docs/spec/bitcoin.md` §3.8.
 */
import type { AdapterHeaders } from './adapter-headers.ts'
import type { AdapterLinks, Link, Loss, OpenLink } from './adapter-links.ts'
import type { DiscoveryConfig, PeerAddress, PeerRole } from './adapter-port.ts'
import type { AdapterTurn } from './adapter-turn.ts'
import type { BookEntry } from './address-book.ts'
import { AddressBook, bookSizeMax } from './address-book.ts'
import type { KnownPeers } from './address-book-file.ts'
import { ANCHORS_MAX } from './address-book-file.ts'
import type { AddressV2 } from './address-message.ts'
import { reachable } from './address-message.ts'
import { AddressRate } from './address-rate.ts'
import { bestHeader } from './header-tree.ts'
import { service } from './message.ts'
import type { Network } from './network.ts'
import { canonicalHost, isLoopback, networkGroup } from './network-address.ts'
import { penaltyMs } from './peer-bans.ts'
import { LIMITED_BLOCKS } from './peer-session.ts'
import { SeedQueries } from './seed-queries.ts'

/** Between attempts; doubles as often as a whole set of attempts has failed, up to the second. */
export const ATTEMPT_EVERY_MS = 500
export const ATTEMPT_EVERY_MS_MAX = 60_000
/** Without an address to try, the sources are asked again after this. */
export const SEARCH_EVERY_MS = 10_000
/** AD-9. */
export const TIP_CHECK_MS = 30 * 60_000
/** A peer that is there for a comparison has so long to show its headers. */
export const EXTRA_MS = 60_000

/** AD-6. */
export const connectionCounts = ({
  name,
}: Network): { readonly relay: number; readonly blocks: number } =>
  name === 'mainnet' ? { relay: 6, blocks: 2 } : { relay: 3, blocks: 1 }

type Parts = {
  readonly network: Network
  readonly config: DiscoveryConfig
  readonly filters: boolean
  /** Seeds are called, not looked up (AD-3). */
  readonly isProxied: boolean
  readonly turn: AdapterTurn
  readonly links: AdapterLinks
  readonly headers: AdapterHeaders
  readonly connect: (link: Link) => void
}

export class AdapterDiscovery {
  readonly #parts: Parts
  readonly #book: AddressBook
  readonly #rate = new AddressRate()
  readonly #seeds: SeedQueries
  #anchors: readonly PeerAddress[]
  #isOn = false
  #nextMs = 0
  #tipCheckMs = Number.POSITIVE_INFINITY
  /** Attempts that came to nothing since the last that did not. */
  #barren = 0
  #startedMs = 0
  #isFixedKnown = false
  #calls = 0
  /** Of `isHopeful`; undefined once anything has happened that may change it. */
  #hope: boolean | undefined

  constructor(parts: Parts) {
    const { config, network, turn } = parts
    this.#parts = parts
    this.#book = new AddressBook(bookSizeMax(network.name), () => turn.fraction())
    this.#book.recall(config.known.entries)
    this.#anchors = config.known.anchors.slice(0, ANCHORS_MAX)
    this.#seeds = new SeedQueries(config.seeds)
  }

  /** From now on connections are made. */
  start(): void {
    this.#isOn = true
    this.#nextMs = this.#parts.turn.nowMs
    this.#startedMs = this.#nextMs
    this.#hope = undefined
    this.#tipCheckMs = this.#nextMs + TIP_CHECK_MS
  }

  stop(): void {
    this.#anchors = this.toKeep().anchors
    this.#isOn = false
    this.#tipCheckMs = Number.POSITIVE_INFINITY
  }

  get deadlineMs(): number {
    if (!this.#isOn) return Number.POSITIVE_INFINITY
    const passing = this.#passing.map(({ openedMs }) => openedMs + EXTRA_MS)
    const nextMs = this.#vacancy() === undefined ? Number.POSITIVE_INFINITY : this.#nextMs
    return Math.min(nextMs, this.#tipCheckMs, ...passing)
  }

  /** Addresses that were called, each as often as it was. */
  get calls(): number {
    return this.#calls
  }

  /** A connection is missing, and somebody may be found for it who has not failed in this life. */
  get isHopeful(): boolean {
    if (!this.#isOn || this.#vacancy() === undefined) return false
    this.#hope ??= this.#mayFind()
    return this.#hope
  }

  #mayFind(): boolean {
    const { nowMs } = this.#parts.turn
    if (this.#anchors.length > 0 || this.#seeds.mayAnswer(nowMs) || !this.#isFixedKnown) return true
    const isFree = this.#isFree
    const hasFailed = ({ failureMs }: BookEntry): boolean =>
      failureMs >= this.#startedMs && failureMs <= nowMs
    return this.#book.entries.some((entry) => !hasFailed(entry) && isFree(entry))
  }

  /** What a later life may begin with. */
  toKeep(): KnownPeers {
    const blocks = this.#parts.links.ready.filter(({ role }) => role === 'blocks')
    const anchors = [...blocks.map(({ address }) => address), ...this.#anchors]
    return { entries: this.#book.entries, anchors: anchors.slice(0, ANCHORS_MAX) }
  }

  /** A handshake is complete. */
  ready({ peer, address, role }: OpenLink): void {
    const { turn } = this.#parts
    this.#barren = 0
    this.#hope = undefined
    this.#book.succeeded(address.host, address.port, turn.nowMs)
    if (role !== 'blocks') turn.send(peer, { type: 'getaddr' })
  }

  lost({ address: { host, port }, role }: Link, { wasReady, offence }: Loss): void {
    const { turn, links } = this.#parts
    this.#hope = undefined
    if (role === 'seed') {
      this.#seeds.answered(host, [])
      this.#learn(0)
      return
    }
    const kind = offence?.kind ?? 'timeout'
    if (kind === 'selfConnection' || penaltyMs[kind] > 0) this.#book.remove(host, port)
    // While nobody can be reached it is the network's fault, not this peer's.
    const isItsFault = wasReady || kind === 'unsuitable' || links.ready.length > 0
    this.#book.failed(host, port, turn.nowMs, isItsFault)
    if (!wasReady) this.#barren += 1
  }

  forget(peer: number): void {
    this.#rate.forget(peer)
  }

  /** What a peer says of others, at most at the rate of AD-4. */
  heard(link: OpenLink, entries: readonly AddressV2[]): void {
    const { peer, address, role } = link
    if (role === 'blocks') return
    const { nowMs } = this.#parts.turn
    const taken = entries.slice(0, this.#rate.take(peer, entries.length, nowMs))
    const useful = reachable(taken).filter(({ services }) => this.#isUseful(services))
    this.#learn(this.#book.add(useful, networkGroup(address.host), nowMs))
    // One address is its own; a list is the answer.
    if (role === 'seed' && entries.length > 1) this.#dismiss(link, 'it has named addresses')
  }

  lookedUp(seed: string, addresses: readonly string[]): void {
    const { network, turn, filters } = this.#parts
    const services = service.network | service.witness | (filters ? service.compactFilters : 0n)
    const found = this.#seeds.answered(seed, addresses)
    const time = Math.floor(turn.nowMs / 1_000)
    const peers = found.map((host) => ({ host, port: network.p2pPort, services, time }))
    this.#learn(this.#book.add(peers, seed, turn.nowMs))
  }

  /** Goes on soon: with who is new, or with other sources when those that were asked are done. */
  #learn(added: number): void {
    this.#hope = undefined
    const soonMs = this.#parts.turn.nowMs + this.#pauseMs
    const { isWaiting, hasLeft } = this.#seeds
    const mayAsk = !isWaiting && (hasLeft || !this.#isFixedKnown)
    if (added > 0 || mayAsk) this.#nextMs = Math.min(this.#nextMs, soonMs)
  }

  /** After every step: what is due now. */
  advance(): void {
    const { nowMs } = this.#parts.turn
    if (!this.#isOn) return
    this.#judgeExtra()
    for (const link of this.#passing)
      if (link.role === 'seed' && nowMs >= link.openedMs + EXTRA_MS)
        this.#dismiss(link, 'it names no addresses')
    this.#dropStragglers()
    if (this.#tipCheckMs <= nowMs) this.#checkTip()
    const role = this.#vacancy()
    if (role === undefined || nowMs < this.#nextMs) return
    if (this.#isStale) this.#search()
    const address = (role === 'blocks' ? this.#anchor() : undefined) ?? this.#choose()
    if (address !== undefined) {
      this.#open(address, role)
      return
    }
    this.#nextMs = nowMs + SEARCH_EVERY_MS
    this.#search()
  }

  #open(address: PeerAddress, role: PeerRole): void {
    const { turn, links, connect } = this.#parts
    this.#hope = undefined
    if (role !== 'seed') this.#calls += 1
    this.#nextMs = turn.nowMs + this.#pauseMs
    connect(links.add(address, role))
  }

  /** Whoever is known does not answer: the other sources are asked too. */
  get #isStale(): boolean {
    return this.#parts.links.ready.length === 0 && this.#barrenSets > 0
  }

  get #barrenSets(): number {
    const { relay, blocks } = connectionCounts(this.#parts.network)
    return Math.floor(this.#barren / (relay + blocks))
  }

  get #pauseMs(): number {
    const doublings = Math.min(10, this.#barrenSets)
    return Math.min(ATTEMPT_EVERY_MS_MAX, ATTEMPT_EVERY_MS * 2 ** doublings)
  }

  /** Which connection is missing; anchors come first (AD-8). */
  #vacancy(): 'relay' | 'blocks' | undefined {
    const { links, network } = this.#parts
    const counts = connectionCounts(network)
    const blocks = links.open.filter(({ role }) => role === 'blocks').length
    const relay = links.open.length - blocks - this.#passing.length
    if (blocks < counts.blocks && (this.#anchors.length > 0 || relay >= counts.relay))
      return 'blocks'
    return relay < counts.relay ? 'relay' : undefined
  }

  #anchor(): PeerAddress | undefined {
    const [first, ...rest] = this.#anchors
    if (first === undefined) return undefined
    this.#anchors = rest
    return this.#isFree(first) ? first : this.#anchor()
  }

  #choose(isFresh = false): BookEntry | undefined {
    const { nowMs } = this.#parts.turn
    return this.#book.choose(nowMs, this.#isFree, isFresh)
  }

  /** Not banned, and nobody of its group is connected (AD-7). */
  get #isFree(): (address: PeerAddress) => boolean {
    const { links } = this.#parts
    const { isBanned } = links
    const open = links.open.map(({ address }) => canonicalHost(address.host))
    const groups = new Set(open.filter((host) => !isLoopback(host)).map(networkGroup))
    return ({ host }) => !open.includes(host) && !groups.has(networkGroup(host)) && !isBanned(host)
  }

  /** Seeds first; the addresses that came with the program when these know none (AD-1). */
  #search(): void {
    const { turn, links, config, network, isProxied } = this.#parts
    const names = this.#seeds.next(turn.nowMs, () => turn.fraction())
    for (const seed of names)
      if (!isProxied) turn.emit({ type: 'lookUp', seed })
      else if (links.isBanned(seed)) this.#seeds.answered(seed, [])
      else this.#open({ host: seed, port: network.p2pPort }, 'seed')
    if (names.length > 0 || this.#seeds.isWaiting) return
    const services = service.network | service.witness
    const time = Math.floor(turn.nowMs / 1_000)
    const peers = config.fixed.map((address) => ({ ...address, services, time }))
    this.#isFixedKnown = true
    this.#learn(this.#book.add(peers, 'fixed', turn.nowMs))
  }

  /** Connections that are to end soon. */
  get #passing(): readonly OpenLink[] {
    return this.#parts.links.open.filter(({ role }) => role === 'extra' || role === 'seed')
  }

  /** AD-4. Filters point at blocks of any age (HS-3). */
  #isUseful(services: bigint): boolean {
    const all = service.network | service.compactFilters
    if (this.#parts.filters) return (services & all) === all
    return (services & (service.network | service.networkLimited)) !== 0n
  }

  #dismiss(link: OpenLink, reason: string): void {
    this.#parts.links.end(link, { kind: 'unneeded', reason })
  }

  get #extra(): OpenLink | undefined {
    return this.#parts.links.open.find(({ role }) => role === 'extra')
  }

  /** AD-9. */
  #checkTip(): void {
    const { turn, headers } = this.#parts
    this.#tipCheckMs = turn.nowMs + TIP_CHECK_MS
    const tipMs = 1_000 * bestHeader(headers.tree).header.time
    if (tipMs + TIP_CHECK_MS > turn.nowMs || this.#extra !== undefined) return
    const address = this.#choose(true) ?? this.#choose()
    if (address !== undefined) this.#open(address, 'extra')
  }

  /** Whichever of two has more: the extra peer, or the one with least of those that we have. */
  #judgeExtra(): void {
    const { turn, links, headers } = this.#parts
    const extra = this.#extra
    if (extra === undefined) return
    const isShown = extra.session.isReady && headers.syncOf(extra.peer)?.isSettled === true
    if (!isShown && turn.nowMs < extra.openedMs + EXTRA_MS) return
    // What a peer has beyond the best header it would have shown: more is but a claim (HS-6).
    const height = (link: OpenLink): number => Math.min(headers.heightOf(link), headers.bestHeight)
    const [worst] = links.ready
      .filter(({ role }) => role === 'relay')
      .toSorted((a, b) => height(a) - height(b))
    const isBetter = worst === undefined || height(worst) < height(extra)
    if (isShown && isBetter) {
      extra.role = 'relay'
      if (worst !== undefined) this.#dismiss(worst, 'another peer has more of the chain')
    } else this.#dismiss(extra, 'it has no more than the others')
  }

  /** A peer that is days behind stays only where there are too few. */
  #dropStragglers(): void {
    const { links, headers } = this.#parts
    if (this.#vacancy() !== undefined) return
    for (const link of links.ready) {
      const isDiscovered = link.role === 'relay' || link.role === 'blocks'
      const behind = headers.bestHeight - headers.heightOf(link)
      if (!isDiscovered || behind <= LIMITED_BLOCKS) continue
      if (headers.syncOf(link.peer)?.isSettled !== true) continue
      this.#dismiss(link, `it is ${behind} blocks behind`)
      return
    }
  }
}
