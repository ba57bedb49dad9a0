/**
 * Goal: a certificate is believed for what the right key has signed, and for nothing else.
 * Method: IC interface §§15, 26 (86 to 97), 27.4, 27.5: the printed certificates, and each part of
 * them changed in turn.
 */
import { describe, expect, test } from 'vitest'
import { fromHex, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import { verifyBls } from '../../../src/core/base/verification.ts'
import type { Certificate, Effective } from '../../../src/core/ic/certificate.ts'
import {
  decodeCertificate,
  encodeCertificate,
  fingerprint,
  verifyCertificate,
} from '../../../src/core/ic/certificate.ts'
import type { HashTree } from '../../../src/core/ic/hash-tree.ts'
import { lookup, rootHash } from '../../../src/core/ic/hash-tree.ts'
import { principalOfText, selfAuthenticating } from '../../../src/core/ic/principal.ts'
import { encodePublicKey } from '../../../src/core/ic/public-key.ts'
import { expectStrict } from '../btc/strict-decoder.ts'
import { DELEGATED, LOCAL, LOCAL_KEY, MAINNET_ROOT_KEY } from './certificates.ts'

const canister = (text: string): Effective => ({ type: 'canister', id: principalOfText(text) })
const IVG37 = canister('ivg37-qiaaa-aaaab-aaaga-cai')
const LOCAL_DER = encodePublicKey({ type: 'bls12381', key: LOCAL_KEY })
const LOCAL_TIME = timestampNs(1_685_570_340_000_000_000n)
const ANY = canister('mxzaz-hqaaa-aaaar-qaada-cai')
const local = (bytes: Uint8Array, now = LOCAL_TIME) =>
  verifyCertificate(bytes, { rootKey: LOCAL_DER, effective: ANY, now })
const mainnet = (bytes: Uint8Array, effective: Effective = IVG37) =>
  verifyCertificate(bytes, { rootKey: MAINNET_ROOT_KEY, effective, now: undefined })

describe('the printed certificate', () => {
  test('of mainnet verifies, delegation included', () => {
    const verified = mainnet(DELEGATED)
    if (verified.type === 'refused') throw new Error(verified.reason)
    expect(verified.timeNs).toBe(1_645_601_880_652_705_378n)
    expect(toHex(rootHash(verified.tree)).slice(0, 24)).toBe('b294b418b11ebe5dd7dd1dcb')
    const request = fromHex('edad510eaaa08ed2acd4781324e6446269da6753ec17760f206bbe81c465ff52')
    const status = [utf8('request_status'), request]
    expect(lookup(verified.tree, [...status, utf8('status')])).toEqual({
      type: 'found',
      value: utf8('rejected'),
    })
    expect(lookup(verified.tree, [...status, utf8('reject_code')])).toEqual({
      type: 'found',
      value: Uint8Array.of(3),
    })
  })

  test('of mainnet speaks for no canister outside its range and for no other subnet', () => {
    expect(mainnet(DELEGATED, canister('ryjl3-tyaaa-aaaaa-aaaba-cai'))).toMatchObject({
      type: 'refused',
      reason: expect.stringContaining('does not cover'),
    })
    const id = selfAuthenticating(LOCAL_DER)
    expect(mainnet(DELEGATED, { type: 'subnet', id })).toMatchObject({ type: 'refused' })
  })

  test('of a local subnet verifies up to five minutes off its time, both ways', () => {
    expect(local(LOCAL)).toMatchObject({ type: 'verified', timeNs: LOCAL_TIME })
    for (const seconds of [-300n, 300n])
      expect(local(LOCAL, timestampNs(LOCAL_TIME + seconds * 1_000_000_000n)).type).toBe('verified')
    for (const seconds of [-301n, 301n])
      expect(local(LOCAL, timestampNs(LOCAL_TIME + seconds * 1_000_000_000n)).type).toBe('refused')
  })

  test('is read whole or not at all', () => {
    const decode = (bytes: Uint8Array) => decodeCertificate(bytes)
    expectStrict({ bytes: LOCAL, decode, encode: encodeCertificate })
    expectStrict({ bytes: DELEGATED, decode, encode: encodeCertificate })
  }, 60_000)
})

describe('a certificate that was changed', () => {
  const { tree, signature } = decodeCertificate(LOCAL)
  const changedLeaf = (at: HashTree, from: string, to: string): HashTree => {
    if (at.type === 'leaf')
      return toHex(at.value) === toHex(utf8(from)) ? { type: 'leaf', value: utf8(to) } : at
    if (at.type === 'labeled') return { ...at, tree: changedLeaf(at.tree, from, to) }
    if (at.type === 'fork')
      return {
        type: 'fork',
        left: changedLeaf(at.left, from, to),
        right: changedLeaf(at.right, from, to),
      }
    return at
  }
  const flipped = (bytes: Uint8Array, place: number): Uint8Array =>
    bytes.map((byte, index) => (index === place ? byte ^ 1 : byte))
  const other = decodeCertificate(DELEGATED)
  const cases: [string, Certificate][] = [
    ['a leaf', { tree: changedLeaf(tree, 'replied', 'pending'), signature }],
    ['the signature of another certificate', { tree, signature: other.signature }],
    ['a bit of the signature', { tree, signature: flipped(signature, 40) }],
    ['the point at infinity', { tree, signature: Uint8Array.of(0xc0, ...new Uint8Array(47)) }],
    ['its tree', { tree: other.tree, signature }],
    ['only the pruned root', { tree: { type: 'pruned', hash: rootHash(tree) }, signature }],
    [
      'a delegation inside a delegation',
      {
        tree,
        signature,
        delegation: { subnetId: selfAuthenticating(LOCAL_DER), certificate: DELEGATED },
      },
    ],
  ]

  test.each(cases)('in %s is refused', (_, certificate) => {
    expect(local(encodeCertificate(certificate)).type).toBe('refused')
  })

  test('in its signature length is no certificate', () => {
    const bytes = encodeCertificate({ tree, signature: signature.slice(0, 47) })
    expect(() => decodeCertificate(bytes)).toThrow(BadEncoding)
  })

  test('in nothing but the root key is refused, and the reason names the key', () => {
    const check = { rootKey: MAINNET_ROOT_KEY, effective: ANY, now: LOCAL_TIME }
    const reason = expect.stringContaining(fingerprint(MAINNET_ROOT_KEY))
    expect(verifyCertificate(LOCAL, check)).toEqual({ type: 'refused', reason })
  })

  test('in the DER prefix of the key is refused', () => {
    for (const place of [0, 5, 20, 36]) {
      const check = { rootKey: flipped(LOCAL_DER, place), effective: ANY, now: LOCAL_TIME }
      expect(verifyCertificate(LOCAL, check).type).toBe('refused')
    }
  })
})

describe('a BLS signature', () => {
  const message = fromHex(
    '0d69632d73746174652d726f6f74eb5c5b2195e62d996b84c9bcc8259d19a83786a2f59e0878cec84c811f669aa0',
  )
  const signature = fromHex(
    '826396c0db33004d269222709dd20538415b9e187a801a04c2f716f8ad8476e8ba8a093bfaa04ed01db041d3f9afa811',
  )

  test('verifies as printed, and no other does', () => {
    expect(verifyBls(LOCAL_KEY, message, signature)).toBe(true)
    expect(verifyBls(LOCAL_KEY, message.slice(1), signature)).toBe(false)
    expect(verifyBls(LOCAL_KEY, message, signature.slice(0, 47))).toBe(false)
    expect(verifyBls(LOCAL_KEY.slice(1), message, signature)).toBe(false)
  })

  test('under the identity is none, nor is the identity one', () => {
    const key = Uint8Array.of(0xc0, ...new Uint8Array(95))
    const identity = Uint8Array.of(0xc0, ...new Uint8Array(47))
    expect(verifyBls(key, message, identity)).toBe(false)
    expect(verifyBls(LOCAL_KEY, message, identity)).toBe(false)
  })
})
