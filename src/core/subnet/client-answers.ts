/**
 * What a node answers to clients outside the log: certificates of the settled state, and queries
 * under its own signature. Source: IC interface §§9, 10, 15 to 17.
 */
import type { Hash32 } from '../base/bytes.ts'
import { utf8 } from '../base/bytes.ts'
import type { TimestampNs } from '../base/units.ts'
import { NS_PER_SECOND } from '../base/units.ts'
import { encodeCertificate } from '../ic/certificate.ts'
import type { QueryContent } from '../ic/envelope.ts'
import type { Path } from '../ic/hash-tree.ts'
import type { Principal } from '../ic/principal.ts'
import type { StateRead } from '../ic/read-state.ts'
import { judgeRead } from '../ic/read-state.ts'
import { queryBody, queryHash } from '../ic/responses.ts'
import type { Branch } from '../ic/state-tree.ts'
import { witness } from '../ic/state-tree.ts'
import { certifiedDataPath, requestPath, TIME_PATH } from './certified-state.ts'
import type { Answer, Question, ReadStateOutcome } from './node-io.ts'
import type { Replica } from './replica.ts'

/** The state after a slot whose root n − f nodes have named. */
export type CertifiedState = {
  readonly slot: bigint
  readonly time: TimestampNs
  readonly tree: Branch
}

/** A certificate older than this is never served (§16). */
export const CERTIFICATE_AGE_NS_MAX = 60n * NS_PER_SECOND

export type AnswerContext = {
  readonly replica: Replica
  /** Undefined until the first root is settled. */
  readonly certified: CertifiedState | undefined
  /** Whether the replica's state is the certified one. */
  readonly isCurrent: boolean
  /** Signature over the root of `certified`; undefined while too few good shares are here. */
  readonly signature: () => Uint8Array | undefined
  readonly nodeId: Principal
  /** The node's own signature over the hash of an answer, domain included. */
  readonly signAnswer: (hash: Hash32) => Uint8Array
  /** The node's clock. */
  readonly now: TimestampNs
}

export function answer(context: AnswerContext, question: Question): Answer {
  switch (question.type) {
    case 'query':
      return { type: 'query', body: answerQuery(context, question) }
    case 'readState':
      return { type: 'readState', outcome: readState(context, question.read) }
    case 'certificates':
      return {
        type: 'certificates',
        certificates: question.requestIds.map((id) => callCertificate(context, id)),
      }
  }
}

/** Whether the certified state shows what came of a request. */
export function showsRequest({ tree }: CertifiedState, requestId: Uint8Array): boolean {
  const requests = tree.get(utf8('request_status'))
  return requests !== undefined && 'get' in requests && requests.get(requestId) !== undefined
}

function certificate(context: AnswerContext, paths: readonly Path[]): Uint8Array | undefined {
  const { certified } = context
  const signature = certified && context.signature()
  if (certified === undefined || signature === undefined) return undefined
  return encodeCertificate({ tree: witness(certified.tree, paths), signature })
}

function callCertificate(context: AnswerContext, requestId: Hash32): Uint8Array | undefined {
  if (context.certified === undefined || !showsRequest(context.certified, requestId))
    return undefined
  return certificate(context, [TIME_PATH, requestPath(requestId)])
}

const isTooOld = ({ certified, now }: AnswerContext): boolean =>
  certified === undefined || certified.time + CERTIFICATE_AGE_NS_MAX < now

function answerQuery(
  context: AnswerContext,
  { requestId, content }: { readonly requestId: Hash32; readonly content: QueryContent },
): Uint8Array {
  const { replica, isCurrent, nodeId, now } = context
  const { sender: caller, canisterId, methodName, arg } = content
  // A certificate of another state than the one that is asked would contradict the answer.
  const dataCertificate = (id: Principal): Uint8Array | undefined =>
    isCurrent && !isTooOld(context)
      ? certificate(context, [TIME_PATH, certifiedDataPath(id)])
      : undefined
  const reply = replica.query({ caller, canisterId, methodName, arg }, dataCertificate)
  const signature = context.signAnswer(queryHash(reply, { requestId, timestamp: now }))
  return queryBody(reply, { timestamp: now, signature, nodeId })
}

function readState(context: AnswerContext, read: StateRead): ReadStateOutcome {
  const verdict = judgeRead(read, (id) => context.replica.findRequest(id))
  if (verdict.type === 'refused') return verdict
  const shown = isTooOld(context) ? undefined : certificate(context, verdict.paths)
  return shown === undefined
    ? {
        type: 'refused',
        status: 503,
        reason: 'Certified state is not available yet. Please try again...',
      }
    : { type: 'certificate', certificate: shown }
}
