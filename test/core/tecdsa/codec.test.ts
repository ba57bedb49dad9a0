/**
 * Goal: every object has one encoding; whatever else comes is refused. Method: threshold
 * specification §§3.1, 7, 21: round trips, all prefixes, trailing bytes, and edits of the CBOR that
 * keep its meaning (longer heads, other key order, indefinite length) or break a scalar or point.
 */
import { describe, expect, test } from 'vitest'
import { concat, fromHex, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { Reader } from '../../../src/core/base/codec.ts'
import { BadEncoding, present } from '../../../src/core/base/errors.ts'
import { secp256k1 as group } from '../../../src/core/base/noble-secp256k1.ts'
import {
  cborArray,
  cborBytes,
  cborMap,
  cborNull,
  readArray,
  readBytes,
  readKey,
  readMapHead,
  readVariant,
} from '../../../src/core/tecdsa/cbor.ts'
import { decodeDealing, encodeDealing } from '../../../src/core/tecdsa/dealing-codec.ts'
import {
  decodeCommitment,
  decodeOpening,
  decodeSignatureShare,
  encodeCommitment,
  encodeOpening,
  encodeSignatureShare,
} from '../../../src/core/tecdsa/object-codec.ts'
import type { TranscriptKind } from '../../../src/core/tecdsa/parameters.ts'
import {
  decodeCombination,
  decodeTranscript,
  encodeCombination,
  encodeTranscript,
} from '../../../src/core/tecdsa/transcript-codec.ts'
import { bytes32, makeNodes, makeRun, order, suite } from '../../support/threshold.ts'

const nodes = makeNodes(4)
const among = { dealers: nodes, receivers: nodes }
const masked = makeRun({ operation: { type: 'random' }, ...among, id: 1n })
const unmasked = makeRun({ operation: { type: 'randomUnmasked' }, ...among, id: 2n })
const reshared = makeRun({
  operation: { type: 'reshareOfMasked', input: masked },
  ...among,
  id: 3n,
})
const product = makeRun({
  operation: { type: 'unmaskedTimesMasked', left: unmasked, right: masked },
  ...among,
  id: 4n,
})
const firstDealing = ({ dealings }: typeof masked) =>
  present([...dealings.values()][0], 'a dealing')
const dealingBytes = (run: typeof masked): Uint8Array => encodeDealing(suite, firstDealing(run))
const share = {
  nu: { type: 'pedersen', value: 1n, mask: 2n },
  mu: { type: 'pedersen', value: 3n, mask: order - 1n },
} as const

/** name, bytes, decode and encode again. */
const objects: [string, Uint8Array, (bytes: Uint8Array) => Uint8Array][] = [
  ...[masked, unmasked, reshared, product].map(
    (run): [string, Uint8Array, (bytes: Uint8Array) => Uint8Array] => [
      `dealing of ${run.parameters.operation.type}`,
      dealingBytes(run),
      (bytes) => encodeDealing(suite, decodeDealing(suite, bytes)),
    ],
  ),
  [
    'simple commitment',
    encodeCommitment(suite, unmasked.transcript.commitment),
    (bytes) => encodeCommitment(suite, decodeCommitment(suite, bytes)),
  ],
  [
    'Pedersen commitment',
    encodeCommitment(suite, masked.transcript.commitment),
    (bytes) => encodeCommitment(suite, decodeCommitment(suite, bytes)),
  ],
  [
    'combination by interpolation',
    encodeCombination(suite, product.transcript),
    (bytes) => encodeCombination(suite, decodeCombination(suite, bytes)),
  ],
  [
    'combination by summation',
    encodeCombination(suite, masked.transcript),
    (bytes) => encodeCombination(suite, decodeCombination(suite, bytes)),
  ],
  [
    'simple opening',
    encodeOpening(suite, { type: 'simple', value: order - 1n }),
    (bytes) => encodeOpening(suite, decodeOpening(suite, bytes)),
  ],
  [
    'Pedersen opening',
    encodeOpening(suite, share.nu),
    (bytes) => encodeOpening(suite, decodeOpening(suite, bytes)),
  ],
  [
    'signature share',
    encodeSignatureShare(suite, share),
    (bytes) => encodeSignatureShare(suite, decodeSignatureShare(suite, bytes)),
  ],
  [
    'transcript',
    encodeTranscript(suite, product.transcript),
    (bytes) => encodeTranscript(suite, decodeTranscript(suite, bytes)),
  ],
]

describe.each(objects)('%s', (_, bytes, again) => {
  test('§22.1 round-trip: decodes to what was encoded', () => {
    expect(toHex(again(bytes))).toBe(toHex(bytes))
  })

  test('§22.1 corruption: no prefix and no trailing byte passes', () => {
    for (let size = 0; size < bytes.length; size++)
      expect(() => again(bytes.subarray(0, size))).toThrow(BadEncoding)
    for (const last of [0, 0xf6, 0xff])
      expect(() => again(concat(bytes, Uint8Array.of(last)))).toThrow(BadEncoding)
  })

  test('§22.1 corruption: a changed bit is refused, or is another object with this encoding alone', () => {
    for (let i = 0; i < bytes.length; i += 3) {
      const changed = bytes.slice()
      changed[i] = (changed[i] ?? 0) ^ (1 << (i % 8))
      try {
        expect(toHex(again(changed))).toBe(toHex(changed))
      } catch (error) {
        expect(error).toBeInstanceOf(BadEncoding)
      }
    }
  })
})

describe('edits of a dealing', () => {
  const bytes = dealingBytes(reshared)
  const hex = toHex(bytes)
  const key = (name: string): string => (0x60 + name.length).toString(16) + toHex(utf8(name))
  const point = /582201(0[23][0-9a-f]{64})/.exec(hex)?.[1] ?? ''
  const scalar = /582101([0-9a-f]{64})/.exec(hex)?.[1] ?? ''
  const edits: [string, string, string][] = [
    ['a map head in two bytes', 'a3', 'b803'],
    ['a map of indefinite length', 'a3', 'bf'],
    ['a map that claims one entry more', 'a3', 'a4'],
    ['a map that claims one entry less', 'a3', 'a2'],
    ['an array in place of a map', 'a3', '83'],
    ['a tagged map', 'a3', 'c1a3'],
    ['a byte string with a longer length', '5822', '590022'],
    ['a byte string with the longest length', '5822', '5a00000022'],
    ['a text in place of a byte string', '5822', '7822'],
    ['a byte string of indefinite length', '5822', '5f5822'],
    ['another tag of the group of a point', '582201', '582202'],
    ['no tag of a group', '582201', '582200'],
    ['another tag of the group of a scalar', '582101', '582103'],
    ['an unknown key', key('challenge'), key('challengf')],
    ['an unknown variant of ciphertext', key('Single'), key('Triple')],
    ['an unknown variant of commitment', key('Simple'), key('Sample')],
    [
      'a proof of equal openings as one of product',
      key('ProofOfMaskedResharing'),
      key('ProofOfProduct'),
    ],
    ['pairs that are singles', key('Single'), key('Pairs')],
    ['a point off the curve', point, `02${'00'.repeat(32)}`],
    [
      'a point with x = p',
      point,
      '02fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f',
    ],
    ['a point of another form', point, `04${point.slice(2)}`],
    ['the identity as ephemeral key', point, '00'.repeat(33)],
    ['a scalar that is the order', scalar, toHex(bytes32(order))],
    ['a scalar over the order', scalar, 'ff'.repeat(32)],
  ]
  test.each(edits)('%s', (_, from, to) => {
    expect(from.length > 0 && hex.includes(from)).toBe(true)
    expect(() => decodeDealing(suite, fromHex(hex.replace(from, to)))).toThrow(BadEncoding)
  })

  test('keys in another order', () => {
    const { ciphertext, commitment } = {
      ciphertext: key('ciphertext'),
      commitment: key('commitment'),
    }
    const [, rest = ''] = hex.split(ciphertext)
    const [first = '', second = ''] = rest.split(commitment)
    const [points = '', proof = ''] = second.split(key('proof'))
    const whole = `a3${ciphertext}${first}${commitment}${points}${key('proof')}${proof}`
    expect(whole).toBe(hex)
    const exchanged = `a3${commitment}${points}${ciphertext}${first}${key('proof')}${proof}`
    expect(() => decodeDealing(suite, fromHex(exchanged))).toThrow(BadEncoding)
  })

  test('65 bytes of an uncompressed point', () => {
    const { x, y } = group.g.point.toAffine()
    const long = `584201${toHex(concat(Uint8Array.of(4), bytes32(x), bytes32(y)))}`
    const edited = hex.replace(`582201${point}`, long)
    expect(edited).not.toBe(hex)
    expect(() => decodeDealing(suite, fromHex(edited))).toThrow(BadEncoding)
  })

  test('pairs of one, of three, of none', () => {
    const one = cborBytes(concat(Uint8Array.of(1), bytes32(7n)))
    const opening = (count: number): Uint8Array =>
      cborMap({ Pedersen: cborArray(Array.from({ length: count }, () => one)) })
    expect(decodeOpening(suite, opening(2))).toEqual({ type: 'pedersen', value: 7n, mask: 7n })
    for (const count of [0, 1, 3])
      expect(() => decodeOpening(suite, opening(count))).toThrow(BadEncoding)
    const dealing = firstDealing(masked)
    const narrow = (count: number): Uint8Array =>
      encodeDealing(suite, {
        ...dealing,
        ciphertext: {
          ...dealing.ciphertext,
          ctexts: dealing.ciphertext.ctexts.map(() => Array.from({ length: count }, () => 1n)),
        },
      })
    expect(decodeDealing(suite, narrow(2)).ciphertext.ctexts).toHaveLength(4)
    for (const count of [0, 1, 3])
      expect(() => decodeDealing(suite, narrow(count))).toThrow(BadEncoding)
  })

  test('proofs other than null or a known variant', () => {
    const none = toHex(dealingBytes(unmasked))
    expect(none.endsWith('f6')).toBe(true)
    for (const end of ['f7', 'f5', '00', 'a0', '80', '40', '60', 'a2'])
      expect(() => decodeDealing(suite, fromHex(none.slice(0, -2) + end))).toThrow(BadEncoding)
  })
})

describe('sizes', () => {
  test('a dealing has the size of §23 and its framing', () => {
    const [t, n] = [2, 4]
    expect(dealingBytes(unmasked).length).toBeLessThan(33 * t + 32 * n + 130 + 200)
    expect(dealingBytes(masked).length).toBeLessThan(33 * t + 64 * n + 130 + 200)
  })

  test('more points or ciphertexts than any subnet has are refused before they are read', () => {
    const points = (count: number): Uint8Array =>
      encodeCommitment(suite, {
        type: 'simple',
        points: Array.from({ length: count }, () => group.g.point),
      })
    expect(decodeCommitment(suite, points(14)).points).toHaveLength(14)
    expect(() => decodeCommitment(suite, points(15))).toThrow(BadEncoding)
    expect(() => decodeCommitment(suite, points(0))).toThrow(BadEncoding)
    const dealing = firstDealing(unmasked)
    const wide = (count: number): Uint8Array =>
      encodeDealing(suite, {
        ...dealing,
        ciphertext: { ...dealing.ciphertext, ctexts: Array.from({ length: count }, () => [1n]) },
      })
    expect(decodeDealing(suite, wide(40)).ciphertext.ctexts).toHaveLength(40)
    expect(() => decodeDealing(suite, wide(41))).toThrow(BadEncoding)
  })

  test('a list that claims more than there is, is refused at its head', () => {
    const reader = new Reader(fromHex('9affffffff'))
    expect(() => readArray(reader, readBytes, 2 ** 32)).toThrow(BadEncoding)
  })
})

describe('records of transcripts', () => {
  const kinds: TranscriptKind[] = [
    { type: 'masked', origin: { type: 'random' } },
    { type: 'masked', origin: { type: 'product', left: 1n, right: 2n ** 64n - 1n } },
    { type: 'unmasked', origin: { type: 'random' } },
    { type: 'unmasked', origin: { type: 'reshareMasked', input: 5n } },
    { type: 'unmasked', origin: { type: 'reshareUnmasked', input: 6n } },
  ]
  test.each(kinds)('kind $type, origin $origin.type', (kind) => {
    const transcript = { ...masked.transcript, kind }
    const decoded = decodeTranscript(suite, encodeTranscript(suite, transcript))
    expect(decoded.kind).toEqual(kind)
    expect(decoded.receivers).toEqual(transcript.receivers)
    expect(decoded.id).toBe(transcript.id)
  })

  test('an unknown kind and another algorithm are refused', () => {
    const bytes = encodeTranscript(suite, masked.transcript)
    const algorithm = bytes.slice()
    algorithm[8] = 19
    expect(() => decodeTranscript(suite, algorithm)).toThrow('algorithm')
    const kind = bytes.slice()
    kind[8 + 1 + 4 + 4 * 36] = 5
    expect(() => decodeTranscript(suite, kind)).toThrow('kind')
  })
})

describe('CBOR', () => {
  const read = (bytes: Uint8Array) => readBytes(new Reader(bytes))
  test.each([0, 1, 23, 24, 255, 256, 65535, 65536])('a byte string of %i bytes', (size) => {
    const value = new Uint8Array(size).fill(7)
    expect(read(cborBytes(value))).toEqual(value)
  })

  test.each([
    '5800',
    '5817',
    '5900ff',
    '5a0000ffff',
    '5b0000000000000001aa',
    '5f41aaff',
    '1f',
    '5c',
  ])('head %s is refused', (hex) => {
    expect(() => read(concat(fromHex(hex), new Uint8Array(70_000)))).toThrow(BadEncoding)
  })

  test('maps, variants and null read as written', () => {
    const bytes = cborMap({ b: cborBytes(Uint8Array.of(1)), a: cborArray([cborNull()]) })
    expect(toHex(bytes)).toBe('a261624101616181f6')
    const reader = new Reader(bytes)
    readMapHead(reader, 2)
    readKey(reader, 'b')
    expect(readBytes(reader)).toEqual(Uint8Array.of(1))
    expect(() => readKey(reader, 'b')).toThrow(BadEncoding)
    expect(() => readVariant(new Reader(cborNull()), ['a'])).toThrow(BadEncoding)
    expect(readVariant(new Reader(cborMap({ a: cborNull() })), ['b', 'a'])).toBe('a')
  })
})
