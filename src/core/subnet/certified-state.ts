/**
 * The state tree of the subnet: what certificates show. Source: IC interface §14.
 */
import type { Hash32 } from '../base/bytes.ts'
import { fromHex, utf8 } from '../base/bytes.ts'
import type { TimestampNs } from '../base/units.ts'
import type { CallReply } from '../ic/call-reply.ts'
import type { Cbor } from '../ic/cbor.ts'
import { encodeTaggedCbor } from '../ic/cbor.ts'
import { encodeRanges } from '../ic/certificate.ts'
import { leb128 } from '../ic/cursor.ts'
import type { Path } from '../ic/hash-tree.ts'
import type { Principal } from '../ic/principal.ts'
import { selfAuthenticating } from '../ic/principal.ts'
import { encodePublicKey } from '../ic/public-key.ts'
import type { Branch, StateTree } from '../ic/state-tree.ts'
import { branch, deferred, leaf } from '../ic/state-tree.ts'
import type { KnownRequest } from './request-history.ts'

/** One node as the state tree names it. */
export type NodeRecord = {
  readonly id: Principal
  /** DER, Ed25519. */
  readonly publicKeyDer: Uint8Array
}

export type CanisterRecord = {
  readonly id: Principal
  readonly certifiedData: Uint8Array | undefined
  readonly controllers: readonly Principal[]
  readonly moduleHash: Hash32
  /** Public sections, `candid:service` among them. */
  readonly metadata: ReadonlyMap<string, string>
}

export type StateParts = {
  readonly time: TimestampNs
  /** 96 bytes. */
  readonly certificationKey: Uint8Array
  readonly nodes: readonly NodeRecord[]
  readonly canisters: readonly CanisterRecord[]
  readonly requests: Branch
  /** Calls executed since the subnet was founded. */
  readonly updatesTotal: bigint
}

/**
 * Every canister id: clients ask for the time of canisters that are not here, and print errors
 * where a range is narrow (§14).
 */
export const CANISTER_RANGE = [
  fromHex('00000000000000000101'),
  fromHex('ffffffffffffffff0101'),
] as const

/** DER of the certification key, which is the root key of clients. */
export const rootKeyOf = (certificationKey: Uint8Array): Uint8Array =>
  encodePublicKey({ type: 'bls12381', key: certificationKey })

/** The principal under which clients look for the subnet. */
export const subnetPrincipal = (certificationKey: Uint8Array): Principal =>
  selfAuthenticating(rootKeyOf(certificationKey))

const text = (value: string): StateTree => leaf(utf8(value))
const named = (entries: Readonly<Record<string, StateTree | undefined>>): Branch =>
  branch(
    Object.entries(entries).flatMap(([name, tree]) =>
      tree === undefined ? [] : [[utf8(name), tree] as const],
    ),
  )

export function stateTree(parts: StateParts): Branch {
  const id = subnetPrincipal(parts.certificationKey)
  const ranges = leaf(encodeRanges([CANISTER_RANGE]))
  return named({
    time: leaf(leb128(parts.time)),
    subnet: branch([[id, subnetTree(parts, ranges)]]),
    canister_ranges: branch([[id, branch([[CANISTER_RANGE[0], ranges]])]]),
    canister: branch(parts.canisters.map((canister) => [canister.id, canisterTree(canister)])),
    request_status: parts.requests,
  })
}

function subnetTree(
  { certificationKey, nodes, canisters, updatesTotal }: StateParts,
  ranges: StateTree,
): StateTree {
  // Low and high half of a 128-bit number: the embedded canisters are charged none.
  const cycles = new Map<string, Cbor>([
    ['0', 0n],
    ['1', 0n],
  ])
  const metrics = new Map<string, Cbor>([
    ['num_canisters', BigInt(canisters.length)],
    ['canister_state_bytes', 0n],
    ['consumed_cycles_total', cycles],
    ['update_transactions_total', updatesTotal],
  ])
  return named({
    public_key: leaf(rootKeyOf(certificationKey)),
    type: text('application'),
    canister_ranges: ranges,
    metrics: leaf(encodeTaggedCbor(metrics)),
    node: branch(
      nodes.map(({ id, publicKeyDer }) => [id, named({ public_key: leaf(publicKeyDer) })]),
    ),
  })
}

const canisterTree = (canister: CanisterRecord): StateTree =>
  named({
    certified_data: canister.certifiedData && leaf(canister.certifiedData),
    controllers: leaf(encodeTaggedCbor(canister.controllers)),
    module_hash: leaf(canister.moduleHash),
    metadata: branch([...canister.metadata].map(([name, value]) => [utf8(name), kept(value)])),
  })

/** Long texts, the same for canisters of a kind and in every slot: hashed once. */
const keptTexts = new Map<string, StateTree>()
const TEXTS_KEPT_MAX = 64

function kept(value: string): StateTree {
  const known = keptTexts.get(value)
  if (known !== undefined) return known
  if (keptTexts.size >= TEXTS_KEPT_MAX) keptTexts.clear()
  const tree = text(value)
  keptTexts.set(value, tree)
  return tree
}

/** What stands under a request's id once it is executed. */
export const requestTree = ({ reply }: KnownRequest): StateTree => deferred(() => replyTree(reply))

function replyTree(reply: CallReply): StateTree {
  if (reply.type === 'replied') return named({ status: text('replied'), reply: leaf(reply.arg) })
  return named({
    status: text('rejected'),
    reject_code: leaf(leb128(BigInt(reply.code))),
    reject_message: text(reply.message),
    error_code: text(reply.errorCode),
  })
}

/** Of a canister's certified data: what a data certificate shows. */
export const certifiedDataPath = (canisterId: Principal): Path => [
  utf8('canister'),
  canisterId,
  utf8('certified_data'),
]

export const requestPath = (requestId: Uint8Array): Path => [utf8('request_status'), requestId]
export const TIME_PATH: Path = [utf8('time')]
