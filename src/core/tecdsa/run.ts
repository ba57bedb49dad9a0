/**
 * One transcript in the making, as the log sees it: what it is for, what it took, what came out.
 * Source: threshold §9.1.
 */
import { assert } from '../base/errors.ts'
import type { NodeIndex } from '../base/party.ts'
import type { Dealing } from './dealing.ts'
import type { SignedDealing } from './evidence.ts'
import type { Transcript, TranscriptParameters } from './parameters.ts'
import { collectionThreshold } from './parameters.ts'
import type { Suite } from './suite.ts'
import { createTranscript } from './transcript.ts'

/** A dealing that the log has taken, decoded once. */
export type TakenDealing = { readonly signed: SignedDealing; readonly dealing: Dealing }

/** Grows until it has `collectionThreshold` dealings, then is final for ever. */
export type Run = {
  readonly parameters: TranscriptParameters
  /** In log order; the key is the dealer index of §2.3. */
  readonly taken: Map<NodeIndex, TakenDealing>
  transcript: Transcript | undefined
}

export const openRun = (parameters: TranscriptParameters): Run => ({
  parameters,
  taken: new Map(),
  transcript: undefined,
})

/** Whether a dealing of this dealer would still count. */
export const takesDealer = (run: Run, dealerIndex: NodeIndex): boolean =>
  run.transcript === undefined && !run.taken.has(dealerIndex)

/** Takes a supported dealing. True when it completed the transcript. */
export function takeDealing(
  suite: Suite,
  run: Run,
  { dealerIndex, ...dealing }: TakenDealing & { readonly dealerIndex: NodeIndex },
): boolean {
  run.taken.set(dealerIndex, dealing)
  if (run.taken.size < collectionThreshold(run.parameters)) return false
  const transcript = createTranscript(suite, run.parameters, dealingsOf(run))
  // f + 1 honest nodes have checked each dealing, so only a rule of our own can be broken here.
  assert(!('refusal' in transcript), 'supported dealings combine')
  run.transcript = transcript
  return true
}

export const dealingsOf = (run: Run): ReadonlyMap<NodeIndex, Dealing> =>
  new Map([...run.taken].map(([index, { dealing }]) => [index, dealing]))
