/** What the canisters of a node are run with. Source: architecture §4. */
import type { TimestampNs } from '../base/units.ts'
import type { Ed25519 } from '../base/verification.ts'
import type { NetworkName } from '../btc/network.ts'
import type { IdsKind } from '../ic/canister-ids.ts'
import type { Principal } from '../ic/principal.ts'
import type { Canister } from './canister.ts'
import type { NodeRecord } from './certified-state.ts'
import type { KeySettings } from './key-calls.ts'
import type { LedgerSettings, MinterSettings } from './settings.ts'

export type ReplicaConfig = {
  /** Its own unless told. */
  readonly ids?: IdsKind | undefined
  /** Which chain the canisters follow; regtest unless told. */
  readonly bitcoinNetwork?: NetworkName | undefined
  /** Who may call the `x_…` methods of the canisters; their controller. */
  readonly operator: Principal
  readonly nodes: readonly NodeRecord[]
  readonly incarnation: bigint
  readonly ed25519: Ed25519
  readonly minter: MinterSettings
  /** ckBTC's profile and no further token unless told. */
  readonly ledgers?: LedgerSettings | undefined
  /** What signatures cost canisters and which keys give none; free, and all, unless told. */
  readonly keys?: KeySettings | undefined
  /** Canisters beside the embedded ones, which keep their state themselves. */
  readonly guests?: readonly Canister[] | undefined
  /** When the canisters are installed. */
  readonly createdAt: TimestampNs
}
