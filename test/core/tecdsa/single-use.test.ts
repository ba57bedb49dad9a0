/**
 * Goal: two signatures from one κ give the key to everybody; signatures of honest runs do not.
 * Method: threshold specification §§18.3, 22.7. The pure functions sign twice with one presignature,
 * which no signer does; the two equations are solved as a thief would.
 */
import { describe, expect, test } from 'vitest'
import { concat, fromBigEndian, u32be, utf8 } from '../../../src/core/base/bytes.ts'
import { masterKey } from '../../../src/core/base/derivation.ts'
import { Bug, present } from '../../../src/core/base/errors.ts'
import { encodePoint, invert, mod } from '../../../src/core/base/group.ts'
import { secp256k1 as group } from '../../../src/core/base/noble-secp256k1.ts'
import { verifyEcdsa } from '../../../src/core/base/verification.ts'
import { constantTerm } from '../../../src/core/tecdsa/commitment.ts'
import { SingleUse } from '../../../src/core/tecdsa/single-use.ts'
import type { Asked } from '../../support/presigned.ts'
import { extract, give, makeWorld } from '../../support/presigned.ts'
import { bytes32, bytesOf, order, reconstruct } from '../../support/threshold.ts'

const worlds = [0, 1, 2, 3, 4, 5].map((number) => makeWorld(4, number))
const world = present(worlds[0], 'a presignature')
const publicKey = constantTerm(world.key.transcript.commitment)
const isKey = (x: bigint): boolean => group.equals(group.g.multiplyPublic(x), publicKey)

/** Requests that differ in one thing or in all. */
const requests: readonly (readonly [string, Asked])[] = [
  ['another message', { digest: bytesOf('second message') }],
  ['another ω', { nonce: bytesOf('second nonce') }],
  ['another path', { path: [utf8('another caller')] }],
  ['no path', { path: [] }],
  ['all other', { digest: bytesOf('d'), nonce: bytesOf('n'), path: [u32be(1), u32be(2)] }],
]

/** Plain ECDSA of one who has the key, under a nonce that is never used again: s = (e + ρ·x)/k. */
function signAlone(x: bigint, digest: Uint8Array): Uint8Array {
  const nonce = 12_345n
  const rho = mod(
    fromBigEndian(encodePoint(group, group.g.multiplyPublic(nonce)).subarray(1)),
    order,
  )
  const s = mod((fromBigEndian(digest) + rho * x) * invert(nonce, order), order)
  return concat(bytes32(rho), bytes32(s > order / 2n ? order - s : s))
}

describe('one presignature for two requests', () => {
  test.each(requests)('§22.7 extraction: gives the key away, with %s', (_, other) => {
    const [one, two] = [give(world), give(world, other)]
    const found = extract(one, two).filter(({ x }) => isKey(x))
    const x = reconstruct(world.key, [0, 1]).value
    const kappa = reconstruct(world.kappa, [2, 3]).value
    expect(found).toEqual([{ x, kappa }])
  })

  test('§22.7 extraction: the thief then signs what nobody asked for', () => {
    const [stolen] = extract(give(world), give(world, { digest: bytesOf('second') })).filter(
      ({ x }) => isKey(x),
    )
    const digest = bytesOf('all coins to the thief')
    const forged = signAlone(present(stolen, 'the key').x, digest)
    const { publicKey: own } = masterKey(encodePoint(group, publicKey))
    expect(verifyEcdsa({ publicKey: own, digest, signature: forged }, { lowS: true })).toBe(true)
  })

  test('the same request twice is one signature, and gives nothing away', () => {
    expect(give(world).signature).toEqual(give(world).signature)
    expect(extract(give(world), give(world)).filter(({ x }) => isKey(x))).toEqual([])
  })
})

describe('a presignature for each request', () => {
  const given = worlds.flatMap((each, number) => {
    const [, asked] = requests[number % requests.length] ?? ['', {}]
    return [give(each, asked)]
  })
  const sameRequest = worlds.map((each) => give(each))

  test.each([
    ['of different requests', given],
    ['of one request asked again and again', sameRequest],
  ])('§22.7 impossible: no pair of signatures %s gives the key', (_, signatures) => {
    const pairs = signatures.flatMap((one, i) =>
      signatures.slice(i + 1).map((two) => [one, two] as const),
    )
    expect(pairs).toHaveLength(15)
    for (const [one, two] of pairs) {
      const solutions = extract(one, two)
      expect(solutions).toHaveLength(4)
      expect(solutions.filter(({ x }) => isKey(x))).toEqual([])
    }
    expect(new Set(signatures.map(({ inputs }) => inputs.rho)).size).toBe(signatures.length)
  })
})

describe('the record of a use', () => {
  const use = { requestId: bytesOf('a request'), omega: bytesOf('a nonce') }
  const others = {
    'a second request': { ...use, requestId: bytesOf('another request') },
    'another ω': { ...use, omega: bytesOf('another nonce') },
  }
  const key = '7/bip340/pairing/5'
  const inLife = (records = new Map<string, Uint8Array>()): SingleUse =>
    new SingleUse({ records, recordPrefix: '7/bip340/' })

  test('names lane and presignature, and is the same again for the same use', () => {
    const life = inLife()
    const record = { type: 'record', key, value: concat(use.requestId, use.omega) }
    expect([life.use(5n, use), life.use(5n, use)]).toEqual([record, record])
    expect(inLife(new Map([[key, record.value]])).use(5n, use)).toEqual(record)
  })

  test.each(Object.entries(others))(
    'for %s than before stops the node: no second request in this life or the next',
    (_, other) => {
      const life = inLife()
      life.use(5n, use)
      expect(() => life.use(5n, other)).toThrow(Bug)
      expect(life.use(6n, other)).toMatchObject({ key: '7/bip340/pairing/6' })
      const records = new Map([[key, concat(use.requestId, use.omega)]])
      expect(() => inLife(records).use(5n, other)).toThrow(Bug)
    },
  )
})
