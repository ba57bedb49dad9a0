import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, utf8 } from '../../../src/core/base/bytes.ts'
import type { Message } from '../../../src/core/btc/message.ts'
import { encodeMessage, INVENTORY_MAX, PAYLOAD_MAX } from '../../../src/core/btc/message.ts'
import type { StreamEvent } from '../../../src/core/btc/message-stream.ts'
import { MessageStream } from '../../../src/core/btc/message-stream.ts'
import { mainnet, regtest } from '../../../src/core/btc/network.ts'
import { ByteSink } from '../../../src/core/btc/wire.ts'
import { blockOf, payment } from './builders.ts'

const ping: Message = { type: 'ping', nonce: 7n }
const conversation: readonly Message[] = [
  { type: 'verack' },
  ping,
  { type: 'block', block: blockOf(5, [payment('a'), payment('b')]) },
  { type: 'unknown', command: 'mempool', payload: new Uint8Array(0) },
  { type: 'tx', transaction: payment('c') },
]
const bytes = concat(...conversation.map((message) => encodeMessage(regtest, message)))
const received = conversation.map((message) => ({ type: 'message', message }))

/** Events of a fresh stream that is fed these chunks. */
const events = (...chunks: readonly Uint8Array[]): readonly StreamEvent[] => {
  const stream = new MessageStream(regtest)
  return chunks.flatMap((chunk) => stream.push(chunk))
}

/** A frame with one byte changed. */
function changed(message: Message, at: number, to: number): Uint8Array {
  const frame = encodeMessage(regtest, message)
  frame[at] = to
  return frame
}

/** A frame whose header is right whatever the payload holds. */
const frameOf = (command: string, payload: Uint8Array): Uint8Array =>
  encodeMessage(regtest, { type: 'unknown', command, payload })

describe('cutting', () => {
  test('one chunk yields every message', () => {
    expect(events(bytes)).toEqual(received)
  })

  test('chunks of one byte yield the same', () => {
    expect(events(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(received)
  })

  test('any cutting yields the same', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
        const ends = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
        const chunks = ends.slice(1).map((end, i) => bytes.subarray(ends[i], end))
        expect(events(...chunks)).toEqual(received)
      }),
    )
  })

  test('a message is not reported before its last byte', () => {
    const frame = encodeMessage(regtest, ping)
    expect(events(frame.subarray(0, -1))).toEqual([])
    expect(events(frame.subarray(0, -1), frame.subarray(-1)).length).toBe(1)
  })

  test('messages do not share memory with the chunks they came in', () => {
    const chunk = frameOf('mempool', Uint8Array.of(1, 2, 3))
    const [event] = events(chunk)
    chunk.fill(0)
    expect(event).toMatchObject({ message: { payload: Uint8Array.of(1, 2, 3) } })
  })
})

describe('faults end the stream (WIRE-1, WIRE-2)', () => {
  const oversized = encodeMessage(regtest, ping)
  new DataView(oversized.buffer).setUint32(16, PAYLOAD_MAX + 1, true)

  test.each([
    ['another network', encodeMessage(mainnet, ping), 'wrong message start', false],
    ['a changed start', changed(ping, 3, 0), 'wrong message start', false],
    ['a control character in a command', changed(ping, 5, 7), 'malformed command', false],
    ['a blank in a command', changed(ping, 5, 0x20), 'malformed command', false],
    ['bytes after the padding', changed(ping, 15, 0x61), 'malformed command', false],
    ['no command', changed(ping, 4, 0), 'malformed command', false],
    ['a payload of over 4,000,000 bytes', oversized, 'ping of 4000001 bytes', true],
    [
      'an inventory that is too long',
      frameOf('inv', new ByteSink().length(INVENTORY_MAX + 1).done()),
      'inv with too many entries',
      true,
    ],
  ])('%s', (_, frame, reason, ban) => {
    const stream = new MessageStream(regtest)
    expect(stream.push(concat(frame, bytes))).toEqual([{ type: 'fault', reason, ban }])
    expect(stream.push(bytes)).toEqual([])
  })

  test('an oversized length is refused at the header, before any payload', () => {
    expect(events(oversized.subarray(0, 24)).length).toBe(1)
  })
})

describe('strikes leave the stream alive (WIRE-3, WIRE-6)', () => {
  test.each([
    ['a changed checksum', changed(ping, 20, 0), 'ping with a wrong checksum'],
    ['a changed payload', changed(ping, 24, 9), 'ping with a wrong checksum'],
    ['a malformed transaction', frameOf('tx', new Uint8Array(300)), 'tx: witness flag 0'],
    ['trailing bytes', frameOf('headers', Uint8Array.of(0, 0)), 'headers: 1 trailing bytes'],
    ['a short payload', frameOf('ping', new Uint8Array(7)), 'ping: 8 bytes expected, 7 left'],
    [
      'a payload where none is due',
      frameOf('verack', Uint8Array.of(0)),
      'verack: 1 trailing bytes',
    ],
    [
      'a list longer than its bytes',
      frameOf('inv', Uint8Array.of(200)),
      'inv: 200 items cannot fit 0 bytes',
    ],
    [
      'a CompactSize that is not minimal',
      frameOf('inv', Uint8Array.of(0xfd, 1, 0)),
      'inv: CompactSize 1 is longer than needed',
    ],
  ])('%s', (_, frame, reason) => {
    expect(events(concat(frame, bytes))).toEqual([{ type: 'strike', reason }, ...received])
  })
})

test('an unknown command is no offence (WIRE-4)', () => {
  const payload = utf8('anything')
  expect(events(frameOf('cmpctblock', payload))).toEqual([
    { type: 'message', message: { type: 'unknown', command: 'cmpctblock', payload } },
  ])
})

test('noise of any kind never throws and ends in a fault or in silence', () => {
  const noise = fc.uint8Array({ maxLength: 200 })
  const mutated = fc
    .tuple(fc.nat(bytes.length - 1), fc.nat(255))
    .map(([at, to]) => bytes.map((byte, i) => (i === at ? to : byte)))
  fc.assert(
    fc.property(fc.oneof(noise, mutated), noise, (first, second) => {
      const all = events(first, second)
      const fault = all.findIndex(({ type }) => type === 'fault')
      expect(fault === -1 || fault === all.length - 1).toBe(true)
    }),
    { numRuns: 500 },
  )
})
