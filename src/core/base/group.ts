/**
 * The port to a prime-order group. Source: performance specification §2; engines implement it, core
 * depends on it.
 */
import { BadEncoding } from './errors.ts'

declare const secrecy: unique symbol

/** A scalar that nobody else may learn: shares, masks, nonces, coefficients, decryption keys. */
export type Secret = bigint & { readonly [secrecy]: 'secret' }

/** Marks a scalar as secret. The way back is a cast that only the arithmetic files make. */
export const asSecret = (scalar: bigint): Secret => scalar as Secret

/** One term of a multi-scalar sum; the scalar is public. */
export type Term<P> = { readonly point: P; readonly scalar: bigint }

/** A point with a table, for many multiplications. */
export interface FixedBase<P> {
  readonly point: P
  multiplySecret(scalar: Secret): P
  multiplyPublic(scalar: bigint): P
}

export type GroupName = 'secp256k1' | 'bls12-381-g1' | 'bls12-381-g2' | 'ed25519'

/**
 * Prime-order group with an opaque point. All points handed out are on the curve and in the group.
 *
 * Scalars may be 0 or unreduced below 2^256; results equal those for the reduced value.
 */
export interface Group<P> {
  readonly name: GroupName
  /** Tag byte in front of encoded points and scalars, threshold specification §3.1. */
  readonly tag: number
  /** Name of the group in domain strings, §3.1. */
  readonly domainName: string
  readonly order: bigint
  /** Standard generator. */
  readonly g: FixedBase<P>
  /** Second generator; nobody knows its logarithm, §3.3. */
  readonly h: FixedBase<P>
  readonly zero: P
  readonly pointSize: number
  readonly scalarSize: number
  /** Strict; undefined when refused. The identity decodes. */
  decode(bytes: Uint8Array): P | undefined
  /** One shared inversion. */
  encode(points: readonly P[]): Uint8Array[]
  encodeScalar(scalar: bigint): Uint8Array
  /** Undefined when the length is wrong or the value is not below the order. */
  decodeScalar(bytes: Uint8Array): bigint | undefined
  add(a: P, b: P): P
  subtract(a: P, b: P): P
  equals(a: P, b: P): boolean
  isZero(a: P): boolean
  /** Fixed schedule, as far as the language allows. */
  multiplySecret(a: P, scalar: Secret): P
  multiplyPublic(a: P, scalar: bigint): P
  /** k·a + l·b for public scalars. */
  pair(a: P, k: bigint, b: P, l: bigint): P
  /** Σ scalar·point for public scalars; any length, 0 included. */
  sum(terms: readonly Term<P>[]): P
  /** Σ x^k·commitment[k] by Horner, x a small positive integer. */
  evaluate(commitment: readonly P[], x: number): P
  /** Builds a table. */
  fixedBase(a: P): FixedBase<P>
  /** RFC 9380 hash_to_curve, random-oracle suite of the group. */
  hashToPoint(message: Uint8Array, dst: Uint8Array): P
}

/** Remainder in [0, q). */
export function mod(value: bigint, order: bigint): bigint {
  const remainder = value % order
  return remainder < 0n ? remainder + order : remainder
}

/** Inverse mod the prime `order`, by Euclid. Zero has none: `RangeError`. Public values only. */
export function invert(value: bigint, order: bigint): bigint {
  let [a, b] = [mod(value, order), order]
  let [x, y] = [1n, 0n]
  if (a === 0n) throw new RangeError('zero has no inverse')
  while (a > 1n) {
    const quotient = b / a
    ;[a, b] = [b % a, a]
    ;[x, y] = [y - quotient * x, x]
  }
  return mod(x, order)
}

/** One point as bytes. */
export function encodePoint<P>(group: Pick<Group<P>, 'encode'>, point: P): Uint8Array {
  const [bytes] = group.encode([point])
  if (bytes === undefined) throw new BadEncoding('no point given')
  return bytes
}

/** Strict decoding that throws `BadEncoding`. The identity passes; see `decodeNonZero`. */
export function decodePoint<P>(group: Pick<Group<P>, 'decode' | 'name'>, bytes: Uint8Array): P {
  const point = group.decode(bytes)
  if (point === undefined) throw new BadEncoding(`not a point of ${group.name}`)
  return point
}

/** For public keys and ephemeral keys, where the identity is refused as well. */
export function decodeNonZero<P>(
  group: Pick<Group<P>, 'decode' | 'name' | 'isZero'>,
  bytes: Uint8Array,
): P {
  const point = decodePoint(group, bytes)
  if (group.isZero(point)) throw new BadEncoding('the identity where a key is due')
  return point
}
