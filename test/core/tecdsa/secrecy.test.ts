/**
 * Goal: what f nodes see can be made by somebody who does not know the secret, so it says nothing
 * about the secret. Method: threshold specification §22.6. Simulators make the view of a dealing
 * and of a signature; where the masks need it, they use the logarithm of a second generator made
 * for the test.
 */
import { describe, expect, test } from 'vitest'
import { fromBigEndian, utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import type { Group } from '../../../src/core/base/group.ts'
import { asSecret, invert, mod } from '../../../src/core/base/group.ts'
import { secp256k1 as group } from '../../../src/core/base/noble-secp256k1.ts'
import { Seed } from '../../../src/core/base/seed.ts'
import type { Commitment } from '../../../src/core/tecdsa/commitment.ts'
import { commit, openingOpens } from '../../../src/core/tecdsa/commitment.ts'
import { lagrangeScalars } from '../../../src/core/tecdsa/lagrange.ts'
import type { Transcript, TranscriptKind } from '../../../src/core/tecdsa/parameters.ts'
import { Polynomial } from '../../../src/core/tecdsa/polynomial.ts'
import type { Opening, SecretOpening } from '../../../src/core/tecdsa/secret.ts'
import { Sealed } from '../../../src/core/tecdsa/secret.ts'
import type { SignatureShare } from '../../../src/core/tecdsa/signature.ts'
import {
  combine,
  createShare,
  publicInputs,
  verifyShare,
} from '../../../src/core/tecdsa/signature.ts'
import { ecdsaSecp256k1 } from '../../../src/core/tecdsa/suite.ts'
import type { Point } from '../../support/threshold.ts'
import { bytesOf, order } from '../../support/threshold.ts'

const generator = Seed.fromBytes(bytesOf('simulator')).generator()
const scalar = (): bigint => generator.scalar(group)
const trapdoor = scalar()
/** A group whose second generator somebody does know. */
const weak: Group<Point> = { ...group, h: group.fixedBase(group.g.multiplyPublic(trapdoor)) }

describe('the view of a dealing', () => {
  test('§22.6 dealing: commitments that fit C_0 and any f shares', () => {
    const c0 = group.hashToPoint(bytesOf('a public key'), bytesOf('dst')) // Nobody knows its logarithm.
    const corrupt = [1, 4]
    const shares = corrupt.map(() => scalar())
    const points = [c0, ...shares.map((value) => group.g.multiplyPublic(value))]
    // Coefficients in the exponent, through zero and the points of the corrupt.
    const xs = [0n, ...corrupt.map((index) => BigInt(index + 1))]
    const simulated: Commitment<Point> = { type: 'simple', points: coefficientsThrough(xs, points) }
    expect(group.equals(simulated.points[0] ?? group.zero, c0)).toBe(true)
    corrupt.forEach((index, i) => {
      const opening = { type: 'simple', value: shares[i] ?? 0n } as const
      expect(openingOpens(group, simulated, index, opening)).toBe(true)
    })
  })

  test('§22.6 masked-dealing: with the trapdoor log_g h, which nobody has, one commitment opens to any secret', () => {
    const [a, r] = [0, 1].map(() => [scalar(), scalar()])
    const poly = (coefficients: readonly bigint[] | undefined): Polynomial =>
      new Polynomial((coefficients ?? []).map(asSecret), order)
    const commitment = commit(weak, poly(a), poly(r))
    const otherSecret = scalar()
    const b = [otherSecret, a?.[1] ?? 0n]
    // a + r·τ = b + s·τ in every coefficient.
    const s = b.map((value, k) =>
      mod((r?.[k] ?? 0n) + ((a?.[k] ?? 0n) - value) * invert(trapdoor, order), order),
    )
    for (const index of [0, 3]) {
      const opening = {
        type: 'pedersen',
        value: poly(b).shareOf(index),
        mask: poly(s).shareOf(index),
      } as const
      expect(openingOpens(weak, commitment, index, opening)).toBe(true)
      expect(opening.value).not.toBe(poly(a).shareOf(index))
    }
  })
})

/**
 * Coefficients of the polynomial through (x_i, P_i): those of each Lagrange basis polynomial, then
 * a sum of points.
 */
function coefficientsThrough(xs: readonly bigint[], points: readonly Point[]): Point[] {
  const bases = xs.map((x) => {
    let basis = [1n]
    for (const other of xs.filter((each) => each !== x)) {
      const scale = invert(x - other, order)
      const times = (k: number): bigint => (basis[k - 1] ?? 0n) - other * (basis[k] ?? 0n)
      basis = Array.from({ length: basis.length + 1 }, (_, k) => mod(scale * times(k), order))
    }
    return basis
  })
  return xs.map((_, k) =>
    group.sum(points.map((point, i) => ({ point, scalar: bases[i]?.[k] ?? 0n }))),
  )
}

describe('the view of a signature', () => {
  const suite = ecdsaSecp256k1(weak)
  const receivers = [0, 1, 2, 3].map((i) => bytesOf(`node ${i}`))
  type Sharing = { readonly values: Polynomial; readonly masks: Polynomial | undefined }

  const [x, kappa, lambda] = [scalar(), scalar(), scalar()]
  const line = (constant: bigint): Polynomial =>
    new Polynomial([asSecret(mod(constant, order)), asSecret(scalar())], order)
  const pedersen = (constant: bigint): Sharing => ({
    values: line(constant),
    masks: line(scalar()),
  })
  const sharings = {
    lambda: pedersen(lambda),
    kappaLambda: pedersen(kappa * lambda),
    keyLambda: pedersen(x * lambda),
  }
  function transcript(id: bigint, { values, masks }: Sharing, kind: TranscriptKind): Transcript {
    const commitment = commit(weak, values, masks)
    const algorithm = 'ThresholdEcdsaSecp256k1'
    return { id, algorithm, receivers, kind, combination: 'bySummation', commitment }
  }
  const unmasked: TranscriptKind = { type: 'unmasked', origin: { type: 'random' } }
  const masked: TranscriptKind = { type: 'masked', origin: { type: 'random' } }
  const inputs = publicInputs(suite, {
    key: transcript(1n, { values: line(x), masks: undefined }, unmasked),
    presignature: {
      kappa: transcript(2n, { values: line(kappa), masks: undefined }, unmasked),
      lambda: transcript(3n, sharings.lambda, masked),
      kappaLambda: transcript(4n, sharings.kappaLambda, masked),
      keyLambda: transcript(5n, sharings.keyLambda, masked),
    },
    path: [utf8('caller')],
    digest: bytesOf('message'),
    nonce: bytesOf('nonce'),
  })
  if ('refusal' in inputs) throw new Error(inputs.detail)

  const shareOf = ({ values, masks }: Sharing, index: number): Sealed<SecretOpening> =>
    new Sealed({
      type: 'pedersen',
      value: values.shareOf(index),
      mask: present(masks, 'a masked sharing').shareOf(index),
    })
  const real = receivers.map((_, index) =>
    createShare(suite, inputs, {
      lambda: shareOf(sharings.lambda, index),
      kappaLambda: shareOf(sharings.kappaLambda, index),
      keyLambda: shareOf(sharings.keyLambda, index),
    }),
  )
  const { result } = combine(suite, inputs, new Map(real.entries()))
  if (!('signature' in result)) throw new Error(result.detail)
  const lowS = fromBigEndian(result.signature.subarray(32))

  const realAt = (index: number): SignatureShare => present(real[index], 'a share')
  /** The line through `atZero` and the share of corrupt node 0, at an honest node. */
  const extended = (atZero: bigint, corrupt: bigint, index: number): bigint =>
    mod(atZero + (corrupt - atZero) * BigInt(index + 1), order)
  /** The mask with which another value opens the same commitment: the trapdoor at work. */
  function reopened(opening: Opening, value: bigint): Opening {
    const mask = opening.type === 'pedersen' ? opening.mask : 0n
    const moved = (opening.value - value) * invert(trapdoor, order)
    return { type: 'pedersen', value, mask: mod(mask + moved, order) }
  }
  const simulated = (mu0: bigint, s: bigint, index: number): SignatureShare => {
    const { nu, mu } = realAt(index)
    const corrupt = realAt(0)
    return {
      nu: reopened(nu, extended(mod(s * mu0, order), corrupt.nu.value, index)),
      mu: reopened(mu, extended(mu0, corrupt.mu.value, index)),
    }
  }

  test('§22.6 signing: shares of honest nodes made from the signature and any μ(0) verify', () => {
    for (const index of [1, 2, 3]) {
      const share = simulated(scalar(), lowS, index)
      expect(verifyShare(suite, inputs, index, share)).toBeUndefined()
      expect(share.mu.value).not.toBe(realAt(index).mu.value)
    }
  })

  test('§22.6 true-signing: with the true μ(0) they are the real ones', () => {
    const [a = 0n, b = 0n] = lagrangeScalars([0, 1], order)
    const mu0 = mod(a * realAt(0).mu.value + b * realAt(1).mu.value, order)
    const nu0 = mod(a * realAt(0).nu.value + b * realAt(1).nu.value, order)
    const s = mod(nu0 * invert(mu0, order), order)
    expect([s, order - s]).toContain(lowS)
    for (const index of [1, 2, 3]) expect(simulated(mu0, s, index)).toEqual(realAt(index))
  })
})
