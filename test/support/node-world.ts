/**
 * What the nodes of a simulated subnet are made of: their keys, and where their time line begins,
 * anew or with the keys of an earlier one.
 */
import { deserialize, serialize } from 'node:v8'
import type { Hash32 } from '../../src/core/base/bytes.ts'
import { utf8 } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { Seed } from '../../src/core/base/seed.ts'
import type { TimestampNs } from '../../src/core/base/units.ts'
import type { Block } from '../../src/core/btc/block.ts'
import { selfAuthenticating } from '../../src/core/ic/principal.ts'
import { encodePublicKey } from '../../src/core/ic/public-key.ts'
import type { LogPosition } from '../../src/core/log/log.ts'
import type { NodeConfig } from '../../src/core/subnet/node.ts'
import type { ReplicaState } from '../../src/core/subnet/replica-state.ts'
import { embeddedMinter } from '../../src/core/subnet/settings.ts'
import type { Genesis } from '../../src/core/tecdsa/membership.ts'
import { subnetIdOf } from '../../src/core/tecdsa/membership.ts'
import type { NodeKeys } from '../../src/core/tecdsa/node-keys.ts'
import { nativeEd25519 } from '../../src/native/ed25519.ts'
import { foundSubnet } from './founded.ts'

/** What a time line goes on from; `state` is serialised, so that each node has its own. */
export type Kept = {
  readonly slot: bigint
  readonly hash: Hash32
  readonly time: TimestampNs
  readonly keys: Uint8Array
  readonly state: Uint8Array
  /** Of the Bitcoin chain, without genesis. */
  readonly blocks: readonly Block[]
}

const operatorSecret = Seed.fromBytes(utf8('operator of the simulation')).generator().bytes(32)
export const operator = {
  publicKey: nativeEd25519.publicKey(operatorSecret),
  sign: (content: Uint8Array): Uint8Array => nativeEd25519.sign(operatorSecret, content),
}
const operatorPrincipal = selfAuthenticating(
  encodePublicKey({ type: 'ed25519', key: operator.publicKey }),
)

export const serialized = (state: unknown): Uint8Array => new Uint8Array(serialize(state))

export class NodeWorld {
  readonly genesis: Genesis
  readonly keys: readonly NodeKeys[]
  readonly kept: Kept | undefined
  readonly #limits: Pick<NodeConfig, 'stockTarget' | 'creationMax' | 'requestAlarmMs'>

  constructor(
    nodes: number,
    {
      incarnation,
      kept,
      stockTarget = 1,
      requestAlarmMs,
    }: {
      readonly incarnation: bigint
      readonly kept?: Kept
      readonly stockTarget?: number
      readonly requestAlarmMs?: number
    },
  ) {
    const { genesis, keys } = foundSubnet(nodes, incarnation)
    this.genesis = genesis
    this.keys = keys
    this.kept = kept
    this.#limits = { stockTarget, creationMax: 1, requestAlarmMs }
  }

  get nodes(): number {
    return this.keys.length
  }

  get stockTarget(): number {
    return this.#limits.stockTarget
  }

  /** Where the log of this time line begins. */
  get origin(): LogPosition {
    const { kept } = this
    if (kept === undefined) return { next: 0n, previous: subnetIdOf(this.genesis), time: undefined }
    return { next: kept.slot, previous: kept.hash, time: kept.time }
  }

  /** What a node starts with, for the first time or again. */
  configOf(me: NodeIndex, records: ReadonlyMap<string, Uint8Array>): NodeConfig {
    const { genesis, kept } = this
    return {
      genesis,
      keys: present(this.keys[me], 'a node of this world'),
      me,
      ed25519: nativeEd25519,
      records: new Map(records),
      minter: embeddedMinter,
      operator: operatorPrincipal,
      restored: kept?.keys,
      from: kept && { slot: kept.slot, state: deserialize(kept.state) as ReplicaState },
      ...this.#limits,
    }
  }
}
