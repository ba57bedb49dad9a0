/**
 * Goal: the group port over G2 agrees with plain addition and refuses every bad encoding, and a BLS
 * signature counts only for its message, under its key, with both points in the subgroup.
 * Method: threshold specification §§3.1, 3.3, 16.1, A.8; IC interface §27.5.
 */
import { bls12_381 } from '@noble/curves/bls12-381.js'
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
import {
  blsMessagePoint,
  blsMultiply,
  blsSum,
  blsG2 as group,
  BLS_ORDER as r,
} from '../../../src/core/base/noble-bls12381.ts'
import { verifyBls } from '../../../src/core/base/verification.ts'

const g = group.g.point
const hex = (point: typeof g): string => toHex(encodePoint(group, point))
const times = (k: bigint): typeof g => group.multiplyPublic(g, k)
const fieldPrime = bls12_381.fields.Fp.ORDER

const compressed = (x: Uint8Array): Uint8Array => x.map((byte, i) => (i === 0 ? byte | 0x80 : byte))

/** On the curve of G2, outside the subgroup: nearly every point is. */
const outsideG2 = (() => {
  const { Fp2 } = bls12_381.fields
  for (let i = 1n; ; i++) {
    const x = Fp2.create({ c0: i, c1: 0n })
    const square = Fp2.add(Fp2.mul(Fp2.sqr(x), x), Fp2.create({ c0: 4n, c1: 4n }))
    if (!Fp2.eql(Fp2.pow(square, (Fp2.ORDER - 1n) / 2n), Fp2.ONE)) continue
    return compressed(concat(new Uint8Array(48), bigEndian(i, 48)))
  }
})()

const outsideG1 = (() => {
  const { Fp } = bls12_381.fields
  for (let x = 1n; ; x++) {
    if (!Fp.eql(Fp.pow(mod(x ** 3n + 4n, fieldPrime), (fieldPrime - 1n) / 2n), Fp.ONE)) continue
    return compressed(bigEndian(x, 48))
  }
})()

describe('the group of keys', () => {
  const scalars = [0n, 1n, 2n, 3n, r - 1n, r, r + 2n, 2n ** 128n + 1n, 2n ** 256n - 1n]

  test.each(scalars)('multiples by %s are the same in every way to get them', (k) => {
    const due = hex(times(mod(k, r)))
    expect(hex(group.g.multiplyPublic(k))).toBe(due)
    expect(hex(group.g.multiplySecret(asSecret(k)))).toBe(due)
    expect(hex(group.multiplySecret(g, asSecret(k)))).toBe(due)
    expect(hex(group.sum([{ point: g, scalar: k }]))).toBe(due)
    expect(hex(group.pair(g, k, group.zero, 5n))).toBe(due)
    const tripled = group.fixedBase(times(3n))
    expect(hex(tripled.multiplySecret(asSecret(k)))).toBe(hex(times(mod(3n * k, r))))
    expect(hex(tripled.multiplyPublic(k))).toBe(hex(times(mod(3n * k, r))))
  })

  test('small multiples are repeated additions', () => {
    let sum = group.zero
    for (let k = 0n; k < 9n; k++) {
      expect(hex(times(k))).toBe(hex(sum))
      expect(group.isZero(group.subtract(times(k), sum))).toBe(true)
      sum = group.add(sum, g)
    }
  })

  test('evaluation is the polynomial at the small integer', () => {
    const coefficients = [3n, 0n, r - 1n, 7n]
    for (const x of [1, 2, 13, 40]) {
      const due = coefficients.reduce((sum, a, k) => mod(sum + a * BigInt(x) ** BigInt(k), r), 0n)
      expect(hex(group.evaluate(coefficients.map(times), x))).toBe(hex(times(due)))
    }
  })

  test('the second generator is the hash of "h", a table of the identity stays the identity', () => {
    const due = group.hashToPoint(utf8('h'), utf8('ckbtc-bls12381g2-generator-h'))
    expect(hex(group.h.point)).toBe(hex(due))
    expect(hex(group.h.point)).toBe(
      'a2fa52bb260ddb821ed7b8d789fa1623001fd3a389cfbd637f031ac8a2d66086cef7f0c762a9543e8aa5714b6fbeb22e10ba780efe4b70f6008c8ba97ec44aaf7440c597675fabbc28dfdaec9bb88e0db51294051a2cda342f7af82fe291b678',
    )
    expect(group.isZero(group.fixedBase(group.zero).multiplyPublic(5n))).toBe(true)
  })

  test('names, tag and sizes are those of the specification', () => {
    const { tag, domainName, pointSize, scalarSize, order } = group
    expect([tag, domainName, pointSize, scalarSize]).toEqual([16, 'bls12_381_g2', 96, 32])
    expect(order).toBe(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n)
  })
})

describe('encodings of keys', () => {
  const good = encodePoint(group, times(5n))
  const identity = concat(Uint8Array.of(0xc0), new Uint8Array(95))
  const changed = (at: number, to: number): Uint8Array =>
    good.map((byte, i) => (i === at ? to : byte))

  test('round trip, alone and together', () => {
    const points = [g, group.zero, times(r - 1n)]
    expect(group.encode(points).map(toHex)).toEqual(points.map(hex))
    for (const bytes of group.encode(points))
      expect(hex(decodePoint(group, bytes))).toBe(toHex(bytes))
    expect(toHex(encodePoint(group, group.zero))).toBe(toHex(identity))
  })

  test('every length but 96 is refused', () => {
    const long = concat(good, good)
    for (let size = 0; size <= 192; size++)
      if (size !== 96) expect(group.decode(long.subarray(0, size))).toBeUndefined()
  })

  test.each([
    ['without the flag of compression', changed(0, (good[0] ?? 0) & 0x7f)],
    ['with the flag of the identity', changed(0, (good[0] ?? 0) | 0x40)],
    ['of the identity with a sign', concat(Uint8Array.of(0xe0), new Uint8Array(95))],
    ['of the identity with a value', concat(identity.subarray(0, 95), Uint8Array.of(1))],
    ['of zeros', new Uint8Array(96)],
    ['with c1 = p', concat(compressed(bigEndian(fieldPrime, 48)), good.subarray(48))],
    ['with c0 = p', concat(good.subarray(0, 48), bigEndian(fieldPrime, 48))],
    ['off the curve', changed(95, (good[95] ?? 0) ^ 1)],
    ['outside the subgroup', outsideG2],
  ])('bytes %s are refused', (_, bytes) => {
    expect(bytes).toHaveLength(96)
    expect(group.decode(bytes)).toBeUndefined()
    expect(() => decodePoint(group, bytes)).toThrow(BadEncoding)
  })

  test('the identity decodes, but not where a key is due', () => {
    expect(group.isZero(decodePoint(group, identity))).toBe(true)
    expect(() => decodeNonZero(group, identity)).toThrow(BadEncoding)
  })

  test('scalars are 32 bytes below the order', () => {
    for (const value of [0n, 1n, r - 1n])
      expect(group.decodeScalar(group.encodeScalar(value))).toBe(value)
    expect(group.decodeScalar(bigEndian(r, 32))).toBeUndefined()
    for (const size of [0, 31, 33]) expect(group.decodeScalar(new Uint8Array(size))).toBeUndefined()
  })
})

/** IC interface §27.5, and a state root of mainnet under its root key: threshold A.8. */
const known = [
  {
    key: '92a78bbeaa06dbbd636716915e119f2df9abaa2c3ae5d14a7bd511510f83fa2fafedb19086b7c42ea08b837146968a8e07f94deece96c0835ce2b2d3786187aca343cdb32e3f3c175e6e717ec274b46f7d67acea8cc3a4eec7f55d17b087e80d',
    root: 'eb5c5b2195e62d996b84c9bcc8259d19a83786a2f59e0878cec84c811f669aa0',
    signature:
      '826396c0db33004d269222709dd20538415b9e187a801a04c2f716f8ad8476e8ba8a093bfaa04ed01db041d3f9afa811',
  },
  {
    key: '814c0e6ec71fab583b08bd81373c255c3c371b2e84863c98a4f1e08b74235d14fb5d9c0cd546d9685f913a0c0b2cc5341583bf4b4392e467db96d65b9bb4cb717112f8472e0d5a4d14505ffd7484b01291091c5f87b98883463f98091a0baaae',
    root: 'e11d331b8616f9e8a17a9472c45a174b092919298c3855be598f1774bf098e1d',
    signature:
      'aad9a5bb55b042aecbddb8ead3ac4bba7f7383ee6c46162fea9f80cac8b46516dbe901dc7e7e886ae7f4c2c8b380b5b9',
  },
].map(({ key, root, signature }) => ({
  key: fromHex(key),
  message: concat(Uint8Array.of(13), utf8('ic-state-root'), fromHex(root)),
  signature: fromHex(signature),
}))
const [own, mainnet] = known
if (own === undefined || mainnet === undefined) throw new Error('two known answers')

describe('a signature', () => {
  const { key, message, signature } = own
  const flip = (bytes: Uint8Array, at: number): Uint8Array =>
    bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
  const negated = flip(signature, 0).map((byte, i) =>
    i === 0 ? (signature[0] ?? 0) ^ 0x20 : (signature[i] ?? byte),
  )
  const identityKey = concat(Uint8Array.of(0xc0), new Uint8Array(95))
  const identity = concat(Uint8Array.of(0xc0), new Uint8Array(47))
  const none = new Uint8Array()

  test.each(known)('of the printed answers verifies', (answer) => {
    expect(verifyBls(answer.key, answer.message, answer.signature)).toBe(true)
  })

  test.each<[string, Partial<typeof own>]>([
    ['over another message', { message: flip(message, 40) }],
    ['over a message with a byte more', { message: concat(message, Uint8Array.of(0)) }],
    ['over nothing', { message: none }],
    ['under another key', { key: mainnet.key }],
    ['of another message', { signature: mainnet.signature }],
    ['with the other sign', { signature: negated }],
    ['with a bit changed', { signature: flip(signature, 47) }],
    ['that is a byte short', { signature: signature.subarray(1) }],
    ['with a byte more', { signature: concat(signature, Uint8Array.of(0)) }],
    ['that is empty', { signature: none }],
    ['that is the identity', { signature: identity }],
    ['that is the identity, under the identity', { signature: identity, key: identityKey }],
    ['outside the subgroup', { signature: outsideG1 }],
    ['under the identity', { key: identityKey }],
    ['under a key outside the subgroup', { key: outsideG2 }],
    ['under a key with a bit changed', { key: flip(key, 95) }],
    ['under a key a byte short', { key: key.subarray(1) }],
    ['under no key', { key: none }],
  ])('%s is refused, and the right one is still taken', (_, change) => {
    const wrong = { ...own, ...change }
    expect(verifyBls(wrong.key, wrong.message, wrong.signature)).toBe(false)
    expect(verifyBls(key, message, signature)).toBe(true)
  })

  test('is not judged under a key that the caller has written over', () => {
    const mine = key.slice()
    expect(verifyBls(mine, message, signature)).toBe(true)
    mine.set(mainnet.key)
    expect(verifyBls(mine, message, signature)).toBe(false)
    expect(verifyBls(mine, mainnet.message, mainnet.signature)).toBe(true)
  })
})

describe('sums of signatures', () => {
  const point = blsMessagePoint(utf8('m'))
  const at = (k: bigint): Uint8Array => blsMultiply(point, asSecret(k))

  test('are those of their scalars', () => {
    const sum = blsSum([
      { point: at(3n), scalar: 5n },
      { point: at(7n), scalar: r - 2n },
      { point: at(9n), scalar: 0n },
    ])
    expect(sum).toEqual(at(1n))
  })

  test.each([
    ['nothing', new Uint8Array()],
    ['a point outside the subgroup', outsideG1],
    ['a point off the curve', new Uint8Array(48).fill(0x85)],
  ])('with %s are undefined', (_, bytes) => {
    expect(blsSum([{ point: bytes, scalar: 1n }])).toBeUndefined()
  })
})
