/**
 * The event log as bytes: strict codec, hash chain, torn ends. Source: minter §18.1, checklist 104,
 * 105, 107–109.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concat, toHex } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { sat } from '../../../src/core/base/units.ts'
import { encodeArgs } from '../../../src/core/ic/candid.ts'
import type { Cbor } from '../../../src/core/ic/cbor.ts'
import { decodeCbor, encodeCbor } from '../../../src/core/ic/cbor.ts'
import {
  appendEvent,
  copyOfLog,
  decodeEvent,
  decodeLog,
  emptyLog,
  encodedEvents,
  encodeEvent,
  encodeLog,
  PIECE_EVENTS,
  publishedEvents,
  eventsOf as readEvents,
  sentEvent,
} from '../../../src/core/minter/events/event-log.ts'
import type { Event } from '../../../src/core/minter/events/events.ts'
import { EVENT_NAMES, isExtension } from '../../../src/core/minter/events/events.ts'
import { minterInterface } from '../../../src/core/minter/interface/interface.ts'
import { encodedPage, eventsPage } from '../../../src/core/minter/interface/queries.ts'
import { anyEvent, eventsOf, PAYLOAD_TYPES } from '../../support/minter-arbitraries.ts'
import { someTxid, TestMinter, user } from '../../support/minter-world.ts'

const removed: Event = { payload: { type: 'removedRetrieveBtcRequest', blockIndex: 7n } }
const payloadMap = (name: string, fields: Cbor): Cbor =>
  new Map([['payload', new Map([[name, fields]])]])

function logOf(events: readonly Event[]) {
  const log = emptyLog()
  for (const event of events) appendEvent(log, event)
  return log
}

describe('an event', () => {
  it.each(PAYLOAD_TYPES)('minter §23.108: %s is read back as it was written', (type) => {
    fc.assert(
      fc.property(eventsOf(type), (event) => {
        expect(decodeEvent(encodeEvent(event))).toEqual(event)
      }),
      { numRuns: 30 },
    )
  })

  it('is written under the names of the interface', () => {
    expect(decodeCbor(encodeEvent(removed))).toEqual(
      payloadMap('removed_retrieve_btc_request', new Map([['block_index', 7n]])),
    )
    // Pinned: the format of logs that exist.
    const name = '72656d6f7665645f72657472696576655f6274635f72657175657374'
    const expected = `a1677061796c6f6164a1781c${name}a16b626c6f636b5f696e64657807`
    expect(toHex(encodeEvent(removed))).toBe(expected)
  })

  it('minter §23.107: of an old log has no time', () => {
    expect(decodeEvent(encodeEvent(removed)).timestamp).toBeUndefined()
    const fields = new Map([['block_index', 7n]])
    const bare = encodeCbor(new Map([['removed_retrieve_btc_request', fields]]))
    expect(decodeEvent(bare)).toEqual(removed)
    for (let size = 0; size < bare.length; size++)
      expect(() => decodeEvent(bare.slice(0, size))).toThrow(BadEncoding)
    expect(() => decodeEvent(concat(bare, Uint8Array.of(0)))).toThrow(BadEncoding)
  })

  it('refuses every prefix and a trailing byte', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const bytes = encodeEvent(event)
        for (let size = 0; size < bytes.length; size++)
          expect(() => decodeEvent(bytes.slice(0, size))).toThrow(BadEncoding)
        expect(() => decodeEvent(concat(bytes, Uint8Array.of(0)))).toThrow(BadEncoding)
      }),
      { numRuns: 20 },
    )
  })

  it.each<readonly [string, Cbor]>([
    ['an unknown kind', payloadMap('xyz', new Map())],
    ['a missing field', payloadMap('removed_retrieve_btc_request', new Map())],
    [
      'a field too many',
      payloadMap(
        'removed_retrieve_btc_request',
        new Map([
          ['block_index', 7n],
          ['x', 1n],
        ]),
      ),
    ],
    [
      'a text for a number',
      payloadMap('removed_retrieve_btc_request', new Map([['block_index', '7']])),
    ],
    [
      'two payloads',
      new Map([
        [
          'payload',
          new Map([
            ['a', 1n],
            ['b', 2n],
          ]),
        ],
      ]),
    ],
    ['no payload', new Map([['timestamp', 1n]])],
    [
      'a null for an absent time',
      new Map<string, Cbor>([['timestamp', null], ...payloadEntries()]),
    ],
    ['fields in another order', new Map<string, Cbor>([...payloadEntries(), ['timestamp', 1n]])],
    [
      'a txid of 31 bytes',
      payloadMap('confirmed_transaction', new Map([['txid', new Uint8Array(31)]])),
    ],
    ['no map at all', [1n, 2n]],
  ])('refuses %s', (_, value) => {
    expect(() => decodeEvent(encodeCbor(value))).toThrow(BadEncoding)
  })

  function payloadEntries(): readonly (readonly [string, Cbor])[] {
    const fields = new Map([['block_index', 7n]])
    return [['payload', new Map([['removed_retrieve_btc_request', fields]])]]
  }

  it('of ours is named x_, and no other is', () => {
    expect(PAYLOAD_TYPES.filter(isExtension).map((type) => EVENT_NAMES[type])).toEqual([
      'x_signing_started',
      'x_input_signed',
      'x_signature_failed',
      'x_held_request',
      'x_schedule_reimbursement',
      'x_ledger_call',
      'x_ledger_call_ended',
      'x_resolved_unknown',
      'x_consolidation_burned',
      'x_aborted_consolidation',
      'x_written_off',
      'x_adopted_coin',
      'x_donation',
    ])
  })
})

describe('a log', () => {
  const events: readonly Event[] = [
    removed,
    { payload: { type: 'confirmedTransaction', txid: someTxid(3) } },
    { payload: { type: 'quarantinedWithdrawalReimbursement', burnBlockIndex: 2n } },
  ]
  const bytes = encodeLog({ events })

  it('is read back with its chain value', () => {
    expect(decodeLog(bytes)).toEqual({ log: logOf(events), torn: false })
    expect(decodeLog(new Uint8Array())).toEqual({ log: emptyLog(), torn: false })
  })

  it('has the chain value that §18.1 defines', () => {
    const first = sha256(concat(new Uint8Array(32), encodeEvent(removed)))
    expect(logOf([removed]).chain).toEqual(first)
  })

  it('may have any number of records', () => {
    const many = Array.from({ length: 130_000 }, () => removed)
    const size = encodeLog({ events: [removed] }).length
    expect(encodeLog({ events: many }).length).toBe(size * many.length)
  })

  it('cut anywhere loses its last record and nothing else', () => {
    const sizes = events.map((_, i) => encodeLog({ events: events.slice(0, i) }).length)
    for (let size = 0; size < bytes.length; size++) {
      const whole = sizes.findLastIndex((start) => start <= size)
      const { log, torn } = decodeLog(bytes.slice(0, size))
      expect(log).toEqual(logOf(events.slice(0, whole)))
      expect(torn).toBe(sizes[whole] !== size)
    }
  })

  it('with any byte changed is refused, or ends before it', () => {
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.with(at, (bytes[at] ?? 0) ^ 1)
      let read: readonly Event[] = []
      try {
        read = [...readEvents(decodeLog(changed).log)]
      } catch (error) {
        expect(error).toBeInstanceOf(BadEncoding)
      }
      expect(events.slice(0, read.length)).toEqual(read)
      expect(read.length).toBeLessThan(events.length)
    }
  })

  it('with a record left out or moved is refused', () => {
    const [a, b, c] = events.map((_, i) => {
      const start = encodeLog({ events: events.slice(0, i) }).length
      return bytes.slice(start, encodeLog({ events: events.slice(0, i + 1) }).length)
    })
    if (a === undefined || b === undefined || c === undefined) return expect.unreachable()
    for (const other of [concat(a, c), concat(b, a, c), concat(a, a), concat(b)])
      expect(() => decodeLog(other)).toThrow(BadEncoding)
  })
})

describe('get_events', () => {
  function withEvents(count: number): TestMinter {
    const world = new TestMinter()
    const { log } = world.minter
    for (let i = 1; i < count; i++) appendEvent(log, removed)
    return world
  }

  const page = (world: TestMinter, start: bigint, length: bigint) =>
    world.call('get_events', user(1), { start, length })

  it('beyond the end is empty', () => {
    const world = withEvents(3)
    for (const start of [3n, 4n, 2n ** 64n - 1n]) expect(page(world, start, 10n)).toEqual([])
    expect(page(world, 2n, 2n ** 64n - 1n)).toEqual([removed])
    expect(page(world, 0n, 0n)).toEqual([])
  })

  it('has at most 2,000 rows', () => {
    expect(page(withEvents(2_500), 0n, 10_000n).length).toBe(2_000)
  })

  it('leaves ours out and counts without them', () => {
    const world = new TestMinter()
    appendEvent(world.minter.log, {
      payload: { type: 'xHeldRequest', blockIndex: 1n, heldSince: 2n },
    })
    appendEvent(world.minter.log, removed)
    expect(page(world, 1n, 10n)).toEqual([removed])
  })

  it('pages any number of events of any kinds as one list would', () => {
    const kinds = fc.array(fc.boolean(), { minLength: 0, maxLength: 40 })
    const whole = Array.from({ length: 2 * PIECE_EVENTS }, (_, i) => i % 3 !== 0)
    fc.assert(
      fc.property(kinds, fc.nat({ max: 1_500 }), fc.nat({ max: 60 }), (more, start, length) => {
        const events = [...whole, ...more].map(
          (ours, i): Event =>
            ours
              ? { payload: { type: 'xHeldRequest', blockIndex: BigInt(i), heldSince: 2n } }
              : { payload: { type: 'removedRetrieveBtcRequest', blockIndex: BigInt(i) } },
        )
        const log = logOf(events)
        const published = events.filter(({ payload }) => !isExtension(payload.type))
        expect(log).toMatchObject({ count: events.length, published: published.length })
        expect(publishedEvents(log, { start, length })).toEqual(
          published.slice(start, start + length),
        )
        expect([...encodedEvents(log, { start, end: start + length })]).toEqual(
          events.slice(start, start + length).map(encodeEvent),
        )
      }),
      { numRuns: 8 },
    )
  })
})

describe('a copy of a log', () => {
  it('begins with the same events and goes its own way', () => {
    const log = logOf(Array.from({ length: PIECE_EVENTS + 2 }, () => removed))
    const copy = copyOfLog(log)
    const [chain, history] = [log.chain, structuredClone(log.history)]
    appendEvent(copy, { payload: { type: 'confirmedTransaction', txid: someTxid(3) } })
    appendEvent(copy, removed)
    expect([...readEvents(copy)].length).toBe(log.count + 2)
    expect(log).toMatchObject({ count: PIECE_EVENTS + 2, chain, history })
    appendEvent(log, removed)
    expect([...readEvents(log)].every(({ payload }) => payload.type === removed.payload.type)).toBe(
      true,
    )
  })
})

it('a transaction that was sent is found by its txid', () => {
  const sent = fc.sample(eventsOf('sentTransaction'), { numRuns: 3, seed: 1 })
  const log = logOf([removed, ...sent])
  for (const [i, event] of sent.entries()) {
    if (event.payload.type !== 'sentTransaction') return expect.unreachable()
    expect(sentEvent(log, event.payload.txid)).toEqual({ number: i + 1, event })
  }
  expect(sentEvent(log, someTxid(9))).toBeUndefined()
})

it('a page of large events ends before a reply would be too long, and the next goes on', () => {
  const log = emptyLog()
  const utxos = Array.from({ length: 1_000 }, (_, vout) => ({
    outpoint: { txid: someTxid(vout), vout },
    value: sat(50_000n),
    height: vout,
  }))
  const toAccount = { owner: user(1) }
  for (let i = 0n; i < 22n; i++)
    appendEvent(log, { payload: { type: 'receivedUtxos', mintTxid: i, toAccount, utxos } })
  const all = { start: 0n, length: 2_000n }
  const { get_events } = minterInterface
  const first = eventsPage(log, all)
  const second = eventsPage(log, { start: BigInt(first.length), length: 2_000n })
  expect(first.length).toBeLessThan(22)
  const indices = [...first, ...second].map(
    ({ payload }) => 'mintTxid' in payload && payload.mintTxid,
  )
  expect(indices).toEqual(Array.from({ length: 22 }, (_, i) => BigInt(i)))
  expect(encodeArgs([get_events.result], [first]).length).toBeLessThan(2 * 1024 * 1024)
  expect(encodedPage(log, all).length).toBe(first.length)
  expect(encodedPage(log, { start: 21n, length: 1n }).length).toBe(1)
})
