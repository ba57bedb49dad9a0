/**
 * What goes into a node and what comes out of it. Source: architecture §3. All of it can be sent
 * between threads.
 */
import type { BlockHash, Hash32 } from '../base/bytes.ts'
import type { KeyScheme } from '../base/key-scheme.ts'
import type { NodeIndex } from '../base/party.ts'
import type { TimestampNs } from '../base/units.ts'
import type { Announcement } from '../btc/transaction-relay.ts'
import type { QueryContent } from '../ic/envelope.ts'
import type { StateRead } from '../ic/read-state.ts'
import type { Slot } from '../log/log.ts'
import type { LogAlarm, LogInput } from '../log/log-io.ts'
import type { RefreshStage } from '../tecdsa/refresh.ts'
import type { SigningReport } from '../tecdsa/signing-report.ts'

export type NodeInput =
  | { readonly type: 'start' }
  /** A message of a peer, as it came over an authenticated link. */
  | { readonly type: 'message'; readonly from: NodeIndex; readonly bytes: Uint8Array }
  /** The link to a peer came back, or the peer did: what was sent before may be lost (§17.8). */
  | { readonly type: 'linked'; readonly peer: NodeIndex }
  /** The next slot of the log. `later`: slots after it that are decided already, 2 for more. */
  | { readonly type: 'slot'; readonly slot: Slot; readonly later: 0 | 1 | 2 }
  /** An envelope of a user, for the log. `requestId`: of its content. */
  | { readonly type: 'ingress'; readonly requestId: Hash32; readonly envelope: Uint8Array }
  /** A client reads, and the newest certificate is too old: a new slot is wanted. */
  | { readonly type: 'refresh' }
  /** A request of the operator to the signer, signed. */
  | { readonly type: 'operator'; readonly request: Uint8Array }
  /** Headers that the node's own Bitcoin adapter has validated, oldest first, 80 bytes each. */
  | { readonly type: 'headers'; readonly headers: readonly Uint8Array[] }
  /** A block that the adapter was asked for. */
  | { readonly type: 'block'; readonly block: Uint8Array }
  | { readonly type: 'alarm'; readonly name: AlarmName }

export type AlarmName = NodeAlarm | LogAlarm

/**
 * `work`: one piece of heavy work. `timer`: the replica's earliest timer is due. `expiry`: a request
 * for a signature has taken too long.
 */
export type NodeAlarm = 'work' | 'timer' | 'expiry'

const NODE_ALARMS: readonly string[] = ['work', 'timer', 'expiry'] satisfies NodeAlarm[]

export const isLogAlarm = (name: AlarmName): name is LogAlarm => !NODE_ALARMS.includes(name)

export type NodeOutput =
  | { readonly type: 'send'; readonly to: NodeIndex | 'all'; readonly bytes: Uint8Array }
  /** Between the parts of a node: `OrderedNode` passes it to the log. */
  | {
      readonly type: 'log'
      readonly input: Extract<LogInput, { type: 'submit' | 'executed' | 'due' | 'read' }>
    }
  /** The next slot. It must be on disk before the outputs that follow it leave. */
  | { readonly type: 'decided'; readonly slot: Slot }
  /** Must be on disk before the outputs that follow it leave. */
  | { readonly type: 'record'; readonly key: string; readonly value: Uint8Array }
  /** Records that nobody needs any more. */
  | { readonly type: 'forget'; readonly keys: readonly string[] }
  /**
   * A slot left its mark on the signer: what the canisters asked in it, encoded. Must be on disk
   * before a snapshot of the state after it is.
   */
  | { readonly type: 'signer-past'; readonly slot: bigint; readonly calls: Uint8Array }
  /** The last one of a name counts. */
  | { readonly type: 'alarm'; readonly name: AlarmName; readonly afterMs: number }
  | { readonly type: 'fault'; readonly culprit: NodeIndex; readonly reason: string }
  | {
      readonly type: 'adapter'
      readonly wanted: readonly BlockHash[]
      readonly announce: readonly Announcement[]
    }
  /**
   * The state after `slot`, of time `time`, is settled: certificates of it can be made.
   * `requests`: those whose outcome it shows for the first time.
   */
  | {
      readonly type: 'certified'
      readonly slot: bigint
      readonly time: TimestampNs
      readonly requests: readonly Hash32[]
      /** So many requests are known that no other one is executed. */
      readonly isFull: boolean
      /** Under which certificates verify, 96 bytes. */
      readonly certificationKey: Uint8Array
    }
  /** Honest nodes disagree on a state: this one certifies and signs nothing more. */
  | {
      readonly type: 'diverged'
      readonly slot: bigint
      readonly own: Hash32
      readonly other: Hash32
    }
  /** For people who watch; nothing depends on it. */
  | { readonly type: 'observed'; readonly event: Observation }

/** What a node is asked in the name of a client, outside the log. */
export type Question =
  | { readonly type: 'query'; readonly requestId: Hash32; readonly content: QueryContent }
  | { readonly type: 'readState'; readonly read: StateRead }
  | { readonly type: 'certificates'; readonly requestIds: readonly Hash32[] }

export type Answer =
  /** Body of the HTTP answer. */
  | { readonly type: 'query'; readonly body: Uint8Array }
  | { readonly type: 'readState'; readonly outcome: ReadStateOutcome }
  /** In the order asked; undefined for a request whose outcome is not certified here. */
  | { readonly type: 'certificates'; readonly certificates: readonly (Uint8Array | undefined)[] }

export type ReadStateOutcome =
  | { readonly type: 'certificate'; readonly certificate: Uint8Array }
  | { readonly type: 'refused'; readonly status: 400 | 403 | 404 | 503; readonly reason: string }

export type Observation =
  | { readonly type: 'keyMade'; readonly publicKey: Uint8Array }
  /** A key that the operator may use is final. */
  | { readonly type: 'operatorKey'; readonly scheme: KeyScheme; readonly publicKey: Uint8Array }
  /** A request of the operator has its signature: 64 bytes, as its algorithm writes them. */
  | {
      readonly type: 'operatorSigned'
      readonly requestId: Uint8Array
      readonly signature: Uint8Array
      /** Slots of the log that hold the request, and its signature. */
      readonly askedSlot: bigint
      readonly slot: bigint
    }
  | {
      readonly type: 'signed'
      readonly requestId: Uint8Array
      readonly by: readonly NodeIndex[]
      /** Of combining, told by who runs the node. */
      readonly tookMs?: number
    }
  /** What is public of a signature that the operator asked for and this node has combined. */
  | {
      readonly type: 'signingReport'
      readonly requestId: Uint8Array
      readonly report: SigningReport
    }
  /** A transaction of the minter that nobody is told of, for the network would not take it (§10.1). */
  | { readonly type: 'withheld'; readonly txid: Uint8Array; readonly reason: string }
  /** One more of `alarms` below. */
  | { readonly type: 'alarmed'; readonly text: string }
  | {
      readonly type: 'executed'
      readonly slot: bigint
      readonly bitcoinHeight: number
      /** What is wrong with Bitcoin that people must hear of. */
      readonly alarms: readonly string[]
      readonly stock: number
      readonly openRequests: number
      /** Of the membership whose keys are in force, and how far a refresh has come. */
      readonly version: bigint
      readonly refresh: RefreshStage
    }
