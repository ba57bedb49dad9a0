/**
 * Goal: an item of the log has one encoding and a limit.
 * Method: threshold specification §§17.1, 2.1.
 */
import { describe, expect, test } from 'vitest'
import { concat, toHex } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import type { HeadersItem, Item, ReturnItem } from '../../../src/core/subnet/items.ts'
import {
  decodeItem,
  encodeItem,
  HEADERS_MAX,
  headersContent,
  returnContent,
} from '../../../src/core/subnet/items.ts'
import { expectStrict, expectTotal } from '../btc/strict-decoder.ts'

const filled = (size: number, byte: number): Uint8Array => new Uint8Array(size).fill(byte)
const headers: HeadersItem = {
  type: 'headers',
  node: 2,
  headers: [filled(80, 1), filled(80, 2)],
  signature: filled(64, 3),
}
const returned: ReturnItem = {
  type: 'return',
  node: 2,
  life: 0x0102030405060708n,
  signature: filled(64, 3),
}
const items: [string, Item, string][] = [
  [
    'dealing',
    { type: 'dealing', lane: 'ecdsa', dealing: filled(5, 1) },
    'dfea2964b5deedea7b1ef077de529c3959e6788bdbb3441e70c77a1ae875bb48',
  ],
  [
    'dealing of BIP340',
    { type: 'dealing', lane: 'bip340', dealing: filled(5, 1) },
    '7d2b843b851889679a61dd020f18829122d7f0f3232b8d63160a9296ac8b8f3e',
  ],
  [
    'dealing of Ed25519',
    { type: 'dealing', lane: 'ed25519', dealing: filled(5, 1) },
    'd1c0ef411748b45830893114f2aba98c357feff28ad25910ef153495e2132dc5',
  ],
  [
    'completion',
    { type: 'completion', completion: filled(5, 1) },
    'fd80fbb8e46eb08a6a571c5502a43603bc4965643e94078b399b3030be774229',
  ],
  [
    'abort',
    { type: 'abort', abort: filled(5, 1) },
    '787e542e5a969b18a2cd6963a347ad9b8820cd8fe4e6eb8dfe55c8b456604302',
  ],
  [
    'refresh',
    { type: 'refresh', word: filled(5, 1) },
    'e8baa31735b792c6037444c2473446ec13d5d9f643fd30689f9c88161c434d71',
  ],
  [
    'ingress',
    { type: 'ingress', envelope: filled(5, 1) },
    '7f6d2bee32b934e0e3337fa7e6fbcb1b21b368e65f1b1aeb9f6e27561346a719',
  ],
  ['headers', headers, '36f0c62f2db842cfb8ae395b4d87648aae2eec37f861520e167854ed6cd6ab58'],
  ['return', returned, '2aebecae1d35cd4701c755b40c9294e1988e6ab1fd634d93be6cad8be48dd191'],
  [
    'block',
    { type: 'block', slot: 7n, block: filled(5, 1) },
    'f84da9a39a9e535880c790132b60df36be9723c76cac0e0df63b950dd77c5129',
  ],
  [
    'operator',
    { type: 'operator', request: filled(5, 1) },
    'fb8472c99a20a03ddbb82c43fe15c85291d2a6834c803147888751f0827be2b4',
  ],
]

describe('an item', () => {
  test.each(items)('%s is read as it was written', (_, item) => {
    const bytes = encodeItem(item)
    expect(decodeItem(bytes)).toEqual(item)
    expectTotal({ bytes, decode: decodeItem, encode: encodeItem, runs: 150 })
  })

  test.each(items)('%s keeps its format', (_, item, pin) => {
    expect(toHex(sha256(encodeItem(item)))).toBe(pin)
  })

  // The other kinds carry what another decoder reads to its end.
  test.each([headers, returned])('$type is read whole or not at all', (item) => {
    expectStrict({ bytes: encodeItem(item), decode: decodeItem, encode: encodeItem })
  })

  test.each([0, 14, 255])('of kind %i is refused', (tag) => {
    expect(() => decodeItem(concat(Uint8Array.of(tag), filled(200, 0)))).toThrow(BadEncoding)
  })

  test('without a byte is refused', () => {
    expect(() => decodeItem(new Uint8Array())).toThrow(BadEncoding)
  })

  test('has room for 2,000 headers, not for more', () => {
    const of = (count: number): Uint8Array =>
      encodeItem({ ...headers, headers: Array(count).fill(filled(80, 1)) })
    expect(HEADERS_MAX).toBe(2_000)
    expect(decodeItem(of(2_000))).toMatchObject({ type: 'headers' })
    expect(() => decodeItem(of(2_001))).toThrow(BadEncoding)
  })
})

describe('what a node signs with its headers', () => {
  const content = toHex(headersContent(filled(40, 9), headers))

  test.each<[string, Uint8Array, HeadersItem]>([
    ['the run', filled(40, 8), headers],
    ['the node', filled(40, 9), { ...headers, node: 3 }],
    ['each header', filled(40, 9), { ...headers, headers: [filled(80, 1), filled(80, 3)] }],
    ['their order', filled(40, 9), { ...headers, headers: headers.headers.toReversed() }],
    ['their number', filled(40, 9), { ...headers, headers: headers.headers.slice(1) }],
  ])('names %s', (_, prefix, changed) => {
    expect(toHex(headersContent(prefix, changed))).not.toBe(content)
  })
})

describe('what a node signs to return', () => {
  const content = toHex(returnContent(filled(40, 9), returned))

  test.each<[string, Uint8Array, ReturnItem]>([
    ['the run', filled(40, 8), returned],
    ['the node', filled(40, 9), { ...returned, node: 3 }],
    ['the life', filled(40, 9), { ...returned, life: returned.life + 1n }],
  ])('names %s', (_, prefix, changed) => {
    expect(toHex(returnContent(prefix, changed))).not.toBe(content)
  })
})
