/**
 * Messages over a link whose keys are agreed: each carries a code over its number and itself, so
 * that none is changed, repeated, left out or moved unnoticed. Implements performance R18. Sans-IO.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { concat, u64be } from '../../core/base/bytes.ts'
import type { LinkKeys } from './handshake.ts'

const CODE_SIZE = 32
/** One message: a slot of the log with its bodies, and room. Threshold §23. */
export const MESSAGE_SIZE_MAX = 24 * 1024 * 1024
export const SEALED_SIZE_MAX = MESSAGE_SIZE_MAX + CODE_SIZE

export class SealedChannel {
  readonly #keys: LinkKeys
  #sent = 0n
  #received = 0n

  constructor(keys: LinkKeys) {
    this.#keys = keys
  }

  seal(message: Uint8Array): Uint8Array {
    return concat(message, code(this.#keys.send, this.#sent++, message))
  }

  /** Undefined for what is not the next message of the other side. Total. */
  open(sealed: Uint8Array): Uint8Array | undefined {
    const size = sealed.length - CODE_SIZE
    if (size < 0) return undefined
    const message = sealed.subarray(0, size)
    const expected = code(this.#keys.receive, this.#received, message)
    if (!timingSafeEqual(expected, sealed.subarray(size))) return undefined
    this.#received += 1n
    return message
  }
}

const code = (key: Uint8Array, number: bigint, message: Uint8Array): Uint8Array =>
  new Uint8Array(createHmac('sha256', key).update(u64be(number)).update(message).digest())
