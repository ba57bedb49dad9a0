/**
 * Goal: the page that explains a signature tells the truth to the last digit.
 * Method: `docs/threshold.md` names values; the run of the threshold specification, Annex A.3, is
 * computed, and each of its values stands under its name. No other number is on the page.
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { toHex } from '../src/core/base/bytes.ts'
import { present } from '../src/core/base/errors.ts'
import { asSecret, encodePoint, invert, mod } from '../src/core/base/group.ts'
import { sha256 } from '../src/core/base/hash.ts'
import { secp256k1 as group } from '../src/core/base/noble-secp256k1.ts'
import { verifyEcdsa } from '../src/core/base/verification.ts'
import { unseal } from '../src/core/tecdsa/secret.ts'
import type { Round } from './support/known-run.ts'
import {
  inputs,
  kappa,
  key,
  masked,
  message,
  nonce,
  own,
  signature,
  signatureShares,
} from './support/known-run.ts'
import type { Point } from './support/threshold.ts'
import { bytes32, order, reconstruct } from './support/threshold.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(`${root}docs/threshold.md`, 'utf8')

const scalar = (value: bigint): string => toHex(bytes32(value))
const point = (of: Point): string => toHex(encodePoint(group, of))
const coefficient = (round: Round, k: number): string =>
  point(present(round.transcript.commitment.points[k], 'a coefficient'))
const shareOfKey = (node: number): bigint => unseal(own(key, node)).value
const shareAt = (node: number) => present(signatureShares.get(node), 'a share')
/** The line through the heights at 1 and 2, at 0. */
const atZero = (first: bigint, second: bigint): bigint => mod(2n * first - second, order)

const x = reconstruct(key, [0, 1]).value
const nu = atZero(shareAt(0).nu.value, shareAt(1).nu.value)
const mu = atZero(shareAt(0).mu.value, shareAt(1).mu.value)

const due: Readonly<Record<string, string>> = {
  'share of x, node 0': scalar(shareOfKey(0)),
  'share of x, node 1': scalar(shareOfKey(1)),
  'the key x': scalar(x),
  'X, the public key: x·g': coefficient(key, 0),
  'the slope of the line, times g': coefficient(key, 1),
  'blinded sum, first coefficient': coefficient(masked, 0),
  K: coefficient(kappa, 0),
  'hash of the message': toHex(sha256(message)),
  ω: toHex(nonce),
  'tweak: from X to the key at the path': scalar(inputs.tweak),
  'X′ = X + tweak·g': toHex(inputs.publicKey),
  'δ: hash of ω, message, K and tweak': scalar(inputs.delta),
  'ρ: first coordinate of R = K + δ·g': scalar(inputs.rho),
  'θ = e + ρ·tweak': scalar(inputs.theta),
  'ν of node 0: θ·(share of λ) + ρ·(share of xλ)': scalar(shareAt(0).nu.value),
  'μ of node 0: δ·(share of λ) + (share of κλ)': scalar(shareAt(0).mu.value),
  'ν of node 1': scalar(shareAt(1).nu.value),
  'μ of node 1': scalar(shareAt(1).mu.value),
  'ν = 2·(ν of node 0) − (ν of node 1) = λ·(e + ρ·x′)': scalar(nu),
  'μ = 2·(μ of node 0) − (μ of node 1) = λ·(κ + δ)': scalar(mu),
  'ν / μ': scalar(mod(nu * invert(mu, order), order)),
  's: that, or q minus it, whichever is smaller': toHex(signature.subarray(32)),
}

describe('the page on threshold signatures', () => {
  const told = Object.fromEntries(
    [...page.matchAll(/^\| (.+?) \| `([0-9a-f]+)` \|$/gm)].map(([, name, value]) => [name, value]),
  )

  test('tells each value of the run under its name', () => {
    expect(told).toEqual(due)
  })

  test('has no other number of that length', () => {
    const numbers = page.match(/\b[0-9a-f]{16,}\b/g) ?? []
    expect(numbers.toSorted()).toEqual(Object.values(due).toSorted())
  })

  test('says of the numbers what is so', () => {
    expect(atZero(shareOfKey(0), shareOfKey(1))).toBe(x)
    expect(point(group.g.multiplySecret(asSecret(x)))).toBe(coefficient(key, 0))
    const [constant = group.zero, slope = group.zero] = key.transcript.commitment.points
    const second = group.add(constant, group.multiplyPublic(slope, 2n))
    expect(group.equals(second, group.g.multiplyPublic(shareOfKey(1)))).toBe(true)
    const request = { publicKey: inputs.publicKey, digest: sha256(message), signature }
    expect(verifyEcdsa(request, { lowS: true })).toBe(true)
  })

  test('names files that there are', () => {
    const named = [...page.matchAll(/`((?:[\w-]+\/)*[\w-]+\.ts)`/g)].map(([, name = '']) => name)
    expect(named.length).toBeGreaterThan(10)
    const found = (name: string): boolean =>
      [name, `src/core/tecdsa/${name}`].some((path) => existsSync(`${root}${path}`))
    expect(named.filter((name) => !found(name))).toEqual([])
  })
})
