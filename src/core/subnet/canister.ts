/** A canister as the replica runs it. Source: architecture §4, IC interface §§8, 14, 17. */
import type { Hash32 } from '../base/bytes.ts'
import { equalBytes, utf8 } from '../base/bytes.ts'
import { sha256 } from '../base/hash.ts'
import type { TimestampNs } from '../base/units.ts'
import type { Principal } from '../ic/principal.ts'
import { textOfPrincipal } from '../ic/principal.ts'
import type { Handlers, Outcome } from './dispatch.ts'
import type { KeyCall, KeyReply } from './key-calls.ts'

/** What a method may know of the call that it answers. */
export type CallContext = {
  readonly caller: Principal
  /** Slot time; of a query, that of the state it is asked of. */
  readonly now: TimestampNs
  /** `query`: one node is asked. `update`: the log has ordered the call. */
  readonly kind: 'query' | 'update'
  /** Attached to the call; absent where none can be: users have none. */
  readonly cycles?: Cycles | undefined
  /**
   * Whether the node still catches up with its log, so that what it could tell is of the past. Nodes
   * say so of queries alone: an update is executed where the log has it, upon the same state at all.
   */
  readonly isRecovering?: boolean | undefined
  /**
   * Certificate of the certified state that reveals time and the canister's certified data (§17).
   * Undefined in an update, and in a query while that state is not certified.
   */
  readonly dataCertificate: () => Uint8Array | undefined
}

/** Cycles that came with a call. What is not accepted goes back. */
export interface Cycles {
  readonly available: bigint
  accept(amount: bigint): void
}

export type CanisterName = 'ledger' | 'minter' | 'index' | 'archive' | 'checker' | 'bitcoin'

/** Version of the embedded canisters: changes with what they do, not with the program. */
const VERSION = '0.1.0'

/** In place of the hash of a WebAssembly module (§14). */
export const moduleHash = (name: CanisterName): Hash32 => sha256(utf8(`ckbtc/${name}/${VERSION}`))

export interface Canister {
  readonly id: Principal
  readonly name: CanisterName
  /** Its interface as Candid text: what `handlers` serves. */
  readonly service: string
  /** Every method, for one call. */
  handlers(context: CallContext): Handlers
  /** Absent in a canister that makes no calls about threshold keys. */
  readonly keyCaller?: KeyCaller
  /** 32 bytes under `/canister/<id>/certified_data`; undefined for a canister that sets none. */
  certifiedData(): Uint8Array | undefined
}

/** A canister that calls the management canister: about threshold keys (threshold §19), or Bitcoin. */
export interface KeyCaller {
  /** Calls that have no answer yet: found in its state. */
  outstanding(): readonly Omit<KeyCall, 'caller'>[]
  /** One of them is answered, once. */
  answered(reply: Omit<KeyReply, 'caller'>, now: TimestampNs): void
}

/** For methods that change replicated state in the operator's name (§18). */
export const operatorOnly = <T>(
  caller: Principal,
  operator: Principal | undefined,
  run: () => T,
): Outcome<T> => {
  if (operator === undefined) return { type: 'reject', message: 'there is no operator to do this' }
  return equalBytes(caller, operator)
    ? { type: 'result', value: run() }
    : { type: 'reject', message: `only the operator ${textOfPrincipal(operator)} may do this` }
}
