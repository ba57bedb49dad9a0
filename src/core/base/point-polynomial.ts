/** Commitments to a polynomial, evaluated at small points. Source: threshold-signatures §§1, 4. */

/** What the points of every curve can do. */
interface GroupPoint<P> {
  add(other: P): P
  double(): P
}

/** Horner; x has a few bits, so that double-and-add beats a multiplication. */
export function evaluatePolynomial<P extends GroupPoint<P>>(
  zero: P,
  commitment: readonly P[],
  x: number,
): P {
  let value = zero
  for (const coefficient of commitment.toReversed())
    value = multiplySmall(zero, value, x).add(coefficient)
  return value
}

function multiplySmall<P extends GroupPoint<P>>(zero: P, a: P, x: number): P {
  let result = zero
  for (const bit of x.toString(2)) {
    result = result.double()
    if (bit === '1') result = result.add(a)
  }
  return result
}
