/** What a node sends to one peer because it was asked, bounded per second. Source: threshold §17.8. */
import type { NodeIndex } from '../base/party.ts'
import type { TimestampNs } from '../base/units.ts'
import { NS_PER_SECOND } from '../base/units.ts'

/** Bytes of bodies, proposals and slots for one peer in one second. */
export const ANSWERED_SIZE_MAX = 16 * 1024 * 1024

/** Questions about votes that one peer gets an answer to in one second. */
export const RESENT_MAX = 64

/** Times in a second that slots are read from the disk for one peer. */
export const COPIED_MAX = 32

type Spent = { readonly second: bigint; size: number; readonly resent: Set<bigint>; copied: number }

export class Allowance {
  readonly #spent = new Map<NodeIndex, Spent>()

  /** Whether so many bytes may go to the peer now; the first answer of a second always may. */
  mayGive(to: NodeIndex, size: number, now: TimestampNs): boolean {
    const spent = this.#at(to, now)
    if (spent.size > 0 && spent.size + size > ANSWERED_SIZE_MAX) return false
    spent.size += size
    return true
  }

  /** Votes are sent again at most once per peer, slot and second. */
  mayResend(to: NodeIndex, slot: bigint, now: TimestampNs): boolean {
    const { resent } = this.#at(to, now)
    if (resent.has(slot) || resent.size === RESENT_MAX) return false
    resent.add(slot)
    return true
  }

  /** What was said to the peer may be lost with the link: it may ask for votes anew. */
  linked(to: NodeIndex): void {
    this.#spent.get(to)?.resent.clear()
  }

  /** Whether slots may be looked up for the peer: the work is done before their size is known. */
  mayCopy(to: NodeIndex, now: TimestampNs): boolean {
    const spent = this.#at(to, now)
    if (spent.copied === COPIED_MAX) return false
    spent.copied += 1
    return true
  }

  #at(to: NodeIndex, now: TimestampNs): Spent {
    const second = now / NS_PER_SECOND
    const spent = this.#spent.get(to)
    if (spent?.second === second) return spent
    const fresh = { second, size: 0, resent: new Set<bigint>(), copied: 0 }
    this.#spent.set(to, fresh)
    return fresh
  }
}
