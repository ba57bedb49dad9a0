/** Signed dealings, supports and supported dealings as bytes. Source: threshold §§2.1, 7, 8.3. */
import type { Hash32 } from '../base/bytes.ts'
import { compareBytes, concat, equalBytes, hash32, u32be } from '../base/bytes.ts'
import { Reader, Writer } from '../base/codec.ts'
import { BadEncoding } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'
import type { NodeIndex } from '../base/party.ts'
import { verificationThreshold } from '../base/party.ts'
import type { Ed25519 } from '../base/verification.ts'
import type { Genesis, MemberRecord } from './membership.ts'
import { NODES_MAX, subnetIdOf } from './membership.ts'
import { verifyEvidence } from './node-keys.ts'
import type { Member } from './parameters.ts'
import { receiverIndexOf } from './parameters.ts'
import type { Algorithm } from './suite.ts'
import { algorithmIds } from './suite.ts'

/** Hashes in one support share; threshold specification §8.3. */
export const SUPPORTED_HASHES_MAX = 64
/**
 * A dealing for 40 receivers is below 5 KiB. A liar has 64 of these at every node and algorithm (§23):
 * so a few MiB, not more.
 */
export const DEALING_SIZE_MAX = 16 * 1024
const SIGNATURE_SIZE = 64

/** What a dealer stands for. `hash` names the dealing everywhere. */
export type SignedDealing = {
  readonly transcriptId: bigint
  /** Number of the dealer. */
  readonly dealer: NodeIndex
  /** CBOR of §7. */
  readonly dealing: Uint8Array
  readonly signature: Uint8Array
  readonly hash: Hash32
}

/**
 * One node's word that it holds good shares of each dealing named: 1 … 64 hashes, ascending, no
 * repetition.
 */
export type Support = {
  readonly signer: NodeIndex
  readonly hashes: readonly Hash32[]
  readonly signature: Uint8Array
}

/** A dealing that enough receivers vouch for, and therefore an item of the log. */
export type SupportedDealing = {
  readonly signed: SignedDealing
  readonly supports: readonly Support[]
}

/** What signatures of one time line of this subnet start with. */
export function runPrefix(genesis: Genesis): Uint8Array {
  return new Writer().raw(subnetIdOf(genesis)).u64(genesis.incarnation).done()
}

/**
 * What signatures over the dealings of one algorithm start with: ids of transcripts are counted by
 * algorithm.
 */
export const lanePrefix = (genesis: Genesis, algorithm: Algorithm): Uint8Array =>
  concat(runPrefix(genesis), Uint8Array.of(algorithmIds[algorithm]))

type Statement = Pick<SignedDealing, 'transcriptId' | 'dealer' | 'dealing'>

const encodeStatement = ({ transcriptId, dealer, dealing }: Statement): Uint8Array =>
  new Writer().u64(transcriptId).u16(dealer).bytes(dealing).done()

/** Bytes a dealer signs, without the domain. */
export const dealingContent = (prefix: Uint8Array, statement: Statement): Uint8Array =>
  concat(prefix, encodeStatement(statement))

export function encodeSignedDealing(signed: Omit<SignedDealing, 'hash'>): Uint8Array {
  return concat(encodeStatement(signed), signed.signature)
}

function readSignedDealing(reader: Reader): SignedDealing {
  const statement = {
    transcriptId: reader.u64(),
    dealer: reader.u16(),
    dealing: reader.bytes(DEALING_SIZE_MAX),
    signature: reader.raw(SIGNATURE_SIZE),
  }
  return { ...statement, hash: sha256(encodeSignedDealing(statement)) }
}

export function decodeSignedDealing(bytes: Uint8Array): SignedDealing {
  const reader = new Reader(bytes)
  return reader.end(readSignedDealing(reader))
}

/** Bytes a supporter signs, without the domain: the list of hashes says what they are about. */
export const supportContent = (prefix: Uint8Array, hashes: readonly Hash32[]): Uint8Array =>
  concat(prefix, u32be(hashes.length), ...hashes)

export function encodeSupport({ hashes, signature }: Omit<Support, 'signer'>): Uint8Array {
  return new Writer()
    .list(hashes, (writer, hash) => writer.raw(hash))
    .raw(signature)
    .done()
}

function readSupport(reader: Reader): Omit<Support, 'signer'> {
  const hashes = reader.list((list) => hash32(list.raw(32)), SUPPORTED_HASHES_MAX)
  if (hashes.length === 0) throw new BadEncoding('a support of nothing')
  const ascending = hashes.every((hash, i) => {
    const next = hashes[i + 1]
    return next === undefined || compareBytes(hash, next) < 0
  })
  if (!ascending) throw new BadEncoding('hashes repeated or out of order')
  return { hashes, signature: reader.raw(SIGNATURE_SIZE) }
}

export function decodeSupport(bytes: Uint8Array): Omit<Support, 'signer'> {
  const reader = new Reader(bytes)
  return reader.end(readSupport(reader))
}

export function encodeSupportedDealing({ signed, supports }: SupportedDealing): Uint8Array {
  return new Writer()
    .bytes(encodeSignedDealing(signed))
    .list(supports, (writer, support) => writer.u16(support.signer).raw(encodeSupport(support)))
    .done()
}

export function decodeSupportedDealing(bytes: Uint8Array): SupportedDealing {
  const reader = new Reader(bytes)
  const signed = decodeSignedDealing(reader.bytes(DEALING_SIZE_MAX + 128))
  const supports = reader.list((list) => ({ signer: list.u16(), ...readSupport(list) }), NODES_MAX)
  return reader.end({ signed, supports })
}

/** What checking the evidence of a dealing needs to know. */
export type EvidenceContext = {
  readonly prefix: Uint8Array
  /** All nodes that have ever been members, by number (§2.1). */
  readonly members: readonly MemberRecord[]
  readonly ed25519: Ed25519
}

type Receivers = { readonly receivers: readonly Pick<Member, 'id'>[] }

/** Index among the receivers of the node of this number; undefined for a node that is none. */
export function placeOf(
  { members }: Pick<EvidenceContext, 'members'>,
  parameters: Receivers,
  node: NodeIndex,
): NodeIndex | undefined {
  const id = members[node]?.id
  return id && receiverIndexOf(parameters, id)
}

/** Number of the node at this index among the receivers. */
export function nodeAt(
  { members }: Pick<EvidenceContext, 'members'>,
  { receivers }: Receivers,
  index: NodeIndex,
): NodeIndex {
  const receiver = receivers[index]
  return members.findIndex(({ id }) => receiver !== undefined && equalBytes(id, receiver.id))
}

/** Whether the dealer named signed this dealing in this run. */
export function dealerSigned(context: EvidenceContext, signed: SignedDealing): boolean {
  const signer = context.members[signed.dealer]
  const content = dealingContent(context.prefix, signed)
  const { signature } = signed
  return (
    signer !== undefined &&
    verifyEvidence(context.ed25519, { signer, kind: 'dealing', content, signature })
  )
}

/** Whether the supporter named signed this list in this run. */
export function supporterSigned(context: EvidenceContext, support: Support): boolean {
  const signer = context.members[support.signer]
  const content = supportContent(context.prefix, support.hashes)
  const { signature } = support
  return (
    signer !== undefined &&
    verifyEvidence(context.ed25519, { signer, kind: 'support', content, signature })
  )
}

/**
 * Whether exactly v = 2f + 1 distinct receivers support the dealing and all signatures verify.
 * Nothing is said of the dealing itself: f + 1 of the supporters are honest and have checked it.
 */
export function supportSuffices(
  context: EvidenceContext,
  parameters: Receivers,
  supported: SupportedDealing,
): boolean {
  const { signed, supports } = supported
  const signers = new Set(supports.map(({ signer }) => signer))
  return (
    supports.length === verificationThreshold(parameters.receivers.length) &&
    signers.size === supports.length &&
    supports.every(({ signer }) => placeOf(context, parameters, signer) !== undefined) &&
    supports.every(({ hashes }) => hashes.some((hash) => equalBytes(hash, signed.hash))) &&
    dealerSigned(context, signed) &&
    supports.every((support) => supporterSigned(context, support))
  )
}
