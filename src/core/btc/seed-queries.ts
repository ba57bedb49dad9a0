/** Asking names for addresses: a few at once, each once in a while. Source: bitcoin.md §3.8 AD-3. */
import { canonicalHost, isRoutable, networkGroup } from './network-address.ts'

export const SEEDS_AT_ONCE = 3
export const ADDRESSES_OF_SEED_MAX = 32
/** All of them have been asked: they are not asked again before this. */
export const SEED_ROUND_MS = 600_000

export class SeedQueries {
  readonly #names: readonly string[]
  readonly #waiting = new Set<string>()
  #left: readonly string[] = []
  #roundMs = Number.NEGATIVE_INFINITY

  constructor(names: readonly string[]) {
    this.#names = names
  }

  /** An answer is still to come. */
  get isWaiting(): boolean {
    return this.#waiting.size > 0
  }

  /** Names of this round that were not asked yet. */
  get hasLeft(): boolean {
    return this.#left.length > 0
  }

  /** An answer is still to come, or some name may be asked now. */
  mayAnswer(nowMs: number): boolean {
    const isRoundDue = this.#names.length > 0 && nowMs >= this.#roundMs + SEED_ROUND_MS
    return this.isWaiting || this.hasLeft || isRoundDue
  }

  /** Names to ask now, in an order of chance. */
  next(nowMs: number, fraction: () => number): readonly string[] {
    if (this.isWaiting) return []
    if (this.#left.length === 0 && nowMs >= this.#roundMs + SEED_ROUND_MS) {
      this.#roundMs = nowMs
      this.#left = this.#names
        .map((name) => ({ name, at: fraction() }))
        .toSorted((a, b) => a.at - b.at)
        .map(({ name }) => name)
    }
    const names = this.#left.slice(0, SEEDS_AT_ONCE)
    this.#left = this.#left.slice(names.length)
    for (const name of names) this.#waiting.add(name)
    return names
  }

  /** Those of the addresses that are used: of as many groups of the network as there are. */
  answered(name: string, addresses: readonly string[]): readonly string[] {
    if (!this.#waiting.delete(name)) return []
    const hosts = [...new Set(addresses.map(canonicalHost))].filter(isRoutable)
    const groups = new Set<string>()
    const first = hosts.filter((host) => {
      const isNew = !groups.has(networkGroup(host))
      groups.add(networkGroup(host))
      return isNew
    })
    const rest = hosts.filter((host) => !first.includes(host))
    return [...first, ...rest].slice(0, ADDRESSES_OF_SEED_MAX)
  }
}
