/** Hosts that are not to be used for a while, and why. Source: `docs/spec/bitcoin.md` §3.9. */
import { canonicalHost, networkGroup } from './network-address.ts'
import type { Offence } from './peer-session.ts'

const HOUR_MS = 3_600_000
export const BAN_MS = 24 * HOUR_MS
export const LIE_BAN_MS = 7 * 24 * HOUR_MS
/** A group is not used while so many of its hosts are banned (MB-2). */
export const GROUP_BANS = 3
/** Beyond, the ban that ends first is forgotten. */
export const BANS_MAX = 1_000

/** How long an offence bans; 0: it ends the connection, and that is all. */
export const penaltyMs: Readonly<Record<Offence['kind'], number>> = {
  badFrame: 0,
  strikes: 0,
  protocol: 0,
  unsuitable: 0,
  selfConnection: 0,
  timeout: 0,
  unconnected: 0,
  unneeded: 0,
  oversize: BAN_MS,
  badHeaders: BAN_MS,
  mutatedBlock: BAN_MS,
  invalidBlock: BAN_MS,
  filterLie: LIE_BAN_MS,
}

export type Ban = {
  readonly host: string
  readonly offence: Offence
  /** Unix milliseconds. */
  readonly untilMs: number
}

/** Lives as long as the program: a restart ends every ban (MB-3). */
export class PeerBans {
  readonly #bans = new Map<string, Ban>()

  /** The longer of two bans counts. */
  punish(host: string, offence: Offence, nowMs: number): void {
    const untilMs = nowMs + penaltyMs[offence.kind]
    const key = canonicalHost(host)
    if (untilMs <= Math.max(nowMs, this.#bans.get(key)?.untilMs ?? 0)) return
    this.#bans.set(key, { host: key, offence, untilMs })
    if (this.#bans.size <= BANS_MAX) return
    const [first] = [...this.#bans.values()].toSorted((a, b) => a.untilMs - b.untilMs)
    if (first !== undefined) this.#bans.delete(first.host)
  }

  /** Those in force, the last to end first. */
  list(nowMs: number): readonly Ban[] {
    for (const [key, { untilMs }] of this.#bans) if (untilMs <= nowMs) this.#bans.delete(key)
    return [...this.#bans.values()].toSorted((a, b) => b.untilMs - a.untilMs)
  }

  /** Until when a host is banned, by itself or by its group; undefined: it is not. */
  judge(nowMs: number): (host: string) => number | undefined {
    const own = new Map<string, number>()
    const groups = new Map<string, number[]>()
    for (const { host, untilMs } of this.list(nowMs)) {
      const group = networkGroup(host)
      own.set(host, untilMs)
      groups.set(group, [...(groups.get(group) ?? []), untilMs])
    }
    return (host) => {
      if (own.size === 0) return undefined
      const ofGroup = groups.get(networkGroup(host))?.[GROUP_BANS - 1]
      const until = Math.max(own.get(canonicalHost(host)) ?? 0, ofGroup ?? 0)
      return until === 0 ? undefined : until
    }
  }
}
