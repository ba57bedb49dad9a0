/**
 * Who the nodes are: the membership record and the genesis of a subnet. Source: threshold §§2.1,
 * 2.3, 3.7, 18.4.
 */
import { compareBytes, concat, equalBytes, type Hash32, hash32 } from '../base/bytes.ts'
import { Reader, Writer } from '../base/codec.ts'
import { BadEncoding } from '../base/errors.ts'
import { decodeNonZero } from '../base/group.ts'
import { sha224, sha256 } from '../base/hash.ts'
import { secp256k1 } from '../base/noble-secp256k1.ts'
import type { TimestampNs } from '../base/units.ts'
import { timestampNs } from '../base/units.ts'

/** Largest subnet that the tool makes; threshold specification §23. */
export const NODES_MAX = 40

const ED25519_DER_PREFIX = Uint8Array.of(
  0x30,
  0x2a,
  0x30,
  0x05,
  0x06,
  0x03,
  0x2b,
  0x65,
  0x70,
  3,
  0x21,
  0,
)
const SELF_AUTHENTICATING = Uint8Array.of(2)
const ENTROPY_SIZE = 32

/** Public record of one node. */
export type MemberRecord = {
  /** Self-authenticating principal of the Ed25519 key, 29 bytes; orders the members. */
  readonly id: Uint8Array
  /** Ed25519 public key, 32 bytes. */
  readonly signingKey: Uint8Array
  /** MEGa encryption key on secp256k1, 33 bytes, never the identity. */
  readonly encryptionKey: Uint8Array
}

/** Members in canonical order (ascending id); the index of a node is its position. */
export type Membership = { readonly version: bigint; readonly members: readonly MemberRecord[] }

/** What all nodes of a subnet agree on before the log begins. */
export type Genesis = {
  readonly membership: Membership
  /** Drawn once, so that two subnets of the same nodes are two subnets. */
  readonly entropy: Uint8Array
  /** 64 fresh bits; enters every id and signature of this time line. */
  readonly incarnation: bigint
  /** When the subnet was founded; its canisters are installed at this time. */
  readonly createdAt: TimestampNs
}

/** Node id of an Ed25519 key: SHA-224 of its DER form ‖ 02. Source: IC interface §3. */
export const memberId = (signingKey: Uint8Array): Uint8Array =>
  concat(sha224(concat(ED25519_DER_PREFIX, signingKey)), SELF_AUTHENTICATING)

/**
 * Puts records into canonical order. Two records of one node, or a key that is none, are
 * `BadEncoding`.
 */
export function createMembership(records: readonly MemberRecord[], version: bigint): Membership {
  const members = records.toSorted((a, b) => compareBytes(a.id, b.id))
  if (members.length === 0 || members.length > NODES_MAX)
    throw new BadEncoding(`a membership of ${members.length} nodes`)
  for (const [index, member] of members.entries()) {
    const next = members[index + 1]
    if (next !== undefined && equalBytes(member.id, next.id))
      throw new BadEncoding('a node occurs twice')
    if (!equalBytes(member.id, memberId(member.signingKey)))
      throw new BadEncoding('a node id is not that of its key')
    decodeNonZero(secp256k1, member.encryptionKey)
  }
  return { version, members }
}

export function encodeMembership({ version, members }: Membership): Uint8Array {
  return new Writer()
    .u64(version)
    .list(members, (writer, { signingKey, encryptionKey }) =>
      writer.raw(signingKey).raw(encryptionKey),
    )
    .done()
}

export function encodeGenesis({
  membership,
  entropy,
  incarnation,
  createdAt,
}: Genesis): Uint8Array {
  return new Writer()
    .bytes(encodeMembership(membership))
    .raw(entropy)
    .u64(incarnation)
    .u64(createdAt)
    .done()
}

export function decodeGenesis(bytes: Uint8Array): Genesis {
  const reader = new Reader(bytes)
  const membership = decodeMembership(reader.bytes())
  return reader.end({
    membership,
    entropy: reader.raw(ENTROPY_SIZE),
    incarnation: reader.u64(),
    createdAt: timestampNs(reader.u64()),
  })
}

function decodeMembership(bytes: Uint8Array): Membership {
  const reader = new Reader(bytes)
  const version = reader.u64()
  const records = reader.list(readRecord, NODES_MAX)
  const membership = reader.end(createMembership(records, version))
  if (!equalBytes(encodeMembership(membership), bytes))
    throw new BadEncoding('members are not in canonical order')
  return membership
}

function readRecord(reader: Reader): MemberRecord {
  const signingKey = reader.raw(32)
  return { id: memberId(signingKey), signingKey, encryptionKey: reader.raw(33) }
}

/** The genesis id that names the subnet in every hash of §3.7, 32 bytes. */
export const subnetIdOf = ({ membership, entropy }: Genesis): Hash32 =>
  hash32(sha256(concat(encodeMembership(membership), entropy)))
