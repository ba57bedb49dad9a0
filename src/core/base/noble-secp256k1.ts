/**
 * secp256k1 behind the group port, by @noble/curves. Encodings: threshold specification §3.1, SEC1
 * compressed.
 */
import { mulAddUnsafe, normalizeZ, pippenger } from '@noble/curves/abstract/curve.js'
import { secp256k1 as curve, secp256k1_hasher as hasher } from '@noble/curves/secp256k1.js'
import { bigEndian, fromBigEndian, fromHex } from './bytes.ts'
import type { FixedBase, Group, Secret, Term } from './group.ts'
import { mod } from './group.ts'
import { evaluatePolynomial } from './point-polynomial.ts'

const { Point } = curve

/** Opaque to everybody but this file. */
export type Secp256k1Point = InstanceType<typeof Point>
type P = Secp256k1Point

export const SECP256K1_ORDER = Point.Fn.ORDER

const ZERO_BYTES = new Uint8Array(33)
const POINT_SIZE = 33
/**
 * Tables of g and h serve as long as the process; those of keys pay for themselves after a few
 * dealings.
 */
const GENERATOR_WINDOW = 8
const KEY_WINDOW = 5
/** So many multiplications of a generator cost less than its table: a command that makes one address. */
const TABLE_PAYS_FROM = 16
/** From here on Pippenger's buckets beat interleaved tables; measured with this library. */
const PIPPENGER_MIN = 96

/** threshold specification §3.3; a test computes it again from its definition. */
const H_BYTES = fromHex('037bdcfc024cf697a41fd3cda2436c843af5669e50042be3314a532d5b70572f59')

const reduce = (scalar: bigint): bigint => mod(scalar, SECP256K1_ORDER)

function multiplySecret(a: P, scalar: Secret): P {
  const k = reduce(scalar)
  // The library refuses zero here. A zero secret has probability 2^-256 and hides nothing.
  return k === 0n || a.is0() ? Point.ZERO : a.multiply(k)
}

function multiplyPublic(a: P, scalar: bigint): P {
  return a.multiplyUnsafe(reduce(scalar))
}

function decode(bytes: Uint8Array): P | undefined {
  if (bytes.length !== POINT_SIZE) return undefined
  if (bytes.every((byte) => byte === 0)) return Point.ZERO
  if (bytes[0] !== 2 && bytes[0] !== 3) return undefined
  try {
    return Point.fromBytes(bytes)
  } catch {
    return undefined // The library throws for x ≥ p and for x off the curve.
  }
}

function encode(points: readonly P[]): Uint8Array[] {
  const finite = points.filter((point) => !point.is0())
  const affine = normalizeZ(Point, finite).values()
  return points.map((point) => (point.is0() ? ZERO_BYTES.slice() : encodeNext(affine)))
}

function encodeNext(affine: Iterator<P>): Uint8Array {
  const next = affine.next()
  return next.done === true ? ZERO_BYTES.slice() : next.value.toBytes(true)
}

/** The library's own two-point call splits both scalars by the endomorphism. */
function pair(a: P, k: bigint, b: P, l: bigint): P {
  const [first, second] = [reduce(k), reduce(l)]
  if (a.is0() || first === 0n) return multiplyPublic(b, l)
  if (b.is0() || second === 0n) return multiplyPublic(a, k)
  return a.mulAddUnsafe(first, b, second)
}

function sum(terms: readonly Term<P>[]): P {
  const useful = terms.filter(({ point, scalar }) => !point.is0() && reduce(scalar) !== 0n)
  if (useful.length === 0) return Point.ZERO
  const points = useful.map(({ point }) => point)
  const scalars = useful.map(({ scalar }) => reduce(scalar))
  return useful.length < PIPPENGER_MIN
    ? mulAddUnsafe(Point, points, scalars, true)
    : pippenger(Point, points, scalars)
}

function withTable(point: P, window: number): FixedBase<P> {
  // A copy, because the library keeps the table with the object. It is built at the first
  // multiplication.
  const base = point.is0() ? point : Point.fromAffine(point.toAffine()).precompute(window)
  return {
    point,
    multiplySecret: (scalar) => multiplySecret(base, scalar),
    multiplyPublic: (scalar) => multiplyPublic(base, scalar),
  }
}

/** A generator; its table is built when a process turns out to need it. */
function generator(find: () => P): FixedBase<P> {
  let built: FixedBase<P> | undefined
  let plain: P | undefined
  let multiplications = 0
  const point = (): P => {
    plain ??= Point.fromAffine(find().toAffine())
    return plain
  }
  const table = (): FixedBase<P> => {
    built ??= withTable(point(), GENERATOR_WINDOW)
    return built
  }
  return {
    get point() {
      return point()
    },
    multiplySecret: (scalar) => table().multiplySecret(scalar),
    multiplyPublic: (scalar) => {
      multiplications += 1
      const pays = multiplications >= TABLE_PAYS_FROM
      return pays ? table().multiplyPublic(scalar) : multiplyPublic(point(), scalar)
    },
  }
}

export const secp256k1: Group<P> = {
  name: 'secp256k1',
  tag: 1,
  domainName: 'secp256k1',
  order: SECP256K1_ORDER,
  g: generator(() => Point.BASE),
  h: generator(() => Point.fromBytes(H_BYTES)),
  zero: Point.ZERO,
  pointSize: POINT_SIZE,
  scalarSize: 32,
  decode,
  encode,
  encodeScalar: (scalar) => bigEndian(reduce(scalar), 32),
  decodeScalar: (bytes) => {
    const value = fromBigEndian(bytes)
    return bytes.length === 32 && value < SECP256K1_ORDER ? value : undefined
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
