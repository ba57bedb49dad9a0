/**
 * Goal: any t honest nodes make the one signature that any ECDSA library accepts; false shares are
 * found and named. Method: threshold specification §§12.1, 14, 21, 22.5. A key and a presignature
 * are made among 4 and 5 nodes.
 */

import { secp256k1 as noble } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { derivePublicKey, masterKey } from '../../../src/core/base/derivation.ts'
import { present } from '../../../src/core/base/errors.ts'
import { encodePoint, mod } from '../../../src/core/base/group.ts'
import { secp256k1 as group } from '../../../src/core/base/noble-secp256k1.ts'
import { verifyEcdsa } from '../../../src/core/base/verification.ts'
import { constantTerm } from '../../../src/core/tecdsa/commitment.ts'
import { lagrangeScalars } from '../../../src/core/tecdsa/lagrange.ts'
import type { Presignature } from '../../../src/core/tecdsa/presignature.ts'
import { checkPresignature } from '../../../src/core/tecdsa/presignature.ts'
import type { SignatureShare } from '../../../src/core/tecdsa/signature.ts'
import {
  combine,
  combineShares,
  recoveryId,
  verifyShare,
  verifySignature,
} from '../../../src/core/tecdsa/signature.ts'
import { inputsOf, makeWorld, sharesOf, signatureOf } from '../../support/presigned.ts'
import type { Run } from '../../support/threshold.ts'
import { bytes32, bytesOf, order, reconstruct, subsets, suite } from '../../support/threshold.ts'

const four = makeWorld(4)
const five = makeWorld(5)

const next = (value: bigint): bigint => mod(value + 1n, order)
const inputs = inputsOf(four)
const shares = sharesOf(four, inputs)
const signature = signatureOf(four, inputs)
const shareAt = (node: number): SignatureShare => present(shares.get(node), 'a share')

describe('signatures', () => {
  test.each([
    ['4', four],
    ['5', five],
  ])('§22.5 subsets: every choice of t among %s nodes gives the same bytes', (_, world) => {
    const asked = inputsOf(world)
    const all = sharesOf(world, asked)
    const found = subsets(all.size, 2).flatMap((nodes) =>
      [nodes, nodes.toReversed()].map((order_) => {
        const some = new Map(order_.map((node) => [node, present(all.get(node), 'a share')]))
        const combined = combineShares(suite, asked, some)
        if ('refusal' in combined) throw new Error(combined.detail)
        return toHex(combined)
      }),
    )
    expect(new Set(found).size).toBe(1)
    expect(found[0]).toBe(toHex(signatureOf(world, asked)))
  })

  test('§22.5 library: are accepted by one that knows nothing of thresholds, under the key derived from X alone', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (path, digest, nonce) => {
          const asked = inputsOf(four, { path, digest, nonce })
          const made = signatureOf(four, asked)
          const master = encodePoint(group, constantTerm(four.key.transcript.commitment))
          const { publicKey, chainCode } = derivePublicKey(masterKey(master), path)
          expect(asked.publicKey).toEqual(publicKey)
          expect(asked.chainCode).toEqual(chainCode)
          expect(verifyEcdsa({ publicKey, digest, signature: made }, { lowS: true })).toBe(true)
          expect(verifySignature(suite, asked, made)).toBeUndefined()
          const recovered = noble.Signature.fromBytes(made, 'compact')
            .addRecoveryBit(recoveryId(suite, asked, made))
            .recoverPublicKey(digest)
          expect(recovered.toBytes(true)).toEqual(publicKey)
        },
      ),
      { numRuns: 12, seed: 7 },
    )
  })

  test.each([0, 1, 255, 256])(
    '§22.5 offline: derive along %i elements, empty ones included',
    (count) => {
      const path = Array.from({ length: count }, (_, i) => new Uint8Array(i % 3))
      const asked = inputsOf(four, { path })
      const made = signatureOf(four, asked)
      const { publicKey } = asked
      const digest = bytesOf('message')
      expect(verifyEcdsa({ publicKey, digest, signature: made }, { lowS: true })).toBe(true)
    },
  )

  test('digests of the extremes', () => {
    for (const digest of [
      new Uint8Array(32),
      new Uint8Array(32).fill(255),
      bytes32(order),
      bytes32(order - 1n),
    ]) {
      const asked = inputsOf(four, { digest })
      const made = signatureOf(four, asked)
      const { publicKey } = asked
      expect(verifyEcdsa({ publicKey, digest, signature: made }, { lowS: true })).toBe(true)
    }
  })

  test('§22.5 low-s: both signs of s occur before it is made low', () => {
    const parities = new Set<boolean>()
    for (let i = 0; parities.size < 2 && i < 40; i++) {
      const asked = inputsOf(four, { nonce: bytesOf(`nonce ${i}`) })
      const s = signatureOf(four, asked)
      const id = recoveryId(suite, asked, s)
      parities.add((id & 1) === ((encodePoint(group, asked.r)[0] ?? 0) & 1))
    }
    expect(parities.size).toBe(2)
  })

  test('§22.5 nonce-point: nonce, digest, path and K each change R', () => {
    const other = [
      inputs,
      inputsOf(four, { nonce: bytesOf('other') }),
      inputsOf(four, { digest: bytesOf('other') }),
      inputsOf(four, { path: [utf8('other')] }),
      inputsOf(four, { path: [utf8('callerelement')] }),
      inputsOf({ ...four, presignature: { ...four.presignature, kappa: five.presignature.kappa } }),
    ]
    expect(new Set(other.map(({ rho }) => rho)).size).toBe(other.length)
  })

  test('ν and μ are λ(e + ρx′) and λ(κ + δ), and s their ratio', () => {
    const value = (run: Run): bigint => reconstruct(run, [0, 1]).value
    const [x, kappa, lambda] = [four.key, four.kappa, four.lambda].map(value)
    const weights = lagrangeScalars([0, 1], order)
    const atZero = (part: 'nu' | 'mu'): bigint =>
      mod(
        [0, 1].reduce((sum, node) => sum + (weights[node] ?? 0n) * shareAt(node)[part].value, 0n),
        order,
      )
    const derived = (x ?? 0n) + inputs.tweak
    expect(atZero('nu')).toBe(mod((lambda ?? 0n) * (inputs.e + inputs.rho * derived), order))
    expect(atZero('mu')).toBe(mod((lambda ?? 0n) * ((kappa ?? 0n) + inputs.delta), order))
  })

  test('a digest or nonce that is not 32 bytes is a bug', () => {
    expect(() => inputsOf(four, { digest: new Uint8Array(31) })).toThrow('32')
    expect(() => inputsOf(four, { nonce: new Uint8Array(33) })).toThrow('32')
  })
})

describe('shares', () => {
  test('of every node verify', () => {
    for (const [node, share] of shares)
      expect(verifyShare(suite, inputs, node, share)).toBeUndefined()
  })

  const fields = (['nu', 'mu'] as const).flatMap((part) =>
    (['value', 'mask'] as const).map((field) => ({ part, field })),
  )
  test.each(fields)('§22.5 shares: $part with another $field is refused', ({ part, field }) => {
    const share = shareAt(1)
    const opening = share[part]
    if (opening.type !== 'pedersen') throw new Error('a pair is due')
    const altered = { ...share, [part]: { ...opening, [field]: next(opening[field]) } }
    expect(verifyShare(suite, inputs, 1, altered)?.refusal).toBe('InvalidSignatureShare')
  })

  test('of another node, request or presignature are refused', () => {
    expect(verifyShare(suite, inputs, 0, shareAt(1))?.refusal).toBe('InvalidSignatureShare')
    const { nu, mu } = shareAt(1)
    expect(verifyShare(suite, inputs, 1, { nu: mu, mu: nu })?.refusal).toBe('InvalidSignatureShare')
    const otherRequests = [
      inputsOf(four, { digest: bytesOf('other') }),
      inputsOf(four, { nonce: bytesOf('other') }),
      inputsOf(four, { path: [] }),
      inputsOf(five),
    ]
    for (const other of otherRequests)
      expect(verifyShare(suite, other, 1, shareAt(1))?.refusal).toBe('InvalidSignatureShare')
  })

  test('of nobody, and without masks, are refused', () => {
    for (const node of [-1, 4, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(verifyShare(suite, inputs, node, shareAt(1))?.refusal).toBe('InvalidSignatureShare')
    const { nu, mu } = shareAt(1)
    const bare = { type: 'simple', value: nu.value } as const
    expect(verifyShare(suite, inputs, 1, { nu: bare, mu })?.refusal).toBe('InvalidSignatureShare')
    expect(verifyShare(suite, inputs, 1, { nu, mu: bare })?.refusal).toBe('InvalidSignatureShare')
  })
})

describe('combining', () => {
  const wrong = (node: number): SignatureShare => {
    const { nu, mu } = shareAt(node)
    return { nu: { ...nu, value: next(nu.value) }, mu }
  }
  const bare: SignatureShare = {
    nu: { type: 'simple', value: 0n },
    mu: { type: 'simple', value: 0n },
  }

  test('fewer than t shares give nothing', () => {
    for (const count of [0, 1]) {
      const few = new Map([...shares].slice(0, count))
      expect(combine(suite, inputs, few)).toMatchObject({
        result: { refusal: 'InsufficientShares' },
        blamed: [],
      })
    }
  })

  test('good shares blame nobody', () => {
    expect(combine(suite, inputs, shares)).toEqual({
      result: { type: 'signature', signature },
      blamed: [],
    })
  })

  const spoilt: [string, number[], SignatureShare | undefined][] = [
    ['the first', [0], undefined],
    ['the second', [1], undefined],
    ['the first two', [0, 1], undefined],
    ['the first, without masks and with a μ of zero', [0, 1], bare],
  ]
  test.each(spoilt)('false shares do not matter and are named: %s', (_, bad, share) => {
    const some = new Map(
      [...shares].map(([node, good]) => [node, bad.includes(node) ? (share ?? wrong(node)) : good]),
    )
    expect(combine(suite, inputs, some)).toEqual({
      result: { type: 'signature', signature },
      blamed: bad,
    })
  })

  test('a false share behind t good ones is not looked at', () => {
    const some = new Map([...shares].map(([node, good]) => [node, node > 1 ? wrong(node) : good]))
    expect(combine(suite, inputs, some)).toEqual({
      result: { type: 'signature', signature },
      blamed: [],
    })
  })

  test('too few good shares: all the false ones are named, and more are needed', () => {
    const some = new Map([...shares].map(([node, good]) => [node, node > 0 ? wrong(node) : good]))
    expect(combine(suite, inputs, some)).toMatchObject({
      result: { refusal: 'InsufficientShares' },
      blamed: [1, 2, 3],
    })
  })

  test('a share under the number of no node is named', () => {
    const some = new Map([[7, shareAt(1)], ...shares])
    expect(combine(suite, inputs, some)).toEqual({
      result: { type: 'signature', signature },
      blamed: [7],
    })
    const negative = new Map([[-1, shareAt(1)], ...shares])
    expect(combine(suite, inputs, negative).blamed).toEqual([-1])
  })
})

describe('signatures refused before release', () => {
  const r = signature.subarray(0, 32)
  const s = signature.subarray(32)
  const sValue = BigInt(`0x${toHex(s)}`)
  const zero = new Uint8Array(32)
  const otherNonce = signatureOf(four, inputsOf(four, { nonce: bytesOf('other') }))
  const rows: [string, Uint8Array][] = [
    ['a high s', concat(r, bytes32(order - sValue))],
    ['r = 0', concat(zero, s)],
    ['s = 0', concat(r, zero)],
    ['r = q', concat(bytes32(order), s)],
    ['s = q', concat(r, bytes32(order))],
    ['s beyond q', concat(r, bytes32(2n ** 256n - 1n))],
    ['another r', concat(bytes32(mod(inputs.rho + 1n, order)), s)],
    ['another s', concat(r, bytes32(mod(sValue + 1n, order)))],
    ['s for another e', concat(r, bytes32(mod(sValue * 3n, order)))],
    ['the R of another pairing', otherNonce],
    ['63 bytes', signature.subarray(1)],
    ['65 bytes', concat(signature, zero.subarray(31))],
    ['no bytes', new Uint8Array()],
  ]
  test.each(rows)('%s', (_, bytes) => {
    expect(verifySignature(suite, inputs, bytes)?.refusal).toBe('InvalidSignature')
  })

  test('a good signature of another request', () => {
    for (const other of [
      inputsOf(four, { digest: bytesOf('other') }),
      inputsOf(four, { path: [] }),
    ])
      expect(verifySignature(suite, other, signature)?.refusal).toBe('InvalidSignature')
    const otherMessage = { ...inputs, e: next(inputs.e) }
    expect(verifySignature(suite, otherMessage, signature)?.refusal).toBe('InvalidSignature')
    const otherKey = { ...inputs, derivedKey: group.add(inputs.derivedKey, group.g.point) }
    expect(verifySignature(suite, otherKey, signature)?.refusal).toBe('InvalidSignature')
  })
})

describe('presignatures', () => {
  const { key, presignature } = four
  const keyOf = key.transcript
  const random = { type: 'random' } as const
  const rows: [string, Partial<Presignature>][] = [
    [
      'κλ and xλ exchanged',
      { kappaLambda: presignature.keyLambda, keyLambda: presignature.kappaLambda },
    ],
    ['κ and λ exchanged', { kappa: presignature.lambda, lambda: presignature.kappa }],
    ['a masked κ', { kappa: { ...presignature.kappa, kind: { type: 'masked', origin: random } } }],
    [
      'a κ that was in use before',
      {
        kappa: {
          ...presignature.kappa,
          kind: { type: 'unmasked', origin: { type: 'reshareUnmasked', input: 3n } },
        },
      },
    ],
    [
      'a λ that is a product',
      { lambda: { ...presignature.lambda, kind: presignature.kappaLambda.kind } },
    ],
    ['another κ', { kappa: { ...presignature.kappa, id: 99n } }],
    ['another λ', { lambda: { ...presignature.lambda, id: 99n } }],
    ['κλ that is no product', { kappaLambda: presignature.lambda }],
    ['xλ that is no product', { keyLambda: presignature.kappa }],
    ['other receivers of κ', { kappa: five.presignature.kappa }],
    [
      'receivers in another order',
      { lambda: { ...presignature.lambda, receivers: presignature.lambda.receivers.toReversed() } },
    ],
    [
      'another algorithm',
      { lambda: Object.assign({ ...presignature.lambda }, { algorithm: 'ThresholdEd25519' }) },
    ],
  ]
  test.each(rows)('%s: refused', (_, change) => {
    const refused = checkPresignature(keyOf, { ...presignature, ...change })
    expect(refused?.refusal).toBe('InvalidPresignature')
  })

  test('belong to one key transcript', () => {
    expect(checkPresignature(keyOf, presignature)).toBeUndefined()
    const refreshed = { ...keyOf, id: 50n }
    expect(checkPresignature(refreshed, presignature)?.refusal).toBe('InvalidPresignature')
    const masked = { ...keyOf, kind: presignature.lambda.kind }
    expect(checkPresignature(masked, presignature)?.refusal).toBe('InvalidPresignature')
  })

  test('a κ reshared from a masked sharing is allowed', () => {
    const origin = { type: 'reshareMasked', input: 1n } as const
    const kappa = { ...presignature.kappa, kind: { type: 'unmasked', origin } as const }
    expect(checkPresignature(keyOf, { ...presignature, kappa })).toBeUndefined()
  })
})
