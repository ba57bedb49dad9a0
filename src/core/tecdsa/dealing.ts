/** Dealings: create, verify in public, open in private. Source: threshold specification §§7, 8.1, 8.2. */
import { assert } from '../base/errors.ts'
import type { Secret } from '../base/group.ts'
import { asSecret, mod } from '../base/group.ts'
import type { Secp256k1Point } from '../base/noble-secp256k1.ts'
import type { NodeIndex } from '../base/party.ts'
import type { Generator, Seed } from '../base/seed.ts'
import type { Commitment } from './commitment.ts'
import { allSharesOpen, commit, constantTerm, evaluateAt, shareOpens } from './commitment.ts'
import type { Ciphertext, MegaSecretKey } from './mega.ts'
import { decrypt, encrypt, verifyCiphertext } from './mega.ts'
import type { Operation, TranscriptParameters } from './parameters.ts'
import { associatedData, dealerIndices, receiverThreshold } from './parameters.ts'
import { Polynomial } from './polynomial.ts'
import type { ProofOfLog, ProofOfProduct } from './proofs.ts'
import { proveEqualOpenings, proveProduct, verifyEqualOpenings, verifyProduct } from './proofs.ts'
import type { Refusal } from './refusal.ts'
import { refuseUnless } from './refusal.ts'
import type { SecretOpening, SecretShare } from './secret.ts'
import { Sealed, unseal } from './secret.ts'
import type { Suite } from './suite.ts'

export type DealingProof =
  | ({ readonly type: 'maskedResharing' } & ProofOfLog)
  | ({ readonly type: 'product' } & ProofOfProduct)

export type Dealing<P = Secp256k1Point> = {
  readonly ciphertext: Ciphertext<P>
  readonly commitment: Commitment<P>
  readonly proof: DealingProof | undefined
}

/** The dealer's own shares of the inputs, as the operation asks for them. */
export type DealerShares =
  | { readonly type: 'none' }
  | { readonly type: 'reshare'; readonly share: SecretShare }
  | { readonly type: 'product'; readonly left: SecretShare; readonly right: SecretShare }

/** Who deals for which transcript. */
export type DealerContext<P = Secp256k1Point> = {
  readonly parameters: TranscriptParameters<P>
  readonly dealerIndex: NodeIndex
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

/** Polynomials of a dealing and the maker of its proof, which waits for the commitment. */
type Draw<P> = {
  readonly values: Polynomial
  readonly masks?: Polynomial
  readonly prove?: (constant: P) => DealingProof
}

/**
 * Makes the dealing that follows from the seed. The dealer has loaded its shares of the inputs; a dealer that has
 * not waits, and never deals a substitute. One seed, one statement: see `dealingSeed`.
 */
export function createDealing<P>(
  suite: Suite<P>,
  { parameters, dealerIndex }: DealerContext<P>,
  { shares, seed }: { readonly shares: DealerShares; readonly seed: Seed },
): Dealing<P> {
  const draw = drawPolynomials(suite, { parameters, dealerIndex }, { shares, seed })
  const commitment = commit(suite.group, draw.values, draw.masks)
  const openings = parameters.receivers.map((_, j): SecretOpening => {
    const value = draw.values.shareOf(j)
    return draw.masks === undefined
      ? { type: 'simple', value }
      : { type: 'pedersen', value, mask: draw.masks.shareOf(j) }
  })
  const context = { dealerIndex, associatedData: associatedData(parameters) }
  const ciphertext = encrypt(suite, context, parameters.receivers, { openings, seed })
  return { ciphertext, commitment, proof: draw.prove?.(constantTerm(commitment)) }
}

/** Draws coefficients in the order of §7, which the known answers fix. */
function drawPolynomials<P>(
  suite: Suite<P>,
  context: DealerContext<P>,
  { shares, seed }: { readonly shares: DealerShares; readonly seed: Seed },
): Draw<P> {
  const generator = seed.derive(suite.labels.polynomials).generator()
  const t = receiverThreshold(context.parameters)
  const { operation } = context.parameters
  switch (operation.type) {
    case 'random': {
      const values = randomPolynomial(suite, generator, t)
      return { values, masks: randomPolynomial(suite, generator, t) }
    }
    case 'randomUnmasked':
      return { values: randomPolynomial(suite, generator, t) }
    case 'reshareOfMasked': {
      const { value, mask } = masked(reshared(shares))
      const values = polynomialFrom(suite, value, generator, t)
      return { values, prove: (constant) => proveReshare(suite, context, { constant, mask, seed }) }
    }
    case 'reshareOfUnmasked':
      return { values: polynomialFrom(suite, unseal(reshared(shares)).value, generator, t) }
    case 'unmaskedTimesMasked':
      return drawProduct(suite, context, { shares, seed, generator })
  }
}

function reshared(shares: DealerShares): SecretShare {
  assert(shares.type === 'reshare', 'a reshare takes one share')
  return shares.share
}

function masked(share: SecretShare): SecretOpening & { readonly type: 'pedersen' } {
  const opening = unseal(share)
  assert(opening.type === 'pedersen', 'a masked sharing gives pairs')
  return opening
}

function draws<P>(suite: Suite<P>, generator: Generator, count: number): Secret[] {
  return Array.from({ length: count }, () => generator.scalar(suite.group))
}

const randomPolynomial = <P>(suite: Suite<P>, generator: Generator, t: number): Polynomial =>
  new Polynomial(draws(suite, generator, t), suite.group.order)

const polynomialFrom = <P>(
  suite: Suite<P>,
  constant: Secret,
  generator: Generator,
  t: number,
): Polynomial => new Polynomial([constant, ...draws(suite, generator, t - 1)], suite.group.order)

function proveReshare<P>(
  suite: Suite<P>,
  { parameters, dealerIndex }: DealerContext<P>,
  { constant: b, mask, seed }: { readonly constant: P; readonly mask: Secret; readonly seed: Seed },
): DealingProof {
  const { operation } = parameters
  assert(operation.type === 'reshareOfMasked', 'only a reshare of a masked sharing proves openings')
  const a = evaluateAt(suite.group, operation.input.commitment, dealerIndex)
  const nonces = seed.derive(suite.labels.equalOpenings).generator()
  const context = {
    domain: suite.domains.equalOpenings,
    associatedData: associatedData(parameters),
  }
  const proof = proveEqualOpenings(suite.group, context, { a, b }, { mask, nonces })
  return { type: 'maskedResharing', ...proof }
}

type ProductDraw = {
  readonly shares: DealerShares
  readonly seed: Seed
  readonly generator: Generator
}

function drawProduct<P>(
  suite: Suite<P>,
  { parameters, dealerIndex }: DealerContext<P>,
  { shares, seed, generator }: ProductDraw,
): Draw<P> {
  const { group, domains, labels } = suite
  const { operation } = parameters
  assert(operation.type === 'unmaskedTimesMasked', 'the operation is a product')
  assert(shares.type === 'product', 'a product takes two shares')
  const [left, right] = [unseal(shares.left).value, masked(shares.right)]
  const t = receiverThreshold(parameters)
  const maskConstant = generator.scalar(group)
  const constant = asSecret(mod(left * right.value, group.order))
  const values = polynomialFrom(suite, constant, generator, t)
  const masks = polynomialFrom(suite, maskConstant, generator, t)
  const prove = (product: P): DealingProof => {
    const statement = {
      lhs: evaluateAt(group, operation.left.commitment, dealerIndex),
      rhs: evaluateAt(group, operation.right.commitment, dealerIndex),
      product,
    }
    const maskDifference = asSecret(mod(maskConstant - left * right.mask, group.order))
    const proof = proveProduct(
      group,
      { domain: domains.product, associatedData: associatedData(parameters) },
      statement,
      { witness: { lhs: left, maskDifference }, nonces: seed.derive(labels.product).generator() },
    )
    return { type: 'product', ...proof }
  }
  return { values, masks, prove }
}

/**
 * What anybody can check of a dealing (§8.1 rules 2 to 4, and that the index is a dealer's); undefined when good.
 * Signature, open transcript and equivocation are the caller's.
 */
export function verifyDealing<P>(
  suite: Suite<P>,
  { parameters, dealerIndex }: DealerContext<P>,
  dealing: Dealing<P>,
): Refusal | undefined {
  const { commitment, ciphertext } = dealing
  const shape = shapes[parameters.operation.type]
  const t = receiverThreshold(parameters)
  const found = `${commitment.points.length} ${commitment.type} points`
  const malformed =
    refuseUnless(
      dealerIndices(parameters).includes(dealerIndex),
      'InvalidDealer',
      `${dealerIndex} deals not`,
    ) ??
    refuseUnless(
      commitment.type === shape.commitment && commitment.points.length === t,
      'InvalidCommitment',
      `${found} where ${t} ${shape.commitment} are due`,
    )
  if (malformed !== undefined) return malformed
  const context = { dealerIndex, associatedData: associatedData(parameters) }
  const expected = { type: shape.ciphertext, receiverCount: parameters.receivers.length }
  return (
    verifyCiphertext(suite, context, expected, ciphertext) ??
    verifyProof(suite, { parameters, dealerIndex }, dealing)
  )
}

/** The proof and the extra check of §7. */
function verifyProof<P>(
  suite: Suite<P>,
  { parameters, dealerIndex }: DealerContext<P>,
  { proof, commitment }: Dealing<P>,
): Refusal | undefined {
  const { group, domains } = suite
  const { operation } = parameters
  const ad = associatedData(parameters)
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
      const context = { domain: domains.equalOpenings, associatedData: ad }
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
      const context = { domain: domains.product, associatedData: ad }
      const proven = proof?.type === 'product' && verifyProduct(group, context, statement, proof)
      return refuseUnless(proven, 'InvalidProof', 'not the product of the shares of the dealer')
    }
  }
}

/** The receiver's side: its index and the key that the transcript's membership version names. */
export type Recipient<P = Secp256k1Point> = {
  readonly receiverIndex: NodeIndex
  readonly key: MegaSecretKey<P>
}

function decryptShare<P>(
  suite: Suite<P>,
  { parameters, dealerIndex }: DealerContext<P>,
  { ciphertext }: Dealing<P>,
  recipient: Recipient<P>,
): SecretShare {
  const context = { dealerIndex, associatedData: associatedData(parameters) }
  return new Sealed(decrypt(suite, context, ciphertext, recipient))
}

/**
 * Private verification (§8.2): the share of this receiver, or undefined when it does not open C_d(j).
 * The dealing has passed `verifyDealing`.
 */
export function openDealing<P>(
  suite: Suite<P>,
  context: DealerContext<P>,
  dealing: Dealing<P>,
  recipient: Recipient<P>,
): SecretShare | undefined {
  const share = decryptShare(suite, context, dealing, recipient)
  return shareOpens(suite.group, dealing.commitment, recipient.receiverIndex, share)
    ? share
    : undefined
}

/** One of several dealings, of any transcripts, that one node opens together. */
export type DealingToOpen<P = Secp256k1Point> = DealerContext<P> & {
  readonly dealing: Dealing<P>
  readonly recipient: Recipient<P>
}

/**
 * `openDealing` for many, checked as one equation (performance R5); one by one when that fails. `drawWeight`
 * gives 128 fresh bits from the secure source at each call, never from a seed that a dealer could know.
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
