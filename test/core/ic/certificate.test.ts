/**
 * Goal: a certificate is believed for what the right key has signed, and for nothing else.
 * Method: IC interface §§15, 26 (86 to 97), 27.4, 27.5: the printed certificates, each part of them
 * changed in turn, and certificates that a known key has signed.
 */
import { describe, expect, test } from 'vitest'
import { fromHex, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { NS_PER_SECOND, timestampNs } from '../../../src/core/base/units.ts'
import { verifyBls } from '../../../src/core/base/verification.ts'
import type { Cbor } from '../../../src/core/ic/cbor.ts'
import { encodeTaggedCbor } from '../../../src/core/ic/cbor.ts'
import type { Certificate, Effective } from '../../../src/core/ic/certificate.ts'
import {
  decodeCertificate,
  decodeRanges,
  encodeCertificate,
  encodeRanges,
  fingerprint,
  verifyCertificate,
} from '../../../src/core/ic/certificate.ts'
import { leb128 } from '../../../src/core/ic/cursor.ts'
import type { HashTree, Path } from '../../../src/core/ic/hash-tree.ts'
import { lookup, rootHash } from '../../../src/core/ic/hash-tree.ts'
import { principalOfText, selfAuthenticating } from '../../../src/core/ic/principal.ts'
import { encodePublicKey } from '../../../src/core/ic/public-key.ts'
import type { StateTree } from '../../../src/core/ic/state-tree.ts'
import { branch, leaf, witness } from '../../../src/core/ic/state-tree.ts'
import { expectStrict } from '../btc/strict-decoder.ts'
import {
  DELEGATED,
  LOCAL,
  LOCAL_KEY,
  LOCAL_SUBNET,
  MAINNET_ROOT_KEY,
  TestSubnet,
} from './certificates.ts'

/** On the curve, not in the subgroup: x = 4. */
const OUTSIDE = Uint8Array.of(0x80, ...new Uint8Array(46), 4)
const words = (text: string): Path => text.split('/').map(utf8)
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
  test('97: of mainnet verifies, delegation included', () => {
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

  test('of a local subnet is the one that its key makes', () => {
    expect(toHex(LOCAL_SUBNET.certify(decodeCertificate(LOCAL).tree))).toBe(toHex(LOCAL))
    expect(LOCAL_SUBNET.key).toEqual(LOCAL_KEY)
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
  const relabeled = (at: HashTree): HashTree => {
    if (at.type === 'labeled')
      return { ...at, label: toHex(at.label) === toHex(utf8('time')) ? utf8('tine') : at.label }
    return at.type === 'fork' ? { ...at, right: relabeled(at.right) } : at
  }
  const cases: [string, Certificate][] = [
    ['86: in a label', { tree: relabeled(tree), signature }],
    ['86: in a leaf', { tree: changedLeaf(tree, 'replied', 'pending'), signature }],
    ['87: in its signature, which is of another certificate', { tree, signature: other.signature }],
    ['87: in a bit of its signature', { tree, signature: flipped(signature, 40) }],
    ['88: in its signature, a point outside the subgroup', { tree, signature: OUTSIDE }],
    [
      '88: in its signature, the point at infinity',
      { tree, signature: Uint8Array.of(0xc0, ...new Uint8Array(47)) },
    ],
    ['86: in all of its tree', { tree: other.tree, signature }],
    [
      'in what it shows, which is nothing',
      { tree: { type: 'pruned', hash: rootHash(tree) }, signature },
    ],
    [
      '91: in a delegation inside a delegation',
      {
        tree,
        signature,
        delegation: { subnetId: selfAuthenticating(LOCAL_DER), certificate: DELEGATED },
      },
    ],
  ]

  test.each(cases)('%s is refused', (_, certificate) => {
    expect(local(encodeCertificate(certificate)).type).toBe('refused')
  })

  test('86: in a hash that stands for what it hides is refused', () => {
    const place = Buffer.from(DELEGATED).indexOf('250f5e26868d9c1e', 'hex')
    expect(mainnet(flipped(DELEGATED, place)).type).toBe('refused')
    expect(mainnet(DELEGATED).type).toBe('verified')
  })

  test('88: in its signature, of 47 bytes, is no certificate', () => {
    const bytes = encodeCertificate({ tree, signature: signature.slice(0, 47) })
    expect(() => decodeCertificate(bytes)).toThrow(BadEncoding)
  })

  test('90: in nothing but the root key is refused, and the reason names the key', () => {
    const check = { rootKey: MAINNET_ROOT_KEY, effective: ANY, now: LOCAL_TIME }
    const reason = expect.stringContaining(fingerprint(MAINNET_ROOT_KEY))
    expect(verifyCertificate(LOCAL, check)).toEqual({ type: 'refused', reason })
  })

  test('89: in the DER prefix of the key is refused', () => {
    for (const place of [0, 5, 20, 36]) {
      const check = { rootKey: flipped(LOCAL_DER, place), effective: ANY, now: LOCAL_TIME }
      expect(verifyCertificate(LOCAL, check).type).toBe('refused')
    }
  })
})

const branchOf = (names: { readonly [name: string]: StateTree }) =>
  branch(Object.entries(names).map(([name, tree]) => [utf8(name), tree] as const))
const ROOT = LOCAL_SUBNET

describe('a certificate that was signed', () => {
  const check = { rootKey: ROOT.der, effective: ANY, now: LOCAL_TIME }
  const verify = (tree: HashTree) => verifyCertificate(ROOT.certify(tree), check)
  const TIME: HashTree = {
    type: 'labeled',
    label: utf8('time'),
    tree: { type: 'leaf', value: leb128(LOCAL_TIME) },
  }
  const named = (name: string): HashTree => ({
    type: 'labeled',
    label: utf8(name),
    tree: { type: 'empty' },
  })
  const fork = (left: HashTree, right: HashTree): HashTree => ({ type: 'fork', left, right })

  test.each<[string, HashTree]>([
    ['94: with unordered labels', fork(named('zero'), TIME)],
    ['94: with a label twice', fork(TIME, TIME)],
    [
      '94: with labels unordered across forks',
      fork(fork(named('a'), named('c')), fork(named('b'), TIME)),
    ],
    ['94: with a leaf beside a label', fork({ type: 'leaf', value: utf8('x') }, TIME)],
    ['with no time', named('a')],
    [
      'with a time with bytes behind',
      { ...TIME, tree: { type: 'leaf', value: Uint8Array.of(1, 1) } },
    ],
    ['with an endless time', { ...TIME, tree: { type: 'leaf', value: Uint8Array.of(0x80) } }],
    ['with a time that is a branch', { ...TIME, tree: TIME }],
  ])('%s is refused all the same', (_, tree) => {
    expect(verify(tree).type).toBe('refused')
  })

  test('95: shows a reply that was pruned as unknown, not as absent or empty', () => {
    const status = branchOf({ reply: leaf(utf8('DIDL')), status: leaf(utf8('replied')) })
    const id = new Uint8Array(32)
    const state = branchOf({
      request_status: branch([[id, status]]),
      time: leaf(leb128(LOCAL_TIME)),
    })
    const asked = [utf8('request_status'), id]
    const verified = verify(witness(state, [[...asked, utf8('status')], words('time')]))
    if (verified.type === 'refused') throw new Error(verified.reason)
    expect(lookup(verified.tree, [...asked, utf8('status')]).type).toBe('found')
    expect(lookup(verified.tree, [...asked, utf8('reply')])).toEqual({ type: 'unknown' })
  })

  test('90: by another subnet that shows itself is refused with both keys named', () => {
    const other = new TestSubnet(new Uint8Array(32).fill(11))
    const state = branchOf({
      subnet: branch([[other.id, branchOf({ public_key: leaf(other.der) })]]),
      time: leaf(leb128(LOCAL_TIME)),
    })
    const verified = verifyCertificate(other.certify(witness(state, [[]])), check)
    for (const key of [ROOT, other])
      expect(verified).toMatchObject({ reason: expect.stringContaining(fingerprint(key.der)) })
  })

  test('93: is as old as its time says', () => {
    for (const [seconds, type] of [
      [-360n, 'refused'],
      [0n, 'verified'],
      [360n, 'refused'],
    ] as const) {
      const now = timestampNs(LOCAL_TIME + seconds * NS_PER_SECOND)
      expect(verifyCertificate(ROOT.certify(TIME), { ...check, now }).type).toBe(type)
    }
  })
})

describe('canister ranges', () => {
  const bytes = encodeRanges([[Uint8Array.of(1), Uint8Array.of(2)]])

  test('are read strictly', () => {
    expectStrict({ bytes, decode: decodeRanges, encode: encodeRanges })
  })

  test.each<[string, Cbor]>([
    ['no list', new Map()],
    ['a list of ids', [Uint8Array.of(1)]],
    ['an id alone', [[Uint8Array.of(1)]]],
    ['three ids', [[Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]]],
    ['a text', [['a', 'b']]],
  ])('that are %s are refused', (_, value) => {
    expect(() => decodeRanges(encodeTaggedCbor(value))).toThrow(BadEncoding)
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
