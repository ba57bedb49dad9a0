/**
 * What goes into a node and what comes out of it. Source: architecture §3. All of it can be sent
 * between threads.
 */
import type { BlockHash } from '../base/bytes.ts'
import type { NodeIndex } from '../base/party.ts'
import type { Announcement } from '../btc/transaction-relay.ts'
import type { LogInput, LogOutput } from '../log/log.ts'

export type NodeInput =
  | { readonly type: 'start' }
  /** A message of a peer, as it came over an authenticated link. */
  | { readonly type: 'message'; readonly from: NodeIndex; readonly bytes: Uint8Array }
  | { readonly type: 'log'; readonly output: LogOutput }
  /** An envelope of a user, for the log. */
  | { readonly type: 'ingress'; readonly envelope: Uint8Array }
  /** Headers that the node's own Bitcoin adapter has validated, oldest first, 80 bytes each. */
  | { readonly type: 'headers'; readonly headers: readonly Uint8Array[] }
  /** A block that the adapter was asked for. */
  | { readonly type: 'block'; readonly block: Uint8Array }
  | { readonly type: 'alarm'; readonly name: AlarmName }

/** `work`: one piece of heavy work. `timer`: the replica's earliest timer is due. */
export type AlarmName = 'work' | 'timer'

export type NodeOutput =
  | { readonly type: 'send'; readonly to: NodeIndex | 'all'; readonly bytes: Uint8Array }
  | { readonly type: 'log'; readonly input: LogInput }
  /** Must be on disk before the outputs that follow it leave. */
  | { readonly type: 'record'; readonly key: string; readonly value: Uint8Array }
  /** The last one of a name counts. */
  | { readonly type: 'alarm'; readonly name: AlarmName; readonly afterMs: number }
  | { readonly type: 'fault'; readonly culprit: NodeIndex; readonly reason: string }
  /** An ingress message was executed: `CallReply`, encoded. */
  | { readonly type: 'reply'; readonly requestId: Uint8Array; readonly reply: Uint8Array }
  | {
      readonly type: 'adapter'
      readonly wanted: readonly BlockHash[]
      readonly announce: readonly Announcement[]
    }
  /** For people who watch; nothing depends on it. */
  | { readonly type: 'observed'; readonly event: Observation }

export type Observation =
  | { readonly type: 'keyMade'; readonly publicKey: Uint8Array }
  | { readonly type: 'signed'; readonly requestId: Uint8Array; readonly by: readonly NodeIndex[] }
  | {
      readonly type: 'executed'
      readonly slot: bigint
      readonly bitcoinHeight: number
      readonly stock: number
      readonly openRequests: number
    }
