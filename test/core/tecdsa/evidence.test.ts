/**
 * Goal: nobody can be made to have said what it did not sign, here and now.
 * Method: threshold specification §§2.1, 7, 8.3, 21. Four nodes, so v = 3; each field of the
 * evidence is changed in turn.
 */
import { describe, expect, test } from 'vitest'
import type { Hash32 } from '../../../src/core/base/bytes.ts'
import { compareBytes, concat, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { Writer } from '../../../src/core/base/codec.ts'
import { BadEncoding, present } from '../../../src/core/base/errors.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import type {
  EvidenceContext,
  SignedDealing,
  Support,
  SupportedDealing,
} from '../../../src/core/tecdsa/evidence.ts'
import {
  DEALING_SIZE_MAX,
  dealerSigned,
  dealingContent,
  decodeSignedDealing,
  decodeSupport,
  decodeSupportedDealing,
  encodeSignedDealing,
  encodeSupport,
  encodeSupportedDealing,
  runPrefix,
  SUPPORTED_HASHES_MAX,
  supportContent,
  supporterSigned,
  supportSuffices,
} from '../../../src/core/tecdsa/evidence.ts'
import type { Genesis } from '../../../src/core/tecdsa/membership.ts'
import { NODES_MAX } from '../../../src/core/tecdsa/membership.ts'
import type { EvidenceKind } from '../../../src/core/tecdsa/node-keys.ts'
import { nativeEd25519 } from '../../../src/native/ed25519.ts'
import { foundSubnet } from '../../support/founded.ts'
import { expectStrict, expectTotal } from '../btc/strict-decoder.ts'

const { genesis, keys } = foundSubnet(4)
const contextOf = (run: Genesis): EvidenceContext => ({
  prefix: runPrefix(run),
  members: run.membership.members,
  ed25519: nativeEd25519,
})
const context = contextOf(genesis)
const receivers = { receivers: genesis.membership.members }
const otherEntropy = genesis.entropy.map((byte) => byte ^ 1)
/** Where evidence of this run must not count. */
const elsewhere: [string, EvidenceContext][] = [
  ['another incarnation', contextOf({ ...genesis, incarnation: 8n })],
  ['another subnet of the same nodes', contextOf({ ...genesis, entropy: otherEntropy })],
  ['a subnet without the node', { ...context, members: context.members.slice(0, 0) }],
]

const sign = (node: number, kind: EvidenceKind, content: Uint8Array): Uint8Array =>
  present(keys[node], 'a node').sign(kind, content)
const flip = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
const hashOf = (text: string): Hash32 => sha256(utf8(text))
const inOrder = (hashes: readonly Hash32[]): Hash32[] => hashes.toSorted(compareBytes)

const statement = { transcriptId: 5n, dealer: 1, dealing: utf8('dealing') }
function dealt({
  by = 1,
  kind = 'dealing',
  dealing = statement.dealing,
}: {
  readonly by?: number
  readonly kind?: EvidenceKind
  readonly dealing?: Uint8Array
} = {}): SignedDealing {
  const stated = { ...statement, dealing }
  const signature = sign(by, kind, dealingContent(context.prefix, stated))
  return decodeSignedDealing(encodeSignedDealing({ ...stated, signature }))
}

function supported(
  signer: number,
  hashes: readonly Hash32[],
  { by = signer, kind = 'support' as EvidenceKind } = {},
): Support {
  return { signer, hashes, signature: sign(by, kind, supportContent(context.prefix, hashes)) }
}

const signed = dealt()
const hashes = inOrder([signed.hash, hashOf('another'), hashOf('a third')])
const supports = [0, 2, 3].map((signer) => supported(signer, hashes))
const whole: SupportedDealing = { signed, supports }

describe('the word of a dealer', () => {
  test('counts in its run', () => {
    expect(dealerSigned(context, signed)).toBe(true)
  })

  test.each<[string, SignedDealing]>([
    ['another transcript', { ...signed, transcriptId: 6n }],
    ['another dealer', { ...signed, dealer: 2 }],
    ['a dealer that is no member', { ...signed, dealer: 4 }],
    ['another dealing', { ...signed, dealing: utf8('dealinh') }],
    ['a longer dealing', { ...signed, dealing: concat(signed.dealing, Uint8Array.of(0)) }],
    ['R of the signature changed', { ...signed, signature: flip(signed.signature, 0) }],
    ['s of the signature changed', { ...signed, signature: flip(signed.signature, 32) }],
    ['the signature of another node', dealt({ by: 2 })],
    ['a signature given for supports', dealt({ kind: 'support' })],
    ['a signature given for items', dealt({ kind: 'item' })],
    ['a signature given for shares', dealt({ kind: 'signature-share' })],
  ])('does not count with %s', (_, changed) => {
    expect(dealerSigned(context, changed)).toBe(false)
  })

  test.each(elsewhere)('does not count in %s', (_, other) => {
    expect(dealerSigned(other, signed)).toBe(false)
  })
})

describe('the word of a supporter', () => {
  const support = present(supports[0], 'a support')
  const [first, second, third] = hashes.map((hash) => present(hash, 'three hashes'))

  test('counts in its run', () => {
    expect(supporterSigned(context, support)).toBe(true)
  })

  test.each<[string, Support]>([
    ['another signer', { ...support, signer: 1 }],
    ['a signer that is no member', { ...support, signer: 4 }],
    ['one hash less', { ...support, hashes: hashes.slice(1) }],
    ['one hash more', { ...support, hashes: [...hashes, hashOf('more')] }],
    ['a hash changed', { ...support, hashes: [...hashes.slice(0, 2), hashOf('other')] }],
    ['hashes in another order', { ...support, hashes: [second, first, third] as Hash32[] }],
    ['R of the signature changed', { ...support, signature: flip(support.signature, 0) }],
    ['s of the signature changed', { ...support, signature: flip(support.signature, 32) }],
    ['the signature of another node', supported(0, hashes, { by: 2 })],
    ['a signature given for dealings', supported(0, hashes, { kind: 'dealing' })],
    ['a signature given for items', supported(0, hashes, { kind: 'item' })],
  ])('does not count with %s', (_, changed) => {
    expect(supporterSigned(context, changed)).toBe(false)
  })

  test.each(elsewhere)('does not count in %s', (_, other) => {
    expect(supporterSigned(other, support)).toBe(false)
  })
})

describe('support for a dealing', () => {
  test('suffices with 2f + 1 receivers, the dealer among them or not', () => {
    expect(supportSuffices(context, receivers, whole)).toBe(true)
    const withDealer = [0, 1, 2].map((signer) => supported(signer, hashes))
    expect(supportSuffices(context, receivers, { signed, supports: withDealer })).toBe(true)
  })

  const [one, two, three] = supports
  const all = [present(one, 'first'), present(two, 'second'), present(three, 'third')]
  const instead = (support: Support): SupportedDealing => ({
    signed,
    supports: [...all.slice(0, 2), support],
  })
  const unsigned = { ...signed, signature: flip(signed.signature, 0) }
  const hashOfUnsigned = decodeSignedDealing(encodeSignedDealing(unsigned)).hash
  const rival = dealt({ dealing: utf8('rival') })

  test.each<[string, SupportedDealing]>([
    ['of nobody', { signed, supports: [] }],
    ['of 2f receivers', { signed, supports: all.slice(1) }],
    ['of 2f + 2 receivers', { signed, supports: [...all, supported(1, hashes)] }],
    ['of one receiver twice', instead(present(one, 'first'))],
    ['of one receiver with two lists', instead(supported(0, [signed.hash]))],
    ['of a node that is no member', instead(supported(4, hashes, { by: 3 }))],
    ['that does not name it', instead(supported(3, [hashOf('another')]))],
    ['that names a rival dealing', { signed: rival, supports: all }],
    ['that one receiver did not sign', instead(supported(3, hashes, { by: 2 }))],
    ['that one receiver signed as a dealing', instead(supported(3, hashes, { kind: 'dealing' }))],
    [
      'that the dealer did not sign',
      {
        signed: { ...unsigned, hash: hashOfUnsigned },
        supports: [0, 2, 3].map((signer) => supported(signer, [hashOfUnsigned])),
      },
    ],
  ])('%s does not suffice', (_, changed) => {
    expect(supportSuffices(context, receivers, changed)).toBe(false)
  })

  test.each(elsewhere)('does not suffice in %s', (_, other) => {
    expect(supportSuffices(other, receivers, whole)).toBe(false)
  })
})

describe('the encoding', () => {
  const formatOf = <T>(
    name: string,
    pin: string,
    format: {
      readonly bytes: Uint8Array
      readonly decode: (bytes: Uint8Array) => T
      readonly encode: (value: T) => Uint8Array
    },
  ) => ({
    name,
    pin,
    bytes: format.bytes,
    strict: (): void => expectStrict(format),
    total: (): void => expectTotal({ ...format, runs: 150 }),
  })
  const formats = [
    formatOf('signed dealing', '62c52e60fc1df4a56739e58489033455f74f114a2e97faaa27ae6c5ae7b9bc4c', {
      bytes: encodeSignedDealing(signed),
      decode: decodeSignedDealing,
      encode: encodeSignedDealing,
    }),
    formatOf('support', 'b2721294ef477ffba52c3fcdffb11f2e8972aca5838f168bcbe857297e798c98', {
      bytes: encodeSupport(present(supports[0], 'a support')),
      decode: decodeSupport,
      encode: encodeSupport,
    }),
    formatOf(
      'supported dealing',
      '30d8398d95f7dce93bc37f7fc59e3a22d84c10c04918965bb77919567bb1a83a',
      {
        bytes: encodeSupportedDealing(whole),
        decode: decodeSupportedDealing,
        encode: encodeSupportedDealing,
      },
    ),
  ]

  test.each(formats)('of a $name is read as it was written, whole or not at all', (format) => {
    format.strict()
  })

  test.each(formats)('of arbitrary bytes as a $name is itself or refused', (format) => {
    format.total()
  })

  test.each(formats)('of a $name keeps its format', ({ bytes, pin }) => {
    expect(toHex(sha256(bytes))).toBe(pin)
  })

  const many = inOrder(Array.from({ length: 65 }, (_, i) => hashOf(`${i}`)))
  const { signature } = present(supports[0], 'a support')
  test.each<[string, readonly Hash32[]]>([
    ['no hash', []],
    ['65 hashes', many],
    ['a hash twice', [signed.hash, signed.hash]],
    ['hashes out of order', hashes.toReversed()],
  ])('of a support with %s is refused, alone and with its dealing', (_, list) => {
    const support = { signer: 0, hashes: list, signature }
    expect(() => decodeSupport(encodeSupport(support))).toThrow(BadEncoding)
    const bytes = encodeSupportedDealing({ signed, supports: [support] })
    expect(() => decodeSupportedDealing(bytes)).toThrow(BadEncoding)
  })

  test('has room for 64 hashes, a dealing of 16 KiB and 40 supporters, and no more', () => {
    const full = { hashes: many.slice(0, SUPPORTED_HASHES_MAX), signature }
    expect(decodeSupport(encodeSupport(full)).hashes).toHaveLength(64)
    const big = dealt({ dealing: new Uint8Array(DEALING_SIZE_MAX) })
    expect(decodeSignedDealing(encodeSignedDealing(big)).dealing).toHaveLength(16_384)
    const bigger = { ...signed, dealing: new Uint8Array(DEALING_SIZE_MAX + 1) }
    expect(() => decodeSignedDealing(encodeSignedDealing(bigger))).toThrow(BadEncoding)
    const support = present(supports[0], 'a support')
    const by = (count: number): Uint8Array =>
      encodeSupportedDealing({ signed: big, supports: Array(count).fill(support) })
    expect(decodeSupportedDealing(by(NODES_MAX)).supports).toHaveLength(40)
    expect(() => decodeSupportedDealing(by(NODES_MAX + 1))).toThrow(BadEncoding)
  })

  test('of a count that the bytes cannot hold is refused before anything is allocated', () => {
    const bytes = new Writer().u32(0xffff_ffff).raw(new Uint8Array(96)).done()
    expect(() => decodeSupport(bytes)).toThrow('a list of 4294967295 elements')
  })

  test('names a dealing by all of it, the signature included', () => {
    const bytes = encodeSignedDealing(signed)
    expect(signed.hash).toEqual(sha256(bytes))
    const last = decodeSignedDealing(flip(bytes, bytes.length - 1))
    expect(toHex(last.hash)).not.toBe(toHex(signed.hash))
  })
})
