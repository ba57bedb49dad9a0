/**
 * The end of requests that take too long: the log counts aborts, f + 1 of them expire a request.
 * Source: threshold §18.5.
 *
 * A node's clock decides only whether it aborts; what that does, and whether a signature came first,
 * is a function of the log.
 */
import { toHex } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import type { NodeIndex } from '../base/party.ts'
import type { TimestampNs } from '../base/units.ts'
import { addNs, NS_PER_MS } from '../base/units.ts'
import type { AbortContext } from './abort.ts'
import { decodeAbort, encodeAbort, isAbortSigned, signAbort } from './abort.ts'
import type { NodeKeys } from './node-keys.ts'
import type { SignerOutputs } from './signer-context.ts'

/** Threshold §23. */
export const REQUEST_ALARM_MS = 60_000

/** A request that the log had not answered when the last slot ended. */
type Open = {
  readonly id: Uint8Array
  readonly isPaired: boolean
  /** Time of the slot that paired it; of the one that brought it while it is not. */
  readonly since: TimestampNs
  readonly aborts: Set<NodeIndex>
  /** This node has aborted it, now or in an earlier life. */
  isOver: boolean
}

/** The requests that the log has not answered, of all keys. */
export interface OpenRequests {
  isOpen(requestId: Uint8Array): boolean
  /** Waiting for a presignature. */
  queued(): readonly { readonly id: Uint8Array }[]
  /** Paired. */
  pairings(): readonly { readonly request: { readonly id: Uint8Array } }[]
  /** Ends one, with the presignature that it has. */
  expire(requestId: Uint8Array): void
}

export type ExpiryConfig = AbortContext & {
  readonly requests: OpenRequests
  /** Of the slot in work: who may abort, and how many have to. */
  readonly membership: { isMember(node: NodeIndex): boolean; readonly quorum: number }
  readonly keys: NodeKeys
  readonly me: NodeIndex
  readonly alarmMs: number
}

export class Expiry {
  readonly #config: ExpiryConfig
  #open: ReadonlyMap<string, Open> = new Map()

  constructor(config: ExpiryConfig) {
    this.#config = config
  }

  /** An item of the log. False when it does not count: a second one, or of what is over. */
  take(bytes: Uint8Array): boolean {
    const abort = attempt(() => decodeAbort(bytes))
    if (abort instanceof BadEncoding) return false
    const open = this.#open.get(toHex(abort.requestId))
    if (open === undefined || !this.#config.requests.isOpen(abort.requestId)) return false
    if (open.aborts.has(abort.node) || !this.#config.membership.isMember(abort.node)) return false
    if (!isAbortSigned(this.#config, abort)) return false
    open.aborts.add(abort.node)
    if (abort.node === this.#config.me) open.isOver = true
    return true
  }

  /**
   * All items of a slot are executed, so that completions in it count first: ends what f + 1 nodes
   * have aborted, with the presignature it has, and names it.
   */
  expire(): readonly Uint8Array[] {
    const { requests, membership } = this.#config
    const expired = [...this.#open.values()].filter(
      ({ id, aborts }) =>
        [...aborts].filter((node) => membership.isMember(node)).length >= membership.quorum &&
        requests.isOpen(id),
    )
    for (const { id } of expired) requests.expire(id)
    return expired.map(({ id }) => id)
  }

  /** The slot is over: what is open now, and since when. */
  endSlot(time: TimestampNs): void {
    const { requests } = this.#config
    const now = new Map<string, Open>()
    const note = (id: Uint8Array, isPaired: boolean): void => {
      const name = toHex(id)
      const before = this.#open.get(name)
      const { aborts, isOver } = before ?? { aborts: new Set<NodeIndex>(), isOver: false }
      const since = before?.isPaired === isPaired ? before.since : time
      now.set(name, { id, isPaired, since, aborts, isOver })
    }
    for (const { id } of requests.queued()) note(id, false)
    for (const { request } of requests.pairings()) note(request.id, true)
    this.#open = now
  }

  /** When this node has to abort the next one; undefined when it waits for none. */
  get due(): TimestampNs | undefined {
    const [first] = [...this.#open.values()]
      .filter(({ isOver }) => !isOver)
      .map((open) => this.#dueOf(open))
      .toSorted((a, b) => (a < b ? -1 : 1))
    return first
  }

  #dueOf({ since }: Open): TimestampNs {
    return addNs(since, BigInt(this.#config.alarmMs) * NS_PER_MS)
  }

  /** Aborts, once each, what is due by this node's clock. */
  abort(now: TimestampNs): SignerOutputs {
    const { keys, prefix, me: node } = this.#config
    const late = [...this.#open.values()].filter((open) => !open.isOver && this.#dueOf(open) <= now)
    return late.map((open) => {
      open.isOver = true
      const bytes = encodeAbort(signAbort(keys, prefix, { requestId: open.id, node }))
      return { type: 'submit', item: { type: 'abort', bytes } }
    })
  }
}
