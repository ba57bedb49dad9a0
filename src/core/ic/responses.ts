/**
 * Bodies of HTTP answers, and what a node signs of an answer to a query. Implements
 * `docs/spec/ic-interface.md` §§8 to 11.
 */
import type { Hash32 } from '../base/bytes.ts'
import type { TimestampNs } from '../base/units.ts'
import type { CallReply, Rejection } from './call-reply.ts'
import type { Cbor } from './cbor.ts'
import { encodeTaggedCbor } from './cbor.ts'
import type { Principal } from './principal.ts'
import { mapHash } from './request-id.ts'

const body = (fields: readonly (readonly [string, Cbor])[]): Uint8Array =>
  encodeTaggedCbor(new Map(fields))

const rejectionFields = ({ code, message, errorCode }: Rejection) =>
  [
    ['reject_code', BigInt(code)],
    ['reject_message', message],
    ['error_code', errorCode],
  ] as const

/** A finished call (v3, v4): `replied` names the form of the answer, not the result. */
export const callBody = (certificate: Uint8Array): Uint8Array =>
  body([
    ['status', 'replied'],
    ['certificate', certificate],
  ])

/** A call that was refused by inspection; `withStatus` from v3 on. */
export const rejectionBody = (
  rejection: Rejection,
  { withStatus }: { readonly withStatus: boolean },
): Uint8Array =>
  body([
    ...(withStatus ? ([['status', 'non_replicated_rejection']] as const) : []),
    ...rejectionFields(rejection),
  ])

export const readStateBody = (certificate: Uint8Array): Uint8Array =>
  body([['certificate', certificate]])

export type NodeSignature = {
  readonly timestamp: TimestampNs
  /** Ed25519, 64 bytes, over the domain `ic-response` and `queryHash`. */
  readonly signature: Uint8Array
  readonly nodeId: Principal
}

/** What a node stands for when it answers a query. */
export function queryHash(
  reply: CallReply,
  { requestId, timestamp }: { readonly requestId: Hash32; readonly timestamp: TimestampNs },
): Hash32 {
  return reply.type === 'replied'
    ? mapHash({ status: 'replied', reply: { arg: reply.arg }, timestamp, request_id: requestId })
    : mapHash({
        status: 'rejected',
        reject_code: BigInt(reply.code),
        reject_message: reply.message,
        error_code: reply.errorCode,
        timestamp,
        request_id: requestId,
      })
}

/** A query's answer with the signature of one node. */
export function queryBody(
  reply: CallReply,
  { timestamp, signature, nodeId }: NodeSignature,
): Uint8Array {
  const signatures: Cbor = [
    new Map<string, Cbor>([
      ['timestamp', timestamp],
      ['signature', signature],
      ['identity', nodeId],
    ]),
  ]
  return reply.type === 'replied'
    ? body([
        ['status', 'replied'],
        ['reply', new Map([['arg', reply.arg]])],
        ['signatures', signatures],
      ])
    : body([['status', 'rejected'], ...rejectionFields(reply), ['signatures', signatures]])
}

export type SubnetStatus = {
  /** DER; undefined while it is being made. */
  readonly rootKey: Uint8Array | undefined
  readonly implementation: string
  readonly health: SubnetHealth
  readonly certifiedSlot: bigint
  readonly certifiedTime: TimestampNs
}

export type SubnetHealth =
  | 'healthy'
  | 'starting'
  | 'waiting_for_certified_state'
  | 'certified_state_behind'

/** What replicas of this interface report. */
const API_VERSION = '0.18.0'

export function statusBody(status: SubnetStatus): Uint8Array {
  const { rootKey, implementation, health, certifiedSlot, certifiedTime } = status
  return body([
    ['ic_api_version', API_VERSION],
    ['impl_version', implementation],
    ['replica_health_status', health],
    ['certified_height', certifiedSlot],
    ['certified_time', certifiedTime],
    ...(rootKey === undefined ? [] : ([['root_key', rootKey]] as const)),
  ])
}
