/**
 * What signers say to each other outside the log. Source: threshold §§7, 8.3, 10, 14.3,
 * 16.4, 17.8 rule 4.
 */
import { Reader, Writer } from '../base/codec.ts'
import { BadEncoding } from '../base/errors.ts'
import type { KeyScheme } from '../base/key-scheme.ts'
import { KEY_SCHEMES } from '../base/key-scheme.ts'
import { BLS_SHARE_SIZE } from './bls.ts'
import type { SignedComplaint, SignedOpening } from './dispute.ts'
import {
  decodeSignedComplaint,
  decodeSignedOpening,
  encodeSignedComplaint,
  encodeSignedOpening,
} from './dispute.ts'
import type { SignedDealing, Support } from './evidence.ts'
import {
  decodeSignedDealing,
  decodeSupport,
  encodeSignedDealing,
  encodeSupport,
} from './evidence.ts'

/** Two openings of two scalars each, with CBOR framing, are below this. */
const SHARE_SIZE_MAX = 1024

/** Whose protocol a dealing belongs to: the keys that sign requests, or the subnet's own. */
export type Lane = KeyScheme | 'bls'
export const LANES: readonly Lane[] = [...KEY_SCHEMES, 'bls']

export type SignerMessage =
  | { readonly type: 'dealing'; readonly lane: Lane; readonly signed: SignedDealing }
  | { readonly type: 'support'; readonly lane: Lane; readonly support: Omit<Support, 'signer'> }
  /** The sender is the complainer. */
  | { readonly type: 'complaint'; readonly lane: Lane; readonly signed: SignedComplaint }
  /** The sender is the helper, the receiver the complainer. */
  | { readonly type: 'opening'; readonly lane: Lane; readonly signed: SignedOpening }
  | ShareMessage
  | TapeShareMessage
  | TapeMessage
  /** "I start (again): send me what you have sent in runs that are still open." */
  | { readonly type: 'resend' }

/** `share`: CBOR of §7. `signature`: of the node, over `shareContent`. */
export type ShareMessage = {
  readonly type: 'share'
  readonly lane: KeyScheme
  readonly requestId: Uint8Array
  readonly share: Uint8Array
  readonly signature: Uint8Array
}

/** A share of σ of a slot, 48 bytes, under the tape key of this transcript. */
export type TapeShareMessage = {
  readonly type: 'tape-share'
  readonly incarnation: bigint
  readonly slot: bigint
  readonly transcriptId: bigint
  readonly share: Uint8Array
}

/** σ of a slot, 48 bytes. */
export type TapeMessage = {
  readonly type: 'tape'
  readonly incarnation: bigint
  readonly slot: bigint
  readonly signature: Uint8Array
}

const TAGS = {
  dealing: { ecdsa: 1, bls: 5, bip340: 13, ed25519: 14 },
  support: { ecdsa: 2, bls: 6, bip340: 15, ed25519: 16 },
  complaint: { ecdsa: 7, bls: 8, bip340: 17, ed25519: 18 },
  opening: { ecdsa: 9, bls: 10, bip340: 19, ed25519: 20 },
  share: { ecdsa: 3, bip340: 21, ed25519: 22 },
  resend: 4,
  'tape-share': 11,
  tape: 12,
} as const

/** Bytes a node signs with its signature share, without the domain. */
export const shareContent = (
  prefix: Uint8Array,
  { requestId, share }: Pick<ShareMessage, 'requestId' | 'share'>,
): Uint8Array => new Writer().raw(prefix).raw(requestId).bytes(share).done()

export function encodeSignerMessage(message: SignerMessage): Uint8Array {
  switch (message.type) {
    case 'dealing':
      return tagged(TAGS.dealing[message.lane]).raw(encodeSignedDealing(message.signed)).done()
    case 'support':
      return tagged(TAGS.support[message.lane]).raw(encodeSupport(message.support)).done()
    case 'complaint':
      return tagged(TAGS.complaint[message.lane]).raw(encodeSignedComplaint(message.signed)).done()
    case 'opening':
      return tagged(TAGS.opening[message.lane]).raw(encodeSignedOpening(message.signed)).done()
    case 'share':
      return tagged(TAGS.share[message.lane])
        .raw(message.requestId)
        .bytes(message.share)
        .raw(message.signature)
        .done()
    case 'resend':
      return tagged(TAGS.resend).done()
    case 'tape-share':
      return tagged(TAGS['tape-share'])
        .u64(message.incarnation)
        .u64(message.slot)
        .u64(message.transcriptId)
        .raw(message.share)
        .done()
    case 'tape':
      return tagged(TAGS.tape)
        .u64(message.incarnation)
        .u64(message.slot)
        .raw(message.signature)
        .done()
  }
}

const tagged = (tag: number): Writer => new Writer().u8(tag)

export function decodeSignerMessage(bytes: Uint8Array): SignerMessage {
  const reader = new Reader(bytes)
  const tag = reader.u8()
  const rest = (): Uint8Array => reader.raw(reader.remaining)
  for (const lane of LANES) {
    if (tag === TAGS.dealing[lane])
      return { type: 'dealing', lane, signed: decodeSignedDealing(rest()) }
    if (tag === TAGS.support[lane]) return { type: 'support', lane, support: decodeSupport(rest()) }
    if (tag === TAGS.complaint[lane])
      return { type: 'complaint', lane, signed: decodeSignedComplaint(rest()) }
    if (tag === TAGS.opening[lane])
      return { type: 'opening', lane, signed: decodeSignedOpening(rest()) }
  }
  const shareLane = KEY_SCHEMES.find((scheme) => tag === TAGS.share[scheme])
  if (shareLane !== undefined)
    return reader.end({
      type: 'share',
      lane: shareLane,
      requestId: reader.raw(32),
      share: reader.bytes(SHARE_SIZE_MAX),
      signature: reader.raw(64),
    })
  switch (tag) {
    case TAGS.resend:
      return reader.end({ type: 'resend' })
    case TAGS['tape-share']:
      return reader.end({
        type: 'tape-share',
        incarnation: reader.u64(),
        slot: reader.u64(),
        transcriptId: reader.u64(),
        share: reader.raw(BLS_SHARE_SIZE),
      })
    case TAGS.tape:
      return reader.end({
        type: 'tape',
        incarnation: reader.u64(),
        slot: reader.u64(),
        signature: reader.raw(BLS_SHARE_SIZE),
      })
    default:
      throw new BadEncoding(`a signer message of unknown kind ${tag}`)
  }
}
