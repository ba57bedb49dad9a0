/**
 * Peers that were heard of, and how they have served. Source: `docs/spec/bitcoin.md` §3.8 AD-5,
 * AD-10.
 */
import type { FoundPeer } from './address-message.ts'
import type { NetworkName } from './network.ts'
import { canonicalHost, isRoutable } from './network-address.ts'

/** AD-10: from one second to ten minutes, a fifth more or less. */
export const BACK_OFF_FIRST_MS = 1_000
export const BACK_OFF_MAX_MS = 600_000
const BACK_OFF_JITTER = 0.2

/** Share of the book that the peers of one source may have. */
export const SOURCE_SHARE = 4
/** Failures in a row after which an address may give way to any other. */
export const HOPELESS_FAILURES = 10
/** Longer unseen, an address may give way too. */
const STALE_S = 30 * 86_400

export type BookEntry = {
  readonly host: string
  readonly port: number
  readonly services: bigint
  /** Unix seconds when it was last seen, as the others say. */
  readonly seenS: number
  /** Group of the network whose peer spoke of it first, or the name that did. */
  readonly source: string
  /** Unix milliseconds of the last complete handshake; 0: none so far. */
  readonly successMs: number
  readonly failureMs: number
  /** In a row. */
  readonly failures: number
}

/** How long to wait after so many failures in a row; `fraction` in [0, 1). */
export function backOffMs(failures: number, fraction: number): number {
  const pause = Math.min(BACK_OFF_MAX_MS, BACK_OFF_FIRST_MS * 2 ** Math.max(0, failures - 1))
  return pause * (1 + BACK_OFF_JITTER * (2 * fraction - 1))
}

/** AD-5. */
export const bookSizeMax = (network: NetworkName): number => (network === 'mainnet' ? 2_000 : 1_000)

type Kept = BookEntry & { readonly retryMs: number }

const keyOf = (host: string, port: number): string => `${host} ${port}`

export class AddressBook {
  readonly #countMax: number
  readonly #fraction: () => number
  readonly #entries = new Map<string, Kept>()
  /** How many entries each source has. */
  readonly #counts = new Map<string, number>()

  /** `fraction`: chance, in [0, 1). */
  constructor(countMax: number, fraction: () => number) {
    this.#countMax = countMax
    this.#fraction = fraction
  }

  get size(): number {
    return this.#entries.size
  }
  get entries(): readonly BookEntry[] {
    return [...this.#entries.values()].map(({ retryMs: _, ...entry }) => entry)
  }

  /** Of an earlier life; beyond the limit it is forgotten. */
  recall(entries: readonly BookEntry[]): void {
    for (const entry of entries.slice(0, this.#countMax)) this.#insert({ ...entry, retryMs: 0 })
  }

  /** Takes what there is room for; the answer says how many were new. */
  add(peers: readonly FoundPeer[], source: string, nowMs: number): number {
    const nowS = Math.floor(nowMs / 1_000)
    let added = 0
    for (const { host: named, port, services, time } of peers) {
      const host = canonicalHost(named)
      if (!isRoutable(host)) continue
      const key = keyOf(host, port)
      const known = this.#entries.get(key)
      const seenS = Math.min(time, nowS)
      if (known !== undefined) {
        const seen = Math.max(known.seenS, seenS)
        this.#entries.set(key, { ...known, seenS: seen, services: known.services | services })
        continue
      }
      if (!this.#makeRoom(source, nowS)) continue
      const fresh = { successMs: 0, failureMs: 0, failures: 0, retryMs: 0 }
      this.#insert({ host, port, services, seenS, source, ...fresh })
      added += 1
    }
    return added
  }

  /**
   * A source displaces its own addresses only, or those that nobody will miss: whatever one peer
   * tells, what others have told stays.
   */
  #makeRoom(source: string, nowS: number): boolean {
    const hasShare = (this.#counts.get(source) ?? 0) < Math.floor(this.#countMax / SOURCE_SHARE)
    if (hasShare && this.#entries.size < this.#countMax) return true
    const all = [...this.#entries.values()]
    const hopeless = hasShare ? all.find((entry) => isHopeless(entry, nowS)) : undefined
    const [worst] = all
      .filter((entry) => entry.source === source && entry.successMs === 0)
      .toSorted((a, b) => b.failures - a.failures || a.seenS - b.seenS)
    const victim = hopeless ?? worst
    if (victim !== undefined) this.remove(victim.host, victim.port)
    return victim !== undefined
  }

  #insert(entry: Kept): void {
    this.#entries.set(keyOf(entry.host, entry.port), entry)
    this.#counts.set(entry.source, (this.#counts.get(entry.source) ?? 0) + 1)
  }

  /**
   * One that `isUsable`, by chance: of those that have served, or of the new ones, with equal
   * chances; new ones only if `isFresh`.
   */
  choose(
    nowMs: number,
    isUsable: (entry: BookEntry) => boolean,
    isFresh = false,
  ): BookEntry | undefined {
    const able = [...this.#entries.values()].filter(
      (entry) => entry.retryMs <= nowMs && isUsable(entry),
    )
    const tried = able.filter(({ successMs }) => successMs > 0)
    const fresh = able.filter(({ successMs }) => successMs === 0)
    const isTried = !isFresh && tried.length > 0 && (fresh.length === 0 || this.#fraction() < 0.5)
    const list = isTried ? tried : fresh
    return list[Math.floor(this.#fraction() * list.length)]
  }

  /** A handshake is complete. */
  succeeded(host: string, port: number, nowMs: number): void {
    const key = keyOf(canonicalHost(host), port)
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    const seenS = Math.floor(nowMs / 1_000)
    this.#entries.set(key, { ...entry, successMs: nowMs, seenS, failures: 0, retryMs: 0 })
  }

  /** The connection failed or ended. `counts`: it is the peer's fault, not the network's. */
  failed(host: string, port: number, nowMs: number, counts = true): void {
    const key = keyOf(canonicalHost(host), port)
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    const failures = counts ? entry.failures + 1 : Math.max(1, entry.failures)
    const retryMs = nowMs + backOffMs(failures, this.#fraction())
    this.#entries.set(key, { ...entry, failures, failureMs: nowMs, retryMs })
  }

  /** It is of no use to anybody: ourselves. */
  remove(host: string, port: number): void {
    const key = keyOf(canonicalHost(host), port)
    const source = this.#entries.get(key)?.source
    if (source === undefined) return
    this.#entries.delete(key)
    const left = (this.#counts.get(source) ?? 0) - 1
    if (left > 0) this.#counts.set(source, left)
    else this.#counts.delete(source)
  }
}

const isHopeless = ({ failures, seenS, successMs }: BookEntry, nowS: number): boolean =>
  failures >= HOPELESS_FAILURES || (successMs === 0 && seenS < nowS - STALE_S)
