/** What one connection of the regtest node takes and gives. Source: `docs/spec/bitcoin.md` RN-20. */
import type { Message } from '../message.ts'
import type { NodeEvent, RegtestNode } from './node.ts'

export const PROTOCOL_VERSION = 70_016
/** Older peers know neither witnesses nor headers-first relay. */
export const PROTOCOL_VERSION_MIN = 70_015
export const HANDSHAKE_SECONDS_MAX = 10
export const STRIKES_MAX = 3
export const STRIKE_WINDOW_S = 600
/** Bytes of replies that one chunk of a peer may cause: some fifty full batches of headers. */
export const REPLY_BYTES_MAX = 8_000_000
/** Hashes in the answer to `getblocks`. */
export const BLOCK_HASHES_MAX = 500

/** Why a connection ends; `detail` says more. */
export type DropReason =
  | 'handshake-timeout'
  | 'obsolete-version'
  | 'self-connection'
  | 'unsuitable'
  | 'late-feature'
  | 'malformed-stream'
  | 'too-many-strikes'
  | 'too-many-requests'
  | 'bad-filter-request'
  | 'bad-headers'
  | 'mutated-block'
  | 'invalid-block'
  | 'timeout'
  /** A switch of the test interface. */
  | 'asked-to'

export type LinkInput =
  | { readonly type: 'bytes'; readonly bytes: Uint8Array; readonly nowSeconds: number }
  /** The connection that we opened stands: the initiator speaks first (HS-2). */
  | { readonly type: 'open'; readonly nowSeconds: number }
  /** What the node tells everybody. */
  | { readonly type: 'event'; readonly event: NodeEvent }
  /** The socket has sent what it was given. */
  | { readonly type: 'drained' }
  /** `HANDSHAKE_SECONDS_MAX` after the connection was made. */
  | { readonly type: 'deadline' }
  /** Asks whether the peer is still there; the answer is due before the next of these. */
  | { readonly type: 'keepAlive' }
  | { readonly type: 'tell'; readonly message: Message }
  /** A small offence that was found elsewhere; three end the connection. */
  | { readonly type: 'strike'; readonly detail: string; readonly nowSeconds: number }
  | { readonly type: 'blame'; readonly reason: DropReason; readonly detail: string }

export type LinkOutput =
  | { readonly type: 'send'; readonly bytes: Uint8Array }
  /** Close the connection; the link yields no more. */
  | { readonly type: 'drop'; readonly reason: DropReason; readonly detail: string }

/** What the peer says, and that its handshake is complete if it serves whole blocks. */
export type ChainTalk = { readonly type: 'ready' } | Message

export type LinkConfig = {
  readonly node: RegtestNode
  /** Names the peer among all; no two links share one. */
  readonly peer: string
  /** Random; a version message that carries it is our own. */
  readonly nonce: bigint
  readonly isOutbound?: boolean
  /** Whether one of our other links carries the nonce. */
  readonly isOwnNonce?: (nonce: bigint) => boolean
  /** Hears what peers say of their chains; without it the node serves and does not follow. */
  readonly follow?: (talk: ChainTalk) => unknown
}
