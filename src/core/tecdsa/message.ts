/**
 * What signers say to each other outside the log. Source: threshold §§7, 8.3, 14.3, 17.8 rule 4.
 */
import { Reader, Writer } from '../base/codec.ts'
import { BadEncoding } from '../base/errors.ts'
import type { SignedDealing, Support } from './evidence.ts'
import {
  decodeSignedDealing,
  decodeSupport,
  encodeSignedDealing,
  encodeSupport,
} from './evidence.ts'

/** Two openings of two scalars each, with CBOR framing, are below this. */
const SHARE_SIZE_MAX = 1024

export type SignerMessage =
  | { readonly type: 'dealing'; readonly signed: SignedDealing }
  | { readonly type: 'support'; readonly support: Omit<Support, 'signer'> }
  | ShareMessage
  /** "I start (again): send me what you have sent in runs that are still open." */
  | { readonly type: 'resend' }

/** `share`: CBOR of §7. `signature`: of the node, over `shareContent`. */
export type ShareMessage = {
  readonly type: 'share'
  readonly requestId: Uint8Array
  readonly share: Uint8Array
  readonly signature: Uint8Array
}

const TAGS = { dealing: 1, support: 2, share: 3, resend: 4 } as const

/** Bytes a node signs with its signature share, without the domain. */
export const shareContent = (
  prefix: Uint8Array,
  { requestId, share }: Pick<ShareMessage, 'requestId' | 'share'>,
): Uint8Array => new Writer().raw(prefix).raw(requestId).bytes(share).done()

export function encodeSignerMessage(message: SignerMessage): Uint8Array {
  const writer = new Writer().u8(TAGS[message.type])
  switch (message.type) {
    case 'dealing':
      return writer.raw(encodeSignedDealing(message.signed)).done()
    case 'support':
      return writer.raw(encodeSupport(message.support)).done()
    case 'share':
      return writer.raw(message.requestId).bytes(message.share).raw(message.signature).done()
    case 'resend':
      return writer.done()
  }
}

export function decodeSignerMessage(bytes: Uint8Array): SignerMessage {
  const reader = new Reader(bytes)
  const tag = reader.u8()
  const rest = (): Uint8Array => reader.raw(reader.remaining)
  switch (tag) {
    case TAGS.dealing:
      return { type: 'dealing', signed: decodeSignedDealing(rest()) }
    case TAGS.support:
      return { type: 'support', support: decodeSupport(rest()) }
    case TAGS.share:
      return reader.end({
        type: 'share',
        requestId: reader.raw(32),
        share: reader.bytes(SHARE_SIZE_MAX),
        signature: reader.raw(64),
      })
    case TAGS.resend:
      return reader.end({ type: 'resend' })
    default:
      throw new BadEncoding(`a signer message of unknown kind ${tag}`)
  }
}
