/**
 * Goal: each proof convinces of its own statement and of nothing else, and a nonce used twice gives
 * the witness away. Method: threshold specification §5; every field, every point, the context and
 * the roles are changed in turn.
 */
import { describe, expect, test } from 'vitest'
import { asSecret, invert, mod } from '../../../src/core/base/group.ts'
import { secp256k1 as group } from '../../../src/core/base/noble-secp256k1.ts'
import { Seed } from '../../../src/core/base/seed.ts'
import {
  proveEqualLogs,
  proveEqualOpenings,
  proveProduct,
  verifyEqualLogs,
  verifyEqualOpenings,
  verifyProduct,
} from '../../../src/core/tecdsa/proofs.ts'
import { bytesOf, order } from '../../support/threshold.ts'

const generator = Seed.fromBytes(bytesOf('proofs')).generator()
const scalar = () => generator.scalar(group)
const nonces = (label = 'nonces') => Seed.fromBytes(bytesOf(label)).generator()
const context = { domain: 'a proof', associatedData: bytesOf('ad') }
const otherContexts = [
  { ...context, domain: 'another proof' },
  { ...context, associatedData: bytesOf('another ad') },
  { ...context, associatedData: new Uint8Array() },
]
const { g, h } = group
const ped = (value: bigint, mask: bigint) =>
  group.add(g.multiplyPublic(value), h.multiplyPublic(mask))
const next = (value: bigint): bigint => mod(value + 1n, order)

/** Each field of a proof, and each point of a statement, changed to something close. */
const alteredProofs = <T extends Readonly<Record<string, bigint>>>(proof: T): T[] =>
  Object.keys(proof).flatMap((key) => [
    { ...proof, [key]: next(proof[key] ?? 0n) },
    { ...proof, [key]: 0n },
  ])
const alteredStatements = <T extends Readonly<Record<string, typeof group.zero>>>(
  statement: T,
): T[] =>
  Object.keys(statement).flatMap((key) => [
    { ...statement, [key]: group.add(statement[key] ?? group.zero, g.point) },
    { ...statement, [key]: group.zero },
  ])

describe('equal logarithms', () => {
  const x = scalar()
  const base = group.hashToPoint(bytesOf('base'), bytesOf('dst'))
  const statement = { base, a: g.multiplySecret(x), b: group.multiplySecret(base, x) }
  const proof = proveEqualLogs(group, context, statement, { witness: x, nonces: nonces() })

  test('§22.2 complete: are proven', () => {
    expect(verifyEqualLogs(group, context, statement, proof)).toBe(true)
  })

  test('§22.2 corrupted: no changed proof, statement or context passes', () => {
    for (const altered of alteredProofs(proof))
      expect(verifyEqualLogs(group, context, statement, altered)).toBe(false)
    const swapped = { ...statement, a: statement.b, b: statement.a }
    for (const altered of [...alteredStatements(statement), swapped])
      expect(verifyEqualLogs(group, context, altered, proof)).toBe(false)
    for (const other of otherContexts)
      expect(verifyEqualLogs(group, other, statement, proof)).toBe(false)
  })

  test('cannot be proven of unequal ones with an honest prover', () => {
    const unequal = { ...statement, b: group.multiplySecret(base, scalar()) }
    const false1 = proveEqualLogs(group, context, unequal, { witness: x, nonces: nonces() })
    expect(verifyEqualLogs(group, context, unequal, false1)).toBe(false)
  })

  test('one nonce in two contexts gives the witness to everybody', () => {
    const again = proveEqualLogs(group, otherContexts[1] ?? context, statement, {
      witness: x,
      nonces: nonces(),
    })
    const difference = invert(proof.challenge - again.challenge, order)
    expect(mod((proof.response - again.response) * difference, order)).toBe(x)
  })
})

describe('equal openings', () => {
  const [s, m] = [scalar(), scalar()]
  const statement = { a: ped(s, m), b: g.multiplyPublic(s) }
  const proof = proveEqualOpenings(group, context, statement, { mask: m, nonces: nonces() })

  test('§22.2 complete: are proven', () => {
    expect(verifyEqualOpenings(group, context, statement, proof)).toBe(true)
  })

  test('§22.2 corrupted: no changed proof, statement or context passes', () => {
    for (const altered of alteredProofs(proof))
      expect(verifyEqualOpenings(group, context, statement, altered)).toBe(false)
    const swapped = { a: statement.b, b: statement.a }
    for (const altered of [...alteredStatements(statement), swapped])
      expect(verifyEqualOpenings(group, context, altered, proof)).toBe(false)
    for (const other of otherContexts)
      expect(verifyEqualOpenings(group, other, statement, proof)).toBe(false)
  })

  test('a dealer of another value finds no proof', () => {
    const unequal = { ...statement, b: g.multiplyPublic(next(s)) }
    const false1 = proveEqualOpenings(group, context, unequal, { mask: m, nonces: nonces() })
    expect(verifyEqualOpenings(group, context, unequal, false1)).toBe(false)
  })

  test('one nonce in two contexts gives the witness to everybody', () => {
    const again = proveEqualOpenings(group, otherContexts[1] ?? context, statement, {
      mask: m,
      nonces: nonces(),
    })
    const difference = invert(proof.challenge - again.challenge, order)
    expect(mod((proof.response - again.response) * difference, order)).toBe(m)
  })
})

describe('product', () => {
  const [a, b, beta, gamma] = [scalar(), scalar(), scalar(), scalar()]
  const statement = {
    lhs: g.multiplyPublic(a),
    rhs: ped(b, beta),
    product: ped(mod(a * b, order), gamma),
  }
  const witness = { lhs: a, maskDifference: asSecret(mod(gamma - a * beta, order)) }
  const proof = proveProduct(group, context, statement, { witness, nonces: nonces() })

  test('§22.2 complete: is proven', () => {
    expect(verifyProduct(group, context, statement, proof)).toBe(true)
  })

  test('§22.2 corrupted: no changed proof, statement or context passes', () => {
    const swapped = { ...proof, response1: proof.response2, response2: proof.response1 }
    for (const altered of [...alteredProofs(proof), swapped])
      expect(verifyProduct(group, context, statement, altered)).toBe(false)
    const exchanged = { ...statement, lhs: statement.rhs, rhs: statement.lhs }
    for (const altered of [...alteredStatements(statement), exchanged])
      expect(verifyProduct(group, context, altered, proof)).toBe(false)
    for (const other of otherContexts)
      expect(verifyProduct(group, other, statement, proof)).toBe(false)
  })

  test('a dealer of another product finds no proof', () => {
    const wrong = { ...statement, product: ped(next(mod(a * b, order)), gamma) }
    const false1 = proveProduct(group, context, wrong, { witness, nonces: nonces() })
    expect(verifyProduct(group, context, wrong, false1)).toBe(false)
  })

  test('one pair of nonces in two contexts gives both witnesses to everybody', () => {
    const again = proveProduct(group, otherContexts[1] ?? context, statement, {
      witness,
      nonces: nonces(),
    })
    const difference = invert(proof.challenge - again.challenge, order)
    expect(mod((proof.response1 - again.response1) * difference, order)).toBe(a)
    const second = mod((proof.response2 - again.response2) * difference, order)
    expect(second).toBe(witness.maskDifference)
  })
})
