/**
 * One transcript in the making, as the log sees it: what it is for, what it took, what came out.
 * Source: threshold §9.1.
 */
import { assert, present } from '../base/errors.ts'
import type { Secp256k1Point } from '../base/noble-secp256k1.ts'
import type { NodeIndex } from '../base/party.ts'
import type { Dealing } from './dealing.ts'
import type { SignedDealing } from './evidence.ts'
import type { Transcript, TranscriptParameters } from './parameters.ts'
import { collectionThreshold } from './parameters.ts'
import type { Suite } from './suite.ts'
import { createTranscript } from './transcript.ts'

/** A dealing that the log has taken, decoded once. */
export type TakenDealing<P = Secp256k1Point> = {
  readonly signed: SignedDealing
  readonly dealing: Dealing<P>
}

/** Grows until it has `collectionThreshold` dealings, then is final for ever. */
export type Run<P = Secp256k1Point> = {
  readonly parameters: TranscriptParameters<P>
  /** Of the time line that opened it: its dealings are signed for no other. */
  readonly incarnation: bigint
  /** In log order; the key is the dealer index of §2.3. */
  readonly taken: Map<NodeIndex, TakenDealing<P>>
  transcript: Transcript<P> | undefined
}

export const openRun = <P>(incarnation: bigint, parameters: TranscriptParameters<P>): Run<P> => ({
  parameters,
  incarnation,
  taken: new Map(),
  transcript: undefined,
})

/** The transcript of a run that is known to be final. */
export const finalOf = <P>(run: Run<P>): Transcript<P> =>
  present(run.transcript, 'the run is final')

/** Whether a dealing of this dealer would still count. */
export const takesDealer = (run: Run<unknown>, dealerIndex: NodeIndex): boolean =>
  run.transcript === undefined && !run.taken.has(dealerIndex)

/** Takes a supported dealing. True when it completed the transcript. */
export function takeDealing<P>(
  suite: Suite<P>,
  run: Run<P>,
  { dealerIndex, ...dealing }: TakenDealing<P> & { readonly dealerIndex: NodeIndex },
): boolean {
  run.taken.set(dealerIndex, dealing)
  if (run.taken.size < collectionThreshold(run.parameters)) return false
  const transcript = createTranscript(suite, run.parameters, dealingsOf(run))
  // f + 1 honest nodes have checked each dealing, so only a rule of our own can be broken here.
  assert(!('refusal' in transcript), 'supported dealings combine')
  run.transcript = transcript
  return true
}

export const dealingsOf = <P>(run: Run<P>): ReadonlyMap<NodeIndex, Dealing<P>> =>
  new Map([...run.taken].map(([index, { dealing }]) => [index, dealing]))

/** The runs of one key's protocol, as dealers and receivers see them. */
export interface RunBook<P = Secp256k1Point> {
  run(id: bigint): Run<P> | undefined
  /** Whether the transcript was opened at some time; an id below the counter never comes back. */
  wasOpened(id: bigint): boolean
  /** Transcripts that still take dealings, oldest first. */
  openRuns(): readonly Run<P>[]
  /** Transcripts that are final and not dropped, oldest first. */
  finalRuns(): readonly Run<P>[]
}
