/** Goal: an answer to a call has one encoding. Method: IC interface §§8, 12. */
import { describe, expect, test } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import type { CallReply } from '../../../src/core/ic/call-reply.ts'
import { decodeReply, encodeReply, rejected } from '../../../src/core/ic/call-reply.ts'
import { expectStrict, expectTotal } from '../btc/strict-decoder.ts'

const reject = rejected('IC0406', 'the canister says „no“')
const replies: [string, CallReply, string][] = [
  [
    'reply',
    { type: 'replied', arg: Uint8Array.of(68, 73, 68, 76, 0, 0) },
    'fedd9c3decb3da8a06f71c59ee74de393e37cb991e75820d11d6949218679b44',
  ],
  [
    'empty reply',
    { type: 'replied', arg: new Uint8Array() },
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  ],
  ['reject', reject, '4b7f8575e521505e843d9279a14327e803f715dee331072725edc1a27b9e4154'],
]

describe('a call reply', () => {
  test.each(replies)('%s is read as it was written', (_, reply) => {
    const bytes = encodeReply(reply)
    expect(decodeReply(bytes)).toEqual(reply)
    expectTotal({ bytes, decode: decodeReply, encode: encodeReply })
  })

  test.each(replies)('%s keeps its format', (_, reply, pin) => {
    expect(toHex(sha256(encodeReply(reply)))).toBe(pin)
  })

  test('that rejects is read whole or not at all', () => {
    expectStrict({ bytes: encodeReply(reject), decode: decodeReply, encode: encodeReply })
  })

  test.each([
    ['nothing', []],
    ['an unknown kind', [2, 0, 0, 0, 0]],
    ['an unknown error code', [1, 0, 0, 0, 6, 73, 67, 48, 57, 57, 57, 0, 0, 0, 0]],
    ['text that is not UTF-8', [1, 0, 0, 0, 6, 73, 67, 48, 52, 48, 54, 0, 0, 0, 1, 0xff]],
  ])('of %s is refused', (_, bytes) => {
    expect(() => decodeReply(Uint8Array.from(bytes))).toThrow(BadEncoding)
  })
})
