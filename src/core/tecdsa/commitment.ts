/**
 * Commitments to polynomials: evaluation, opening, combination. Source: threshold specification
 * §§4, 9.1.
 */
import { assert, present } from '../base/errors.ts'
import type { Group } from '../base/group.ts'
import { asSecret, invert, mod } from '../base/group.ts'
import type { Secp256k1Point } from '../base/noble-secp256k1.ts'
import type { NodeIndex } from '../base/party.ts'
import { evaluationPoint, lagrange } from './lagrange.ts'
import type { Polynomial } from './polynomial.ts'
import type { Opening, SecretOpening, SecretShare } from './secret.ts'
import { unseal } from './secret.ts'

/**
 * simple: C_k = a_k·g; pedersen: C_k = a_k·g + r_k·h. The points number t, the constant term first.
 */
export type Commitment<P = Secp256k1Point> = {
  readonly type: 'simple' | 'pedersen'
  readonly points: readonly P[]
}

export const constantTerm = <P>(commitment: Commitment<P>): P =>
  present(commitment.points[0], 'a commitment has a constant term')

/** Commits to a value polynomial, and hides it when a mask polynomial is given. */
export function commit<P>(group: Group<P>, values: Polynomial, masks?: Polynomial): Commitment<P> {
  const points = values.times(group.g)
  if (masks === undefined) return { type: 'simple', points }
  const hiding = masks.times(group.h)
  return { type: 'pedersen', points: points.map((p, k) => group.add(p, hiding[k] ?? group.zero)) }
}

/**
 * Evaluations by commitment and node: asked for again and again, computed once (performance R1).
 */
const evaluations = new WeakMap<object, Map<NodeIndex, unknown>>()

/** C(index), the commitment to the share of a node. */
export function evaluateAt<P>(group: Group<P>, commitment: Commitment<P>, index: NodeIndex): P {
  const known = evaluations.get(commitment) ?? new Map<NodeIndex, unknown>()
  evaluations.set(commitment, known)
  if (!known.has(index)) known.set(index, group.evaluate(commitment.points, evaluationPoint(index)))
  return known.get(index) as P // The map of a commitment holds points of its own group only.
}

/** v·g, or v·g + m·h: what a share must equal. For secrets and public openings alike. */
export function commitToOpening<P>(group: Group<P>, opening: SecretOpening): P {
  const value = group.g.multiplySecret(opening.value)
  if (opening.type === 'simple') return value
  return group.add(value, group.h.multiplySecret(opening.mask))
}

/** The same for an opening that everybody sees; public arithmetic is faster. */
export function commitToPublicOpening<P>(group: Group<P>, opening: Opening): P {
  const value = group.g.multiplyPublic(opening.value)
  if (opening.type === 'simple') return value
  return group.add(value, group.h.multiplyPublic(opening.mask))
}

/** Whether a share of this node is the one committed to. */
export function shareOpens<P>(
  group: Group<P>,
  commitment: Commitment<P>,
  index: NodeIndex,
  share: SecretShare,
): boolean {
  const opening = unseal(share)
  if (opening.type !== commitment.type) return false
  return group.equals(commitToOpening(group, opening), evaluateAt(group, commitment, index))
}

/** Whether a published opening is the share of node `index`. */
export function openingOpens<P>(
  group: Group<P>,
  commitment: Commitment<P>,
  index: NodeIndex,
  opening: Opening,
): boolean {
  if (opening.type !== commitment.type) return false
  return group.equals(commitToPublicOpening(group, opening), evaluateAt(group, commitment, index))
}

/** One share of this node that is to be checked against its commitment. */
export type ShareClaim<P> = {
  readonly commitment: Commitment<P>
  readonly index: NodeIndex
  readonly share: SecretShare
}

/**
 * All claims as one equation Σ w·C(j) = (Σ w·v)·g + (Σ w·m)·h (performance R5).
 *
 * `weights` are 128 fresh random bits each, drawn after the commitments were fixed and unknown to their makers;
 * then a false claim passes with probability 2^-128. False says only that some claim is false.
 */
export function allSharesOpen<P>(
  group: Group<P>,
  claims: readonly ShareClaim<P>[],
  weights: readonly bigint[],
): boolean {
  assert(weights.length === claims.length, 'every claim has a weight')
  let [value, mask] = [0n, 0n]
  const terms = claims.map(({ commitment, index }, i) => ({
    point: evaluateAt(group, commitment, index),
    scalar: present(weights[i], 'every claim has a weight'),
  }))
  for (const [i, { commitment, share }] of claims.entries()) {
    const opening = unseal(share)
    if (opening.type !== commitment.type) return false
    const weight = weights[i] ?? 0n
    value = mod(value + weight * opening.value, group.order)
    if (opening.type === 'pedersen') mask = mod(mask + weight * opening.mask, group.order)
  }
  const right = group.add(
    group.g.multiplySecret(asSecret(value)),
    group.h.multiplySecret(asSecret(mask)),
  )
  return group.equals(group.sum(terms), right)
}

function combined<P>(
  commitments: readonly Commitment<P>[],
  combine: (points: readonly P[]) => P,
): Commitment<P> {
  const first = present(commitments[0], 'something is combined')
  const alike = commitments.every(
    ({ type, points }) => type === first.type && points.length === first.points.length,
  )
  assert(alike, 'combined commitments have one kind and one number of points')
  const points = first.points.map((_, k) =>
    combine(commitments.map((commitment) => present(commitment.points[k], 'counted above'))),
  )
  return { type: first.type, points }
}

/** C_k = Σ C_{d,k}. */
export const sumCommitments = <P>(
  group: Group<P>,
  commitments: readonly Commitment<P>[],
): Commitment<P> => combined(commitments, (points) => points.reduce((a, b) => group.add(a, b)))

/** C_k = Σ λ_{d,S}(0)·C_{d,k} over the dealer indices S, which are the keys of the map. */
export function interpolateCommitments<P>(
  group: Group<P>,
  commitments: ReadonlyMap<NodeIndex, Commitment<P>>,
): Commitment<P> {
  const { numerators, denominator } = lagrange([...commitments.keys()])
  const interpolate = (points: readonly P[]): P => {
    const term = (sign: 1n | -1n) =>
      points.flatMap((point, i) => {
        const scalar = sign * (numerators[i] ?? 0n)
        return scalar > 0n ? [{ point, scalar }] : []
      })
    // Short positive scalars cost a fraction of full ones; so the negative side is summed apart.
    const whole = group.subtract(group.sum(term(1n)), group.sum(term(-1n)))
    if (denominator === 1n) return whole
    return group.multiplyPublic(whole, invert(denominator, group.order))
  }
  return combined([...commitments.values()], interpolate)
}
