/**
 * Lagrange coefficients over node indices. Source: threshold specification §§1, 4; performance
 * specification R9.
 */
import { assert } from '../base/errors.ts'
import { invert, mod } from '../base/group.ts'
import type { NodeIndex } from '../base/party.ts'

/** Evaluation point of a node: never 0, where the secret is. */
export function evaluationPoint(index: NodeIndex): number {
  assert(Number.isInteger(index) && index >= 0, 'the index of a node is 0 or more')
  return index + 1
}

/** λ_i = numerators[i] / denominator, as small integers; the denominator is positive. */
export type Coefficients = {
  readonly numerators: readonly bigint[]
  readonly denominator: bigint
}

/**
 * Coefficients Π_{j≠i} (z − x_j)/(x_i − x_j) of distinct nodes at z, in the order of `indices`.
 *
 * Exact rationals, so they hold in every field whose order is above the points. Over the points 1…m
 * and z = 0 they are the integers (−1)^{i−1}·binom(m, i).
 */
export function lagrange(indices: readonly NodeIndex[], z = 0): Coefficients {
  assert(new Set(indices).size === indices.length, 'interpolation is over distinct nodes')
  const points = indices.map((index) => BigInt(evaluationPoint(index)))
  const fractions = points.map((x) => fraction(x, points, BigInt(z)))
  const denominator = fractions.reduce((lcm, { over }) => (lcm / gcd(lcm, over)) * over, 1n)
  const numerators = fractions.map(({ above, over }) => above * (denominator / over))
  return { numerators, denominator }
}

type Fraction = { readonly above: bigint; readonly over: bigint }

/** One coefficient in lowest terms, positive below the line. */
function fraction(x: bigint, points: readonly bigint[], z: bigint): Fraction {
  let [above, over] = [1n, 1n]
  for (const other of points) {
    if (other === x) continue
    above *= z - other
    over *= x - other
  }
  const common = over < 0n ? -gcd(above, over) : gcd(above, over)
  return { above: above / common, over: over / common }
}

/** Greatest common divisor, positive. */
function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b]
  while (y !== 0n) [x, y] = [y, x % y]
  return x
}

/** The same coefficients as scalars mod the order. */
export function lagrangeScalars(
  indices: readonly NodeIndex[],
  order: bigint,
  z = 0,
): readonly bigint[] {
  const { numerators, denominator } = lagrange(indices, z)
  const inverse = invert(denominator, order)
  return numerators.map((numerator) => mod(numerator * inverse, order))
}
