/**
 * What nodes say to each other over their links: signer messages and votes for a state root.
 * Source: threshold §§16.2, 17.8.
 */
import type { Hash32 } from '../base/bytes.ts'
import { concat, hash32 } from '../base/bytes.ts'
import { Reader, Writer } from '../base/codec.ts'
import { BadEncoding } from '../base/errors.ts'

/** A node says which state slot `slot` led it to, with its share of the signature over it. */
export type RootVote = {
  readonly slot: bigint
  readonly root: Hash32
  /** 48 bytes; undefined while the node has not loaded its share of the certification key. */
  readonly share: Uint8Array | undefined
}

export type PeerMessage =
  /** Read by the signer. */
  | { readonly type: 'signer'; readonly bytes: Uint8Array }
  | { readonly type: 'root'; readonly vote: RootVote }
  /** "I start (again)": answered with the newest vote. */
  | { readonly type: 'hello' }

const TAGS = { signer: 0, root: 1, hello: 2, log: 3 } as const
const SHARE_SIZE = 48

/** Messages of the log go past the rest of the node. */
export const tagLogMessage = (bytes: Uint8Array): Uint8Array =>
  concat(Uint8Array.of(TAGS.log), bytes)

/** What the log is to read; undefined for a message to the rest of the node. */
export const logMessage = (bytes: Uint8Array): Uint8Array | undefined =>
  bytes[0] === TAGS.log ? bytes.subarray(1) : undefined

export function encodePeerMessage(message: PeerMessage): Uint8Array {
  if (message.type === 'signer') return concat(Uint8Array.of(TAGS.signer), message.bytes)
  if (message.type === 'hello') return Uint8Array.of(TAGS.hello)
  const { slot, root, share } = message.vote
  return new Writer()
    .u8(TAGS.root)
    .u64(slot)
    .raw(root)
    .optional(share, (writer, bytes) => writer.raw(bytes))
    .done()
}

export function decodePeerMessage(bytes: Uint8Array): PeerMessage {
  const reader = new Reader(bytes)
  const tag = reader.u8()
  if (tag === TAGS.signer) return { type: 'signer', bytes: reader.raw(reader.remaining) }
  if (tag === TAGS.hello) return reader.end({ type: 'hello' })
  if (tag !== TAGS.root) throw new BadEncoding(`a peer message of unknown kind ${tag}`)
  const vote = {
    slot: reader.u64(),
    root: hash32(reader.raw(32)),
    share: reader.optional((optional) => optional.raw(SHARE_SIZE)),
  }
  return reader.end({ type: 'root', vote })
}
