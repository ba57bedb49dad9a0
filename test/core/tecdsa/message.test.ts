/**
 * Goal: what signers say to each other, and completions, have one encoding.
 * Method: threshold specification §§8.3, 14.3, 18.5.
 */
import { describe, expect, test } from 'vitest'
import { concat, hash32, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { faultyMax } from '../../../src/core/base/party.ts'
import {
  decodeCompletion,
  encodeCompletion,
  submitsFirst,
} from '../../../src/core/tecdsa/completion.ts'
import type { ShareMessage, SignerMessage } from '../../../src/core/tecdsa/message.ts'
import {
  decodeSignerMessage,
  encodeSignerMessage,
  shareContent,
} from '../../../src/core/tecdsa/message.ts'
import { expectStrict, expectTotal } from '../btc/strict-decoder.ts'

const filled = (size: number, byte: number): Uint8Array => new Uint8Array(size).fill(byte)
const share: ShareMessage = {
  type: 'share',
  lane: 'ecdsa',
  requestId: filled(32, 1),
  share: filled(200, 2),
  signature: filled(64, 3),
}
const statement = { transcriptId: 3n, dealer: 2, dealing: utf8('dealing') }
const signed = { ...statement, signature: filled(64, 4), hash: hash32(filled(32, 0)) }
const hashes = [hash32(filled(32, 5)), hash32(filled(32, 6))]

const messages: [string, SignerMessage, string][] = [
  [
    'dealing',
    { type: 'dealing', lane: 'ecdsa', signed },
    '8f3ffea31d642f1862866b521f988ffd6a06eb76a2dc2725a10f573c63491526',
  ],
  [
    'support',
    { type: 'support', lane: 'ecdsa', support: { hashes, signature: filled(64, 7) } },
    'c0d9768f793498e72c1ec4bbeb5a8ff866fcfd6253f56079bd42817605796174',
  ],
  [
    'complaint',
    {
      type: 'complaint',
      lane: 'ecdsa',
      signed: { transcriptId: 3n, dealer: 2, complaint: filled(147, 8), signature: filled(64, 4) },
    },
    '38a3b05b3b5de958a7433b3c1d7f32ea2bb53defe7fb5ea5da33d67f19e5627f',
  ],
  [
    'opening',
    {
      type: 'opening',
      lane: 'bls',
      signed: {
        transcriptId: 3n,
        dealer: 2,
        complainer: 1,
        opening: filled(82, 9),
        signature: filled(64, 4),
      },
    },
    '8baa07afe4b33b03d43903a23041e9f1ebebb8e6577960581e5f2d69569c865e',
  ],
  ['share', share, 'c9e650942f10f206152c3b40de2b9bc48b9c5320b9e0c2debdcf424e377347a2'],
  [
    'resend',
    { type: 'resend' },
    'e52d9c508c502347344d8c07ad91cbd6068afc75ff6292f062a09ca381c89e71',
  ],
  [
    'tape share',
    {
      type: 'tape-share',
      incarnation: 1n,
      slot: 2n ** 64n - 1n,
      transcriptId: 3n,
      share: filled(48, 8),
    },
    'c74964c043a8ee19b2c9fd418f08c06cf8d7f5c4dc429ab4986970fe2da28939',
  ],
  [
    'tape',
    { type: 'tape', incarnation: 1n, slot: 2n, signature: filled(48, 9) },
    '030448722c5ee5ca7c26deb6bd5c51862ca62fbdf92fd05e3bf440f343c30290',
  ],
]

describe('a message between signers', () => {
  test.each(messages)('%s is read as it was written, whole or not at all', (_, message) => {
    const bytes = encodeSignerMessage(message)
    expectStrict({ bytes, decode: decodeSignerMessage, encode: encodeSignerMessage })
    expectTotal({ bytes, decode: decodeSignerMessage, encode: encodeSignerMessage, runs: 150 })
  })

  test.each(messages)('%s keeps its format', (_, message, pin) => {
    expect(toHex(sha256(encodeSignerMessage(message)))).toBe(pin)
  })

  test('carries the name of the dealing that follows from its bytes, not one that was told', () => {
    const message = decodeSignerMessage(
      encodeSignerMessage({ type: 'dealing', lane: 'ecdsa', signed }),
    )
    expect(message.type === 'dealing' && toHex(message.signed.hash)).not.toBe(toHex(signed.hash))
  })

  test.each([0, 5, 255])('of kind %i is refused', (tag) => {
    const bytes = concat(Uint8Array.of(tag), filled(200, 0))
    expect(() => decodeSignerMessage(bytes)).toThrow(BadEncoding)
  })

  test('has room for a share of 1 KiB, not for more', () => {
    const sized = (size: number): Uint8Array =>
      encodeSignerMessage({ ...share, share: filled(size, 0) })
    expect(decodeSignerMessage(sized(1_024))).toMatchObject({ type: 'share' })
    expect(() => decodeSignerMessage(sized(1_025))).toThrow(BadEncoding)
  })
})

describe('what a node signs with a share', () => {
  const content = toHex(shareContent(filled(40, 9), share))

  test.each([
    ['run', filled(40, 8), share],
    ['request', filled(40, 9), { ...share, requestId: filled(32, 0) }],
    ['share', filled(40, 9), { ...share, share: filled(200, 0) }],
    ['length of the share', filled(40, 9), { ...share, share: filled(199, 2) }],
  ])('names the %s', (_, prefix, changed) => {
    expect(toHex(shareContent(prefix, changed))).not.toBe(content)
  })
})

describe('a completion', () => {
  test.each([1, 4, 5, 6, 7, 13])('of %i nodes is submitted at once by f + 1, in turn', (nodes) => {
    for (let slot = 0n; slot < 30n; slot++) {
      const expected = Array.from(
        { length: faultyMax(nodes) + 1 },
        (_, i) => Number(slot % BigInt(nodes)) + i,
      ).map((place) => place % nodes)
      const first = Array.from({ length: nodes }, (_, node) => node).filter((node) =>
        submitsFirst(node, nodes, slot),
      )
      expect(first).toEqual(expected.toSorted((a, b) => a - b))
    }
  })

  const completion = {
    requestId: filled(32, 1),
    signature: filled(64, 2),
    tape: filled(48, 3),
  }
  const bytes = encodeCompletion(completion)

  test('is read as it was written, whole or not at all', () => {
    expectStrict({ bytes, decode: decodeCompletion, encode: encodeCompletion })
    expectTotal({ bytes, decode: decodeCompletion, encode: encodeCompletion })
    expect(decodeCompletion(bytes)).toEqual(completion)
  })

  test('keeps its format', () => {
    expect(toHex(sha256(bytes))).toBe(
      '3e6ecab5b71982c388a6045bc7d5786a2c9018251dd722b2df2f7b96bccf238b',
    )
  })
})
