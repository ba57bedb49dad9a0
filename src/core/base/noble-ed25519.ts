/**
 * The prime-order subgroup of edwards25519 behind the group port, by @noble/curves. Encodings:
 * threshold specification §3.1, RFC 8032 §5.1.2.
 */
import { mulAddUnsafe, normalizeZ, pippenger } from '@noble/curves/abstract/curve.js'
import { ed25519 as curve, ed25519_hasher as hasher } from '@noble/curves/ed25519.js'
import { bigEndian, fromHex, fromLittleEndian } from './bytes.ts'
import type { FixedBase, Group, Secret, Term } from './group.ts'
import { mod } from './group.ts'
import { evaluatePolynomial } from './point-polynomial.ts'

const { Point } = curve

/** Opaque to everybody but this file. */
export type Ed25519Point = InstanceType<typeof Point>
type P = Ed25519Point

/** L, the order of the subgroup. */
export const ED25519_ORDER = Point.Fn.ORDER

const POINT_SIZE = 32
const SCALAR_SIZE = 32
const GENERATOR_WINDOW = 6
const KEY_WINDOW = 5
/** From here on Pippenger's buckets beat interleaved tables; measured with this library. */
const PIPPENGER_MIN = 96

/** threshold specification §3.3; a test computes it again from its definition. */
const H_BYTES = fromHex('d0509f80e5df2c3865f3b4cda82cc5b5c5b33f9c0ee151bbba1ad5a0f6e507db')

const reduce = (scalar: bigint): bigint => mod(scalar, ED25519_ORDER)

function multiplySecret(a: P, scalar: Secret): P {
  const k = reduce(scalar)
  // The library refuses zero here. A zero secret has probability 2^-252 and hides nothing.
  return k === 0n || a.is0() ? Point.ZERO : a.multiply(k)
}

const multiplyPublic = (a: P, scalar: bigint): P => a.multiplyUnsafe(reduce(scalar))

/** Canonical and in the subgroup; the identity decodes. */
function decode(bytes: Uint8Array): P | undefined {
  if (bytes.length !== POINT_SIZE) return undefined
  try {
    const point = Point.fromBytes(bytes, false) // Strict: y < p, and no sign for x = 0.
    return point.isTorsionFree() ? point : undefined
  } catch {
    return undefined // The library throws for what is no point.
  }
}

function sum(terms: readonly Term<P>[]): P {
  const useful = terms.filter(({ point, scalar }) => !point.is0() && reduce(scalar) !== 0n)
  if (useful.length === 0) return Point.ZERO
  const points = useful.map(({ point }) => point)
  const scalars = useful.map(({ scalar }) => reduce(scalar))
  return useful.length < PIPPENGER_MIN
    ? mulAddUnsafe(Point, points, scalars)
    : pippenger(Point, points, scalars)
}

const pair = (a: P, k: bigint, b: P, l: bigint): P =>
  sum([
    { point: a, scalar: k },
    { point: b, scalar: l },
  ])

function withTable(point: P, window: number): FixedBase<P> {
  // A copy, because the library keeps the table with the object. It is built at the first
  // multiplication.
  const base = Point.fromAffine(point.toAffine()).precompute(window)
  return {
    point,
    multiplySecret: (scalar) => multiplySecret(base, scalar),
    multiplyPublic: (scalar) => multiplyPublic(base, scalar),
  }
}

let generator: FixedBase<P> | undefined
let second: FixedBase<P> | undefined

export const ed25519Group: Group<P> = {
  name: 'ed25519',
  tag: 3,
  domainName: 'ed25519',
  order: ED25519_ORDER,
  get g() {
    generator ??= withTable(Point.BASE, GENERATOR_WINDOW)
    return generator
  },
  get h() {
    second ??= withTable(Point.fromBytes(H_BYTES, false), GENERATOR_WINDOW)
    return second
  },
  zero: Point.ZERO,
  pointSize: POINT_SIZE,
  scalarSize: SCALAR_SIZE,
  decode,
  encode: (points) => normalizeZ(Point, [...points]).map((point) => point.toBytes()),
  encodeScalar: (scalar) => bigEndian(reduce(scalar), SCALAR_SIZE).reverse(),
  decodeScalar: (bytes) => {
    const value = fromLittleEndian(bytes)
    return bytes.length === SCALAR_SIZE && value < ED25519_ORDER ? value : undefined
  },
  add: (a, b) => a.add(b),
  subtract: (a, b) => a.subtract(b),
  equals: (a, b) => a.equals(b),
  isZero: (a) => a.is0(),
  multiplySecret,
  multiplyPublic,
  pair,
  sum,
  evaluate: (commitment, x) => evaluatePolynomial(Point.ZERO, commitment, x),
  fixedBase: (point) => withTable(point, KEY_WINDOW),
  hashToPoint: (message, dst) => hasher.hashToCurve(message, { DST: dst }),
}
