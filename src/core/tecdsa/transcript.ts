/**
 * Transcripts: combine dealings, verify the combination, load own shares. Source: threshold
 * specification §9.
 */
import { equalBytes } from '../base/bytes.ts'
import { assert, present } from '../base/errors.ts'
import type { Secret } from '../base/group.ts'
import { asSecret, mod } from '../base/group.ts'
import type { NodeIndex } from '../base/party.ts'
import type { Commitment } from './commitment.ts'
import { constantTerm, interpolateCommitments, shareOpens, sumCommitments } from './commitment.ts'
import type { Dealing, Recipient } from './dealing.ts'
import { openDealing, openDealings } from './dealing.ts'
import { lagrangeScalars } from './lagrange.ts'
import type { Operation, Transcript, TranscriptKind, TranscriptParameters } from './parameters.ts'
import { checkParameters, collectionThreshold, dealerIndices } from './parameters.ts'
import type { Refusal } from './refusal.ts'
import { refuseUnless } from './refusal.ts'
import type { SecretOpening, SecretShare } from './secret.ts'
import { Sealed, unseal } from './secret.ts'
import type { Suite } from './suite.ts'
import { encodeTranscript } from './transcript-codec.ts'

/**
 * Dealings by the index of their dealer, which is not the position in the set when membership
 * changes.
 */
export type Dealings<P> = ReadonlyMap<NodeIndex, Dealing<P>>

const isSummed = (operation: Operation<unknown>): boolean =>
  operation.type === 'random' || operation.type === 'randomUnmasked'

/**
 * Combines publicly verified dealings of distinct dealers, at least c of them. The protocol gives
 * the first c that the log has supported; more are combined too, as the known answers do.
 */
export function createTranscript<P>(
  suite: Suite<P>,
  parameters: TranscriptParameters<P>,
  dealings: Dealings<P>,
): Transcript<P> | Refusal {
  const c = collectionThreshold(parameters)
  const refused =
    checkParameters(parameters) ??
    refuse(dealings.size >= c, `${dealings.size} dealings, ${c} needed`) ??
    refuse(
      [...dealings.keys()].every((index) => dealerIndices(parameters).includes(index)),
      'a dealing of a node that does not deal',
    )
  if (refused !== undefined) return refused
  const { id, algorithm, operation } = parameters
  const commitment = combine(suite, operation, dealings)
  return (
    checkReshare(suite, operation, commitment) ?? {
      id,
      algorithm,
      receivers: parameters.receivers.map((receiver) => receiver.id),
      kind: kindOf(operation),
      combination: isSummed(operation) ? 'bySummation' : 'byInterpolation',
      commitment,
    }
  )
}

const refuse = (condition: boolean, detail: string): Refusal | undefined =>
  refuseUnless(condition, 'InvalidTranscript', detail)

function combine<P>(
  { group }: Suite<P>,
  operation: Operation<P>,
  dealings: Dealings<P>,
): Commitment<P> {
  const commitments = new Map([...dealings].map(([dealer, { commitment }]) => [dealer, commitment]))
  return isSummed(operation)
    ? sumCommitments(group, [...commitments.values()])
    : interpolateCommitments(group, commitments)
}

/** A reshare of what is visible must end with the same public key. */
function checkReshare<P>(
  { group }: Suite<P>,
  operation: Operation<P>,
  commitment: Commitment<P>,
): Refusal | undefined {
  if (operation.type !== 'reshareOfUnmasked') return undefined
  const before = constantTerm(operation.input.commitment)
  const kept = group.equals(constantTerm(commitment), before)
  return refuse(kept, 'the reshare changes the public key')
}

/** The kind recorded with the transcript, §9.1. */
function kindOf(operation: Operation<unknown>): TranscriptKind {
  switch (operation.type) {
    case 'random':
      return { type: 'masked', origin: { type: 'random' } }
    case 'randomUnmasked':
      return { type: 'unmasked', origin: { type: 'random' } }
    case 'reshareOfMasked':
      return { type: 'unmasked', origin: { type: 'reshareMasked', input: operation.input.id } }
    case 'reshareOfUnmasked':
      return { type: 'unmasked', origin: { type: 'reshareUnmasked', input: operation.input.id } }
    case 'unmaskedTimesMasked': {
      const { left, right } = operation
      return { type: 'masked', origin: { type: 'product', left: left.id, right: right.id } }
    }
  }
}

/**
 * Whether a transcript made by others is the combination of exactly c dealings of allowed dealers
 * (§9.2). Their signatures, and those of their supporters, are the caller's to check.
 */
export function verifyTranscript<P>(
  suite: Suite<P>,
  parameters: TranscriptParameters<P>,
  { dealings, transcript }: { readonly dealings: Dealings<P>; readonly transcript: Transcript<P> },
): Refusal | undefined {
  const c = collectionThreshold(parameters)
  const miscounted = refuse(dealings.size === c, `${dealings.size} dealings, ${c} due`)
  if (miscounted !== undefined) return miscounted
  const again = createTranscript(suite, parameters, dealings)
  if ('refusal' in again) return again
  const same = equalBytes(encodeTranscript(suite, again), encodeTranscript(suite, transcript))
  return refuse(same, 'not the combination of its dealings')
}

/** The shares of one receiver, opened and found good, by dealer index. */
export type OpenedShares = ReadonlyMap<NodeIndex, SecretShare>

/** The share of a finished transcript, or the dealers whose dealings did not open. */
export type Loaded =
  | { readonly type: 'loaded'; readonly share: SecretShare }
  | { readonly type: 'unavailable'; readonly badDealers: readonly NodeIndex[] }

export type ToLoad<P> = {
  readonly parameters: TranscriptParameters<P>
  readonly transcript: Transcript<P>
  /** The dealings that are in the transcript. */
  readonly dealings: Dealings<P>
  readonly recipient: Recipient
}

/**
 * Opens the own share of every dealing and combines them (§9.3). With `drawWeight` the dealings are
 * checked together, see `openDealings`.
 */
export function loadShares<P>(
  suite: Suite<P>,
  { parameters, transcript, dealings, recipient }: ToLoad<P>,
  drawWeight?: () => bigint,
): Loaded {
  const contexts = [...dealings].map(([dealerIndex, dealing]) => ({
    parameters,
    dealerIndex,
    dealing,
    recipient,
  }))
  const shares =
    drawWeight === undefined
      ? contexts.map((context) => openDealing(suite, context, context.dealing, recipient))
      : openDealings(suite, contexts, drawWeight)
  const opened = new Map<NodeIndex, SecretShare>()
  const badDealers: NodeIndex[] = []
  for (const [i, { dealerIndex }] of contexts.entries()) {
    const share = shares[i]
    if (share === undefined) badDealers.push(dealerIndex)
    else opened.set(dealerIndex, share)
  }
  if (badDealers.length > 0) return { type: 'unavailable', badDealers }
  const { receiverIndex } = recipient
  return { type: 'loaded', share: combineOpened(suite, { transcript, receiverIndex, opened }) }
}

/**
 * The receiver's own share of the combination, from its shares of each dealing in it: what it
 * received, at its one index. Recovered shares (§10.4) enter here too. All were checked; so is the
 * result.
 */
export function combineOpened<P>(
  { group }: Suite<P>,
  {
    transcript,
    receiverIndex,
    opened,
  }: {
    readonly transcript: Transcript<P>
    readonly receiverIndex: NodeIndex
    readonly opened: OpenedShares
  },
): SecretShare {
  const weights =
    transcript.combination === 'bySummation'
      ? [...opened.keys()].map(() => 1n)
      : lagrangeScalars([...opened.keys()], group.order)
  const share = new Sealed(weightedSum([...opened.values()].map(unseal), weights, group.order))
  assert(
    shareOpens(group, transcript.commitment, receiverIndex, share),
    'good shares of the dealings combine to the share of the transcript',
  )
  return share
}

function weightedSum(
  openings: readonly SecretOpening[],
  weights: readonly bigint[],
  order: bigint,
): SecretOpening {
  const sum = (scalars: readonly Secret[]): Secret =>
    asSecret(
      scalars.reduce((total, scalar, i) => {
        const weight = present(weights[i], 'every opening has a weight')
        return mod(total + weight * scalar, order)
      }, 0n),
    )
  const value = sum(openings.map((opening) => opening.value))
  const masks = openings.flatMap((opening) => (opening.type === 'pedersen' ? [opening.mask] : []))
  assert(masks.length === 0 || masks.length === openings.length, 'openings of one kind')
  return masks.length === 0
    ? { type: 'simple', value }
    : { type: 'pedersen', value, mask: sum(masks) }
}
