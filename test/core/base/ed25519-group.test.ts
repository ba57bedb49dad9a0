/**
 * Goal: the group port over edwards25519 agrees with plain addition, gives the values of the
 * standards, and refuses every encoding that is not canonical or not in the subgroup of prime
 * order. Method: threshold specification §§3.1, 3.3, A.1; RFC 9380 J.5.1; RFC 8032.
 */
import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js'
import { describe, expect, test } from 'vitest'
import { bigEndian, concat, fromHex, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import {
  asSecret,
  decodeNonZero,
  decodePoint,
  encodePoint,
  mod,
} from '../../../src/core/base/group.ts'
import { ed25519Group as group, ED25519_ORDER as l } from '../../../src/core/base/noble-ed25519.ts'
import { hashToScalars, oraclePoint, pointInput } from '../../../src/core/base/random-oracle.ts'
import { Seed } from '../../../src/core/base/seed.ts'

const p = 2n ** 255n - 19n
const g = group.g.point
const hex = (point: typeof g): string => toHex(encodePoint(group, point))
const times = (k: bigint): typeof g => group.multiplyPublic(g, k)
const littleEndian = (value: bigint): Uint8Array => bigEndian(value, 32).reverse()

describe('hash to curve and field', () => {
  const dst = utf8('QUUX-V01-CS02-with-edwards25519_XMD:SHA-512_ELL2_RO_')
  test.each([
    [
      '',
      0x3c3da6925a3c3c268448dcabb47ccde5439559d9599646a8260e47b1e4822fc6n,
      0x09a6c8561a0b22bef63124c588ce4c62ea83a3c899763af26d795302e115dc21n,
    ],
    [
      'abc',
      0x608040b42285cc0d72cbb3985c6b04c935370c7361f4b7fbdb1ae7f8c1a8ecadn,
      0x1a8395b88338f22e435bbd301183e7f20a5f9de643f11882fb237f88268a5531n,
    ],
    [
      'abcdef0123456789',
      0x6d7fabf47a2dc03fe7d47f7dddd21082c5fb8f86743cd020f3fb147d57161472n,
      0x53060a3d140e7fbcda641ed3cf42c88a75411e648a1add71217f70ea8ec561a6n,
    ],
  ])('RFC 9380 hashes %j to its point', (message, x, y) => {
    expect(group.hashToPoint(utf8(message), dst).toAffine()).toEqual({ x, y })
  })

  test('the second generator is the hash of "h"', () => {
    const due = group.hashToPoint(utf8('h'), utf8('ic-crypto-idkg-ed25519-generator-h'))
    expect(hex(group.h.point)).toBe(hex(due))
    expect(hex(group.h.point)).toBe(
      'd0509f80e5df2c3865f3b4cda82cc5b5c5b33f9c0ee151bbba1ad5a0f6e507db',
    )
  })

  test('48 bytes reduce to the published scalar, big-endian', () => {
    const wide =
      0x5465872a72824a73539f16e825035c403a2596407116900d47141fca8cbfd9a638af75a71310b08fe6351dd302b820c86b15e71ea73c78c876c1f88338a0n
    expect(mod(wide, l)).toBe(0x0dbde3b1df91378aedecf61861150a7961b23ef8aa7650aaf27c44b73fbec2c2n)
    const [first] = hashToScalars(group, { message: utf8('m'), dst: 'd', count: 1 })
    expect(first).toBeLessThan(l)
  })

  test('the oracle names the group and tags its points', () => {
    const input = pointInput(group, g)
    expect(toHex(input.data)).toBe(`03${hex(g)}`)
    const due = group.hashToPoint(
      concat(Uint8Array.of(1), utf8('a'), fromHex('0300000021'), input.data),
      utf8('d-ed25519'),
    )
    expect(hex(oraclePoint(group, 'd', { a: input }))).toBe(hex(due))
  })
})

describe('arithmetic', () => {
  const scalars = [0n, 1n, 2n, 3n, l - 1n, l, l + 2n, 2n ** 128n + 1n, 2n ** 255n, 2n ** 256n - 1n]

  test.each(scalars)('multiples by %s are the same in every way to get them', (k) => {
    const due = hex(times(mod(k, l)))
    expect(hex(group.g.multiplyPublic(k))).toBe(due)
    expect(hex(group.g.multiplySecret(asSecret(k)))).toBe(due)
    expect(hex(group.multiplySecret(g, asSecret(k)))).toBe(due)
    expect(hex(group.sum([{ point: g, scalar: k }]))).toBe(due)
    expect(hex(group.pair(g, k, group.zero, 5n))).toBe(due)
    expect(hex(group.pair(group.zero, 5n, g, k))).toBe(due)
    const tripled = group.fixedBase(times(3n))
    expect(hex(tripled.multiplySecret(asSecret(k)))).toBe(hex(times(mod(3n * k, l))))
    expect(hex(tripled.multiplyPublic(k))).toBe(hex(times(mod(3n * k, l))))
  })

  test('small multiples are repeated additions', () => {
    let sum = group.zero
    for (let k = 0n; k < 9n; k++) {
      expect(hex(times(k))).toBe(hex(sum))
      expect(group.isZero(group.subtract(times(k), sum))).toBe(true)
      sum = group.add(sum, g)
    }
  })

  test.each([0, 1, 2, 3, 95, 96, 97, 120])('a sum of %i terms', (count) => {
    const terms = Array.from({ length: count }, (_, i) => ({
      point: times(BigInt(i % 7)), // The identity and equal points among them.
      scalar: scalars[i % scalars.length] ?? 0n,
    }))
    const due = terms.reduce((sum, { scalar }, i) => mod(sum + BigInt(i % 7) * scalar, l), 0n)
    expect(hex(group.sum(terms))).toBe(hex(times(due)))
  })

  test('evaluation is the polynomial at the small integer', () => {
    const coefficients = [3n, 0n, l - 1n, 7n]
    for (const x of [1, 2, 13, 40]) {
      const due = coefficients.reduce((sum, a, k) => mod(sum + a * BigInt(x) ** BigInt(k), l), 0n)
      expect(hex(group.evaluate(coefficients.map(times), x))).toBe(hex(times(due)))
    }
  })

  test('a table of the identity stays the identity', () => {
    const base = group.fixedBase(group.zero)
    expect(group.isZero(base.multiplyPublic(5n))).toBe(true)
    expect(group.isZero(base.multiplySecret(asSecret(5n)))).toBe(true)
  })

  test('a scalar from a generator is drawn little-endian, below the order', () => {
    const draw = (): ReturnType<Seed['generator']> => Seed.fromBytes(utf8('scalar')).generator()
    const [bytes, scalar] = [draw(), draw().scalar(group)]
    for (;;) {
      const value = group.decodeScalar(bytes.bytes(32))
      if (value === undefined) continue
      expect(scalar).toBe(value)
      return
    }
  })

  test('names, tag and sizes are those of the specification', () => {
    const { name, tag, domainName, pointSize, scalarSize, order } = group
    expect([name, tag, domainName, pointSize, scalarSize]).toEqual([
      'ed25519',
      3,
      'ed25519',
      32,
      32,
    ])
    expect(order).toBe(2n ** 252n + 27742317777372353535851937790883648493n)
  })
})

describe('encodings', () => {
  const good = encodePoint(group, g)
  const signed = (bytes: Uint8Array): Uint8Array =>
    bytes.map((byte, i) => (i === 31 ? byte | 0x80 : byte))
  const offCurve = (() => {
    for (let y = 2n; ; y++) {
      try {
        ed25519.Point.fromBytes(littleEndian(y), true)
      } catch {
        return littleEndian(y)
      }
    }
  })()
  const torsion = ed25519.Point.fromHex(ED25519_TORSION_SUBGROUP[1] ?? '')

  test('points encode together as they do alone, the identity as (0, 1)', () => {
    const points = [g, group.zero, times(2n), times(l - 1n), group.zero]
    expect(group.encode(points).map(toHex)).toEqual(points.map(hex))
    expect(group.encode([])).toEqual([])
    for (const bytes of group.encode(points))
      expect(hex(decodePoint(group, bytes))).toBe(toHex(bytes))
    expect(hex(group.zero)).toBe(`01${'00'.repeat(31)}`)
    expect(hex(g)).toBe(`58${'66'.repeat(31)}`)
  })

  test('every length but 32 is refused', () => {
    const long = concat(good, good)
    for (let size = 0; size <= 64; size++)
      if (size !== 32) expect(group.decode(long.subarray(0, size))).toBeUndefined()
  })

  test.each([
    ['off the curve', offCurve],
    ['with y = p', littleEndian(p)],
    ['with y = p + 1, the identity once more', littleEndian(p + 1n)],
    ['with y = 2^255 − 1', littleEndian(2n ** 255n - 1n)],
    ['of the identity with a sign', signed(littleEndian(1n))],
    ['of (0, −1) with a sign', signed(littleEndian(p - 1n))],
    ['outside the subgroup, the generator and a point of order 8', g.add(torsion).toBytes()],
    ...ED25519_TORSION_SUBGROUP.slice(1).map((bytes, i): [string, Uint8Array] => [
      `of small order, ${i + 1}`,
      fromHex(bytes),
    ]),
  ])('bytes %s are refused', (_, bytes) => {
    expect(bytes).toHaveLength(32)
    expect(group.decode(bytes)).toBeUndefined()
    expect(() => decodePoint(group, bytes)).toThrow(BadEncoding)
  })

  test('the identity decodes, but not where a key is due', () => {
    expect(group.isZero(decodePoint(group, littleEndian(1n)))).toBe(true)
    expect(() => decodeNonZero(group, littleEndian(1n))).toThrow(BadEncoding)
  })

  test('scalars below the order are 32 bytes, little-endian; nothing else decodes', () => {
    for (const value of [0n, 1n, l - 1n]) {
      const bytes = group.encodeScalar(value)
      expect(toHex(bytes)).toBe(toHex(littleEndian(value)))
      expect(group.decodeScalar(bytes)).toBe(value)
    }
    expect(group.decodeScalar(littleEndian(l))).toBeUndefined()
    expect(group.decodeScalar(littleEndian(2n ** 256n - 1n))).toBeUndefined()
    for (const size of [0, 1, 31, 33, 64])
      expect(group.decodeScalar(new Uint8Array(size))).toBeUndefined()
  })
})
