/**
 * What is public of one signature, told by the node that combined it, so that others can follow each
 * step. Source: threshold §§14, 15, 20; cli §5.18. Nothing in it is secret: it is made of the log,
 * of signature shares that came in, and of what everybody computes of them.
 *
 * Bytes are lower-case hexadecimal, points as their group writes them, scalars 64 digits of a
 * big-endian number whatever the group, counters of the log decimal digits, nodes their index.
 */
import { bigEndian, toHex } from '../base/bytes.ts'
import type { Group } from '../base/group.ts'
import type { NodeIndex } from '../base/party.ts'
import type { Transcript } from './parameters.ts'

/** A sharing: what it is of, and the commitment to it, constant term first. */
export type ReportedTranscript = {
  readonly id: string
  readonly kind: 'masked' | 'unmasked'
  readonly origin: string
  /** Ids of the transcripts that it was made of. */
  readonly inputs: readonly string[]
  readonly combination: 'bySummation' | 'byInterpolation'
  readonly commitment: readonly string[]
}

/** By name: `delta`, `r`, …; see `docs/transcript.md`. */
export type Values = Readonly<Record<string, string>>

export type ReportedShare = {
  readonly node: NodeIndex
  /**
   * Whether it is the share that the node owes. It is asked for the report; who combines asks it only
   * when the signature is not good, and a false mask does no harm to that.
   */
  readonly good: boolean
  readonly combined: boolean
  /** What the node was blamed with. */
  readonly blame: string | undefined
  /** As it came in. */
  readonly bytes: string
  /** Its scalars by name; undefined when the bytes are no share. */
  readonly values: Values | undefined
}

/** What a session knows of it. */
export type SessionReport = {
  readonly masterKey: string
  readonly derivation: {
    readonly tweak: string
    readonly chainCode: string
    readonly publicKey: string
  }
  /** The key's first, then those of the presignature. */
  readonly transcripts: Readonly<Record<string, ReportedTranscript>>
  readonly values: Values
}

/** How the shares became one signature. */
export type ReportedCombination = {
  readonly nodes: readonly NodeIndex[]
  /** Lagrange coefficients at zero, in the order of `nodes`. */
  readonly coefficients: readonly string[]
  /** Of ECDSA numerator and denominator at zero and their quotient; of Schnorr s. */
  readonly values: Values
}

/** As one key's lane knows it. */
export type LaneReport = SessionReport & {
  readonly requestId: string
  /** Ids of the nodes that hold the key: the index of a node is its place, where its share is. */
  readonly members: readonly string[]
  readonly presignatureId: string
  readonly pairingSlot: string
  /** σ of the pairing slot and its ω. */
  readonly tape: { readonly signature: string; readonly value: string }
  /** ω of this request, 32 bytes. */
  readonly nonce: string
  /** In the order in which they came in. */
  readonly shares: readonly ReportedShare[]
  readonly combination: ReportedCombination
  readonly signature: string
  /** Number of the node that tells this, whether it holds a share or not. */
  readonly combinedBy: NodeIndex
  /** Nodes that put the signature into the log at once; the others only when it is late. */
  readonly submitters: readonly NodeIndex[]
}

/** With the public key of the tape, of G2. */
export type SigningReport = LaneReport & { readonly tapeKey: string }

/** Longer ones are no shares, and are cut off: a report has an end. */
const SHARE_BYTES_MAX = 512

export const reportedBytes = (bytes: Uint8Array): string =>
  toHex(bytes.subarray(0, SHARE_BYTES_MAX))

export const reportedScalar = (scalar: bigint): string => toHex(bigEndian(scalar, 32))

export const reportedScalars = (scalars: Readonly<Record<string, bigint>>): Values =>
  Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, reportedScalar(value)]))

export const reportedPoints = <P>(group: Group<P>, points: readonly P[]): readonly string[] =>
  group.encode(points).map(toHex)

export function reportedTranscript<P>(
  group: Group<P>,
  { id, kind, combination, commitment }: Transcript<P>,
): ReportedTranscript {
  const { origin } = kind
  const inputs =
    'left' in origin ? [origin.left, origin.right] : 'input' in origin ? [origin.input] : []
  return {
    id: id.toString(),
    kind: kind.type,
    origin: origin.type,
    inputs: inputs.map(String),
    combination,
    commitment: reportedPoints(group, commitment.points),
  }
}
