/** A canister as the replica runs it. Source: architecture §4, IC interface §§8, 14, 17. */
import type { TimestampNs } from '../base/units.ts'
import type { Principal } from '../ic/principal.ts'
import type { Handlers } from './dispatch.ts'

/** What a method may know of the call that it answers. */
export type CallContext = {
  readonly caller: Principal
  /** Slot time; of a query, that of the state it is asked of. */
  readonly now: TimestampNs
  /**
   * Certificate of the certified state that reveals time and the canister's certified data (§17).
   * Undefined in an update, and in a query while that state is not certified.
   */
  readonly dataCertificate: () => Uint8Array | undefined
}

export interface Canister {
  readonly id: Principal
  readonly name: 'ledger' | 'minter' | 'index' | 'checker' | 'bitcoin'
  /** Every method, for one call. */
  handlers(context: CallContext): Handlers
  /** 32 bytes under `/canister/<id>/certified_data`; undefined for a canister that sets none. */
  certifiedData(): Uint8Array | undefined
}
