/**
 * Calls on their way through the log: each waits for f + 1 equal replies, or until it can no longer
 * be executed.
 */
import { toHex } from '../core/base/bytes.ts'
import { SubnetDown } from '../core/base/errors.ts'
import type { NodeIndex } from '../core/base/party.ts'
import type { TimestampNs } from '../core/base/units.ts'
import { NS_PER_MS } from '../core/base/units.ts'
import { admit } from '../core/ic/admission.ts'
import type { CallReply } from '../core/ic/call-reply.ts'
import { decodeReply, rejected } from '../core/ic/call-reply.ts'
import { decodeEnvelope } from '../core/ic/envelope.ts'
import { systemClock } from './clock.ts'
import { hostEd25519 } from './ed25519.ts'
import { Quorum } from './quorum.ts'

/** Answers kept for those who hand their call in again. */
const ANSWERED_MAX = 1_000
/** After its expiry no slot executes a call; this leaves room for clocks that differ. */
const EXPIRY_MARGIN_MS = 30_000
type Open = { readonly quorum: Quorum; readonly envelope: Uint8Array }

export class Calls {
  readonly #enough: number
  readonly #open = new Map<string, Open>()
  readonly #replies = new Map<string, Promise<CallReply>>()
  #closed = false

  /** `enough`: equal replies that make an answer. */
  constructor(enough: number) {
    this.#enough = enough
  }

  /** Envelopes that wait for their execution, for a node that starts. */
  get waiting(): readonly Uint8Array[] {
    return [...this.#open.values()].map(({ envelope }) => envelope)
  }

  /**
   * Hands the envelope to `send` unless the same request was handed in before, which is answered
   * once more. What nodes would not admit is rejected here. Throws `BadEncoding` for bytes that are
   * no envelope.
   */
  async call(envelope: Uint8Array, send: () => void): Promise<CallReply> {
    if (this.#closed) throw new SubnetDown()
    const context = { now: systemClock(), ed25519: hostEd25519, sizeBytes: envelope.length }
    const verdict = admit(decodeEnvelope(envelope), context)
    if (verdict.type === 'refused') return rejected('IC0406', verdict.reason)
    if (verdict.content.type !== 'call')
      return rejected('IC0406', `a ${verdict.content.type} is no call`)
    const id = toHex(verdict.requestId)
    const known = this.#replies.get(id)
    if (known !== undefined) return known
    const reply = this.#await(id, envelope, verdict.content.ingressExpiry)
    this.#replies.set(id, reply)
    send()
    return reply
  }

  async #await(id: string, envelope: Uint8Array, expiry: TimestampNs): Promise<CallReply> {
    const quorum = new Quorum(this.#enough)
    this.#open.set(id, { quorum, envelope })
    const waitMs = Number((expiry - systemClock()) / NS_PER_MS) + EXPIRY_MARGIN_MS
    const timer = setTimeout(() => quorum.giveUp(), waitMs)
    const answer = await quorum.answer
    clearTimeout(timer)
    this.#open.delete(id)
    this.#forgetOldest()
    if (this.#closed) throw new SubnetDown()
    return answer === undefined
      ? rejected('IC0202', 'the call expired before it was executed')
      : decodeReply(answer)
  }

  /** Of answered calls only: one that still waits must be found again. */
  #forgetOldest(): void {
    for (const id of this.#replies.keys()) {
      if (this.#replies.size - this.#open.size <= ANSWERED_MAX) return
      if (!this.#open.has(id)) this.#replies.delete(id)
    }
  }

  /** A node has executed a call. */
  vote(node: NodeIndex, requestId: Uint8Array, reply: Uint8Array): void {
    this.#open.get(toHex(requestId))?.quorum.vote(node, reply)
  }

  /** Ends every call that waits with `SubnetDown`. */
  close(): void {
    this.#closed = true
    for (const { quorum } of this.#open.values()) quorum.giveUp()
  }
}
