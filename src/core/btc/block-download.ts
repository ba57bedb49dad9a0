/** Which blocks to ask of which peer, and until when. Source: `docs/spec/bitcoin.md` §3.6. */
import type { BlockHash } from '../base/bytes.ts'
import { toHex } from '../base/bytes.ts'

/** BD-2. */
export const IN_FLIGHT_MAX = 16
export const GETDATA_BLOCKS_MAX = 8
/** 30 s, and one more for each 64 KiB of the largest block (BD-3). */
export const BLOCK_WITHIN_MS = 92_000
/** A block that was handed on and is still wanted after this is asked for again. */
export const DELIVERED_MS = 30_000
const MISSES_MAX = 2

type Flight = { readonly hash: BlockHash; readonly peer: number; readonly deadlineMs: number }

export type BlockRequest = { readonly peer: number; readonly hashes: readonly BlockHash[] }

/** The list of wanted blocks is replaced as a whole, so memory is bounded by its length. */
export class BlockDownload {
  #wanted: readonly BlockHash[] = []
  readonly #flights = new Map<string, Flight>()
  readonly #deliveredMs = new Map<string, number>()
  /** Peers that said `notfound`, or let the time pass, by block (BD-6). */
  readonly #without = new Map<string, Set<number>>()
  readonly #misses = new Map<number, number>()

  want(hashes: readonly BlockHash[]): void {
    this.#wanted = hashes
    const keys = new Set(hashes.map(toHex))
    for (const key of this.#deliveredMs.keys()) if (!keys.has(key)) this.#deliveredMs.delete(key)
    for (const key of this.#without.keys()) if (!keys.has(key)) this.#without.delete(key)
  }

  /**
   * Requests that should leave now; they count as sent. `canAsk` says that a block's header is good
   * (BD-1).
   */
  assign(
    peers: readonly number[],
    nowMs: number,
    canAsk: (hash: BlockHash) => boolean,
  ): readonly BlockRequest[] {
    const load = new Map(peers.map((peer) => [peer, this.#flightsOf(peer).length]))
    const asked = new Map<number, BlockHash[]>()
    for (const hash of this.#wanted) {
      const key = toHex(hash)
      if (this.#flights.has(key) || this.#deliveredMs.has(key) || !canAsk(hash)) continue
      const peer = this.#choose(peers, key, load)
      if (peer === undefined) continue
      this.#flights.set(key, { hash, peer, deadlineMs: nowMs + BLOCK_WITHIN_MS })
      load.set(peer, (load.get(peer) ?? 0) + 1)
      asked.set(peer, [...(asked.get(peer) ?? []), hash])
    }
    return [...asked].flatMap(([peer, hashes]) => inBatches(peer, hashes))
  }

  /** The most punctual, then least busy peer that may have the block. */
  #choose(
    peers: readonly number[],
    key: string,
    load: ReadonlyMap<number, number>,
  ): number | undefined {
    const without = this.#without.get(key)
    return peers
      .filter((peer) => (load.get(peer) ?? 0) < IN_FLIGHT_MAX && without?.has(peer) !== true)
      .toSorted(
        (a, b) => this.#missesOf(a) - this.#missesOf(b) || (load.get(a) ?? 0) - (load.get(b) ?? 0),
      )[0]
  }

  #missesOf = (peer: number): number => this.#misses.get(peer) ?? 0

  #flightsOf = (peer: number): readonly [string, Flight][] =>
    [...this.#flights].filter(([, flight]) => flight.peer === peer)

  /** Whether this peer was asked for this block; the request is then answered (BD-5). */
  answered(hash: BlockHash, peer: number): boolean {
    const key = toHex(hash)
    if (this.#flights.get(key)?.peer !== peer) return false
    this.#flights.delete(key)
    this.#misses.delete(peer)
    return true
  }

  /** A good block was handed on. */
  delivered(hash: BlockHash, nowMs: number): void {
    this.#deliveredMs.set(toHex(hash), nowMs)
  }

  /** The peer has no such block (BD-6). */
  refused(hash: BlockHash, peer: number): void {
    if (this.answered(hash, peer)) this.#avoid(toHex(hash), peer)
  }

  #avoid(key: string, peer: number): void {
    const peers = this.#without.get(key) ?? new Set()
    this.#without.set(key, peers.add(peer))
  }

  /** The connection is gone; what it owed is asked of others, or of it again later. */
  forget(peer: number): void {
    for (const [key] of this.#flightsOf(peer)) this.#flights.delete(key)
    for (const peers of this.#without.values()) peers.delete(peer)
    this.#misses.delete(peer)
  }

  /** Gives up late requests; the answer names peers that were late too often (BD-3). */
  expire(nowMs: number): readonly number[] {
    const late = [...this.#flights].filter(([, { deadlineMs }]) => deadlineMs <= nowMs)
    for (const [key, { peer }] of late) {
      this.#flights.delete(key)
      this.#misses.set(peer, this.#missesOf(peer) + 1)
    }
    for (const [key, at] of this.#deliveredMs)
      if (at + DELIVERED_MS <= nowMs) this.#deliveredMs.delete(key)
    return [...this.#misses].filter(([, count]) => count >= MISSES_MAX).map(([peer]) => peer)
  }

  get deadlineMs(): number {
    const flights = [...this.#flights.values()].map(({ deadlineMs }) => deadlineMs)
    const delivered = [...this.#deliveredMs.values()].map((at) => at + DELIVERED_MS)
    return Math.min(Number.POSITIVE_INFINITY, ...flights, ...delivered)
  }
}

function inBatches(peer: number, hashes: readonly BlockHash[]): readonly BlockRequest[] {
  const batches: BlockRequest[] = []
  for (let at = 0; at < hashes.length; at += GETDATA_BLOCKS_MAX)
    batches.push({ peer, hashes: hashes.slice(at, at + GETDATA_BLOCKS_MAX) })
  return batches
}
