/**
 * Goal: the group port over noble gives the values of the standards, accepts any scalar, refuses
 * every bad encoding. Method: threshold specification Annex A.1 and §3.1; textbook double-and-add
 * on affine bigints as the second opinion.
 */
import { describe, expect, test } from 'vitest'
import {
  bigEndian,
  concat,
  fromBigEndian,
  fromHex,
  toHex,
  utf8,
} from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import {
  asSecret,
  decodeNonZero,
  decodePoint,
  encodePoint,
  invert,
  mod,
} from '../../../src/core/base/group.ts'
import { secp256k1 as group, SECP256K1_ORDER as q } from '../../../src/core/base/noble-secp256k1.ts'
import { expandMessage, hashToScalars } from '../../../src/core/base/random-oracle.ts'

const p = 2n ** 256n - 2n ** 32n - 977n
const g = group.g.point
const hex = (point: typeof g): string => toHex(encodePoint(group, point))
const times = (k: bigint): typeof g => group.multiplyPublic(g, k)

type Affine = { readonly x: bigint; readonly y: bigint } | undefined

/** The textbook law, as slow as it is plain. */
function addPlain(a: Affine, b: Affine): Affine {
  if (a === undefined) return b
  if (b === undefined) return a
  if (a.x === b.x && mod(a.y + b.y, p) === 0n) return undefined
  const slope =
    a.x === b.x
      ? mod(3n * a.x * a.x * invert(2n * a.y, p), p)
      : mod((b.y - a.y) * invert(b.x - a.x, p), p)
  const x = mod(slope * slope - a.x - b.x, p)
  return { x, y: mod(slope * (a.x - x) - a.y, p) }
}

function timesPlain(k: bigint, a: Affine): Affine {
  let result: Affine
  for (const bit of mod(k, q).toString(2)) {
    result = addPlain(result, result)
    if (bit === '1') result = addPlain(result, a)
  }
  return result
}

function encodePlain(a: Affine): string {
  if (a === undefined) return '00'.repeat(33)
  return (a.y % 2n === 0n ? '02' : '03') + toHex(bigEndian(a.x, 32))
}

const gPlain: Affine = {
  x: 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
  y: 0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n,
}

const scalars = [
  0n,
  1n,
  2n,
  3n,
  q - 1n,
  q,
  q + 1n,
  (q - 1n) / 2n,
  (q + 1n) / 2n,
  2n ** 128n - 1n,
  2n ** 128n + 1n,
  2n ** 255n,
  2n ** 256n - 1n,
  0x5363ad4cc05c30e0a5261c028812645a122e22ea20816678df02967c1b23bd72n, // Eigenvalue of the endomorphism.
]

describe('hash to curve and field', () => {
  const dst = utf8('QUUX-V01-CS02-with-secp256k1_XMD:SHA-256_SSWU_RO_')
  test.each([
    ['', '03c1cae290e291aee617ebaef1be6d73861479c48b841eaba9b7b5852ddfeb1346'],
    ['abc', '023377e01eab42db296b512293120c6cee72b6ecf9f9205760bd9ff11fb3cb2c4b'],
    ['abcdef0123456789', '02bac54083f293f1fe08e4a70137260aa90783a5cb84d3f35848b324d0674b0e3a'],
    [
      `q128_${'q'.repeat(128)}`,
      '03e2167bc785333a37aa562f021f1e881defb853839babf52a7f72b102e41890e9',
    ],
    [
      `a512_${'a'.repeat(512)}`,
      '02e3c8d35aaaf0b9b647e88a0a0a7ee5d5bed5ad38238152e4e6fd8c1f8cb7c998',
    ],
  ])('§22.1 rfc: RFC 9380 hashes %j to its point', (message, point) => {
    expect(hex(group.hashToPoint(utf8(message), dst))).toBe(point)
  })

  test('§22.1 h: the second generator is the hash of "h"', () => {
    const dstOfH = utf8('ic-crypto-tecdsa-secp256k1-generator-h')
    expect(hex(group.hashToPoint(utf8('h'), dstOfH))).toBe(hex(group.h.point))
    expect(hex(group.h.point)).toBe(
      '037bdcfc024cf697a41fd3cda2436c843af5669e50042be3314a532d5b70572f59',
    )
  })

  test('a message hashes to the published scalar', () => {
    const message = utf8('known answer test input')
    expect(hashToScalars(group, { message, dst: 'domain sep', count: 1 })).toEqual([
      0x3670f931a6cbff777594bf1488812b63895dfe5df9814584dfd231f69a66541an,
    ])
  })

  test('48 bytes reduce to the published scalar', () => {
    const wide =
      0x5465872a72824a73539f16e825035c403a2596407116900d47141fca8cbfd9a638af75a71310b08fe6351dd302b820c86b15e71ea73c78c876c1f88338a0n
    expect(mod(wide, q)).toBe(0x5bc912d1f858a44805b5bcf9809751eb7ca8cd5efe9b9bef62374b55a857ba1bn)
  })

  test('scalars of one hash are successive chunks, and a long domain string is hashed', () => {
    const message = utf8('m')
    const three = hashToScalars(group, { message, dst: 'd', count: 3 })
    const wide = expandMessage(message, 'd', 144)
    expect(three[2]).toBe(mod(fromBigEndian(wide.subarray(96)), q))
    expect(() => expandMessage(message, 'd'.repeat(300), 8161)).toThrow()
    expect(expandMessage(message, 'd'.repeat(300), 32)).toHaveLength(32)
    expect(expandMessage(message, 'd'.repeat(256), 32)).not.toEqual(
      expandMessage(message, 'd'.repeat(257), 32),
    )
  })
})

describe('arithmetic', () => {
  test.each(scalars)(
    'multiples by %s equal those of the textbook, in every way to get them',
    (k) => {
      const due = encodePlain(timesPlain(k, gPlain))
      expect(hex(times(k))).toBe(due)
      expect(hex(group.g.multiplyPublic(k))).toBe(due)
      expect(hex(group.g.multiplySecret(asSecret(k)))).toBe(due)
      expect(hex(group.multiplySecret(times(1n), asSecret(k)))).toBe(due)
      expect(hex(group.sum([{ point: g, scalar: k }]))).toBe(due)
      expect(hex(group.pair(g, k, group.zero, 5n))).toBe(due)
      expect(hex(group.pair(group.zero, 5n, g, k))).toBe(due)
      const base = group.fixedBase(times(3n))
      expect(hex(base.multiplySecret(asSecret(k)))).toBe(hex(times(mod(3n * k, q))))
      expect(hex(base.multiplyPublic(k))).toBe(hex(times(mod(3n * k, q))))
    },
  )

  test('pairs add up for all special scalars and related points', () => {
    const points = [
      1n,
      q - 1n,
      2n,
      0x5363ad4cc05c30e0a5261c028812645a122e22ea20816678df02967c1b23bd72n,
    ]
    for (const a of points)
      for (const k of scalars)
        for (const l of [0n, 1n, q - 1n, 2n ** 128n + 1n]) {
          const due = hex(times(mod(a * k + l, q)))
          expect(hex(group.pair(times(a), k, g, l))).toBe(due)
        }
  })

  test.each([0, 1, 2, 3, 95, 96, 97, 200])('a sum of %i terms', (count) => {
    const terms = Array.from({ length: count }, (_, i) => ({
      point: times(BigInt(i % 7)), // The zero point and equal points among them.
      scalar: scalars[i % scalars.length] ?? 0n,
    }))
    const due = terms.reduce((sum, { scalar }, i) => mod(sum + BigInt(i % 7) * scalar, q), 0n)
    expect(hex(group.sum(terms))).toBe(hex(times(due)))
  })

  test('sums that cancel give the identity', () => {
    expect(
      group.isZero(
        group.sum([
          { point: g, scalar: 5n },
          { point: g, scalar: q - 5n },
        ]),
      ),
    ).toBe(true)
    expect(group.isZero(group.add(g, times(q - 1n)))).toBe(true)
    expect(group.isZero(group.subtract(g, g))).toBe(true)
    expect(group.equals(group.add(g, group.zero), g)).toBe(true)
    expect(group.equals(g, times(2n))).toBe(false)
  })

  test('evaluation is the polynomial at the small integer', () => {
    const coefficients = [3n, 0n, q - 1n, 7n]
    for (const x of [1, 2, 3, 4, 40]) {
      const due = coefficients.reduce((sum, a, k) => mod(sum + a * BigInt(x) ** BigInt(k), q), 0n)
      expect(hex(group.evaluate(coefficients.map(times), x))).toBe(hex(times(due)))
    }
    expect(group.isZero(group.evaluate([], 1))).toBe(true)
  })

  test('inverses multiply to one, zero has none', () => {
    for (const value of [1n, 2n, q - 1n, 2n ** 255n, q + 2n])
      expect(mod(invert(value, q) * value, q)).toBe(1n)
    expect(() => invert(0n, q)).toThrow(RangeError)
    expect(() => invert(q, q)).toThrow(RangeError)
  })
})

describe('encodings', () => {
  const good = encodePoint(group, g)
  const x = good.subarray(1)
  const xOffCurve = (() => {
    for (let i = 1n; ; i++) {
      const bytes = concat(Uint8Array.of(2), bigEndian(i, 32))
      if (group.decode(bytes) === undefined) return bytes
    }
  })()

  test('points encode together as they do alone, the identity as 33 zero bytes', () => {
    const points = [g, group.zero, times(2n), times(q - 1n), group.zero]
    const alone = points.map((point) => hex(point))
    expect(group.encode(points).map(toHex)).toEqual(alone)
    expect(alone[1]).toBe('00'.repeat(33))
    expect(group.encode([])).toEqual([])
    for (const bytes of group.encode(points))
      expect(hex(decodePoint(group, bytes))).toBe(toHex(bytes))
  })

  test('points of every length but 33 are refused', () => {
    const long = concat(good, new Uint8Array(33))
    for (let size = 0; size <= 66; size++)
      if (size !== 33) expect(group.decode(long.subarray(0, size))).toBeUndefined()
  })

  test.each([
    ['an uncompressed point', concat(Uint8Array.of(4), x, bigEndian(times(1n).toAffine().y, 32))],
    ['first byte 0 before an x', concat(Uint8Array.of(0), x)],
    ['first byte 1', concat(Uint8Array.of(1), x)],
    ['first byte 4', concat(Uint8Array.of(4), x)],
    ['first byte 255', concat(Uint8Array.of(255), x)],
    ['first byte 2 before zeros', concat(Uint8Array.of(2), new Uint8Array(32))],
    ['x = p', concat(Uint8Array.of(2), bigEndian(p, 32))],
    ['x = p + 1', concat(Uint8Array.of(2), bigEndian(p + 1n, 32))],
    ['x = 2^256 − 1', concat(Uint8Array.of(2), bigEndian(2n ** 256n - 1n, 32))],
    ['x off the curve', xOffCurve],
    ['zeros and a one', concat(new Uint8Array(32), Uint8Array.of(1))],
  ])('%s is refused', (_, bytes) => {
    expect(group.decode(bytes)).toBeUndefined()
    expect(() => decodePoint(group, bytes)).toThrow(BadEncoding)
  })

  test('the identity decodes, but not where a key is due', () => {
    expect(group.isZero(decodePoint(group, new Uint8Array(33)))).toBe(true)
    expect(() => decodeNonZero(group, new Uint8Array(33))).toThrow(BadEncoding)
  })

  test('scalars below the order are 32 bytes, big-endian; nothing else decodes', () => {
    for (const value of [0n, 1n, q - 1n]) {
      const bytes = group.encodeScalar(value)
      expect(toHex(bytes)).toBe(value.toString(16).padStart(64, '0'))
      expect(group.decodeScalar(bytes)).toBe(value)
    }
    expect(group.decodeScalar(bigEndian(q, 32))).toBeUndefined()
    expect(group.decodeScalar(bigEndian(2n ** 256n - 1n, 32))).toBeUndefined()
    for (const size of [0, 1, 31, 33, 64])
      expect(group.decodeScalar(new Uint8Array(size))).toBeUndefined()
  })

  test('the order is that of the specification', () => {
    expect(group.order).toBe(
      fromBigEndian(fromHex('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141')),
    )
  })
})
