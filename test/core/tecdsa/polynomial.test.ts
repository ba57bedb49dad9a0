/**
 * Goal: any t shares fix the secret, t − 1 say nothing about it, and commitments bind shares.
 * Method: threshold specification §§4, 22.1, 22.6; hiding is counted out over whole fields of order
 * 7 and 11.
 */
import { describe, expect, test } from 'vitest'
import { present } from '../../../src/core/base/errors.ts'
import { asSecret, mod } from '../../../src/core/base/group.ts'
import { secp256k1 as group } from '../../../src/core/base/noble-secp256k1.ts'
import { Seed } from '../../../src/core/base/seed.ts'
import type { Commitment, ShareClaim } from '../../../src/core/tecdsa/commitment.ts'
import {
  allSharesOpen,
  commit,
  constantTerm,
  evaluateAt,
  interpolateCommitments,
  openingOpens,
  shareOpens,
  sumCommitments,
} from '../../../src/core/tecdsa/commitment.ts'
import { evaluationPoint, lagrange, lagrangeScalars } from '../../../src/core/tecdsa/lagrange.ts'
import { Polynomial } from '../../../src/core/tecdsa/polynomial.ts'
import type { SecretOpening } from '../../../src/core/tecdsa/secret.ts'
import { Sealed } from '../../../src/core/tecdsa/secret.ts'
import { bytesOf, order, subsets } from '../../support/threshold.ts'

/** Every tuple of `length` field elements. */
function tuples(field: bigint, length: number): bigint[][] {
  if (length === 0) return [[]]
  const shorter = tuples(field, length - 1)
  return shorter.flatMap((tuple) =>
    Array.from({ length: Number(field) }, (_, a) => [...tuple, BigInt(a)]),
  )
}

const polynomial = (coefficients: readonly bigint[], field: bigint): Polynomial =>
  new Polynomial(coefficients.map(asSecret), field)

const generator = Seed.fromBytes(bytesOf('polynomials')).generator()
const random = (t: number): Polynomial =>
  new Polynomial(
    Array.from({ length: t }, () => generator.scalar(group)),
    order,
  )

describe('perfect hiding, counted out', () => {
  const cases = [7n, 11n].flatMap((field) =>
    [1, 2, 3].map((t) => ({ field, t, nodes: Number(field) - 1 })),
  )
  test.each(cases)(
    '§22.6 hiding: any t − 1 shares are equally likely for every secret: order $field, t = $t',
    (row) => {
      const { field, t, nodes } = row
      for (const observers of subsets(Math.min(nodes, 5), t - 1)) {
        const histograms = Array.from({ length: Number(field) }, (_, secret) => {
          const seen = new Map<string, number>()
          for (const rest of tuples(field, t - 1)) {
            const dealt = polynomial([BigInt(secret), ...rest], field)
            const view = observers.map((i) => dealt.shareOf(i)).join()
            seen.set(view, (seen.get(view) ?? 0) + 1)
          }
          return [...seen].toSorted()
        })
        for (const histogram of histograms) expect(histogram).toEqual(histograms[0])
        expect(histograms[0]).toHaveLength(Number(field) ** (t - 1))
      }
    },
  )

  test('t shares are not hiding: the count would notice', () => {
    const views = [0n, 1n].map((secret) =>
      tuples(7n, 1)
        .map((rest) => polynomial([secret, ...rest], 7n))
        .map((dealt) => [0, 1].map((i) => dealt.shareOf(i)).join())
        .toSorted(),
    )
    expect(views[0]).not.toEqual(views[1])
  })

  test.each([
    { field: 7n, t: 2, observers: [[0], [2], [5]] },
    { field: 11n, t: 2, observers: [[3]] },
    { field: 7n, t: 3, observers: [[1, 4]] },
  ])(
    '§22.6 hiding-pairs: any f pairs of value and mask are equally likely for every secret: order $field, t = $t',
    ({ field, t, observers }) => {
      for (const nodes of observers) {
        const histograms = Array.from({ length: Number(field) }, (_, secret) => {
          const seen = new Map<string, number>()
          for (const drawn of tuples(field, 2 * t - 1)) {
            const values = polynomial([BigInt(secret), ...drawn.slice(0, t - 1)], field)
            const masks = polynomial(drawn.slice(t - 1), field)
            const view = nodes.map((i) => [values.shareOf(i), masks.shareOf(i)]).join()
            seen.set(view, (seen.get(view) ?? 0) + 1)
          }
          return [...seen].toSorted()
        })
        for (const histogram of histograms) expect(histogram).toEqual(histograms[0])
        expect(histograms[0]).toHaveLength(Number(field) ** (2 * (t - 1)))
      }
    },
    60_000,
  )

  test.each([7n, 11n])(
    '§22.1 too-few: t − 1 shares and any secret lie on one polynomial: order %i',
    (field) => {
      for (const t of [2, 3])
        for (const nodes of subsets(4, t - 1)) {
          const dealt = polynomial([3n, 5n, 2n].slice(0, t), field)
          const fitting = tuples(field, t).filter((coefficients) =>
            nodes.every((i) => polynomial(coefficients, field).shareOf(i) === dealt.shareOf(i)),
          )
          const secrets = fitting.map(([secret = 0n]) => secret).toSorted((a, b) => Number(a - b))
          expect(secrets).toEqual(Array.from({ length: Number(field) }, (_, i) => BigInt(i)))
        }
    },
  )
})

describe('interpolation', () => {
  test.each([1, 2, 3, 5])(
    '§22.1 lagrange: any %i shares give the secret, and any other share',
    (t) => {
      const secret = generator.scalar(group)
      const rest = Array.from({ length: t - 1 }, () => generator.scalar(group))
      const dealt = new Polynomial([secret, ...rest], order)
      for (const indices of subsets(6, t)) {
        const at = (z: number): bigint =>
          lagrangeScalars(indices, order, z).reduce(
            (sum, weight, i) =>
              mod(sum + weight * dealt.shareOf(present(indices[i], 'i < t')), order),
            0n,
          )
        expect(at(0)).toBe(secret)
        expect(at(evaluationPoint(9))).toBe(dealt.shareOf(9))
      }
    },
  )

  test.each([2, 3])('§22.1 other-set: all sets of %i shares give the same at every point', (t) => {
    const dealt = random(t)
    for (const z of [0, 3, 9, 1000]) {
      const found = subsets(7, t).map((indices) => {
        const weights = lagrangeScalars(indices, order, z)
        return indices.reduce(
          (sum, i, k) => mod(sum + (weights[k] ?? 0n) * dealt.shareOf(i), order),
          0n,
        )
      })
      expect(new Set(found).size).toBe(1)
    }
  })

  test('one share too few gives something else', () => {
    const secret = generator.scalar(group)
    const dealt = new Polynomial([secret, generator.scalar(group)], order)
    const weights = lagrangeScalars([1], order)
    expect(mod((weights[0] ?? 0n) * dealt.shareOf(1), order)).not.toBe(secret)
  })

  test('nobody has a share at zero', () => {
    expect(() => random(2).shareOf(-1)).toThrow('index')
    expect(() => random(2).shareOf(0.5)).toThrow('index')
  })

  test('over the points 1…m the coefficients at zero are signed binomials', () => {
    expect(lagrange([0, 1, 2, 3, 4])).toEqual({
      numerators: [5n, -10n, 10n, -5n, 1n],
      denominator: 1n,
    })
    expect(lagrange([0])).toEqual({ numerators: [1n], denominator: 1n })
  })

  test('the coefficients equal the textbook formula, in the order of the nodes', () => {
    for (const indices of [[3, 0, 6], [39, 1, 17, 5], [2], [12, 11, 10, 9]]) {
      const xs = indices.map((index) => BigInt(evaluationPoint(index)))
      for (const z of [0n, 8n]) {
        const { numerators, denominator } = lagrange(indices, Number(z))
        xs.forEach((x, i) => {
          const others = xs.filter((other) => other !== x)
          const above = others.reduce((product, other) => product * (z - other), 1n)
          const below = others.reduce((product, other) => product * (x - other), 1n)
          expect((numerators[i] ?? 0n) * below).toBe(above * denominator)
        })
        expect(denominator > 0n).toBe(true)
      }
    }
  })

  test('a node that occurs twice is a bug', () => {
    expect(() => lagrange([1, 2, 1])).toThrow('distinct')
  })
})

describe('commitments', () => {
  const [values, masks] = [random(3), random(3)]
  const simple = commit(group, values)
  const pedersen = commit(group, values, masks)
  const simpleShare = (index: number): SecretOpening => ({
    type: 'simple',
    value: values.shareOf(index),
  })
  const pair = (index: number): SecretOpening => ({
    type: 'pedersen',
    value: values.shareOf(index),
    mask: masks.shareOf(index),
  })

  test('a share opens at its own index and kind only', () => {
    const opens = (commitment: Commitment, index: number, opening: SecretOpening): boolean[] => [
      shareOpens(group, commitment, index, new Sealed(opening)),
      openingOpens(group, commitment, index, opening),
    ]
    for (const index of [0, 1, 6]) {
      expect(opens(simple, index, simpleShare(index))).toEqual([true, true])
      expect(opens(pedersen, index, pair(index))).toEqual([true, true])
    }
    expect(opens(simple, 1, simpleShare(0))).toEqual([false, false])
    expect(opens(pedersen, 1, pair(0))).toEqual([false, false])
    expect(opens(simple, 0, pair(0))).toEqual([false, false])
    expect(opens(pedersen, 0, simpleShare(0))).toEqual([false, false])
    const altered = { ...pair(0), value: asSecret(mod(values.shareOf(0) + 1n, order)) }
    expect(opens(pedersen, 0, altered)).toEqual([false, false])
    const remasked: SecretOpening = {
      type: 'pedersen',
      value: values.shareOf(0),
      mask: asSecret(mod(masks.shareOf(0) + 1n, order)),
    }
    expect(opens(pedersen, 0, remasked)).toEqual([false, false])
  })

  test('a mask of zero does not turn one kind into the other', () => {
    const zero = new Polynomial([asSecret(0n), asSecret(0n), asSecret(0n)], order)
    const unmasked = commit(group, values, zero)
    const withMask: SecretOpening = { ...simpleShare(0), type: 'pedersen', mask: asSecret(0n) }
    const cases = [
      { commitment: simple, opening: withMask },
      { commitment: unmasked, opening: simpleShare(0) },
    ]
    for (const { commitment, opening } of cases) {
      const share = new Sealed(opening)
      expect(shareOpens(group, commitment, 0, share)).toBe(false)
      expect(openingOpens(group, commitment, 0, opening)).toBe(false)
      expect(allSharesOpen(group, [{ commitment, index: 0, share }], [5n])).toBe(false)
    }
  })

  test('an evaluation is computed once for an index, and is that of the index', () => {
    expect(evaluateAt(group, pedersen, 4)).toBe(evaluateAt(group, pedersen, 4))
    const again = group.evaluate(pedersen.points, 5)
    expect(group.equals(evaluateAt(group, pedersen, 4), again)).toBe(true)
    expect(group.equals(evaluateAt(group, pedersen, 3), again)).toBe(false)
  })

  test('many claims hold together exactly if each holds', () => {
    const claims: ShareClaim<typeof group.zero>[] = [0, 2, 5].flatMap((index) => [
      { commitment: simple, index, share: new Sealed(simpleShare(index)) },
      { commitment: pedersen, index, share: new Sealed(pair(index)) },
    ])
    const weights = claims.map((_, i) => 2n ** 127n + BigInt(i))
    expect(allSharesOpen(group, claims, weights)).toBe(true)
    expect(allSharesOpen(group, [], [])).toBe(true)
    claims.forEach((claim, i) => {
      const wrong = claims.with(i, { ...claim, index: claim.index + 1 })
      expect(allSharesOpen(group, wrong, weights)).toBe(false)
    })
    const mixed = claims.with(0, {
      commitment: pedersen,
      index: 0,
      share: new Sealed(simpleShare(0)),
    })
    expect(allSharesOpen(group, mixed, weights)).toBe(false)
    expect(() => allSharesOpen(group, claims, [1n])).toThrow('weight')
  })

  test('errors that cancel under equal weights do not under others', () => {
    const off = (index: number, by: bigint): ShareClaim<typeof group.zero> => ({
      commitment: simple,
      index,
      share: new Sealed({
        type: 'simple',
        value: asSecret(mod(values.shareOf(index) + by, order)),
      }),
    })
    const claims = [off(0, 1n), off(1, -1n)]
    expect(allSharesOpen(group, claims, [1n, 1n])).toBe(true)
    expect(allSharesOpen(group, claims, [5n, 6n])).toBe(false)
  })

  test.each([[[0, 1, 2]], [[2, 0, 1]], [[6, 1, 3]], [[0, 4, 5, 6]]])(
    'interpolating commitments at nodes %j is interpolating their secrets',
    (indices) => {
      const dealt = indices.map(() => random(2))
      const combined = interpolateCommitments(
        group,
        new Map(indices.map((index, i) => [index, commit(group, present(dealt[i], 'i'))])),
      )
      const weights = lagrangeScalars(indices, order)
      for (const receiver of [0, 3]) {
        const share = dealt.reduce(
          (sum, each, i) => mod(sum + (weights[i] ?? 0n) * each.shareOf(receiver), order),
          0n,
        )
        const due = group.g.multiplyPublic(share)
        expect(group.equals(evaluateAt(group, combined, receiver), due)).toBe(true)
      }
    },
  )

  test('a sum of commitments commits to the sum', () => {
    const [a, b] = [random(2), random(2)]
    const sum = sumCommitments(group, [commit(group, a), commit(group, b)])
    const due = group.g.multiplyPublic(mod(a.shareOf(3) + b.shareOf(3), order))
    expect(group.equals(evaluateAt(group, sum, 3), due)).toBe(true)
    const [c0, d0] = [a, b].map((each) => constantTerm(commit(group, each)))
    const constant = group.add(c0 ?? group.zero, d0 ?? group.zero)
    expect(group.equals(constantTerm(sum), constant)).toBe(true)
  })

  test('kinds and degrees do not mix', () => {
    expect(() => sumCommitments(group, [simple, pedersen])).toThrow('one kind')
    expect(() => sumCommitments(group, [simple, commit(group, random(2))])).toThrow('one kind')
    expect(() => sumCommitments(group, [])).toThrow()
  })
})
