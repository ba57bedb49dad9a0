/** Signed complaints and openings as bytes. Source: threshold §§2.1, 10.1, 10.3. */
import { concat } from '../base/bytes.ts'
import { Reader, Writer } from '../base/codec.ts'
import type { NodeIndex } from '../base/party.ts'
import type { EvidenceContext } from './evidence.ts'
import type { EvidenceKind } from './node-keys.ts'
import { verifyEvidence } from './node-keys.ts'

/** A complaint has 147 bytes, an opening of two scalars up to 82. */
const OBJECT_SIZE_MAX = 256
const SIGNATURE_SIZE = 64

/** What the complainer stands for; the channel names it. */
export type SignedComplaint = {
  readonly transcriptId: bigint
  /** Number of the dealer. */
  readonly dealer: NodeIndex
  /** CBOR of §7. */
  readonly complaint: Uint8Array
  readonly signature: Uint8Array
}

/** What a helper stands for; the channel names it. */
export type SignedOpening = {
  readonly transcriptId: bigint
  /** Both are numbers of nodes. */
  readonly dealer: NodeIndex
  readonly complainer: NodeIndex
  /** CBOR of §7. */
  readonly opening: Uint8Array
  readonly signature: Uint8Array
}

type ComplaintStatement = Omit<SignedComplaint, 'signature'>
type OpeningStatement = Omit<SignedOpening, 'signature'>

const complaintStatement = ({ transcriptId, dealer, complaint }: ComplaintStatement): Uint8Array =>
  new Writer().u64(transcriptId).u16(dealer).bytes(complaint).done()

const openingStatement = (statement: OpeningStatement): Uint8Array =>
  new Writer()
    .u64(statement.transcriptId)
    .u16(statement.dealer)
    .u16(statement.complainer)
    .bytes(statement.opening)
    .done()

/** Bytes a complainer signs, without the domain. */
export const complaintContent = (prefix: Uint8Array, statement: ComplaintStatement): Uint8Array =>
  concat(prefix, complaintStatement(statement))

/** Bytes a helper signs, without the domain. */
export const openingContent = (prefix: Uint8Array, statement: OpeningStatement): Uint8Array =>
  concat(prefix, openingStatement(statement))

export const encodeSignedComplaint = (signed: SignedComplaint): Uint8Array =>
  concat(complaintStatement(signed), signed.signature)

export function decodeSignedComplaint(bytes: Uint8Array): SignedComplaint {
  const reader = new Reader(bytes)
  return reader.end({
    transcriptId: reader.u64(),
    dealer: reader.u16(),
    complaint: reader.bytes(OBJECT_SIZE_MAX),
    signature: reader.raw(SIGNATURE_SIZE),
  })
}

export const encodeSignedOpening = (signed: SignedOpening): Uint8Array =>
  concat(openingStatement(signed), signed.signature)

export function decodeSignedOpening(bytes: Uint8Array): SignedOpening {
  const reader = new Reader(bytes)
  return reader.end({
    transcriptId: reader.u64(),
    dealer: reader.u16(),
    complainer: reader.u16(),
    opening: reader.bytes(OBJECT_SIZE_MAX),
    signature: reader.raw(SIGNATURE_SIZE),
  })
}

/** Whether this node signed this complaint in this run. */
export const complainerSigned = (
  context: EvidenceContext,
  complainer: NodeIndex,
  signed: SignedComplaint,
): boolean =>
  nodeSigned(context, complainer, {
    kind: 'complaint',
    content: complaintContent(context.prefix, signed),
    signature: signed.signature,
  })

/** Whether this node signed this opening in this run. */
export const openerSigned = (
  context: EvidenceContext,
  opener: NodeIndex,
  signed: SignedOpening,
): boolean =>
  nodeSigned(context, opener, {
    kind: 'opening',
    content: openingContent(context.prefix, signed),
    signature: signed.signature,
  })

function nodeSigned(
  { members, ed25519 }: EvidenceContext,
  node: NodeIndex,
  evidence: {
    readonly kind: EvidenceKind
    readonly content: Uint8Array
    readonly signature: Uint8Array
  },
): boolean {
  const signer = members[node]
  return signer !== undefined && verifyEvidence(ed25519, { signer, ...evidence })
}
