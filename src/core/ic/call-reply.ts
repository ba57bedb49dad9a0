/**
 * The answer to a call, as nodes give it to clients: reply or reject. Source: IC interface §§8, 12.
 */
import { Reader, Writer } from '../base/codec.ts'
import { BadEncoding } from '../base/errors.ts'

export type CallReply =
  /** Candid of the result. */
  | { readonly type: 'replied'; readonly arg: Uint8Array }
  /** 2: transient, 3: no such destination, 4: the canister says no, 5: the canister failed. */
  | { readonly type: 'rejected'; readonly code: number; readonly message: string }

export const rejected = (code: number, message: string): CallReply => ({
  type: 'rejected',
  code,
  message,
})

export function encodeReply(reply: CallReply): Uint8Array {
  return reply.type === 'replied'
    ? new Writer().u8(0).raw(reply.arg).done()
    : new Writer().u8(1).u8(reply.code).text(reply.message).done()
}

export function decodeReply(bytes: Uint8Array): CallReply {
  const reader = new Reader(bytes)
  const tag = reader.u8()
  if (tag === 0) return { type: 'replied', arg: reader.raw(reader.remaining) }
  if (tag !== 1) throw new BadEncoding(`a reply of unknown kind ${tag}`)
  return reader.end({ type: 'rejected', code: reader.u8(), message: reader.text() })
}
