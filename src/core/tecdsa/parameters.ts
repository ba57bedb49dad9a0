/**
 * Parameters of a transcript and what makes them valid. Source: threshold specification §§2.2, 2.3,
 * 3.7.
 */
import { bigEndian, compareBytes, concat, equalBytes, u64be } from '../base/bytes.ts'
import { present } from '../base/errors.ts'
import type { FixedBase } from '../base/group.ts'
import { decodeNonZero } from '../base/group.ts'
import type { Secp256k1Point } from '../base/noble-secp256k1.ts'
import type { NodeIndex } from '../base/party.ts'
import { faultyMax, reconstructionThreshold, verificationThreshold } from '../base/party.ts'
import type { Commitment } from './commitment.ts'
import type { Refusal } from './refusal.ts'
import { refuseUnless } from './refusal.ts'
import type { Algorithm, Suite } from './suite.ts'
import { algorithmIds } from './suite.ts'

/**
 * A node of a membership version. The table of its encryption key is built once (performance R2).
 */
export type Member = {
  readonly id: Uint8Array
  readonly megaKey: FixedBase<Secp256k1Point>
}

/** Where a sharing comes from; ids are those of transcripts. */
export type TranscriptKind =
  | { readonly type: 'masked'; readonly origin: { readonly type: 'random' } }
  | {
      readonly type: 'masked'
      readonly origin: { readonly type: 'product'; readonly left: bigint; readonly right: bigint }
    }
  | { readonly type: 'unmasked'; readonly origin: { readonly type: 'random' } }
  | {
      readonly type: 'unmasked'
      readonly origin: {
        readonly type: 'reshareMasked' | 'reshareUnmasked'
        readonly input: bigint
      }
    }

/** A finished sharing: who holds it, what it is, and the commitment to it. All of it is public. */
export type Transcript<P = Secp256k1Point> = {
  readonly id: bigint
  readonly algorithm: Algorithm
  /** Ids in canonical order; position = index of the share. */
  readonly receivers: readonly Uint8Array[]
  readonly kind: TranscriptKind
  readonly combination: 'bySummation' | 'byInterpolation'
  readonly commitment: Commitment<P>
}

export type Operation<P = Secp256k1Point> =
  | { readonly type: 'random' }
  | { readonly type: 'randomUnmasked' }
  | { readonly type: 'reshareOfMasked'; readonly input: Transcript<P> }
  | { readonly type: 'reshareOfUnmasked'; readonly input: Transcript<P> }
  | {
      readonly type: 'unmaskedTimesMasked'
      readonly left: Transcript<P>
      readonly right: Transcript<P>
    }

export type TranscriptParameters<P = Secp256k1Point> = {
  readonly id: bigint
  readonly algorithm: Algorithm
  /** Both sets in canonical order: ascending bytes of the id. */
  readonly dealers: readonly Member[]
  readonly receivers: readonly Member[]
  readonly operation: Operation<P>
  readonly membershipVersion: bigint
  /** Genesis id of the subnet. */
  readonly subnetId: Uint8Array
  /** Low half of the incarnation, then the log slot that created the transcript. */
  readonly sourceHeight: bigint
}

/** Throws `BadEncoding` for a key that does not decode or is the identity. */
export function member<P>(suite: Suite<P>, id: Uint8Array, megaKey: Uint8Array): Member {
  const point = decodeNonZero(suite.encryptionGroup, megaKey)
  return { id, megaKey: suite.encryptionGroup.fixedBase(point) }
}

/** t of the receivers: coefficients of every polynomial dealt. */
export const receiverThreshold = (parameters: TranscriptParameters<unknown>): number =>
  reconstructionThreshold(parameters.receivers.length)

/** Supported dealings that make the transcript, §2.2. */
export function collectionThreshold({
  operation,
  dealers,
}: Pick<TranscriptParameters<unknown>, 'operation' | 'dealers'>): number {
  switch (operation.type) {
    case 'random':
    case 'randomUnmasked':
      return faultyMax(dealers.length) + 1
    case 'reshareOfMasked':
    case 'reshareOfUnmasked':
      return operation.input.commitment.points.length
    case 'unmaskedTimesMasked':
      return operation.left.commitment.points.length + operation.right.commitment.points.length - 1
  }
}

/** The transcripts whose shares the dealers deal on. */
export function inputsOf<P>(operation: Operation<P>): readonly Transcript<P>[] {
  switch (operation.type) {
    case 'random':
    case 'randomUnmasked':
      return []
    case 'reshareOfMasked':
    case 'reshareOfUnmasked':
      return [operation.input]
    case 'unmaskedTimesMasked':
      return [operation.left, operation.right]
  }
}

/**
 * Index under which a node deals: its position among the receivers of the input, where its share
 * is; without input its position among the dealers. Undefined for a node that does not deal.
 */
export function dealerIndexOf(
  parameters: TranscriptParameters<unknown>,
  id: Uint8Array,
): NodeIndex | undefined {
  const position = parameters.dealers.findIndex((dealer) => equalBytes(dealer.id, id))
  if (position < 0) return undefined
  const input = inputsOf(parameters.operation)[0]
  if (input === undefined) return position
  const index = input.receivers.findIndex((receiver) => equalBytes(receiver, id))
  return index < 0 ? undefined : index
}

/** Position of a node among the receivers. */
export function receiverIndexOf(
  parameters: { readonly receivers: readonly Pick<Member, 'id'>[] },
  id: Uint8Array,
): NodeIndex | undefined {
  const index = parameters.receivers.findIndex((receiver) => equalBytes(receiver.id, id))
  return index < 0 ? undefined : index
}

/**
 * Every index under which somebody deals, in the order of the dealers. Of valid parameters only.
 */
export const dealerIndices = (parameters: TranscriptParameters<unknown>): readonly NodeIndex[] =>
  parameters.dealers.map(({ id }) =>
    present(dealerIndexOf(parameters, id), 'dealers of valid parameters hold the input'),
  )

export const receiverAt = <P>(
  parameters: TranscriptParameters<P>,
  index: NodeIndex,
): Member | undefined => parameters.receivers[index]

/** Bytes that enter every encryption, proof and complaint of the transcript, §3.7. */
export function associatedData(parameters: TranscriptParameters<unknown>): Uint8Array {
  return concat(
    u64be(BigInt(parameters.subnetId.length)),
    parameters.subnetId,
    u64be(parameters.id),
    u64be(parameters.sourceHeight),
    u64be(parameters.membershipVersion),
    bigEndian(BigInt(algorithmIds[parameters.algorithm]), 1),
  )
}

/** Who deals for which transcript. */
export type DealerContext<P = Secp256k1Point> = {
  readonly parameters: TranscriptParameters<P>
  readonly dealerIndex: NodeIndex
  /** In place of that of the parameters; published answers bring their own. */
  readonly associatedData?: Uint8Array
}

/** What ciphertexts and proofs of a dealing are bound to. */
export const boundTo = (context: DealerContext<unknown>): Uint8Array =>
  context.associatedData ?? associatedData(context.parameters)

/** Whether two sets of receivers are the same nodes at the same indices. */
export const sameNodes = (a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean =>
  a.length === b.length && a.every((id, i) => equalBytes(id, b[i] ?? new Uint8Array()))

/** The rules of §2.3, in their order; undefined when all hold. */
export function checkParameters(parameters: TranscriptParameters<unknown>): Refusal | undefined {
  const refuse = (condition: boolean, detail: string): Refusal | undefined =>
    refuseUnless(condition, 'InvalidParameters', detail)
  const { dealers, receivers, operation } = parameters
  const [n, inputs] = [receivers.length, inputsOf(operation)]
  const dealersMin = collectionThreshold(parameters) + faultyMax(dealers.length)
  const holders = inputs[0]?.receivers ?? dealers.map(({ id }) => id)
  return (
    refuse(dealers.length >= dealersMin, `${dealers.length} dealers, ${dealersMin} needed`) ??
    refuse(n >= verificationThreshold(n) + faultyMax(n) && n > 0, 'no receivers') ??
    refuse(isCanonical(dealers), 'dealers repeated or out of order') ??
    refuse(isCanonical(receivers), 'receivers repeated or out of order') ??
    refuse(
      inputs.every((input) => sameNodes(input.receivers, holders)),
      'inputs with different receivers',
    ) ??
    refuse(
      dealers.every(({ id }) => holders.some((holder) => equalBytes(holder, id))),
      'a dealer without a share of the input',
    ) ??
    refuse(kindsFit(operation), `a kind of input that ${operation.type} does not take`) ??
    refuse(
      inputs.every((input) => input.algorithm === parameters.algorithm),
      'an input of another algorithm',
    )
  )
}

function isCanonical(members: readonly Member[]): boolean {
  return members.every((current, i) => {
    const before = members[i - 1]
    return before === undefined || compareBytes(before.id, current.id) < 0
  })
}

function kindsFit(operation: Operation<unknown>): boolean {
  switch (operation.type) {
    case 'random':
    case 'randomUnmasked':
      return true
    case 'reshareOfMasked':
      return operation.input.kind.type === 'masked'
    case 'reshareOfUnmasked':
      return operation.input.kind.type === 'unmasked'
    case 'unmaskedTimesMasked':
      return operation.left.kind.type === 'unmasked' && operation.right.kind.type === 'masked'
  }
}
