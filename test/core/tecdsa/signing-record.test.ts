/**
 * Goal: what a node tells people of a signature is enough to make it again, and holds nothing that
 * is not public. Method: threshold specification §§14, 15, 18.2, 20: from the record alone, the
 * nonce, the shares and the signature are computed and compared.
 */
import { describe, expect, test } from 'vitest'
import { equalBytes, toHex } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import type { KeyScheme } from '../../../src/core/base/key-scheme.ts'
import { KEY_SCHEMES } from '../../../src/core/base/key-scheme.ts'
import { bytesInput, integerInput, oracleBytes } from '../../../src/core/base/random-oracle.ts'
import { lagrangeScalars } from '../../../src/core/tecdsa/lagrange.ts'
import { decodeSchnorrShare } from '../../../src/core/tecdsa/object-codec.ts'
import { suites } from '../../../src/core/tecdsa/signer-config.ts'
import type { SigningRecord } from '../../../src/core/tecdsa/signing-record.ts'
import { tapeValue } from '../../../src/core/tecdsa/tape.ts'
import { SignerNet } from '../../support/signer-net.ts'
import { request } from '../../support/signer-story.ts'

function made(scheme: KeyScheme) {
  const net = new SignerNet({ nodes: 4, stockTarget: 0 })
  net.settle()
  const asked = request(`recorded ${scheme}`, 'test_key_1', scheme)
  net.ask(asked)
  net.settle()
  const { signature } = present(
    net.completed.find(({ requestId }) => equalBytes(requestId, asked.id)),
    'completed',
  )
  const records = net.signed.map(({ record }) => record)
  return { net, asked, signature, record: present(records[0], 'somebody combined'), records }
}

describe.each(KEY_SCHEMES)('the record of a signature of %s', (scheme) => {
  const { net, asked, signature, record } = made(scheme)

  test('names key and presignature, in points of t coefficients', () => {
    const names = record.transcripts.map(({ name }) => name)
    expect(names).toEqual(
      scheme === 'ecdsa'
        ? ['key', 'kappa', 'lambda', 'kappaLambda', 'keyLambda']
        : ['key', 'blinder'],
    )
    const key = net.signer(0).publicKeyOf(asked.key)
    expect(record.transcripts[0]?.points[0]).toEqual(key)
    for (const { points } of record.transcripts) expect(points).toHaveLength(2)
  })

  test('gives the nonce from σ, request and presignature', () => {
    const nonce = oracleBytes(
      'ckbtc-signing-nonce',
      {
        tape: bytesInput(tapeValue(record.tape)),
        request: bytesInput(asked.id),
        presignature: integerInput(record.presignatureId),
      },
      32,
    )
    expect(toHex(record.nonce)).toBe(toHex(nonce))
  })

  test('has the shares of t nodes, and blames nobody', () => {
    expect(new Set(record.shares.map(({ node }) => node)).size).toBe(2)
    expect(record.blamed).toEqual([])
  })

  test.runIf(scheme !== 'ecdsa')('adds up to the signature', () => {
    const suite = scheme === 'ed25519' ? suites.ed25519 : suites.bip340
    expect(sumOf(suite, record)).toBe(suite.group.decodeScalar(signature.subarray(32)))
  })
})

function sumOf(
  suite: typeof suites.bip340 | typeof suites.ed25519,
  { shares }: Pick<SigningRecord, 'shares'>,
): bigint {
  const { order } = suite.group
  const nodes = shares.map(({ node }) => node)
  const weights = lagrangeScalars(nodes, order)
  const values = shares.map(({ share }) =>
    suite.algorithm === 'ThresholdEd25519'
      ? decodeSchnorrShare(suites.ed25519, share).s
      : decodeSchnorrShare(suites.bip340, share).s,
  )
  return values.reduce((sum, value, i) => (sum + (weights[i] ?? 0n) * value) % order, 0n)
}
