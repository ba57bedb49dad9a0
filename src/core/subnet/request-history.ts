/**
 * Requests that the log has ordered, with what came of each: every id is executed at most once.
 * Source: IC interface §6.1.
 */
import { fromHex, toHex } from '../base/bytes.ts'
import type { TimestampNs } from '../base/units.ts'
import { addNs, NS_PER_SECOND } from '../base/units.ts'
import type { CallReply } from '../ic/call-reply.ts'
import type { Principal } from '../ic/principal.ts'

/**
 * How long an id is kept after its expiry: for late pollers, and so that no other answer can ever
 * be given under it.
 */
export const KEEP_NS = 300n * NS_PER_SECOND
/** Known requests at one time (§25); beyond that no new ones are executed. */
export const REQUESTS_MAX = 300_000

export type KnownRequest = {
  readonly sender: Principal
  readonly canisterId: Principal
  readonly expiry: TimestampNs
  readonly reply: CallReply
}

export class RequestHistory {
  /** By id in hexadecimal, in the order of execution. */
  readonly #known: Map<string, KnownRequest>

  /** `known`: what is remembered so far; it grows and shrinks with what comes. */
  constructor(known: Map<string, KnownRequest> = new Map()) {
    this.#known = known
  }

  get isFull(): boolean {
    return this.#known.size >= REQUESTS_MAX
  }

  find(requestId: Uint8Array): KnownRequest | undefined {
    return this.#known.get(toHex(requestId))
  }

  add(requestId: Uint8Array, request: KnownRequest): void {
    this.#known.set(toHex(requestId), request)
  }

  /**
   * Lets go of ids that no client asks for any more; the ids. From the oldest on, until one is
   * kept: no slot pays for more than it frees, and expiries differ by minutes only.
   */
  forget(now: TimestampNs): readonly Uint8Array[] {
    const gone: Uint8Array[] = []
    for (const [name, { expiry }] of this.#known) {
      if (addNs(expiry, KEEP_NS) >= now) break
      this.#known.delete(name)
      gone.push(fromHex(name))
    }
    return gone
  }
}
