/** What subnet and process of a node say to each other survives a socket; anything else is refused. */
import { serialize } from 'node:v8'
import { describe, expect, it } from 'vitest'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import { frame } from '../../../src/host/links/frames.ts'
import { CHANNEL_FRAME_MAX, MessageReader, messageBytes } from '../../../src/host/node/channel.ts'
import type { FromNode, ToNode } from '../../../src/host/node/protocol.ts'
import { readFromNode, readToNode } from '../../../src/host/node/protocol-shapes.ts'

const bytes = Uint8Array.of(1, 2, 3)

const said: readonly FromNode[] = [
  { type: 'keys', signingKey: bytes, encryptionKey: bytes, port: 4_000 },
  { type: 'keys', signingKey: bytes, encryptionKey: bytes, port: undefined },
  { type: 'link', peer: 1, state: 'up' },
  { type: 'link', peer: undefined, state: 'bad-code' },
  {
    type: 'outputs',
    outputs: [
      { type: 'send', to: 'all', bytes },
      { type: 'fault', culprit: 2, reason: 'BadEncoding' },
      { type: 'observed', event: { type: 'signed', requestId: bytes, by: [0, 1] } },
      {
        type: 'certified',
        slot: 1n,
        time: timestampNs(1n),
        requests: [],
        isFull: false,
        certificationKey: bytes,
      },
    ],
  },
  { type: 'answer', id: 1, answer: { type: 'certificates', certificates: [undefined, bytes] } },
  { type: 'closed' },
  { type: 'bug', message: 'an invariant' },
]

const told: readonly ToNode[] = [
  { type: 'create', storage: { type: 'directory', path: '/x' } },
  { type: 'input', input: { type: 'linked', peer: 1 } },
  { type: 'peers', ports: [1, undefined, 3] },
  { type: 'kill' },
]

describe('a message of the channel', () => {
  it.each(said)('comes out as it went in: $type', (message) => {
    expect(new MessageReader(readFromNode).push(messageBytes(message))).toEqual([message])
  })

  it.each(told)('to a node comes out as it went in: $type', (message) => {
    expect(new MessageReader(readToNode).push(messageBytes(message))).toEqual([message])
  })

  const refused: readonly (readonly [string, Uint8Array])[] = [
    ['too long', Uint8Array.of(0xff, 0, 0, 0)],
    ['that is no value', frame(Uint8Array.of(1, 2, 3))],
    ['cut off within', frame(serialize({ type: 'bug', message: 'text' }).subarray(0, 20))],
    ['that is a text', messageBytes('closed')],
    ['of no kind', messageBytes({ message: 'text' })],
    ['of an unknown kind', messageBytes({ type: 'constructor' })],
    ['of the other direction', messageBytes({ type: 'create', storage: {} })],
    ['without a field', messageBytes({ type: 'bug' })],
    ['with a field of another type', messageBytes({ type: 'keys', signingKey: 'text' })],
    ['with an unknown output', messageBytes({ type: 'outputs', outputs: [{ type: 'record' }] })],
    [
      'with an output without its field',
      messageBytes({ type: 'outputs', outputs: [{ type: 'fault', culprit: -1, reason: '' }] }),
    ],
    ['with an unknown answer', messageBytes({ type: 'answer', id: 1, answer: { type: 'x' } })],
  ]
  it.each(refused)('%s is refused', (_, sent) => {
    expect(() => new MessageReader(readFromNode).push(sent)).toThrow(BadEncoding)
  })

  it('is refused by its length before it has come', () => {
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, CHANNEL_FRAME_MAX + 1)
    expect(() => new MessageReader(readFromNode).push(length)).toThrow(BadEncoding)
    new DataView(length.buffer).setUint32(0, CHANNEL_FRAME_MAX)
    expect(new MessageReader(readFromNode).push(length)).toEqual([])
  })
})
