/** Which blocks to ask of which peer, and until when. Source: `docs/spec/bitcoin.md` §3.6. */
import type { BlockHash } from '../base/bytes.ts'
import { toHex } from '../base/bytes.ts'

/** BD-2. */
export const IN_FLIGHT_MAX = 16
export const GETDATA_BLOCKS_MAX = 8
export const WINDOW_MAX = 1_024
export const UNDELIVERED_BYTES_MAX = 64 * 2 ** 20
/** BD-3: for any block, and more for its expected size. */
export const BLOCK_WITHIN_MS = 30_000
const BYTES_PER_SECOND_MIN = 65_536
/** Of a block, as long as none has come. */
export const BLOCK_BYTES_MAX = 4_000_000
/** The largest of so many blocks is expected next. */
const SIZES_KEPT = 16
/** A second peer is asked for a block that holds up the rest, or is the last (BD-7). */
export const SECOND_PEER_MS = 5_000
/** BD-3, the stall rule: doubles with each peer that it costs. */
export const STALL_FIRST_MS = 2_000
const STALL_MAX_MS = 64_000
const STALL_DECAY = 0.85
/** A block that was handed on and is still wanted after this is asked for again. */
export const DELIVERED_MS = 30_000
/** A peer that said it has no such block may have it by then (BD-6). */
export const LACKING_MS = 600_000
const MISSES_MAX = 2
/** Blocks of which it is remembered who announced them. */
const ANNOUNCED_MAX = 64

type Wanted = { readonly hash: BlockHash; readonly key: string }
type Flight = { readonly peer: number; readonly askedMs: number; readonly deadlineMs: number }
type Stall = { readonly key: string; readonly peer: number; readonly dueMs: number }

/** A ready peer. */
export type BlockPeer = {
  readonly peer: number
  /** What it has by its own word; without any such peer every peer may be asked. */
  readonly has: (hash: BlockHash) => boolean
}

export type BlockRequest = { readonly peer: number; readonly hashes: readonly BlockHash[] }

export type LatePeer = { readonly peer: number; readonly reason: string }

/** The list of wanted blocks is replaced as a whole, so memory is bounded by its length. */
export class BlockDownload {
  #wanted: readonly Wanted[] = []
  #keys: ReadonlySet<string> = new Set()
  /** Requests under way, by block: one, or two. */
  readonly #flights = new Map<string, readonly Flight[]>()
  readonly #delivered = new Map<string, { readonly atMs: number; readonly bytes: number }>()
  /** Peers that said `notfound`, by block, and until when that is believed (BD-6). */
  readonly #without = new Map<string, Map<number, number>>()
  readonly #announcers = new Map<string, number>()
  readonly #misses = new Map<number, number>()
  #sizes: number[] = []
  #stall: Stall | undefined
  #stallMs = STALL_FIRST_MS
  #secondMs = Number.POSITIVE_INFINITY

  want(hashes: readonly BlockHash[]): void {
    this.#wanted = hashes.map((hash) => ({ hash, key: toHex(hash) }))
    this.#keys = new Set(this.#wanted.map(({ key }) => key))
    for (const key of this.#delivered.keys()) if (!this.#keys.has(key)) this.#delivered.delete(key)
    for (const key of this.#without.keys()) if (!this.#keys.has(key)) this.#without.delete(key)
  }

  /** Everything that is wanted was handed on. */
  get isComplete(): boolean {
    return this.#wanted.every(({ key }) => this.#delivered.has(key))
  }

  get wanted(): readonly BlockHash[] {
    return this.#wanted.map(({ hash }) => hash)
  }

  /** This peer was the first to show the block (BD-7). */
  announced(hash: BlockHash, peer: number): void {
    this.#announcers.set(toHex(hash), peer)
    const [oldest] = this.#announcers.keys()
    if (this.#announcers.size > ANNOUNCED_MAX && oldest !== undefined)
      this.#announcers.delete(oldest)
  }

  /**
   * Requests that should leave now; they count as sent. `canAsk` says that a block's header is good
   * (BD-1).
   */
  assign(
    peers: readonly BlockPeer[],
    nowMs: number,
    canAsk: (hash: BlockHash) => boolean,
  ): readonly BlockRequest[] {
    const load = new Map(peers.map(({ peer }) => [peer, this.#flightsOf(peer).length]))
    const asked = new Map<number, BlockHash[]>()
    const ask = (wanted: Wanted): boolean => {
      const peer = this.#choose(peers, wanted, load)
      if (peer === undefined) return false
      const flights = this.#flights.get(wanted.key) ?? []
      const deadlineMs = nowMs + this.#withinMs
      this.#flights.set(wanted.key, [...flights, { peer, askedMs: nowMs, deadlineMs }])
      load.set(peer, (load.get(peer) ?? 0) + 1)
      asked.set(peer, [...(asked.get(peer) ?? []), wanted.hash])
      return true
    }
    const window = this.#wanted.slice(0, WINDOW_MAX)
    let isWhole = true // Everything in the window that can be asked for is.
    let isFull = window.length < this.#wanted.length
    let bytesAhead = this.#bytesAhead()
    for (const wanted of window) {
      const { hash, key } = wanted
      if (this.#flights.has(key) || this.#delivered.has(key)) continue
      if (peers.every(({ peer }) => (load.get(peer) ?? 0) >= IN_FLIGHT_MAX)) {
        isWhole = false // Nobody can take more: the rest need not be looked at.
        break
      }
      if (!canAsk(hash)) continue
      if (bytesAhead >= UNDELIVERED_BYTES_MAX) {
        isFull = true
        break
      }
      if (ask(wanted)) bytesAhead += this.#expectedBytes
      else isWhole = false
    }
    const waiting = window.filter(({ key }) => this.#flights.has(key) && !this.#delivered.has(key))
    const idle = peers.filter(({ peer }) => load.get(peer) === 0)
    this.#watchStall(isFull ? waiting[0] : undefined, idle, nowMs)
    this.#secondMs = Number.POSITIVE_INFINITY
    if (isWhole && idle.length > 0)
      for (const wanted of waiting) this.#askSecond(wanted, ask, nowMs)
    return [...asked].flatMap(([peer, hashes]) => inBatches(peer, hashes))
  }

  /** What was asked of one peer long ago is asked of another (BD-7). */
  #askSecond(wanted: Wanted, ask: (wanted: Wanted) => boolean, nowMs: number): void {
    const [flight, second] = this.#flights.get(wanted.key) ?? []
    if (flight === undefined || second !== undefined) return
    const dueMs = flight.askedMs + SECOND_PEER_MS
    if (dueMs <= nowMs) ask(wanted)
    else this.#secondMs = Math.min(this.#secondMs, dueMs)
  }

  /** The first block of a full window, and others have nothing to do (BD-3). */
  #watchStall(first: Wanted | undefined, idle: readonly BlockPeer[], nowMs: number): void {
    const [flight] = first === undefined ? [] : (this.#flights.get(first.key) ?? [])
    if (first === undefined || flight === undefined || idle.length === 0) this.#stall = undefined
    else if (this.#stall?.key !== first.key || this.#stall.peer !== flight.peer)
      this.#stall = { key: first.key, peer: flight.peer, dueMs: nowMs + this.#stallMs }
  }

  /** The most punctual peer that may have the block; of these who announced it, or is least busy. */
  #choose(
    peers: readonly BlockPeer[],
    { hash, key }: Wanted,
    load: ReadonlyMap<number, number>,
  ): number | undefined {
    const without = this.#without.get(key)
    const asked = this.#flights.get(key) ?? []
    const loadOf = (peer: number): number => load.get(peer) ?? 0
    const isAnnouncer = (peer: number): number => (this.#announcers.get(key) === peer ? 0 : 1)
    const able = peers.filter(({ peer }) => without?.has(peer) !== true)
    const sure = able.filter(({ has }) => has(hash))
    return (sure.length > 0 ? sure : able)
      .map(({ peer }) => peer)
      .filter((peer) => loadOf(peer) < IN_FLIGHT_MAX && asked.every((one) => one.peer !== peer))
      .toSorted(
        (a, b) =>
          this.#missesOf(a) - this.#missesOf(b) ||
          isAnnouncer(a) - isAnnouncer(b) ||
          loadOf(a) - loadOf(b),
      )[0]
  }

  get #expectedBytes(): number {
    return this.#sizes.length === 0 ? BLOCK_BYTES_MAX : Math.max(...this.#sizes)
  }
  get #withinMs(): number {
    return BLOCK_WITHIN_MS + Math.ceil((1_000 * this.#expectedBytes) / BYTES_PER_SECOND_MIN)
  }

  /** Of blocks that are on their way, or were handed on and not yet taken (BD-2). */
  #bytesAhead(): number {
    let bytes = this.#flights.size * this.#expectedBytes
    for (const delivered of this.#delivered.values()) bytes += delivered.bytes
    return bytes
  }

  #missesOf = (peer: number): number => this.#misses.get(peer) ?? 0

  #flightsOf = (peer: number): readonly string[] =>
    [...this.#flights].flatMap(([key, flights]) =>
      flights.some((flight) => flight.peer === peer) ? [key] : [],
    )

  #drop(key: string, peer: number): void {
    const rest = (this.#flights.get(key) ?? []).filter((flight) => flight.peer !== peer)
    if (rest.length > 0) this.#flights.set(key, rest)
    else this.#flights.delete(key)
  }

  /** Whether this peer was asked for this block, and nobody has brought it yet (BD-5). */
  answered(hash: BlockHash, peer: number): boolean {
    return this.#settle(toHex(hash), peer) && this.lacks(hash)
  }

  /** The peer owes this block no more; whether it did. */
  #settle(key: string, peer: number): boolean {
    if (this.#flights.get(key)?.some((flight) => flight.peer === peer) !== true) return false
    this.#drop(key, peer)
    this.#misses.delete(peer)
    return true
  }

  /** Whether the block is of use, whoever brings it. */
  lacks(hash: BlockHash): boolean {
    const key = toHex(hash)
    return this.#keys.has(key) && !this.#delivered.has(key)
  }

  /** A good block was handed on. Who else was asked for it still owes it, and may be late. */
  delivered(hash: BlockHash, bytes: number, nowMs: number): void {
    const key = toHex(hash)
    this.#announcers.delete(key)
    this.#delivered.set(key, { atMs: nowMs, bytes })
    this.#sizes = [...this.#sizes, bytes].slice(-SIZES_KEPT)
    this.#stallMs = Math.max(STALL_FIRST_MS, STALL_DECAY * this.#stallMs)
  }

  /** What was handed on was not the block after all. */
  retract(hash: BlockHash): void {
    this.#delivered.delete(toHex(hash))
  }

  /** The peer has no such block (BD-6). */
  refused(hash: BlockHash, peer: number, nowMs: number): void {
    const key = toHex(hash)
    if (!this.#settle(key, peer)) return
    const until = this.#without.get(key) ?? new Map<number, number>()
    this.#without.set(key, until.set(peer, nowMs + LACKING_MS))
  }

  /** The connection is gone; what it owed is asked of others, or of it again later. */
  forget(peer: number): void {
    for (const key of this.#flightsOf(peer)) this.#drop(key, peer)
    for (const peers of this.#without.values()) peers.delete(peer)
    this.#misses.delete(peer)
  }

  /** Gives up late requests; the answer names peers that were late too often, or stall (BD-3). */
  expire(nowMs: number): readonly LatePeer[] {
    for (const [key, flights] of [...this.#flights])
      for (const { peer, deadlineMs } of flights) {
        if (deadlineMs > nowMs) continue
        this.#drop(key, peer)
        this.#misses.set(peer, this.#missesOf(peer) + 1)
      }
    for (const [key, { atMs }] of this.#delivered)
      if (atMs + DELIVERED_MS <= nowMs) this.#delivered.delete(key)
    for (const without of this.#without.values())
      for (const [peer, untilMs] of without) if (untilMs <= nowMs) without.delete(peer)
    const late = [...this.#misses].filter(([, count]) => count >= MISSES_MAX)
    const staller = this.#stalled(nowMs)
    return [
      ...late.map(([peer]) => ({ peer, reason: 'blocks come too late' })),
      ...(staller === undefined ? [] : [{ peer: staller, reason: 'it holds up all other blocks' }]),
    ]
  }

  #stalled(nowMs: number): number | undefined {
    const stall = this.#stall
    if (stall === undefined || stall.dueMs > nowMs) return undefined
    this.#stall = undefined
    this.#stallMs = Math.min(STALL_MAX_MS, 2 * this.#stallMs)
    return stall.peer
  }

  get deadlineMs(): number {
    let dueMs = Math.min(this.#secondMs, this.#stall?.dueMs ?? Number.POSITIVE_INFINITY)
    for (const flights of this.#flights.values())
      for (const { deadlineMs } of flights) dueMs = Math.min(dueMs, deadlineMs)
    for (const without of this.#without.values())
      for (const untilMs of without.values()) dueMs = Math.min(dueMs, untilMs)
    for (const { atMs } of this.#delivered.values()) dueMs = Math.min(dueMs, atMs + DELIVERED_MS)
    return dueMs
  }
}

function inBatches(peer: number, hashes: readonly BlockHash[]): readonly BlockRequest[] {
  const batches: BlockRequest[] = []
  for (let at = 0; at < hashes.length; at += GETDATA_BLOCKS_MAX)
    batches.push({ peer, hashes: hashes.slice(at, at + GETDATA_BLOCKS_MAX) })
  return batches
}
