import { describe, expect, test } from 'vitest'
import { concat, fromHex, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { BadEncoding, Bug } from '../../../src/core/base/errors.ts'
import { CHECKPOINTS_MAX, FILTER_HEADERS_MAX } from '../../../src/core/btc/filter-message.ts'
import type { Message, VersionMessage } from '../../../src/core/btc/message.ts'
import {
  ADDRESSES_MAX,
  decodeMessage,
  encodeMessage,
  encodePayload,
  HEADERS_MAX,
  INVENTORY_MAX,
  inventory,
  LOCATOR_MAX,
  listTooLong,
  PAYLOAD_MAX,
  service,
} from '../../../src/core/btc/message.ts'
import { mainnet, regtest } from '../../../src/core/btc/network.ts'
import { stripWitness } from '../../../src/core/btc/transaction.ts'
import { ByteSink } from '../../../src/core/btc/wire.ts'
import { blankHeader, blockOf, hashOf, payment, zeroHash } from './builders.ts'
import { expectStrict, expectTotal } from './strict-decoder.ts'

const loopback = fromHex('00000000000000000000ffff7f000001')
const version: VersionMessage = {
  type: 'version',
  version: 70_016,
  services: service.network | service.witness,
  time: 1_700_000_000n,
  receiver: { services: 0n, address: loopback, port: 18_444 },
  sender: { services: service.witness, address: new Uint8Array(16), port: 0 },
  nonce: 0x0123_4567_89ab_cdefn,
  userAgent: '/ckbtc:0.1.0/',
  startHeight: 101,
  relay: true,
}

const messages: readonly Message[] = [
  version,
  { type: 'verack' },
  { type: 'wtxidrelay' },
  { type: 'sendaddrv2' },
  { type: 'sendheaders' },
  { type: 'getaddr' },
  { type: 'sendcmpct', announce: false, version: 2n },
  { type: 'feefilter', feeRateSatPerKvb: 1_000n },
  { type: 'ping', nonce: 7n },
  { type: 'pong', nonce: 2n ** 64n - 1n },
  {
    type: 'addr',
    addresses: [{ time: 1_700_000_000, services: 9n, address: loopback, port: 8_333 }],
  },
  {
    type: 'getheaders',
    version: 70_016,
    locator: [hashOf('tip'), hashOf('genesis')],
    stop: zeroHash,
  },
  { type: 'getblocks', version: 70_015, locator: [hashOf('tip')], stop: hashOf('stop') },
  { type: 'headers', headers: [blankHeader, { ...blankHeader, nonce: 1 }] },
  { type: 'inv', items: [{ kind: inventory.block, hash: hashOf('block') }] },
  { type: 'getdata', items: [{ kind: inventory.witnessBlock, hash: hashOf('block') }] },
  { type: 'notfound', items: [{ kind: inventory.wtx, hash: hashOf('tx') }] },
  { type: 'block', block: blockOf(5, [payment('a')]) },
  { type: 'tx', transaction: payment('a') },
  { type: 'getcfilters', filterType: 0, startHeight: 7, stop: hashOf('stop') },
  { type: 'getcfheaders', filterType: 0, startHeight: 2_000, stop: hashOf('stop') },
  { type: 'getcfcheckpt', filterType: 0, stop: hashOf('stop') },
  { type: 'cfilter', filterType: 0, block: hashOf('block'), filter: fromHex('019dfca8') },
  {
    type: 'cfheaders',
    filterType: 0,
    stop: hashOf('stop'),
    previous: hashOf('previous'),
    hashes: [hashOf('a'), hashOf('b')],
  },
  { type: 'cfcheckpt', filterType: 0, stop: hashOf('stop'), headers: [hashOf('1000')] },
]

describe('payloads', () => {
  test.each(messages)('$type is read as it was written', (message) => {
    expect(decodeMessage(message.type, encodePayload(message))).toEqual(message)
  })

  const strict = messages.filter(({ type }) => type !== 'version')
  test.each(strict)('$type is read strictly', (message) => {
    const codec = {
      bytes: encodePayload(message),
      decode: (payload: Uint8Array) => decodeMessage(message.type, payload),
      encode: encodePayload,
    }
    expectStrict(codec)
    if (codec.bytes.length > 0) expectTotal({ ...codec, runs: 60 })
  })

  test('version keeps its fields apart from what later versions append', () => {
    const payload = encodePayload(version)
    expect(decodeMessage('version', concat(payload, fromHex('aabb')))).toEqual(version)
    const withoutRelay = payload.subarray(0, -1)
    expect(decodeMessage('version', withoutRelay)).toEqual(version)
    for (let size = 0; size < withoutRelay.length; size++)
      expect(() => decodeMessage('version', payload.subarray(0, size))).toThrow(BadEncoding)
  })

  test('what a peer calls itself cannot speak to a terminal', () => {
    const hostile = encodePayload({ ...version, userAgent: '/a\u001b[2J\n\u00ff/' })
    expect(decodeMessage('version', hostile)).toMatchObject({ userAgent: '/a?[2J??/' })
  })

  test('a user agent has at most 256 bytes', () => {
    const of = (length: number) => ({ ...version, userAgent: 'x'.repeat(length) })
    expect(decodeMessage('version', encodePayload(of(256)))).toEqual(of(256))
    expect(() => encodePayload(of(257))).toThrow(Bug)
    const bytes = encodePayload(of(256))
    const longer = concat(
      bytes.subarray(0, 80),
      fromHex('fd0101'),
      bytes.subarray(83),
      fromHex('00'),
    )
    expect(toHex(bytes.subarray(80, 83))).toBe('fd0001')
    expect(() => decodeMessage('version', longer)).toThrow('user agent of 257')
  })

  test('a header is followed by no transactions', () => {
    const payload = encodePayload({ type: 'headers', headers: [blankHeader] })
    payload[payload.length - 1] = 1
    expect(() => decodeMessage('headers', payload)).toThrow('followed by 1 transactions')
  })

  test('sendcmpct announces with 0 or 1', () => {
    const payload = encodePayload({ type: 'sendcmpct', announce: true, version: 2n })
    expect(toHex(payload)).toBe('010200000000000000')
    payload[0] = 2
    expect(() => decodeMessage('sendcmpct', payload)).toThrow(BadEncoding)
  })

  test('a command of others is handed on as it is', () => {
    const payload = fromHex('c0ffee')
    expect(decodeMessage('blocktxn', payload)).toEqual({
      type: 'unknown',
      command: 'blocktxn',
      payload,
    })
  })

  test('a transaction goes out without its witness when that is asked for', () => {
    const transaction = stripWitness(payment('a'))
    const payload = encodePayload({ type: 'tx', transaction })
    expect(decodeMessage('tx', payload)).toEqual({ type: 'tx', transaction })
  })
})

describe('lists (§3.9)', () => {
  const item = { kind: inventory.tx, hash: hashOf('tx') }
  const address = { time: 0, services: 0n, address: loopback, port: 0 }
  const repeated = <T>(value: T, count: number): readonly T[] => new Array<T>(count).fill(value)
  const lists: readonly [string, number, (count: number) => Message][] = [
    ['inv', INVENTORY_MAX, (count) => ({ type: 'inv', items: repeated(item, count) })],
    ['getdata', INVENTORY_MAX, (count) => ({ type: 'getdata', items: repeated(item, count) })],
    ['notfound', INVENTORY_MAX, (count) => ({ type: 'notfound', items: repeated(item, count) })],
    ['addr', ADDRESSES_MAX, (count) => ({ type: 'addr', addresses: repeated(address, count) })],
    [
      'headers',
      HEADERS_MAX,
      (count) => ({ type: 'headers', headers: repeated(blankHeader, count) }),
    ],
    [
      'getheaders',
      LOCATOR_MAX,
      (count) => ({
        type: 'getheaders',
        version: 70_016,
        locator: repeated(hashOf('x'), count),
        stop: zeroHash,
      }),
    ],
    [
      'cfheaders',
      FILTER_HEADERS_MAX,
      (count) => ({
        type: 'cfheaders',
        filterType: 0,
        stop: zeroHash,
        previous: zeroHash,
        hashes: repeated(hashOf('x'), count),
      }),
    ],
    [
      'cfcheckpt',
      CHECKPOINTS_MAX,
      (count) => ({
        type: 'cfcheckpt',
        filterType: 0,
        stop: zeroHash,
        headers: repeated(hashOf('x'), count),
      }),
    ],
  ]
  test.each(lists)('%s holds at most %d', (command, countMax, build) => {
    const most = encodePayload(build(countMax))
    expect(listTooLong(command, most)).toBe(false)
    expect(decodeMessage(command, most).type).toBe(command)
    const over = encodePayload(build(countMax + 1))
    expect(listTooLong(command, over)).toBe(true)
    expect(() => decodeMessage(command, over)).toThrow('allowed')
  })

  test('a long list that was announced but not sent is too long already', () => {
    expect(listTooLong('inv', new ByteSink().length(INVENTORY_MAX + 1).done())).toBe(true)
    expect(listTooLong('inv', new Uint8Array(0))).toBe(false)
    expect(listTooLong('getheaders', new Uint8Array(4))).toBe(false)
    expect(listTooLong('ping', new Uint8Array(8).fill(0xff))).toBe(false)
  })
})

describe('frames', () => {
  test('the layout of a question for filters (BIP157)', () => {
    const stop = hashOf('stop')
    const message = { type: 'getcfilters', filterType: 0, startHeight: 258, stop } as const
    expect(toHex(encodePayload(message))).toBe(`0002010000${toHex(stop)}`)
  })

  test('a verack on two networks', () => {
    expect(toHex(encodeMessage(mainnet, { type: 'verack' }))).toBe(
      'f9beb4d976657261636b000000000000000000005df6e0e2',
    )
    expect(toHex(encodeMessage(regtest, { type: 'verack' }))).toBe(
      'fabfb5da76657261636b000000000000000000005df6e0e2',
    )
  })

  test('the layout of a version message', () => {
    expect(toHex(encodeMessage(regtest, version))).toBe(
      [
        'fabfb5da',
        '76657273696f6e0000000000',
        '63000000',
        toHex(encodeMessage(regtest, version).subarray(20, 24)),
        '80110100',
        '0900000000000000',
        '00f1536500000000',
        '0000000000000000' + '00000000000000000000ffff7f000001' + '480c',
        '0800000000000000' + '00000000000000000000000000000000' + '0000',
        'efcdab8967452301',
        `0d${toHex(utf8('/ckbtc:0.1.0/'))}`,
        '65000000',
        '01',
      ].join(''),
    )
  })

  test('what we cannot send is a bug of ours', () => {
    const unknown = (command: string, size = 0): Message => ({
      type: 'unknown',
      command,
      payload: new Uint8Array(size),
    })
    expect(() => encodeMessage(regtest, unknown('thirteen-long'))).toThrow(Bug)
    expect(() => encodeMessage(regtest, unknown(''))).toThrow(Bug)
    expect(() => encodeMessage(regtest, unknown('a b'))).toThrow(Bug)
    expect(() => encodeMessage(regtest, unknown('x', PAYLOAD_MAX + 1))).toThrow(Bug)
    expect(encodeMessage(regtest, unknown('x', PAYLOAD_MAX)).length).toBe(PAYLOAD_MAX + 24)
  })
})
