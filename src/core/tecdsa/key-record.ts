/**
 * A finished key as a node keeps it for a later start: its transcript's parameters and the dealings
 * in it, all of them public. Source: threshold §18.4.
 */
import { Reader, Writer } from '../base/codec.ts'
import { BadEncoding, present } from '../base/errors.ts'
import { decodeDealing } from './dealing-codec.ts'
import { decodeSignedDealing, encodeSignedDealing } from './evidence.ts'
import { NODES_MAX } from './membership.ts'
import type { Member, TranscriptParameters } from './parameters.ts'
import { checkParameters, collectionThreshold, dealerIndices } from './parameters.ts'
import type { Run } from './run.ts'
import { openRun, takeDealing, takesDealer } from './run.ts'
import type { Suite } from './suite.ts'
import { decodeTranscript, encodeTranscript } from './transcript-codec.ts'

/** What all transcripts of a subnet share. */
export type RunFrame = {
  readonly members: readonly Member[]
  readonly membershipVersion: bigint
  readonly subnetId: Uint8Array
}

/** `run`: that of a key, final; the input of its resharing is a masked transcript. */
export function encodeKeyRun<P>(suite: Suite<P>, { parameters, taken }: Run<P>): Uint8Array {
  const { id, sourceHeight, operation } = parameters
  const input = operation.type === 'reshareOfMasked' ? operation.input : undefined
  return new Writer()
    .u64(id)
    .u64(sourceHeight)
    .bytes(encodeTranscript(suite, present(input, 'a key is the resharing of a masked transcript')))
    .list([...taken], (writer, [dealerIndex, { signed }]) =>
      writer.u16(dealerIndex).bytes(encodeSignedDealing(signed)),
    )
    .done()
}

/** The run again, its transcript computed from the dealings. Anything else is `BadEncoding`. */
export function decodeKeyRun<P>(
  suite: Suite<P>,
  bytes: Uint8Array,
  { members, membershipVersion, subnetId }: RunFrame,
): Run<P> {
  const reader = new Reader(bytes)
  const [id, sourceHeight] = [reader.u64(), reader.u64()]
  const input = decodeTranscript(suite, reader.bytes())
  const parameters: TranscriptParameters<P> = {
    id,
    algorithm: suite.algorithm,
    dealers: members,
    receivers: members,
    operation: { type: 'reshareOfMasked', input },
    membershipVersion,
    subnetId,
    sourceHeight,
  }
  const problem = checkParameters(parameters)
  if (problem !== undefined) throw new BadEncoding(`a kept key: ${problem.detail}`)
  const run = openRun(parameters)
  const dealings = reader.list(
    (list) => ({ dealerIndex: list.u16(), signed: decodeSignedDealing(list.bytes()) }),
    NODES_MAX,
  )
  reader.end(undefined)
  if (dealings.length !== collectionThreshold(parameters))
    throw new BadEncoding('a kept key has another number of dealings than made it')
  for (const { dealerIndex, signed } of dealings) {
    if (!takesDealer(run, dealerIndex) || !dealerIndices(parameters).includes(dealerIndex))
      throw new BadEncoding('a kept key names a dealer that has none or two')
    const dealing = decodeDealing(suite, signed.dealing)
    takeDealing(suite, run, { dealerIndex, signed, dealing })
  }
  return run
}
