/**
 * Bytes of transcripts: the IC's CBOR of the combination, and our own record with all fields.
 * Source: threshold §7.
 */
import { Reader, Writer } from '../base/codec.ts'
import { BadEncoding } from '../base/errors.ts'
import { cborMap, readKey, readMapHead, readVariant } from './cbor.ts'
import type { Commitment } from './commitment.ts'
import {
  cborCommitment,
  cborPoints,
  decodeWhole,
  RECEIVERS_MAX,
  readCommitment,
} from './object-codec.ts'
import type { Transcript, TranscriptKind } from './parameters.ts'
import type { Suite } from './suite.ts'
import { algorithmIds } from './suite.ts'

/** A principal has at most 29 bytes; ours may be any short string. */
const NODE_ID_SIZE_MAX = 64
const COMBINED_SIZE_MAX = 4096

const combinationNames = {
  bySummation: 'BySummation',
  byInterpolation: 'ByInterpolation',
} as const

type Combination<P> = Pick<Transcript<P>, 'combination' | 'commitment'>

/** `{combined_commitment: {BySummation|ByInterpolation: commitment}}`. */
export const encodeCombination = <P>(
  { group }: Suite<P>,
  { combination, commitment }: Combination<P>,
): Uint8Array =>
  cborMap({
    combined_commitment: cborMap({
      [combinationNames[combination]]: cborCommitment(
        commitment,
        cborPoints(group, commitment.points),
      ),
    }),
  })

export const decodeCombination = <P>({ group }: Suite<P>, bytes: Uint8Array): Combination<P> =>
  decodeWhole(bytes, (reader) => {
    readMapHead(reader, 1)
    readKey(reader, 'combined_commitment')
    const name = readVariant(reader, ['BySummation', 'ByInterpolation'])
    const commitment: Commitment<P> = readCommitment(group, reader)
    return { combination: name === 'BySummation' ? 'bySummation' : 'byInterpolation', commitment }
  })

/** Tags of kinds in our record. */
const MASKED_RANDOM = 0
const MASKED_PRODUCT = 1
const UNMASKED_RANDOM = 2
const RESHARE_OF_MASKED = 3
const RESHARE_OF_UNMASKED = 4

function writeKind(writer: Writer, kind: TranscriptKind): void {
  if (kind.type === 'masked') {
    if (kind.origin.type === 'random') writer.u8(MASKED_RANDOM)
    else writer.u8(MASKED_PRODUCT).u64(kind.origin.left).u64(kind.origin.right)
    return
  }
  const { origin } = kind
  if (origin.type === 'random') writer.u8(UNMASKED_RANDOM)
  else
    writer
      .u8(origin.type === 'reshareMasked' ? RESHARE_OF_MASKED : RESHARE_OF_UNMASKED)
      .u64(origin.input)
}

function readKind(reader: Reader): TranscriptKind {
  const tag = reader.u8()
  switch (tag) {
    case MASKED_RANDOM:
      return { type: 'masked', origin: { type: 'random' } }
    case MASKED_PRODUCT: {
      const left = reader.u64()
      return { type: 'masked', origin: { type: 'product', left, right: reader.u64() } }
    }
    case UNMASKED_RANDOM:
      return { type: 'unmasked', origin: { type: 'random' } }
    case RESHARE_OF_MASKED:
      return { type: 'unmasked', origin: { type: 'reshareMasked', input: reader.u64() } }
    case RESHARE_OF_UNMASKED:
      return { type: 'unmasked', origin: { type: 'reshareUnmasked', input: reader.u64() } }
  }
  throw new BadEncoding(`kind ${tag} of transcript`)
}

/** Our record: id, algorithm, receivers, kind, combination. */
export function encodeTranscript<P>(suite: Suite<P>, transcript: Transcript<P>): Uint8Array {
  const writer = new Writer().u64(transcript.id).u8(algorithmIds[transcript.algorithm])
  writer.list(transcript.receivers, (to, id) => to.bytes(id))
  writeKind(writer, transcript.kind)
  return writer.bytes(encodeCombination(suite, transcript)).done()
}

export function decodeTranscript<P>(suite: Suite<P>, bytes: Uint8Array): Transcript<P> {
  const reader = new Reader(bytes)
  const id = reader.u64()
  const algorithm = reader.u8()
  if (algorithm !== algorithmIds[suite.algorithm])
    throw new BadEncoding(`a transcript of algorithm ${algorithm}`)
  const receivers = reader.list((from) => from.bytes(NODE_ID_SIZE_MAX), RECEIVERS_MAX)
  const kind = readKind(reader)
  const combined = decodeCombination(suite, reader.bytes(COMBINED_SIZE_MAX))
  return reader.end({ id, algorithm: suite.algorithm, receivers, kind, ...combined })
}
