/**
 * The secret half of a dealing: polynomials and proofs, drawn from its seed. Source: threshold
 * specification §§3.8, 7.
 */
import { assert } from '../base/errors.ts'
import type { Secret } from '../base/group.ts'
import { asSecret, mod } from '../base/group.ts'
import type { Generator, Seed } from '../base/seed.ts'
import { evaluateAt } from './commitment.ts'
import type { DealerContext } from './parameters.ts'
import { boundTo, receiverThreshold } from './parameters.ts'
import { Polynomial } from './polynomial.ts'
import type { ProofOfLog, ProofOfProduct } from './proofs.ts'
import { proveEqualOpenings, proveProduct } from './proofs.ts'
import type { SecretOpening, SecretShare } from './secret.ts'
import { unseal } from './secret.ts'
import type { Suite } from './suite.ts'

export type DealingProof =
  | ({ readonly type: 'maskedResharing' } & ProofOfLog)
  | ({ readonly type: 'product' } & ProofOfProduct)

/** The dealer's own shares of the inputs, as the operation asks for them. */
export type DealerShares =
  | { readonly type: 'none' }
  | { readonly type: 'reshare'; readonly share: SecretShare }
  | { readonly type: 'product'; readonly left: SecretShare; readonly right: SecretShare }

/** Polynomials of a dealing and the maker of its proof, which waits for the commitment. */
type Draw<P> = {
  readonly values: Polynomial
  readonly masks?: Polynomial
  readonly prove?: (constant: P) => DealingProof
}

/** Draws coefficients in the order of §7, which the known answers fix. */
export function drawPolynomials<P>(
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
  dealer: DealerContext<P>,
  { constant: b, mask, seed }: { readonly constant: P; readonly mask: Secret; readonly seed: Seed },
): DealingProof {
  const { operation } = dealer.parameters
  assert(operation.type === 'reshareOfMasked', 'only a reshare of a masked sharing proves openings')
  const a = evaluateAt(suite.group, operation.input.commitment, dealer.dealerIndex)
  const nonces = seed.derive(suite.labels.equalOpenings).generator()
  const context = {
    domain: suite.domains.equalOpenings,
    associatedData: boundTo(dealer),
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
  dealer: DealerContext<P>,
  { shares, seed, generator }: ProductDraw,
): Draw<P> {
  const { group, domains, labels } = suite
  const { parameters, dealerIndex } = dealer
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
      { domain: domains.product, associatedData: boundTo(dealer) },
      statement,
      { witness: { lhs: left, maskDifference }, nonces: seed.derive(labels.product).generator() },
    )
    return { type: 'product', ...proof }
  }
  return { values, masks, prove }
}
