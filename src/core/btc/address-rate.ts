/** How many addresses a peer may tell. Source: `docs/spec/bitcoin.md` §3.8 AD-4. */

/** So many at once, and one more every ten seconds. */
export const ADDRESS_BUCKET_MAX = 1_000
export const ADDRESS_EVERY_MS = 10_000

type Bucket = { tokens: number; atMs: number }

export class AddressRate {
  readonly #buckets = new Map<number, Bucket>()

  /** How many of `count` addresses that have come may be looked at; they count as looked at. */
  take(peer: number, count: number, nowMs: number): number {
    const bucket = this.#buckets.get(peer) ?? { tokens: ADDRESS_BUCKET_MAX, atMs: nowMs }
    const earned = Math.max(0, nowMs - bucket.atMs) / ADDRESS_EVERY_MS
    const tokens = Math.min(ADDRESS_BUCKET_MAX, bucket.tokens + earned)
    const taken = Math.min(count, Math.floor(tokens))
    this.#buckets.set(peer, { tokens: tokens - taken, atMs: nowMs })
    return taken
  }

  forget(peer: number): void {
    this.#buckets.delete(peer)
  }
}
