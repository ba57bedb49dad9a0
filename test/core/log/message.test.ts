/** Messages, votes and proposals of the log as bytes: strict, pinned, of one time line. §§17.2, 17.3 */
import { describe, expect, it, test } from 'vitest'
import { toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { Reader, Writer } from '../../../src/core/base/codec.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import type { LogMessage, VotesMessage } from '../../../src/core/log/message.ts'
import {
  decodeLogMessage,
  encodeLogMessage,
  SLOTS_SHOWN_MAX,
  votesContent,
} from '../../../src/core/log/message.ts'
import { decodeProposal, encodeProposal } from '../../../src/core/log/proposal.ts'
import type { Vote } from '../../../src/core/log/vote.ts'
import { COIN_SHARE_SIZE, readVote, writeVote } from '../../../src/core/log/vote.ts'

const INCARNATION = 0x0102_0304_0506_0708n
const hash = sha256(utf8('hash'))
const other = sha256(utf8('other'))
const place = { instance: 3, round: 0x0102 }
const proposal = encodeProposal({ clock: timestampNs(9n), items: [hash, other] })

const votes: Readonly<Record<string, Vote>> = {
  initial: { type: 'initial', proposal },
  echo: { type: 'echo', instance: 3, hash },
  ready: { type: 'ready', instance: 3, hash },
  'bval 0': { type: 'bval', ...place, value: 0, isEstimate: false },
  'bval 1': { type: 'bval', ...place, value: 1, isEstimate: false },
  'estimate 0': { type: 'bval', ...place, value: 0, isEstimate: true },
  'estimate 1': { type: 'bval', ...place, value: 1, isEstimate: true },
  'aux 0': { type: 'aux', ...place, value: 0 },
  'aux 1': { type: 'aux', ...place, value: 1 },
  'conf {0}': { type: 'conf', ...place, values: 1 },
  'conf {1}': { type: 'conf', ...place, values: 2 },
  'conf {0, 1}': { type: 'conf', ...place, values: 3 },
  coin: { type: 'coin', ...place, share: new Uint8Array(COIN_SHARE_SIZE).fill(7) },
  'term 0': { type: 'term', instance: 3, value: 0 },
  'term 1': { type: 'term', instance: 3, value: 1 },
}

const vote = (bytes: Uint8Array): Vote => {
  const reader = new Reader(bytes)
  return reader.end(readVote(reader))
}
const bytesOf = (one: Vote): Uint8Array => {
  const writer = new Writer()
  writeVote(writer, one)
  return writer.done()
}

const signature = new Uint8Array(64).fill(5)
const messages: Readonly<Record<string, LogMessage>> = {
  votes: { type: 'votes', slot: 7n, life: 5n, votes: Object.values(votes), signature },
  item: { type: 'item', item: utf8('item') },
  body: { type: 'body', item: utf8('item') },
  want: { type: 'want', slot: 7n, instance: 2, hash, items: [other] },
  proposal: { type: 'proposal', slot: 7n, instance: 2, proposal },
  resend: { type: 'resend', slot: 7n },
  decided: { type: 'decided', first: 7n, hashes: [hash, other] },
  copy: { type: 'copy', first: 7n },
  'heard nothing': { type: 'heard', last: undefined },
  heard: { type: 'heard', last: { type: 'votes', slot: 7n, life: 5n, votes: [], signature } },
  slots: { type: 'slots', contents: [utf8('one'), utf8('two')] },
}
/** Their last part is whatever bytes are left: every prefix behind it is another message. */
const OPEN_ENDED: Readonly<Record<string, number>> = { item: 9, body: 9, proposal: 18 }

describe.each(Object.entries(votes))('vote %s', (_name, one) => {
  it('comes back as it went, and no prefix or longer form of it does', () => {
    const bytes = bytesOf(one)
    expect(vote(bytes)).toEqual(one)
    for (let size = 0; size < bytes.length; size++)
      expect(() => vote(bytes.slice(0, size))).toThrow(BadEncoding)
    expect(() => vote(Uint8Array.of(...bytes, 0))).toThrow(BadEncoding)
  })
})

describe.each(Object.entries(messages))('message %s', (name, message) => {
  const bytes = encodeLogMessage(INCARNATION, message)

  it('comes back as it went', () => {
    expect(decodeLogMessage(INCARNATION, bytes)).toEqual(message)
  })

  it('is refused with every prefix, and with trailing bytes', () => {
    const open = OPEN_ENDED[name]
    for (let size = 0; size < (open ?? bytes.length); size++)
      expect(() => decodeLogMessage(INCARNATION, bytes.slice(0, size))).toThrow(BadEncoding)
    if (open === undefined)
      expect(() => decodeLogMessage(INCARNATION, Uint8Array.of(...bytes, 0))).toThrow(BadEncoding)
  })

  it('of another time line is none', () => {
    expect(decodeLogMessage(INCARNATION + 1n, bytes)).toBeUndefined()
  })
})

test('tags that no vote and no message has are refused', () => {
  const tags = Array.from({ length: 256 }, (_, tag) => tag)
  const isRefused = (decode: (bytes: Uint8Array) => unknown) => (tag: number) => {
    try {
      decode(Uint8Array.of(tag, ...new Uint8Array(100)))
      return false
    } catch (error) {
      return error instanceof BadEncoding && error.message.includes('unknown kind')
    }
  }
  expect(tags.filter(isRefused(vote)).slice(0, 4)).toEqual([3, 13, 17, 18])
  const head = [...encodeLogMessage(INCARNATION, { type: 'copy', first: 0n }).slice(0, 8)]
  const decode = (bytes: Uint8Array): unknown =>
    decodeLogMessage(INCARNATION, Uint8Array.of(...head, ...bytes))
  expect(tags.filter(isRefused(decode))[0]).toBe(10)
})

test('votes with two proposals of their node are refused, and so is word of them', () => {
  const initial: Vote = { type: 'initial', proposal }
  const said = (count: number): VotesMessage => ({
    type: 'votes',
    slot: 7n,
    life: 0n,
    votes: Array.from({ length: count }, () => initial),
    signature,
  })
  for (const wrap of [
    (last: VotesMessage): LogMessage => last,
    (last: VotesMessage): LogMessage => ({ type: 'heard', last }),
  ]) {
    const read = (count: number) =>
      decodeLogMessage(INCARNATION, encodeLogMessage(INCARNATION, wrap(said(count))))
    expect(read(1)).toEqual(wrap(said(1)))
    expect(() => read(2)).toThrow(BadEncoding)
  }
})

test('lists are bounded', () => {
  const hashes = Array.from({ length: SLOTS_SHOWN_MAX + 1 }, () => hash)
  const bytes = encodeLogMessage(INCARNATION, { type: 'decided', first: 0n, hashes })
  expect(() => decodeLogMessage(INCARNATION, bytes)).toThrow(BadEncoding)
  const items = Array.from({ length: 501 }, (_, i) => sha256(Uint8Array.of(i >> 8, i & 255)))
  const large = encodeProposal({ clock: timestampNs(0n), items })
  expect(() => decodeProposal(large)).toThrow(BadEncoding)
  expect(
    decodeProposal(encodeProposal({ clock: timestampNs(0n), items: items.slice(1) })),
  ).toBeDefined()
})

describe('a proposal', () => {
  it('comes back as it went; no prefix, no longer form and no name twice', () => {
    expect(decodeProposal(proposal)).toEqual({ clock: 9n, items: [hash, other] })
    for (let size = 0; size < proposal.length; size++)
      expect(() => decodeProposal(proposal.slice(0, size))).toThrow(BadEncoding)
    expect(() => decodeProposal(Uint8Array.of(...proposal, 0))).toThrow(BadEncoding)
    const twice = encodeProposal({ clock: timestampNs(9n), items: [hash, hash] })
    expect(() => decodeProposal(twice)).toThrow(BadEncoding)
  })
})

test('the bytes are these', () => {
  const all = Object.values(messages).map((message) => encodeLogMessage(INCARNATION, message))
  const hashes = [...all, proposal].map((bytes) => toHex(sha256(bytes)).slice(0, 16))
  expect(hashes).toMatchInlineSnapshot(`
    [
      "3bd37d99659ae71c",
      "59be99fe71454042",
      "7148a5d8e61be0f7",
      "10e46061d14364b7",
      "dd703c5596bbb241",
      "1425686ed8dbf323",
      "5a599d81d5d8457d",
      "2b2a95ab38fb74a1",
      "9a89c68c4c5e28b8",
      "59515c8732410386",
      "6162a9f326699927",
      "5a541edd6b333b11",
    ]
  `)
})

test('what is signed names the run, the slot and all votes', () => {
  const prefix = utf8('run')
  const one: Vote = { type: 'term', instance: 1, value: 1 }
  expect(toHex(votesContent(prefix, { slot: 7n, life: 5n, votes: [one] }))).toBe(
    `${toHex(prefix)}00000000000000070000000000000005000000010f01`,
  )
})
