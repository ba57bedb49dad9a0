/**
 * BLS12-381 by @noble/curves: G2 behind the group port, and the signature arithmetic in G1. Source:
 * threshold specification §§3.1, 3.3, 16.1.
 */
import { bls12_381 as curve } from '@noble/curves/bls12-381.js'
import { bigEndian, fromBigEndian, utf8 } from './bytes.ts'
import type { FixedBase, Group, Secret, Term } from './group.ts'
import { mod } from './group.ts'
import { evaluatePolynomial } from './point-polynomial.ts'
import { BLS_DST } from './verification.ts'

const { Point } = curve.G2
const { Point: SignaturePoint } = curve.G1

/** Opaque to everybody but this file. */
export type BlsG2Point = InstanceType<typeof Point>
/** A signature or a share of one. */
export type BlsG1Point = InstanceType<typeof SignaturePoint>
type P = BlsG2Point

export const BLS_ORDER = Point.Fn.ORDER

const POINT_SIZE = 96
const GENERATOR_WINDOW = 5

const reduce = (scalar: bigint): bigint => mod(scalar, BLS_ORDER)

function multiplySecret(a: P, scalar: Secret): P {
  const k = reduce(scalar)
  // The library refuses zero here. A zero secret has probability 2^-255 and hides nothing.
  return k === 0n || a.is0() ? Point.ZERO : a.multiply(k)
}

const multiplyPublic = (a: P, scalar: bigint): P => a.multiplyUnsafe(reduce(scalar))

/** In the subgroup; the identity decodes. */
function decode(bytes: Uint8Array): P | undefined {
  if (bytes.length !== POINT_SIZE) return undefined
  try {
    const point = Point.fromBytes(bytes)
    if (!point.is0()) point.assertValidity()
    return point
  } catch {
    return undefined // The library throws for x ≥ p and for points off the curve or the subgroup.
  }
}

const sum = (terms: readonly Term<P>[]): P =>
  terms.reduce((total, { point, scalar }) => total.add(multiplyPublic(point, scalar)), Point.ZERO)

function withTable(point: P): FixedBase<P> {
  const base = point.is0() ? point : Point.fromAffine(point.toAffine()).precompute(GENERATOR_WINDOW)
  return {
    point,
    multiplySecret: (scalar) => multiplySecret(base, scalar),
    multiplyPublic: (scalar) => multiplyPublic(base, scalar),
  }
}

/** §3.3. Computed when first asked for: hashing to G2 takes a few milliseconds. */
function secondGenerator(): FixedBase<P> {
  const dst = utf8('ckbtc-bls12381g2-generator-h')
  return withTable(curve.G2.hashToCurve(utf8('h'), { DST: dst }))
}

let generator: FixedBase<P> | undefined
let second: FixedBase<P> | undefined

export const blsG2: Group<P> = {
  name: 'bls12-381-g2',
  tag: 16,
  domainName: 'bls12_381_g2',
  order: BLS_ORDER,
  get g() {
    generator ??= withTable(Point.BASE)
    return generator
  },
  get h() {
    second ??= secondGenerator()
    return second
  },
  zero: Point.ZERO,
  pointSize: POINT_SIZE,
  scalarSize: 32,
  decode,
  encode: (points) => points.map((point) => point.toBytes(true)),
  encodeScalar: (scalar) => bigEndian(reduce(scalar), 32),
  decodeScalar: (bytes) => {
    const value = fromBigEndian(bytes)
    return bytes.length === 32 && value < BLS_ORDER ? value : undefined
  },
  add: (a, b) => a.add(b),
  subtract: (a, b) => a.subtract(b),
  equals: (a, b) => a.equals(b),
  isZero: (a) => a.is0(),
  multiplySecret,
  multiplyPublic,
  pair: (a, k, b, l) => multiplyPublic(a, k).add(multiplyPublic(b, l)),
  sum,
  evaluate: (commitment, x) => evaluatePolynomial(Point.ZERO, commitment, x),
  fixedBase: withTable,
  hashToPoint: (message, dst) => curve.G2.hashToCurve(message, { DST: dst }),
}

/** The point of G1 that a signature over `message` is a multiple of. */
export const blsMessagePoint = (message: Uint8Array): BlsG1Point =>
  curve.G1.hashToCurve(message, { DST: BLS_DST })

/** scalar · point, 48 bytes compressed. */
export const blsMultiply = (point: BlsG1Point, scalar: Secret): Uint8Array =>
  point.multiply(reduce(scalar)).toBytes(true)

/** Σ scalar · point over encoded points; undefined if one does not decode. 48 bytes. */
export function blsSum(
  terms: readonly { readonly point: Uint8Array; readonly scalar: bigint }[],
): Uint8Array | undefined {
  let total = SignaturePoint.ZERO
  for (const { point, scalar } of terms) {
    const decoded = decodeSignature(point)
    if (decoded === undefined) return undefined
    total = total.add(decoded.multiplyUnsafe(reduce(scalar)))
  }
  return total.toBytes(true)
}

function decodeSignature(bytes: Uint8Array): BlsG1Point | undefined {
  try {
    const point = SignaturePoint.fromBytes(bytes)
    point.assertValidity()
    return point
  } catch {
    return undefined
  }
}
