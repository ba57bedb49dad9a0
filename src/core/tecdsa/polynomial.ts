/** Secret polynomials over a prime field. Source: threshold specification §4. */
import { assert } from '../base/errors.ts'
import type { FixedBase, Secret } from '../base/group.ts'
import { asSecret, mod } from '../base/group.ts'
import type { NodeIndex } from '../base/party.ts'
import { evaluationPoint } from './lagrange.ts'
import { Sealed, unseal } from './secret.ts'

/**
 * t coefficients, the constant first; leading zeros are allowed. The field may be any, tests use
 * tiny ones.
 */
export class Polynomial {
  readonly #coefficients: Sealed<readonly Secret[]>
  readonly #order: bigint

  constructor(coefficients: readonly Secret[], order: bigint) {
    assert(coefficients.length > 0, 'a polynomial has at least one coefficient')
    this.#coefficients = new Sealed(coefficients)
    this.#order = order
  }

  /** The share of a node: Horner at its evaluation point. */
  shareOf(index: NodeIndex): Secret {
    const x = BigInt(evaluationPoint(index))
    let value = 0n
    for (const coefficient of unseal(this.#coefficients).toReversed())
      value = mod(value * x + coefficient, this.#order)
    return asSecret(value)
  }

  /** Each coefficient times the base, the constant first. */
  times<P>(base: FixedBase<P>): P[] {
    return unseal(this.#coefficients).map((coefficient) => base.multiplySecret(coefficient))
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }
}
