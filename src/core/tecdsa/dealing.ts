/**
 * Dealings: create, verify in public, open in private. Source: threshold specification §§7, 8.1,
 * 8.2.
 */
import type { Secp256k1Point } from '../base/noble-secp256k1.ts'
import type { NodeIndex } from '../base/party.ts'
import type { Seed } from '../base/seed.ts'
import type { Commitment } from './commitment.ts'
import { allSharesOpen, commit, constantTerm, evaluateAt, shareOpens } from './commitment.ts'
import type { DealerShares, DealingProof } from './dealing-draw.ts'
import { drawPolynomials } from './dealing-draw.ts'
import type { Ciphertext, MegaSecretKey } from './mega.ts'
import { decrypt, encrypt, verifyCiphertext } from './mega.ts'
import type { DealerContext, Operation } from './parameters.ts'
import { boundTo, dealerIndices, receiverThreshold } from './parameters.ts'
import { verifyEqualOpenings, verifyProduct } from './proofs.ts'
import type { Refusal } from './refusal.ts'
import { refuseUnless } from './refusal.ts'
import type { SecretOpening, SecretShare } from './secret.ts'
import { Sealed } from './secret.ts'
import type { Suite } from './suite.ts'

export type Dealing<P = Secp256k1Point> = {
  readonly ciphertext: Ciphertext
  readonly commitment: Commitment<P>
  readonly proof: DealingProof | undefined
}

/** The rows of the table in §7. */
const shapes = {
  random: { commitment: 'pedersen', ciphertext: 'pairs', proof: undefined },
  randomUnmasked: { commitment: 'simple', ciphertext: 'single', proof: undefined },
  reshareOfMasked: { commitment: 'simple', ciphertext: 'single', proof: 'maskedResharing' },
  reshareOfUnmasked: { commitment: 'simple', ciphertext: 'single', proof: undefined },
  unmaskedTimesMasked: { commitment: 'pedersen', ciphertext: 'pairs', proof: 'product' },
} as const satisfies Readonly<
  Record<
    Operation['type'],
    {
      readonly commitment: Commitment['type']
      readonly ciphertext: Ciphertext['type']
      readonly proof: DealingProof['type'] | undefined
    }
  >
>

/**
 * Makes the dealing that follows from the seed. The dealer has loaded its shares of the inputs; a
 * dealer that has not waits, and never deals a substitute. One seed, one statement: the label names
 * it all.
 */
export function createDealing<P>(
  suite: Suite<P>,
  dealer: DealerContext<P>,
  { shares, seed }: { readonly shares: DealerShares; readonly seed: Seed },
): Dealing<P> {
  const { receivers } = dealer.parameters
  const draw = drawPolynomials(suite, dealer, { shares, seed })
  const commitment = commit(suite.group, draw.values, draw.masks)
  const openings = receivers.map((_, j): SecretOpening => {
    const value = draw.values.shareOf(j)
    return draw.masks === undefined
      ? { type: 'simple', value }
      : { type: 'pedersen', value, mask: draw.masks.shareOf(j) }
  })
  const context = { dealerIndex: dealer.dealerIndex, associatedData: boundTo(dealer) }
  const ciphertext = encrypt(suite, context, receivers, { openings, seed })
  return { ciphertext, commitment, proof: draw.prove?.(constantTerm(commitment)) }
}

/**
 * What anybody can check of a dealing (§8.1 rules 2 to 4, and that the index is a dealer's);
 * undefined when good. Signature, open transcript and equivocation are the caller's.
 */
export function verifyDealing<P>(
  suite: Suite<P>,
  dealer: DealerContext<P>,
  dealing: Dealing<P>,
): Refusal | undefined {
  const { parameters, dealerIndex } = dealer
  const { commitment, ciphertext } = dealing
  const shape = shapes[parameters.operation.type]
  const t = receiverThreshold(parameters)
  const found = `${commitment.points.length} ${commitment.type} points`
  const malformed =
    refuseUnless(
      dealerIndices(parameters).includes(dealerIndex),
      'InvalidDealer',
      `index ${dealerIndex} does not deal`,
    ) ??
    refuseUnless(
      commitment.type === shape.commitment && commitment.points.length === t,
      'InvalidCommitment',
      `${found} where ${t} ${shape.commitment} are due`,
    )
  if (malformed !== undefined) return malformed
  const context = { dealerIndex, associatedData: boundTo(dealer) }
  const expected = { type: shape.ciphertext, receiverCount: parameters.receivers.length }
  return (
    verifyCiphertext(suite, context, expected, ciphertext) ?? verifyProof(suite, dealer, dealing)
  )
}

/** The proof and the extra check of §7. */
function verifyProof<P>(
  suite: Suite<P>,
  dealer: DealerContext<P>,
  { proof, commitment }: Dealing<P>,
): Refusal | undefined {
  const { group, domains } = suite
  const { dealerIndex } = dealer
  const { operation } = dealer.parameters
  const associatedData = boundTo(dealer)
  const constant = constantTerm(commitment)
  const due = shapes[operation.type].proof
  const kind = refuseUnless(proof?.type === due, 'InvalidProof', `${proof?.type} for ${due}`)
  if (kind !== undefined) return kind
  switch (operation.type) {
    case 'random':
    case 'randomUnmasked':
      return undefined
    case 'reshareOfMasked': {
      const statement = {
        a: evaluateAt(group, operation.input.commitment, dealerIndex),
        b: constant,
      }
      const context = { domain: domains.equalOpenings, associatedData }
      const proven =
        proof?.type === 'maskedResharing' && verifyEqualOpenings(group, context, statement, proof)
      return refuseUnless(proven, 'InvalidProof', 'not the share of the dealer')
    }
    case 'reshareOfUnmasked': {
      const input = evaluateAt(group, operation.input.commitment, dealerIndex)
      const same = group.equals(constant, input)
      return refuseUnless(same, 'InvalidCommitment', 'not the share of the dealer')
    }
    case 'unmaskedTimesMasked': {
      const statement = {
        lhs: evaluateAt(group, operation.left.commitment, dealerIndex),
        rhs: evaluateAt(group, operation.right.commitment, dealerIndex),
        product: constant,
      }
      const context = { domain: domains.product, associatedData }
      const proven = proof?.type === 'product' && verifyProduct(group, context, statement, proof)
      return refuseUnless(proven, 'InvalidProof', 'not the product of the shares of the dealer')
    }
  }
}

/** The receiver's side: its index and the key that the transcript's membership version names. */
export type Recipient = {
  readonly receiverIndex: NodeIndex
  readonly key: MegaSecretKey
}

function decryptShare<P>(
  suite: Suite<P>,
  dealer: DealerContext<P>,
  { ciphertext }: Dealing<P>,
  recipient: Recipient,
): SecretShare {
  const context = { dealerIndex: dealer.dealerIndex, associatedData: boundTo(dealer) }
  return new Sealed(decrypt(suite, context, ciphertext, recipient))
}

/**
 * Private verification (§8.2): the share of this receiver, or undefined when it does not open
 * C_d(j). The dealing has passed `verifyDealing`.
 */
export function openDealing<P>(
  suite: Suite<P>,
  context: DealerContext<P>,
  dealing: Dealing<P>,
  recipient: Recipient,
): SecretShare | undefined {
  const share = decryptShare(suite, context, dealing, recipient)
  return shareOpens(suite.group, dealing.commitment, recipient.receiverIndex, share)
    ? share
    : undefined
}

/** One of several dealings, of any transcripts, that one node opens together. */
export type DealingToOpen<P = Secp256k1Point> = DealerContext<P> & {
  readonly dealing: Dealing<P>
  readonly recipient: Recipient
}

/**
 * `openDealing` for many, checked as one equation (performance R5); one by one when that fails. `drawWeight`
 * gives 128 fresh bits from the secure source at each call, never from a seed that a dealer could
 * know.
 */
export function openDealings<P>(
  suite: Suite<P>,
  dealings: readonly DealingToOpen<P>[],
  drawWeight: () => bigint,
): readonly (SecretShare | undefined)[] {
  const claims = dealings.map((one) => ({
    commitment: one.dealing.commitment,
    index: one.recipient.receiverIndex,
    share: decryptShare(suite, one, one.dealing, one.recipient),
  }))
  const weights = claims.map(drawWeight)
  if (allSharesOpen(suite.group, claims, weights)) return claims.map(({ share }) => share)
  return claims.map(({ commitment, index, share }) =>
    shareOpens(suite.group, commitment, index, share) ? share : undefined,
  )
}
