/**
 * A node's word in a refresh, and the operator's in a change of membership, as items of the log.
 * Source: threshold §§11.2, 11.4, 17.1.
 */
import { Reader, Writer } from '../base/codec.ts'
import type { NodeIndex } from '../base/party.ts'
import type { EvidenceContext } from './evidence.ts'
import type { MemberRecord } from './membership.ts'
import { memberId, NODES_MAX } from './membership.ts'
import type { NodeKeys } from './node-keys.ts'
import { verifyEvidence } from './node-keys.ts'

/**
 * With a key: "let there be a membership of this version, and in it this be my key". Without one:
 * "it may begin, those that have given no key keep theirs".
 */
export type RefreshWord = {
  readonly version: bigint
  /** Number. */
  readonly node: NodeIndex
  /** MEGa key, 33 bytes. */
  readonly encryptionKey: Uint8Array | undefined
  readonly signature: Uint8Array
}

type Statement = Omit<RefreshWord, 'signature'>
type Context = Pick<EvidenceContext, 'prefix' | 'members' | 'ed25519'>

const writeStatement = (writer: Writer, { version, node, encryptionKey }: Statement): Writer =>
  writer
    .u64(version)
    .u16(node)
    .optional(encryptionKey, (to, key) => to.raw(key))

const content = (prefix: Uint8Array, statement: Statement): Uint8Array =>
  writeStatement(new Writer().raw(prefix), statement).done()

export const signRefresh = (
  keys: NodeKeys,
  prefix: Uint8Array,
  statement: Statement,
): RefreshWord => ({ ...statement, signature: keys.sign('refresh', content(prefix, statement)) })

/** Whether the node named is one, and signed it. */
export function isRefreshSigned({ prefix, members, ed25519 }: Context, word: RefreshWord): boolean {
  const signer = members[word.node]
  const { signature } = word
  const evidence = { kind: 'refresh', content: content(prefix, word), signature } as const
  return signer !== undefined && verifyEvidence(ed25519, { signer, ...evidence })
}

export const encodeRefresh = (word: RefreshWord): Uint8Array =>
  writeStatement(new Writer(), word).raw(word.signature).done()

export function decodeRefresh(bytes: Uint8Array): RefreshWord {
  const reader = new Reader(bytes)
  return reader.end({
    version: reader.u64(),
    node: reader.u16(),
    encryptionKey: reader.optional((from) => from.raw(33)),
    signature: reader.raw(64),
  })
}

/** A node that is to join; it shows that the record is its own by signing it. */
export type Joining = { readonly record: MemberRecord; readonly signature: Uint8Array }

/** Who is to join and who to leave with the membership of this version. */
export type MembershipChange = {
  readonly version: bigint
  readonly joining: readonly Joining[]
  /** Ids, 29 bytes. */
  readonly leaving: readonly Uint8Array[]
}

type JoiningContext = Pick<EvidenceContext, 'prefix' | 'ed25519'>

const joiningContent = (
  prefix: Uint8Array,
  version: bigint,
  { signingKey, encryptionKey }: MemberRecord,
): Uint8Array => new Writer().raw(prefix).u64(version).raw(signingKey).raw(encryptionKey).done()

export const signJoining = (keys: NodeKeys, prefix: Uint8Array, version: bigint): Joining => ({
  record: keys.record,
  signature: keys.sign('joining', joiningContent(prefix, version, keys.record)),
})

export const isJoiningSigned = (
  { prefix, ed25519 }: JoiningContext,
  version: bigint,
  { record, signature }: Joining,
): boolean =>
  verifyEvidence(ed25519, {
    signer: record,
    kind: 'joining',
    content: joiningContent(prefix, version, record),
    signature,
  })

export const encodeMembershipChange = ({
  version,
  joining,
  leaving,
}: MembershipChange): Uint8Array =>
  new Writer()
    .u64(version)
    .list(joining, (writer, { record, signature }) =>
      writer.raw(record.signingKey).raw(record.encryptionKey).raw(signature),
    )
    .list(leaving, (writer, id) => writer.raw(id))
    .done()

export function decodeMembershipChange(bytes: Uint8Array): MembershipChange {
  const reader = new Reader(bytes)
  return reader.end({
    version: reader.u64(),
    joining: reader.list(readJoining, NODES_MAX),
    leaving: reader.list((list) => list.raw(29), NODES_MAX),
  })
}

function readJoining(reader: Reader): Joining {
  const signingKey = reader.raw(32)
  const record = { id: memberId(signingKey), signingKey, encryptionKey: reader.raw(33) }
  return { record, signature: reader.raw(64) }
}
