/** What the HTTP side of the subnet needs of the nodes. Source: IC interface §§8 to 11, 16. */
import type { Hash32 } from '../../core/base/bytes.ts'
import type { TimestampNs } from '../../core/base/units.ts'
import type { QueryContent } from '../../core/ic/envelope.ts'
import type { Principal } from '../../core/ic/principal.ts'
import type { StateRead } from '../../core/ic/read-state.ts'
import type { SubnetHealth } from '../../core/ic/responses.ts'
import type { ReadStateOutcome } from '../../core/subnet/node-io.ts'

/** A call that was admitted. */
export type SubmittedCall = {
  readonly envelope: Uint8Array
  readonly requestId: Hash32
}

export type CallOutcome =
  /** Encoded; it shows `/time` and `/request_status/<id>`. */
  | { readonly type: 'certified'; readonly certificate: Uint8Array }
  /** Not finished when the wait ended; it goes on. */
  | { readonly type: 'pending' }
  /** Too many calls are waiting: nothing was taken. */
  | { readonly type: 'busy' }

export interface IcBackend {
  /** DER, 133 bytes; undefined while it is being made. */
  readonly rootKey: Uint8Array | undefined
  readonly status: {
    readonly health: SubnetHealth
    readonly certifiedSlot: bigint
    readonly certifiedTime: TimestampNs
  }
  /** Whether a canister lives here; the management canister does not. */
  hasCanister(id: Principal): boolean
  /** Hands the call to the nodes. A request that is known is not executed again. */
  call(call: SubmittedCall, waitMs: number): Promise<CallOutcome>
  /** Body of the answer, signed by the node that gave it. Throws `SubnetDown` with no node up. */
  query(query: { readonly requestId: Hash32; readonly content: QueryContent }): Promise<Uint8Array>
  readState(read: StateRead): Promise<ReadStateOutcome>
}
