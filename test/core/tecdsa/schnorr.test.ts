/**
 * Goal: any t honest nodes make the one Schnorr signature that any library accepts; false shares
 * are found and named. Method: threshold specification §§12.2, 15, 21, 22.5, for BIP340 and
 * Ed25519, among 4 and 5 nodes; BIP341 by the wallet vectors of Bitcoin Core.
 */
import { ed25519 as nobleEd25519 } from '@noble/curves/ed25519.js'
import { schnorr as nobleBip340 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, fromBigEndian, fromHex, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { asSecret, encodePoint, invert, mod } from '../../../src/core/base/group.ts'
import { secp256k1 } from '../../../src/core/base/noble-secp256k1.ts'
import { constantTerm } from '../../../src/core/tecdsa/commitment.ts'
import { decodeSchnorrShare, encodeSchnorrShare } from '../../../src/core/tecdsa/object-codec.ts'
import type { Transcript } from '../../../src/core/tecdsa/parameters.ts'
import { checkBlinder } from '../../../src/core/tecdsa/presignature.ts'
import type { SchnorrInputs, SchnorrShare } from '../../../src/core/tecdsa/schnorr.ts'
import {
  combineSchnorr,
  combineSchnorrShares,
  createSchnorrShare,
  schnorrInputs,
  verifySchnorrShare,
  verifySchnorrSignature,
} from '../../../src/core/tecdsa/schnorr.ts'
import { Sealed } from '../../../src/core/tecdsa/secret.ts'
import type { Asked, SchnorrWorld } from '../../support/schnorr-world.ts'
import {
  anotherBlinder,
  bip340Scheme,
  ed25519Scheme,
  inputsOf,
  makeSchnorrWorld,
  requestOf,
  sharesOf,
} from '../../support/schnorr-world.ts'
import { bytesOf, subsets } from '../../support/threshold.ts'
import { vectorJson } from '../../support/vectors.ts'

function signatureOf<P>(world: SchnorrWorld<P>, inputs: SchnorrInputs<P>): Uint8Array {
  const { result } = combineSchnorr(world.scheme, inputs, sharesOf(world, inputs))
  if (!('signature' in result)) throw new Error(result.detail)
  return result.signature
}

/** Everything that holds for both algorithms. */
function describeSchnorr<P>(
  name: string,
  four: SchnorrWorld<P>,
  five: SchnorrWorld<P>,
  verify: (key: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean,
): void {
  const { scheme } = four
  const { group, algorithm } = scheme.suite
  const inputs = inputsOf(four)
  const shares = sharesOf(four, inputs)
  const signature = signatureOf(four, inputs)
  const next = (value: bigint): bigint => mod(value + 1n, group.order)
  const shareAt = (node: number): SchnorrShare => shares.get(node) ?? { s: -1n }
  const wrong = (node: number): SchnorrShare => ({ s: next(shareAt(node).s) })
  const refusalOf = (asked: SchnorrInputs<P>, node: number, share: SchnorrShare) =>
    verifySchnorrShare(scheme, asked, node, share)?.refusal

  describe(`${name} signatures`, () => {
    test.each([
      ['4', four],
      ['5', five],
    ])('every choice of t among %s nodes gives the same bytes', (_, world) => {
      const asked = inputsOf(world)
      const all = sharesOf(world, asked)
      const found = subsets(all.size, 2).flatMap((nodes) =>
        [nodes, nodes.toReversed()].map((ordered) => {
          const some = new Map(ordered.map((node) => [node, all.get(node) ?? { s: 0n }]))
          const combined = combineSchnorrShares(scheme, asked, some)
          if ('refusal' in combined) throw new Error(combined.detail)
          return toHex(combined)
        }),
      )
      expect(new Set(found)).toEqual(new Set([toHex(signatureOf(world, asked))]))
    })

    test('are accepted by a library that knows nothing of thresholds, under the key derived from X alone', () => {
      fc.assert(
        fc.property(
          fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }),
          fc.uint8Array({ maxLength: 200 }),
          fc.uint8Array({ minLength: 32, maxLength: 32 }),
          (path, message, nonce) => {
            const asked = inputsOf(four, { path, message, nonce })
            const made = signatureOf(four, asked)
            const master = encodePoint(group, constantTerm(four.key.transcript.commitment))
            const derived = scheme.derive(
              { publicKey: master, chainCode: new Uint8Array(32) },
              path,
            )
            expect(asked.publicKey).toEqual(derived.publicKey)
            expect(asked.chainCode).toEqual(derived.chainCode)
            expect(verify(derived.publicKey.slice(-32), message, made)).toBe(true)
          },
        ),
        { numRuns: 12, seed: 7 },
      )
    })

    test.each([0, 1, 255, 256])('derive along %i elements, empty ones included', (count) => {
      const path = Array.from({ length: count }, (_, i) => new Uint8Array(i % 3))
      const asked = inputsOf(four, { path })
      const made = signatureOf(four, asked)
      expect(verify(asked.publicKey.slice(-32), bytesOf('message'), made)).toBe(true)
    })

    test.each([0, 1, 32, 2 ** 21])('messages of %i bytes', (size) => {
      const message = new Uint8Array(size).fill(7)
      const asked = inputsOf(four, { message })
      expect(verify(asked.verificationKey, message, signatureOf(four, asked))).toBe(true)
    })

    test('nonce, message, path, key and K each change R', () => {
      const others = [
        inputs,
        inputsOf(four, { nonce: bytesOf('other') }),
        inputsOf(four, { message: bytesOf('other') }),
        inputsOf(four, { path: [utf8('other')] }),
        inputsOf({ ...four, key: five.key }),
        inputsOf({ ...four, blinder: five.blinder }),
      ]
      expect(new Set(others.map(({ r }) => toHex(r))).size).toBe(others.length)
    })

    test('two signatures of one message differ by their nonces', () => {
      const other = inputsOf(four, { nonce: bytesOf('other') })
      expect(toHex(signatureOf(four, other))).not.toBe(toHex(signature))
    })

    test('a nonce that is not 32 bytes is a bug', () => {
      expect(() => inputsOf(four, { nonce: new Uint8Array(31) })).toThrow('32')
    })

    test('R as the identity makes no signature', () => {
      const minus = group.subtract(group.zero, group.g.multiplyPublic(inputs.delta))
      const transcript = {
        ...four.blinder.transcript,
        commitment: { type: 'simple', points: [minus, minus] } as const,
      }
      // δ hashes K, so no K can be found for it; the check is of the sum alone.
      const found = schnorrInputs(
        {
          ...scheme,
          suite: {
            ...scheme.suite,
            group: { ...group, g: group.g, h: group.h, add: () => group.zero },
          },
        },
        { ...requestOf(four, {}), blinder: transcript },
      )
      expect(found).toMatchObject({ refusal: 'InvalidPresignature' })
    })

    test('a key whose derivation meets the identity is no key', () => {
      const points = [group.zero, group.g.point]
      const transcript: Transcript<P> = {
        ...four.key.transcript,
        commitment: { type: 'simple', points },
      }
      expect(() => inputsOf({ ...four, key: { ...four.key, transcript } })).toThrow(BadEncoding)
    })
  })

  describe(`${name} shares`, () => {
    test('of every node verify', () => {
      for (const [node, share] of shares) expect(refusalOf(inputs, node, share)).toBeUndefined()
    })

    test('that are altered, of another node, request or blinder are refused', () => {
      expect(refusalOf(inputs, 1, wrong(1))).toBe('InvalidSignatureShare')
      expect(refusalOf(inputs, 1, { s: 0n })).toBe('InvalidSignatureShare')
      expect(refusalOf(inputs, 0, shareAt(1))).toBe('InvalidSignatureShare')
      const others = [
        inputsOf(four, { message: bytesOf('other') }),
        inputsOf(four, { nonce: bytesOf('other') }),
        inputsOf(four, { path: [] }),
        inputsOf({ ...four, blinder: anotherBlinder(scheme, 4, 9n) }),
        inputsOf(five),
      ]
      for (const other of others)
        expect(refusalOf(other, 1, shareAt(1))).toBe('InvalidSignatureShare')
    })

    test('of nobody are refused', () => {
      for (const node of [-1, 4, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
        expect(refusalOf(inputs, node, shareAt(1))).toBe('InvalidSignatureShare')
    })

    test('are never made of a masked sharing', () => {
      const masked = new Sealed({
        type: 'pedersen',
        value: asSecret(1n),
        mask: asSecret(1n),
      } as const)
      const [key, blinder] = [four.key.shares[0] ?? masked, four.blinder.shares[0] ?? masked]
      expect(() => createSchnorrShare(scheme, inputs, { key: masked, blinder })).toThrow('masked')
      expect(() => createSchnorrShare(scheme, inputs, { key, blinder: masked })).toThrow('masked')
    })

    test('encode and decode; every prefix, longer form, foreign tag and scalar ≥ q is refused', () => {
      const bytes = encodeSchnorrShare(scheme.suite, shareAt(2))
      expect(decodeSchnorrShare(scheme.suite, bytes)).toEqual(shareAt(2))
      for (let size = 0; size < bytes.length; size++)
        expect(() => decodeSchnorrShare(scheme.suite, bytes.subarray(0, size))).toThrow(BadEncoding)
      expect(() => decodeSchnorrShare(scheme.suite, concat(bytes, Uint8Array.of(0)))).toThrow(
        BadEncoding,
      )
      const body = bytes.length - 33
      for (let at = 0; at <= body; at++) {
        const altered = bytes.map((byte, i) => (i === at ? byte ^ 0x40 : byte))
        expect(() => decodeSchnorrShare(scheme.suite, altered)).toThrow(BadEncoding)
      }
      const beyond = bytes.map((byte, i) => (i > body ? 0xff : byte))
      expect(() => decodeSchnorrShare(scheme.suite, beyond)).toThrow(BadEncoding)
    })
  })

  describe(`${name} combining`, () => {
    test('fewer than t shares give nothing', () => {
      for (const count of [0, 1])
        expect(combineSchnorr(scheme, inputs, new Map([...shares].slice(0, count)))).toMatchObject({
          result: { refusal: 'InsufficientShares' },
          blamed: [],
        })
    })

    test.each([
      ['none', []],
      ['the first', [0]],
      ['the second', [1]],
      ['the first two', [0, 1]],
    ])('false shares do not matter and are named: %s', (_, bad: readonly number[]) => {
      const some = new Map([...shares].map(([i, good]) => [i, bad.includes(i) ? wrong(i) : good]))
      expect(combineSchnorr(scheme, inputs, some)).toEqual({
        result: { type: 'signature', signature },
        blamed: bad,
      })
    })

    test('too few good shares: all the false ones are named, and more are needed', () => {
      const some = new Map([...shares].map(([node, good]) => [node, node > 0 ? wrong(node) : good]))
      expect(combineSchnorr(scheme, inputs, some)).toMatchObject({
        result: { refusal: 'InsufficientShares' },
        blamed: [1, 2, 3],
      })
    })

    test('a share under the number of no node is named', () => {
      for (const stranger of [7, -1]) {
        const some = new Map([[stranger, shareAt(1)], ...shares])
        expect(combineSchnorr(scheme, inputs, some)).toEqual({
          result: { type: 'signature', signature },
          blamed: [stranger],
        })
      }
    })
  })

  describe(`${name} signatures refused before release`, () => {
    const [r, s] = [signature.subarray(0, 32), signature.subarray(32)]
    const value = group.decodeScalar(s) ?? 0n
    const beyond = new Uint8Array(32).fill(255)
    const other = signatureOf(four, inputsOf(four, { nonce: bytesOf('other') }))
    const rows: [string, Uint8Array][] = [
      ['r = 0', concat(new Uint8Array(32), s)],
      ['s = 0', concat(r, new Uint8Array(32))],
      ['another s', concat(r, group.encodeScalar(value + 1n))],
      ['s negated', concat(r, group.encodeScalar(-value))],
      ['s beyond the order', concat(r, beyond)],
      [
        'another r',
        concat(
          r.map((byte, i) => (i === 5 ? byte ^ 1 : byte)),
          s,
        ),
      ],
      ['the R of another pairing', other],
      ['63 bytes', signature.subarray(1)],
      ['65 bytes', concat(signature, Uint8Array.of(0))],
      ['no bytes', new Uint8Array()],
    ]
    test.each(rows)('%s', (_, bytes) => {
      expect(verifySchnorrSignature(scheme, inputs, bytes)?.refusal).toBe('InvalidSignature')
    })

    test('a good signature of another request', () => {
      expect(verifySchnorrSignature(scheme, inputs, signature)).toBeUndefined()
      for (const otherRequest of [
        inputsOf(four, { message: bytesOf('other') }),
        inputsOf(four, { path: [] }),
        { ...inputs, message: bytesOf('other') },
        { ...inputs, verificationKey: inputsOf(four, { path: [] }).verificationKey },
      ])
        expect(verifySchnorrSignature(scheme, otherRequest, signature)?.refusal).toBe(
          'InvalidSignature',
        )
    })
  })

  describe(`${name} presignatures`, () => {
    const [key, blinder] = [four.key.transcript, four.blinder.transcript]
    const rows: [string, Transcript<P>, Transcript<P>][] = [
      ['of other nodes', key, five.blinder.transcript],
      ['of another algorithm', key, { ...blinder, algorithm: 'ThresholdEcdsaSecp256k1' }],
      ['that is the key itself', key, key],
      ['that is masked', key, { ...blinder, kind: { type: 'masked', origin: { type: 'random' } } }],
      [
        'of a masked key',
        { ...key, kind: { type: 'masked', origin: { type: 'random' } } },
        blinder,
      ],
    ]
    test.each(rows)('one %s is refused', (_, key_, blinder_) => {
      expect(checkBlinder(key_, blinder_)?.refusal).toBe('InvalidPresignature')
    })

    test('a fresh one of the same nodes and algorithm is good', () => {
      expect(checkBlinder(key, blinder)).toBeUndefined()
      expect(blinder.algorithm).toBe(algorithm)
    })
  })

  test(`two ${name} signatures from one presignature give the key away`, () => {
    const [one, two] = [inputs, inputsOf(four, { message: bytesOf('second message') })]
    const sOf = (asked: SchnorrInputs<P>): bigint =>
      group.decodeScalar(signatureOf(four, asked).subarray(32)) ?? 0n
    // s = f·(x + tweak) + b·(κ + δ), twice: two equations for κ and x.
    const rest = (asked: SchnorrInputs<P>): bigint =>
      sOf(asked) - asked.keyFactor * asked.tweak - asked.blinderFactor * asked.delta
    const above = rest(one) * two.blinderFactor - rest(two) * one.blinderFactor
    const below = one.keyFactor * two.blinderFactor - two.keyFactor * one.blinderFactor
    expect(mod(above * invert(below, group.order), group.order)).toBe(four.key.secret)
  })
}

describeSchnorr(
  'BIP340',
  makeSchnorrWorld(bip340Scheme, 4),
  makeSchnorrWorld(bip340Scheme, 5),
  (key, message, signature) => nobleBip340.verify(signature, message, key),
)
describeSchnorr(
  'Ed25519',
  makeSchnorrWorld(ed25519Scheme, 4),
  makeSchnorrWorld(ed25519Scheme, 5),
  (key, message, signature) => nobleEd25519.verify(signature, message, key, { zip215: false }),
)

describe('BIP340 with all four parities of (X′, R0)', () => {
  const world = makeSchnorrWorld(bip340Scheme, 4)
  const isOdd = (sec1: Uint8Array): boolean => sec1[0] === 3

  /** Parities of X′ before the root, of X′ after it, and of R0. */
  const paritiesOf = (asked: SchnorrInputs<unknown>): string => {
    const e = fromBigEndian(
      nobleBip340.utils.taggedHash(
        'BIP0340/challenge',
        asked.r,
        asked.verificationKey,
        asked.message,
      ),
    )
    return [
      isOdd(asked.publicKey),
      asked.keyFactor !== mod(e, secp256k1.order),
      asked.blinderFactor !== 1n,
    ].join()
  }
  const roots: [string, Uint8Array | undefined, number][] = [
    ['none', undefined, 4],
    ['empty', new Uint8Array(), 8],
    ['32 bytes', bytesOf('root'), 8],
  ]

  test.each(roots)('§22.5 bip340: and root %s', (_, taprootRoot, due) => {
    const seen = new Set<string>()
    for (let i = 0; seen.size < due && i < 200; i++) {
      const asked = inputsOf(world, {
        path: [utf8(`${i}`)],
        nonce: bytesOf(`nonce ${i}`),
        taprootRoot,
      })
      if (seen.has(paritiesOf(asked))) continue
      seen.add(paritiesOf(asked))
      const made = signatureOf(world, asked)
      const internal = asked.publicKey.slice(1)
      const outputKey = taprootRoot === undefined ? internal : taproot(internal, taprootRoot)
      expect(toHex(asked.verificationKey)).toBe(toHex(outputKey))
      expect(nobleBip340.verify(made, bytesOf('message'), outputKey)).toBe(true)
      for (const [node, share] of sharesOf(world, asked))
        expect(verifySchnorrShare(bip340Scheme, asked, node, share)).toBeUndefined()
    }
    expect(seen.size).toBe(due)
  })

  /** BIP341's own words, on x-only keys. */
  function taproot(internal: Uint8Array, root: Uint8Array): Uint8Array {
    const { lift_x, taggedHash } = nobleBip340.utils
    const even = lift_x(fromBigEndian(internal))
    const tweak = fromBigEndian(taggedHash('TapTweak', internal, root))
    return even.add(nobleBip340.Point.BASE.multiply(tweak)).toBytes(true).slice(1)
  }

  test('no root and an empty one are two requests, under two keys and two R', () => {
    const [none, empty] = [undefined, new Uint8Array()].map((taprootRoot) =>
      inputsOf(world, { taprootRoot }),
    )
    expect(toHex(none?.verificationKey ?? new Uint8Array())).not.toBe(
      toHex(empty?.verificationKey ?? new Uint8Array()),
    )
    expect(none?.delta).not.toBe(empty?.delta)
    expect(none?.publicKey).toEqual(empty?.publicKey)
  })

  test.each([1, 31, 33, 64])('a root of %i bytes is refused', (size) => {
    const request = requestOf(world, { taprootRoot: new Uint8Array(size) })
    expect(schnorrInputs(bip340Scheme, request)).toMatchObject({ refusal: 'InvalidParameters' })
  })

  test('the wallet vectors of BIP341, from keys of both parities', (context) => {
    type Vectors = {
      readonly scriptPubKey: readonly {
        readonly given: { readonly internalPubkey: string }
        readonly intermediary: {
          readonly merkleRoot: string | null
          readonly tweak: string
          readonly tweakedPubkey: string
        }
      }[]
    }
    const { scriptPubKey } = vectorJson<Vectors>(context, 'bitcoin-core/bip341_wallet_vectors.json')
    expect(scriptPubKey.length).toBeGreaterThan(5)
    for (const { given, intermediary } of scriptPubKey)
      for (const parity of [2, 3]) {
        const sec1 = concat(Uint8Array.of(parity), fromHex(given.internalPubkey))
        const key = secp256k1.decode(sec1) ?? secp256k1.zero
        const root = fromHex(intermediary.merkleRoot ?? '')
        const tweaked = bip340Scheme.applyRoot({ key, tweak: 0n }, root)
        if ('refusal' in tweaked) throw new Error(tweaked.detail)
        expect(toHex(encodePoint(secp256k1, tweaked.key)).slice(2)).toBe(intermediary.tweakedPubkey)
        const tau = fromBigEndian(fromHex(intermediary.tweak))
        expect(tweaked.tweak).toBe(mod(parity === 2 ? tau : -tau, secp256k1.order))
        const due = secp256k1.add(key, secp256k1.g.multiplyPublic(tweaked.tweak))
        expect(secp256k1.equals(due, tweaked.key)).toBe(true)
      }
  })
})

test('Ed25519 takes no taproot root, not even an empty one', () => {
  const world = makeSchnorrWorld(ed25519Scheme, 4)
  for (const size of [0, 32]) {
    const asked: Asked = { taprootRoot: new Uint8Array(size) }
    expect(schnorrInputs(ed25519Scheme, requestOf(world, asked))).toMatchObject({
      refusal: 'InvalidParameters',
    })
  }
})
