/**
 * The answer to a call, as nodes give it to clients: reply or reject. Source: IC interface §§8, 12.
 */
import { Reader, Writer } from '../base/codec.ts'
import { BadEncoding } from '../base/errors.ts'

export type CallReply =
  /** Candid of the result. */
  { readonly type: 'replied'; readonly arg: Uint8Array } | Rejection

export type Rejection = {
  readonly type: 'rejected'
  /** 2: transient, 3: no such destination, 4: the canister says no, 5: the canister failed. */
  readonly code: number
  readonly message: string
  readonly errorCode: RejectErrorCode
}

/** The error codes of §12 that this subnet gives. */
const errorCodes = [
  'IC0202', // Expired before it was executed.
  'IC0204', // No room to remember it.
  'IC0301', // No such canister.
  'IC0406', // The canister says no.
  'IC0407', // No such method of the management canister.
  'IC0408', // An argument that the management canister does not take.
  'IC0503', // The canister trapped.
  'IC0512', // For controllers only.
  'IC0536', // No such method.
] as const
export type RejectErrorCode = (typeof errorCodes)[number]

/** `errorCode` holds the reject code in its first two digits. */
export const rejected = (errorCode: RejectErrorCode, message: string): Rejection => ({
  type: 'rejected',
  code: Number(errorCode.slice(2, 4)),
  message,
  errorCode,
})

export function encodeReply(reply: CallReply): Uint8Array {
  return reply.type === 'replied'
    ? new Writer().u8(0).raw(reply.arg).done()
    : new Writer().u8(1).text(reply.errorCode).text(reply.message).done()
}

export function decodeReply(bytes: Uint8Array): CallReply {
  const reader = new Reader(bytes)
  const tag = reader.u8()
  if (tag === 0) return { type: 'replied', arg: reader.raw(reader.remaining) }
  if (tag !== 1) throw new BadEncoding(`a reply of unknown kind ${tag}`)
  const name = reader.text()
  const errorCode = errorCodes.find((known) => known === name)
  if (errorCode === undefined) throw new BadEncoding('a reply of unknown error code')
  return reader.end(rejected(errorCode, reader.text()))
}
