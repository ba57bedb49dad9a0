/** Goal: nobody's addresses push out those of others, and a stored book is not believed. */
import { describe, expect, it } from 'vitest'
import { concat, fromHex } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { sha256d } from '../../../src/core/base/hash.ts'
import type { BookEntry } from '../../../src/core/btc/address-book.ts'
import {
  AddressBook,
  BACK_OFF_MAX_MS,
  backOffMs,
  HOPELESS_FAILURES,
} from '../../../src/core/btc/address-book.ts'
import { decodeKnownPeers, encodeKnownPeers } from '../../../src/core/btc/address-book-file.ts'
import type { AddressV2, FoundPeer } from '../../../src/core/btc/address-message.ts'
import { addressNetwork, reachable } from '../../../src/core/btc/address-message.ts'
import {
  ADDRESS_BUCKET_MAX,
  ADDRESS_EVERY_MS,
  AddressRate,
} from '../../../src/core/btc/address-rate.ts'
import { decodeMessage, encodePayload } from '../../../src/core/btc/message.ts'
import { mainnet, signet } from '../../../src/core/btc/network.ts'
import { ADDRESSES_OF_SEED_MAX, SeedQueries } from '../../../src/core/btc/seed-queries.ts'

const NOW_MS = 1_700_000_000_000
const NOW_S = NOW_MS / 1_000
const half = (): number => 0.5

const found = (host: string, time = NOW_S): FoundPeer => ({ host, port: 8_333, services: 9n, time })
const many = (count: number, first: number): readonly FoundPeer[] =>
  Array.from({ length: count }, (_, i) => found(`${first}.${i >> 8}.${i & 255}.1`))

describe('the book', () => {
  it('has a limit, and no source has more than a quarter of it', () => {
    const book = new AddressBook(100, half)
    expect(book.add(many(1_000, 20), 'a', NOW_MS)).toBe(1_000)
    expect(book.size).toBe(25)
    for (const source of ['b', 'c', 'd', 'e', 'f']) book.add(many(50, 30), source, NOW_MS)
    for (const [i, source] of ['b', 'c', 'd', 'e'].entries())
      book.add(many(50, 40 + i), source, NOW_MS)
    expect(book.size).toBe(100)
  })

  it('a new source displaces nobody of a full book but the hopeless', () => {
    const book = new AddressBook(8, half)
    for (const [i, source] of ['a', 'b', 'c', 'd'].entries())
      book.add(many(2, 20 + i), source, NOW_MS)
    expect(book.add([found('60.1.1.1')], 'e', NOW_MS)).toBe(0)
    for (let i = 0; i < HOPELESS_FAILURES; i++) book.failed('21.0.0.1', 8_333, NOW_MS)
    expect(book.add([found('60.1.1.1')], 'e', NOW_MS)).toBe(1)
    expect(book.entries.map(({ host }) => host)).not.toContain('21.0.0.1')
    // Unseen for a month, it is as good as gone.
    expect(book.add([found('60.1.1.2')], 'f', NOW_MS + 31 * 86_400_000)).toBe(1)
  })

  it('who has served is not displaced by his own source', () => {
    const book = new AddressBook(4, half)
    book.add([found('20.0.0.1')], 'a', NOW_MS)
    book.succeeded('20.0.0.1', 8_333, NOW_MS)
    expect(book.add([found('20.0.0.2')], 'a', NOW_MS)).toBe(0)
    expect(book.entries.map(({ host }) => host)).toEqual(['20.0.0.1'])
  })

  it('who has served is not displaced for being unseen, for failing he is (AD-5)', () => {
    const book = new AddressBook(4, half)
    for (const [i, source] of ['a', 'b', 'c', 'd'].entries()) {
      book.add([found(`2${i}.0.0.1`)], source, NOW_MS)
      book.succeeded(`2${i}.0.0.1`, 8_333, NOW_MS)
    }
    const laterMs = NOW_MS + 31 * 86_400_000
    expect(book.add([found('60.1.1.1')], 'e', laterMs)).toBe(0)
    for (let i = 1; i < HOPELESS_FAILURES; i++) book.failed('21.0.0.1', 8_333, laterMs)
    expect(book.add([found('60.1.1.1')], 'e', laterMs)).toBe(0)
    book.failed('21.0.0.1', 8_333, laterMs)
    expect(book.add([found('60.1.1.1')], 'e', laterMs)).toBe(1)
  })

  it('knows a host once, and no time that is still to come', () => {
    const book = new AddressBook(100, half)
    book.add([found('20.0.0.1', NOW_S - 100)], 'a', NOW_MS)
    expect(book.add([found('::ffff:20.0.0.1', NOW_S + 999)], 'b', NOW_MS)).toBe(0)
    expect(book.entries).toMatchObject([{ host: '20.0.0.1', source: 'a', seenS: NOW_S }])
    expect(book.add([found('10.0.0.1'), found('name.example')], 'a', NOW_MS)).toBe(0)
  })

  it('a failed address waits longer each time, up to ten minutes and a fifth (AD-10)', () => {
    const book = new AddressBook(100, half)
    book.add([found('20.0.0.1')], 'a', NOW_MS)
    const isThere = (atMs: number): boolean => book.choose(atMs, () => true) !== undefined
    for (const pause of [1_000, 2_000, 4_000]) {
      book.failed('20.0.0.1', 8_333, NOW_MS)
      expect(isThere(NOW_MS + pause - 1)).toBe(false)
      expect(isThere(NOW_MS + pause)).toBe(true)
    }
    expect(backOffMs(99, 0)).toBe(0.8 * BACK_OFF_MAX_MS)
    expect(backOffMs(99, 1)).toBe(1.2 * BACK_OFF_MAX_MS)
    // The network's fault is not its own.
    book.failed('20.0.0.1', 8_333, NOW_MS, false)
    expect(book.entries[0]?.failures).toBe(3)
    book.succeeded('20.0.0.1', 8_333, NOW_MS)
    expect(book.entries[0]?.failures).toBe(0)
  })

  it('chooses among the tried and the new with equal chances; the new alone if asked', () => {
    const picks = (fraction: number, isFresh = false): string | undefined => {
      const book = new AddressBook(100, () => fraction)
      book.add([found('20.0.0.1'), found('21.0.0.1')], 'a', NOW_MS)
      book.succeeded('20.0.0.1', 8_333, NOW_MS)
      return book.choose(NOW_MS, () => true, isFresh)?.host
    }
    expect(picks(0.4)).toBe('20.0.0.1')
    expect(picks(0.6)).toBe('21.0.0.1')
    expect(picks(0.4, true)).toBe('21.0.0.1')
  })
})

it('a peer may tell a thousand addresses, and one more every ten seconds (AD-4)', () => {
  const rate = new AddressRate()
  expect(rate.take(0, 600, 0)).toBe(600)
  expect(rate.take(0, 600, 0)).toBe(400)
  expect(rate.take(1, 600, 0)).toBe(600)
  expect(rate.take(0, 5, ADDRESS_EVERY_MS - 1)).toBe(0)
  expect(rate.take(0, 5, 2 * ADDRESS_EVERY_MS)).toBe(2)
  expect(rate.take(0, 5_000, 1e12)).toBe(ADDRESS_BUCKET_MAX)
  expect(rate.take(0, 5, 0)).toBe(0)
})

it('of one seed at most 32 addresses are used, of as many groups as there are (AD-3)', () => {
  const seeds = new SeedQueries(['a'])
  expect(seeds.next(0, half)).toEqual(['a'])
  const crowd = Array.from({ length: 100 }, (_, i) => `50.60.0.${i}`)
  const others = Array.from({ length: 30 }, (_, i) => `${60 + i}.1.0.1`)
  const used = seeds.answered('a', [...crowd, '10.0.0.1', ...others])
  expect(used.length).toBe(ADDRESSES_OF_SEED_MAX)
  for (const host of others) expect(used).toContain(host)
  expect(used).not.toContain('10.0.0.1')
  expect(seeds.answered('a', crowd)).toEqual([])
})

describe('addrv2 (BIP155)', () => {
  const entry = (change: Partial<AddressV2>): AddressV2 => ({
    time: 1,
    services: 9n,
    network: addressNetwork.ipv4,
    address: Uint8Array.of(1, 2, 3, 4),
    port: 8_333,
    ...change,
  })
  const decoded = (payload: Uint8Array) => decodeMessage('addrv2', payload)
  const frame = (addresses: readonly AddressV2[]) => encodePayload({ type: 'addrv2', addresses })

  it('every known network, and those that are not known, have their form', () => {
    const addresses = [
      entry({}),
      entry({ network: addressNetwork.ipv6, address: fromHex('26000000000000000000000000000001') }),
      entry({ network: addressNetwork.torV2, address: new Uint8Array(10) }),
      entry({ network: addressNetwork.torV3, address: new Uint8Array(32) }),
      entry({ network: addressNetwork.i2p, address: new Uint8Array(32), port: 0 }),
      entry({ network: addressNetwork.cjdns, address: new Uint8Array(16).fill(0xfc) }),
      entry({ network: 7, address: new Uint8Array(0) }),
      entry({ network: 255, address: new Uint8Array(512) }),
      entry({ services: 0xfcn }),
      entry({ services: 0xfdn }),
      entry({ services: 0xffffn }),
      entry({ services: 0x1_0000n }),
      entry({ services: 0xffff_ffffn }),
      entry({ services: 0xffff_ffff_ffff_ffffn }),
    ]
    expect(decoded(frame(addresses))).toEqual({ type: 'addrv2', addresses })
    expect(frame([entry({})])).toEqual(fromHex('010100000009010401020304208d'))
  })

  it.each([
    ['a known network with a wrong size', frame([entry({ address: new Uint8Array(5) })])],
    ['an address of 513 bytes', frame([entry({ network: 9, address: new Uint8Array(513) })])],
    ['services that could be shorter', fromHex('0101000000fd0900010401020304208d')],
    [
      'services of eight bytes that could be shorter',
      fromHex('0101000000ff0900000000000000010401020304208d'),
    ],
    ['a trailing byte', fromHex('010100000009010401020304208d00')],
    ['a list longer than its bytes', fromHex('0201000000090104')],
  ])('%s is refused', (_, payload) => {
    expect(() => decoded(payload)).toThrow(BadEncoding)
  })

  it('every prefix is refused', () => {
    const whole = frame([entry({}), entry({ services: 0x1_0000n })])
    for (let size = 0; size < whole.length; size++)
      expect(() => decoded(whole.subarray(0, size))).toThrow(BadEncoding)
  })

  it('those are used that can be reached without a proxy', () => {
    const mapped = fromHex('00000000000000000000ffff01020304')
    const used = reachable([
      entry({}),
      entry({ port: 0 }),
      entry({ address: Uint8Array.of(10, 0, 0, 1) }),
      entry({ network: addressNetwork.ipv6, address: fromHex('26000000000000000000000000000001') }),
      entry({ network: addressNetwork.ipv6, address: mapped }),
      entry({ network: addressNetwork.torV3, address: new Uint8Array(32) }),
      entry({ network: 9, address: Uint8Array.of(1, 2, 3, 4) }),
    ])
    expect(used.map(({ host }) => host)).toEqual(['1.2.3.4', '2600:0:0:0:0:0:0:1'])
  })
})

describe('a stored book', () => {
  const entryOf = (host: string, change: Partial<BookEntry> = {}): BookEntry => ({
    host,
    port: 8_333,
    services: 9n,
    seenS: NOW_S,
    source: '20.0',
    successMs: NOW_MS,
    failureMs: 0,
    failures: 3,
    ...change,
  })
  const known = {
    entries: [
      entryOf('20.0.0.1'),
      entryOf('2600:0:0:0:0:0:0:1', { services: 2n ** 63n, source: 'n'.repeat(253) }),
    ],
    anchors: [{ host: '21.0.0.1', port: 8_333 }],
  }
  const stored = encodeKnownPeers(mainnet, known)
  const sealed = (body: Uint8Array): Uint8Array => concat(body, sha256d(body).subarray(0, 4))
  const resealed = (change: (body: Uint8Array) => Uint8Array): Uint8Array =>
    sealed(change(stored.slice(0, -4)))
  const encoded = (change: object) => encodeKnownPeers(mainnet, { ...known, ...change })

  it('comes back as it was', () => {
    expect(decodeKnownPeers(mainnet, stored)).toEqual(known)
  })

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['a changed byte', stored.with(40, (stored[40] ?? 0) ^ 1)],
    ['a cut', stored.subarray(0, -1)],
    ['another file', resealed((body) => body.with(0, 0))],
    ['another network', encodeKnownPeers(signet, known)],
    ['a trailing byte', resealed((body) => concat(body, Uint8Array.of(0)))],
    ['an entry twice', encoded({ entries: [entryOf('20.0.0.1'), entryOf('20.0.0.1')] })],
    ['loopback', encoded({ entries: [entryOf('127.0.0.1')] })],
    ['a private anchor', encoded({ anchors: [{ host: '10.0.0.1', port: 1 }] })],
    ['a name', encoded({ entries: [entryOf('evil.example')] })],
    ['no port', encoded({ entries: [entryOf('20.0.0.1', { port: 0 })] })],
    [
      'a source of many bytes',
      encoded({ entries: [entryOf('20.0.0.1', { source: 'x'.repeat(256) })] }),
    ],
    ['a source that is no text', encoded({ entries: [entryOf('20.0.0.1', { source: 'a b' })] })],
    ['a time beyond all', encoded({ entries: [entryOf('20.0.0.1', { successMs: 2 ** 50 })] })],
    [
      'three anchors',
      encoded({ anchors: [1, 2, 3].map((i) => ({ host: `2${i}.0.0.1`, port: 1 })) }),
    ],
    [
      'more entries than a book has',
      encoded({ entries: many(2_001, 20).map(({ host }) => entryOf(host)) }),
    ],
  ])('with %s is refused', (_, bytes) => {
    expect(() => decodeKnownPeers(mainnet, bytes)).toThrow(BadEncoding)
  })

  it('every prefix is refused, sealed or not', () => {
    for (let size = 0; size < stored.length; size++) {
      expect(() => decodeKnownPeers(mainnet, stored.subarray(0, size))).toThrow(BadEncoding)
      if (size < stored.length - 4)
        expect(() => decodeKnownPeers(mainnet, sealed(stored.subarray(0, size)))).toThrow(
          BadEncoding,
        )
    }
  })
})
