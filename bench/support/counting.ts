/**
 * Counts what a step asks of its ports, for the floor under it. Source: performance specification
 * §5.
 */
import type { FixedBase, Group, Term } from '../../src/core/base/group.ts'
import type { Ed25519 } from '../../src/core/base/verification.ts'

/**
 * A unit of the table in §5; S is one Horner step, M a term of a sum, full-size terms counting 1.
 */
export const UNITS = ['G', 'V', 'X', 'W', 'Q', 'M', 'D', 'U', 'S', 'A', 'sign', 'verify'] as const
export type Unit = (typeof UNITS)[number]

export class Counts {
  readonly #counts = new Map<Unit, number>()

  add(unit: Unit, count = 1): void {
    this.#counts.set(unit, this.of(unit) + count)
  }

  of(unit: Unit): number {
    return this.#counts.get(unit) ?? 0
  }

  /** Both together, the other `times` over. */
  plus(other: Counts, times = 1): Counts {
    const sum = new Counts()
    for (const unit of UNITS) sum.add(unit, this.of(unit) + times * other.of(unit))
    return sum
  }
}

export const countingBase = <P>(inner: FixedBase<P>, counts: Counts): FixedBase<P> => ({
  point: inner.point,
  multiplySecret: (scalar) => {
    counts.add('G')
    return inner.multiplySecret(scalar)
  },
  multiplyPublic: (scalar) => {
    counts.add('V')
    return inner.multiplyPublic(scalar)
  },
})

/** The same group; every call that costs something is counted. */
export function countingGroup<P>(inner: Group<P>, counts: Counts): Group<P> {
  const counted = <R>(unit: Unit, run: () => R, count = 1): R => {
    counts.add(unit, count)
    return run()
  }
  return {
    ...inner,
    g: countingBase(inner.g, counts),
    h: countingBase(inner.h, counts),
    decode: (bytes) => counted('D', () => inner.decode(bytes)),
    add: (a, b) => counted('A', () => inner.add(a, b)),
    subtract: (a, b) => counted('A', () => inner.subtract(a, b)),
    multiplySecret: (a, scalar) => counted('X', () => inner.multiplySecret(a, scalar)),
    multiplyPublic: (a, scalar) => counted('W', () => inner.multiplyPublic(a, scalar)),
    pair: (a, k, b, l) => counted('Q', () => inner.pair(a, k, b, l)),
    sum: (terms) => counted('M', () => inner.sum(terms), terms.reduce(weigh, 0)),
    evaluate: (commitment, x) =>
      counted('S', () => inner.evaluate(commitment, x), commitment.length - 1),
    fixedBase: (a) => countingBase(inner.fixedBase(a), counts),
    hashToPoint: (message, dst) => counted('U', () => inner.hashToPoint(message, dst)),
  }
}

/** Terms with short scalars cost in proportion to their bits. */
const weigh = (sum: number, { scalar }: Term<unknown>): number =>
  sum + scalar.toString(2).length / 256

export const countingEd25519 = (inner: Ed25519, counts: Counts): Ed25519 => ({
  publicKey: inner.publicKey,
  sign: (secretKey, message) => {
    counts.add('sign')
    return inner.sign(secretKey, message)
  },
  verify: (publicKey, message, signature) => {
    counts.add('verify')
    return inner.verify(publicKey, message, signature)
  },
})
