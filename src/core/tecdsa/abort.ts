/**
 * A node's word that a request has taken too long, as an item of the log. Source: threshold §§17.1,
 * 18.5.
 */
import { Reader, Writer } from '../base/codec.ts'
import type { NodeIndex } from '../base/party.ts'
import type { Ed25519 } from '../base/verification.ts'
import type { MemberRecord } from './membership.ts'
import type { NodeKeys } from './node-keys.ts'
import { verifyEvidence } from './node-keys.ts'

export type Abort = {
  readonly requestId: Uint8Array
  readonly node: NodeIndex
  /** Of the node, over `abortContent`. */
  readonly signature: Uint8Array
}

type Statement = Pick<Abort, 'requestId' | 'node'>

export type AbortContext = {
  /** Names subnet and incarnation: an abort serves in no other time line. */
  readonly prefix: Uint8Array
  readonly members: readonly MemberRecord[]
  readonly ed25519: Ed25519
}

const abortContent = (prefix: Uint8Array, { requestId, node }: Statement): Uint8Array =>
  new Writer().raw(prefix).raw(requestId).u64(BigInt(node)).done()

export const signAbort = (keys: NodeKeys, prefix: Uint8Array, statement: Statement): Abort => ({
  ...statement,
  signature: keys.sign('abort', abortContent(prefix, statement)),
})

/** Whether the node named is one, and signed it. */
export function isAbortSigned({ prefix, members, ed25519 }: AbortContext, abort: Abort): boolean {
  const signer = members[abort.node]
  const content = abortContent(prefix, abort)
  const { signature } = abort
  return (
    signer !== undefined && verifyEvidence(ed25519, { signer, kind: 'abort', content, signature })
  )
}

export const encodeAbort = ({ requestId, node, signature }: Abort): Uint8Array =>
  new Writer().raw(requestId).u16(node).raw(signature).done()

export function decodeAbort(bytes: Uint8Array): Abort {
  const reader = new Reader(bytes)
  return reader.end({
    requestId: reader.raw(32),
    node: reader.u16(),
    signature: reader.raw(64),
  })
}
