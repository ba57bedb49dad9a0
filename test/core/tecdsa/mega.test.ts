/**
 * Goal: each receiver gets its plaintext and nobody else's; a ciphertext belongs to one dealer and
 * transcript. Method: threshold specification §6, §21: every field, every context, every key is
 * changed in turn.
 */
import { describe, expect, test } from 'vitest'
import { present } from '../../../src/core/base/errors.ts'
import { asSecret, mod } from '../../../src/core/base/group.ts'
import { secp256k1 as group } from '../../../src/core/base/noble-secp256k1.ts'
import {
  bytesInput,
  integerInput,
  oraclePoint,
  pointInput,
} from '../../../src/core/base/random-oracle.ts'
import { Seed } from '../../../src/core/base/seed.ts'
import type { Ciphertext } from '../../../src/core/tecdsa/mega.ts'
import {
  decrypt,
  decryptWith,
  encrypt,
  sharedSecretOf,
  verifyCiphertext,
} from '../../../src/core/tecdsa/mega.ts'
import { proveEqualLogs, verifyEqualLogs } from '../../../src/core/tecdsa/proofs.ts'
import type { SecretOpening } from '../../../src/core/tecdsa/secret.ts'
import { bytesOf, makeNodes, order, suite } from '../../support/threshold.ts'

const nodes = makeNodes(4)
const members = nodes.map((node) => node.member)
const context = { dealerIndex: 2, associatedData: bytesOf('ad') }
const seed = Seed.fromBytes(bytesOf('mega'))
const singles = nodes.map(
  (_, j): SecretOpening => ({
    type: 'simple',
    value: asSecret(1000n + BigInt(j)),
  }),
)
const pairs = nodes.map(
  (_, j): SecretOpening => ({
    type: 'pedersen',
    value: asSecret(2000n + BigInt(j)),
    mask: asSecret(mod(-BigInt(j), order)),
  }),
)
const cases = [
  { type: 'single', openings: singles },
  { type: 'pairs', openings: pairs },
] as const
const next = (value: bigint): bigint => mod(value + 1n, order)

describe.each(cases)('$type', ({ type, openings }) => {
  const ciphertext = encrypt(suite, context, members, { openings, seed })
  const expected = { type, receiverCount: 4 }
  const plaintexts = (of: Ciphertext, under = context): SecretOpening[] =>
    nodes.map(({ key }, receiverIndex) => decrypt(suite, under, of, { receiverIndex, key }))

  test('every receiver decrypts its plaintext', () => {
    expect(verifyCiphertext(suite, context, expected, ciphertext)).toBeUndefined()
    expect(plaintexts(ciphertext)).toEqual(openings)
  })

  test('the shared secret alone decrypts, as it does in a complaint', () => {
    const [node] = nodes
    if (node === undefined) throw new Error('no node')
    const sharedSecret = sharedSecretOf(suite, node.key, ciphertext)
    const secret = { receiverIndex: 0, publicKey: node.key.publicKey, sharedSecret }
    expect(decryptWith(suite, context, ciphertext, secret)).toEqual(openings[0])
  })

  test('§22.2 decryption: another key, index, context or ephemeral key gives an unrelated value', () => {
    const shifted = nodes.map((_, j) => nodes[(j + 1) % 4])
    for (const [receiverIndex, other] of shifted.entries()) {
      if (other === undefined) throw new Error('no node')
      const opened = decrypt(suite, context, ciphertext, { receiverIndex, key: other.key })
      expect(opened.value).not.toBe(openings[receiverIndex]?.value)
    }
    const rotated = {
      ...ciphertext,
      ctexts: ciphertext.ctexts.map((_, j, all) => all[(j + 1) % 4] ?? []),
    }
    const contexts = [
      { ...context, dealerIndex: 1 },
      { ...context, associatedData: bytesOf('another ad') },
    ]
    const changed = [
      plaintexts(rotated),
      ...contexts.map((other) => plaintexts(ciphertext, other)),
      plaintexts({
        ...ciphertext,
        ephemeralKey: group.add(ciphertext.ephemeralKey, group.g.point),
      }),
    ]
    for (const opened of changed)
      opened.forEach((opening, j) => {
        expect(opening.value).not.toBe(openings[j]?.value)
        if (opening.type === 'pedersen' && openings[j]?.type === 'pedersen')
          expect(opening.mask).not.toBe(openings[j].mask)
      })
    // Unrelated: what is wrong with one says nothing about what is wrong with another.
    const offsets = changed.flatMap((opened) =>
      opened.flatMap((opening, j) => {
        const due = present(openings[j], 'a plaintext')
        const value = mod(opening.value - due.value, order)
        if (opening.type === 'simple' || due.type === 'simple') return [value]
        return [value, mod(opening.mask - due.mask, order)]
      }),
    )
    expect(new Set(offsets).size).toBe(offsets.length)
    for (const offset of offsets)
      expect(offset > 2n ** 200n && order - offset > 2n ** 200n).toBe(true)
  })

  const { popProof } = ciphertext
  const otherDealer = encrypt(suite, { ...context, dealerIndex: 1 }, members, { openings, seed })
  const corruptions: [string, string, Partial<Ciphertext>][] = [
    ['one ciphertext too few', 'InvalidRecipients', { ctexts: ciphertext.ctexts.slice(1) }],
    [
      'one ciphertext too many',
      'InvalidRecipients',
      { ctexts: [...ciphertext.ctexts, ...ciphertext.ctexts.slice(3)] },
    ],
    ['no ciphertext', 'InvalidRecipients', { ctexts: [] }],
    ['the other kind', 'InconsistentCiphertext', { type: type === 'single' ? 'pairs' : 'single' }],
    [
      'a ciphertext of another width',
      'InconsistentCiphertext',
      { ctexts: ciphertext.ctexts.map((ctext, j) => (j === 1 ? [...ctext, 1n] : ctext)) },
    ],
    ['the identity as ephemeral key', 'InvalidProof', { ephemeralKey: group.zero }],
    [
      'another ephemeral key',
      'InvalidProof',
      { ephemeralKey: group.add(ciphertext.ephemeralKey, group.g.point) },
    ],
    ['another PoP key', 'InvalidProof', { popPublicKey: ciphertext.ephemeralKey }],
    ['the identity as PoP key', 'InvalidProof', { popPublicKey: group.zero }],
    [
      'another challenge',
      'InvalidProof',
      { popProof: { ...popProof, challenge: next(popProof.challenge) } },
    ],
    [
      'another response',
      'InvalidProof',
      { popProof: { ...popProof, response: next(popProof.response) } },
    ],
    [
      'the ephemeral key and proof of another dealer',
      'InvalidProof',
      {
        ephemeralKey: otherDealer.ephemeralKey,
        popPublicKey: otherDealer.popPublicKey,
        popProof: otherDealer.popProof,
      },
    ],
  ]
  test.each(corruptions)('§22.2 corrupted: %s is refused as %s', (_, refusal, change) => {
    const refused = verifyCiphertext(suite, context, expected, { ...ciphertext, ...change })
    expect(refused?.refusal).toBe(refusal)
  })

  test('an ephemeral key of zero is refused, though its possession can be proven', () => {
    const zero = asSecret(0n)
    const ephemeral = { ephemeral_key: pointInput(group, group.zero) }
    const base = oraclePoint(group, suite.domains.megaPopBase[type], {
      associated_data: bytesInput(context.associatedData),
      dealer_index: integerInput(2n),
      ...ephemeral,
    })
    const statement = { base, a: group.zero, b: group.zero }
    const proof = { domain: suite.domains.dlogEq, associatedData: context.associatedData }
    const nonces = seed.generator()
    const popProof = proveEqualLogs(group, proof, statement, { witness: zero, nonces })
    expect(verifyEqualLogs(group, proof, statement, popProof)).toBe(true)
    const changed = { ephemeralKey: group.zero, popPublicKey: group.zero, popProof }
    const refused = verifyCiphertext(suite, context, expected, { ...ciphertext, ...changed })
    expect(refused?.refusal).toBe('InvalidProof')
  })

  test('the ciphertext of another dealer, transcript or operation is refused', () => {
    const other = [
      { ...context, dealerIndex: 3 },
      { ...context, associatedData: bytesOf('another ad') },
    ]
    for (const changed of other)
      expect(verifyCiphertext(suite, changed, expected, ciphertext)?.refusal).toBe('InvalidProof')
    const due = { type: type === 'single' ? 'pairs' : 'single', receiverCount: 4 } as const
    expect(verifyCiphertext(suite, context, due, ciphertext)?.refusal).toBe(
      'InconsistentCiphertext',
    )
  })
})

test('equal plaintexts have unequal ciphertexts, and the seed fixes them all', () => {
  const equal = nodes.map((): SecretOpening => ({ type: 'simple', value: asSecret(5n) }))
  const once = encrypt(suite, context, members, { openings: equal, seed })
  expect(new Set(once.ctexts.map(String)).size).toBe(4)
  const again = encrypt(suite, context, members, { openings: equal, seed })
  expect(again.ctexts).toEqual(once.ctexts)
  const fresh = encrypt(suite, context, members, { openings: equal, seed: seed.derive('other') })
  expect(group.equals(fresh.ephemeralKey, once.ephemeralKey)).toBe(false)
})

test('as many plaintexts as receivers are encrypted, otherwise it is a bug', () => {
  expect(() => encrypt(suite, context, members, { openings: singles.slice(1), seed })).toThrow()
})
