/**
 * CBOR of points, scalars, commitments, openings and signature shares. Source: threshold
 * specification §7.
 */
import { concat } from '../base/bytes.ts'
import { Reader } from '../base/codec.ts'
import { BadEncoding } from '../base/errors.ts'
import type { Group } from '../base/group.ts'
import { decodePoint } from '../base/group.ts'
import {
  cborArray,
  cborBytes,
  cborMap,
  readArray,
  readBytes,
  readKey,
  readMapHead,
  readVariant,
} from './cbor.ts'
import type { Commitment } from './commitment.ts'
import type { SchnorrShare } from './schnorr.ts'
import type { Opening } from './secret.ts'
import type { SignatureShare } from './signature.ts'
import type { Suite } from './suite.ts'

/** More receivers than any subnet has; bounds what a decoder builds. */
export const RECEIVERS_MAX = 40
/** t of the largest subnet. */
const POINTS_MAX = 14

/** Reads a whole object and refuses what follows it. */
export function decodeWhole<T>(bytes: Uint8Array, read: (reader: Reader) => T): T {
  const reader = new Reader(bytes)
  return reader.end(read(reader))
}

const taggedBytes = <P>(group: Group<P>, encoded: Uint8Array): Uint8Array =>
  concat(Uint8Array.of(group.tag), encoded)

const tagged = <P>(group: Group<P>, encoded: Uint8Array): Uint8Array =>
  cborBytes(taggedBytes(group, encoded))

/** Points as byte strings behind the tag of their group; one inversion for all. */
export const cborPoints = <P>(group: Group<P>, points: readonly P[]): Uint8Array[] =>
  group.encode(points).map((encoded) => tagged(group, encoded))

export const cborScalar = <P>(group: Group<P>, scalar: bigint): Uint8Array =>
  tagged(group, group.encodeScalar(scalar))

function untagged<P>(group: Group<P>, bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== group.tag) throw new BadEncoding(`not of ${group.name}, by its tag`)
  return bytes.subarray(1)
}

export const readPoint = <P>(group: Group<P>, reader: Reader): P =>
  decodePoint(group, untagged(group, readBytes(reader)))

function scalarOf<P>(group: Group<P>, bytes: Uint8Array): bigint {
  const scalar = group.decodeScalar(bytes)
  if (scalar === undefined) throw new BadEncoding(`not a scalar of ${group.name}`)
  return scalar
}

export const readScalar = <P>(group: Group<P>, reader: Reader): bigint =>
  scalarOf(group, untagged(group, readBytes(reader)))

/** Value and mask as an array of two. */
export function readScalars<P>(group: Group<P>, reader: Reader, count: number): readonly bigint[] {
  const scalars = readArray(reader, () => readScalar(group, reader), count)
  if (scalars.length !== count) throw new BadEncoding(`${scalars.length} scalars, ${count} due`)
  return scalars
}

const commitmentNames = { simple: 'Simple', pedersen: 'Pedersen' } as const

/** The commitment, from points that the caller has encoded with its others. */
export const cborCommitment = (
  { type }: Pick<Commitment<unknown>, 'type'>,
  points: readonly Uint8Array[],
): Uint8Array => cborMap({ [commitmentNames[type]]: cborMap({ points: cborArray(points) }) })

export function readCommitment<P>(group: Group<P>, reader: Reader): Commitment<P> {
  const name = readVariant(reader, ['Simple', 'Pedersen'])
  readMapHead(reader, 1)
  readKey(reader, 'points')
  const points = readArray(reader, () => readPoint(group, reader), POINTS_MAX)
  if (points.length === 0) throw new BadEncoding('a commitment without points')
  return { type: name === 'Simple' ? 'simple' : 'pedersen', points }
}

export const encodeCommitment = <P>({ group }: Suite<P>, commitment: Commitment<P>): Uint8Array =>
  cborCommitment(commitment, cborPoints(group, commitment.points))

export const decodeCommitment = <P>({ group }: Suite<P>, bytes: Uint8Array): Commitment<P> =>
  decodeWhole(bytes, (reader) => readCommitment(group, reader))

function cborOpening<P>(group: Group<P>, opening: Opening): Uint8Array {
  const value = cborScalar(group, opening.value)
  if (opening.type === 'simple') return cborMap({ Simple: value })
  return cborMap({ Pedersen: cborArray([value, cborScalar(group, opening.mask)]) })
}

function readOpening<P>(group: Group<P>, reader: Reader): Opening {
  if (readVariant(reader, ['Simple', 'Pedersen']) === 'Simple')
    return { type: 'simple', value: readScalar(group, reader) }
  const [value = 0n, mask = 0n] = readScalars(group, reader, 2)
  return { type: 'pedersen', value, mask }
}

export const encodeOpening = <P>({ group }: Suite<P>, opening: Opening): Uint8Array =>
  cborOpening(group, opening)

export const decodeOpening = <P>({ group }: Suite<P>, bytes: Uint8Array): Opening =>
  decodeWhole(bytes, (reader) => readOpening(group, reader))

export const encodeSignatureShare = <P>({ group }: Suite<P>, share: SignatureShare): Uint8Array =>
  cborMap({
    sigma_numerator: cborOpening(group, share.nu),
    sigma_denominator: cborOpening(group, share.mu),
  })

export const decodeSignatureShare = <P>({ group }: Suite<P>, bytes: Uint8Array): SignatureShare =>
  decodeWhole(bytes, (reader) => {
    readMapHead(reader, 2)
    readKey(reader, 'sigma_numerator')
    const nu = readOpening(group, reader)
    readKey(reader, 'sigma_denominator')
    return { nu, mu: readOpening(group, reader) }
  })

/** BIP340 as a map; Ed25519 as the tagged scalar alone, without CBOR. */
export const encodeSchnorrShare = <P>(
  { algorithm, group }: Suite<P>,
  { s }: SchnorrShare,
): Uint8Array =>
  algorithm === 'ThresholdEd25519'
    ? taggedBytes(group, group.encodeScalar(s))
    : cborMap({ s: cborScalar(group, s) })

export const decodeSchnorrShare = <P>(suite: Suite<P>, bytes: Uint8Array): SchnorrShare =>
  decodeWhole(bytes, (reader) => {
    const { algorithm, group } = suite
    if (algorithm === 'ThresholdEd25519')
      return { s: scalarOf(group, untagged(group, reader.raw(1 + group.scalarSize))) }
    readMapHead(reader, 1)
    readKey(reader, 's')
    return { s: readScalar(group, reader) }
  })
