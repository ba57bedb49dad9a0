/**
 * Goal: whatever becomes of the bytes of a conversation, nothing throws but `BadEncoding`, nothing
 * hangs, and what is said and held in answer stays in proportion.
 *
 * Method: a true conversation with every message, its bytes changed, cut, repeated and moved by
 * fast-check; half of the changed payloads get a right checksum again, so that decoders see them.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concat, equalBytes, hash32 } from '../../../src/core/base/bytes.ts'
import { attempt, BadEncoding } from '../../../src/core/base/errors.ts'
import { NO_PEERS } from '../../../src/core/btc/address-book-file.ts'
import { addressNetwork } from '../../../src/core/btc/address-message.ts'
import type { Message } from '../../../src/core/btc/message.ts'
import {
  decodeMessage,
  encodeMessage,
  encodePayload,
  inventory,
} from '../../../src/core/btc/message.ts'
import { MessageStream } from '../../../src/core/btc/message-stream.ts'
import { regtest } from '../../../src/core/btc/network.ts'
import { AdapterHarness, peerVersion } from '../../support/adapter-harness.ts'
import { ChainBuilder, hashOfBlock } from '../../support/chain-builder.ts'

const blocks = new ChainBuilder().mineMany(3)
const headers = blocks.map(({ header }) => header)
const hashes = blocks.map(hashOfBlock)
const [hash = hash32(new Uint8Array(32))] = hashes
const items = hashes.map((each) => ({ kind: inventory.block, hash: each }))
const at = { time: 1, services: 9n, port: 8_333 }
const filter = { filterType: 0, stop: hash }

const conversation: readonly Message[] = [
  peerVersion({ startHeight: 3 }),
  { type: 'wtxidrelay' },
  { type: 'sendaddrv2' },
  { type: 'verack' },
  { type: 'sendheaders' },
  { type: 'sendcmpct', announce: false, version: 2n },
  { type: 'feefilter', feeRateSatPerKvb: 1_000n },
  { type: 'ping', nonce: 7n },
  { type: 'headers', headers },
  { type: 'addr', addresses: [{ ...at, address: new Uint8Array(16).fill(0x20) }] },
  {
    type: 'addrv2',
    addresses: [
      { ...at, network: addressNetwork.ipv4, address: Uint8Array.of(20, 1, 1, 1) },
      { ...at, network: addressNetwork.torV3, address: new Uint8Array(32) },
      { ...at, network: 200, address: new Uint8Array(3) },
    ],
  },
  { type: 'inv', items: [...items, { kind: inventory.wtx, hash }] },
  ...blocks.map((block): Message => ({ type: 'block', block })),
  ...blocks.flatMap(({ transactions }) =>
    transactions.map((transaction): Message => ({ type: 'tx', transaction })),
  ),
  { type: 'getheaders', version: 70_016, locator: hashes, stop: hash },
  { type: 'getdata', items },
  { type: 'notfound', items },
  { type: 'getaddr' },
  { type: 'pong', nonce: 7n },
  { type: 'getcfilters', startHeight: 1, ...filter },
  { type: 'cfilter', filterType: 0, block: hash, filter: Uint8Array.of(1, 2, 3) },
  { type: 'cfheaders', ...filter, previous: hash, hashes },
  { type: 'unknown', command: 'cmpctblock', payload: new Uint8Array(40) },
]

type Change =
  | { readonly kind: 'set' | 'insert'; readonly at: number; readonly byte: number }
  | { readonly kind: 'drop' | 'repeat' | 'move'; readonly at: number; readonly size: number }

const place = fc.nat(1_000_000)
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('set' as const, 'insert' as const),
    at: place,
    byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0xfc, 0xfd, 0xfe, 0xff)),
  }),
  fc.record({
    kind: fc.constantFrom('drop' as const, 'repeat' as const, 'move' as const),
    at: place,
    size: fc.integer({ min: 1, max: 60 }),
  }),
)

function changed(bytes: Uint8Array, changes: readonly Change[]): Uint8Array {
  let result = bytes
  for (const one of changes) {
    const start = result.length === 0 ? 0 : one.at % result.length
    const [before, after] = [result.subarray(0, start), result.subarray(start)]
    if ('byte' in one) {
      const rest = one.kind === 'set' ? after.subarray(1) : after
      result = concat(before, Uint8Array.of(one.byte), rest)
      continue
    }
    const [piece, rest] = [after.subarray(0, one.size), after.subarray(one.size)]
    const moved = { drop: [rest], repeat: [piece, piece, rest], move: [rest, piece] }[one.kind]
    result = concat(before, ...moved)
  }
  return result
}

const commandOf = (message: Message): string =>
  message.type === 'unknown' ? message.command : message.type

/** The whole conversation; changes of one message, with a right checksum or not. */
const distorted = fc
  .array(
    fc.record({
      message: fc.nat(conversation.length - 1),
      changes: fc.array(change, { minLength: 1, maxLength: 4 }),
      isSealed: fc.boolean(),
    }),
    { maxLength: 4 },
  )
  .map((list) =>
    conversation.map((message, i): Uint8Array => {
      const [own] = list.filter((one) => one.message === i)
      if (own === undefined) return encodeMessage(regtest, message)
      if (!own.isSealed) return changed(encodeMessage(regtest, message), own.changes)
      const payload = changed(encodePayload(message), own.changes)
      return encodeMessage(regtest, { type: 'unknown', command: commandOf(message), payload })
    }),
  )

describe('a changed payload', () => {
  it('is refused as BadEncoding, or read and written again as it was', () => {
    const one = fc.tuple(
      fc.constantFrom(...conversation),
      fc.array(change, { minLength: 1, maxLength: 4 }),
    )
    fc.assert(
      fc.property(one, ([message, changes]) => {
        const payload = changed(encodePayload(message), changes)
        const read = attempt(() => decodeMessage(commandOf(message), payload))
        // Text of a peer is made printable, and `version` may have more at its end.
        if (read instanceof BadEncoding || read.type === 'version') return
        expect(equalBytes(encodePayload(read), payload)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('a changed conversation', () => {
  it('is the same to a stream however it is cut, and ends with the first fault', () => {
    fc.assert(
      fc.property(distorted, fc.array(place, { maxLength: 8 }), (frames, cuts) => {
        const bytes = concat(...frames)
        const ends = cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b)
        const stream = new MessageStream(regtest)
        const events = [0, ...ends].flatMap((start, i) =>
          stream.push(bytes.subarray(start, ends[i] ?? bytes.length)),
        )
        expect(events).toEqual(new MessageStream(regtest).push(bytes))
        const fault = events.findIndex(({ type }) => type === 'fault')
        expect(fault === -1 || fault === events.length - 1).toBe(true)
      }),
      { numRuns: 100 },
    )
  })

  it('makes an adapter take what is true, or end the connection; its answers stay few', () => {
    fc.assert(
      fc.property(distorted, fc.boolean(), fc.nat(300_000), (frames, isFound, waitMs) => {
        const peer = new AdapterHarness({
          ...(isFound
            ? { found: ['9.1.2.3'] }
            : { discovery: { seeds: [], fixed: [], known: NO_PEERS } }),
        })
        peer.step({ type: 'want', hashes })
        peer.step({ type: 'start' })
        peer.step({ type: 'connected', peer: 0 })
        for (const frame of frames) peer.bytes(frame)
        peer.advance(waitMs)
        for (const { block } of peer.of('block')) expect(blocks).toContainEqual(block)
        for (const shown of peer.of('headers').flatMap((output) => output.headers))
          expect(headers).toContainEqual(shown)
        expect(peer.outputs.length).toBeLessThan(300)
        expect(peer.adapter.status.bans.length).toBeLessThanOrEqual(isFound ? 1 : 0)
        expect(peer.adapter.toKeep().entries.length).toBeLessThanOrEqual(10)
      }),
      { numRuns: 100 },
    )
  })
})
