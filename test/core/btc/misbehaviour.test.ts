/**
 * Goal: every offence of `docs/spec/bitcoin.md` §3.9 has its action and its reason. Method: one row
 * for each, said by a peer that was found, through the whole adapter; what ends, how long it is
 * banned, and that a peer which the user named is never banned for the same.
 */

import { describe, expect, it } from 'vitest'
import { concat } from '../../../src/core/base/bytes.ts'
import { ATTEMPT_EVERY_MS } from '../../../src/core/btc/adapter-discovery.ts'
import { addressNetwork } from '../../../src/core/btc/address-message.ts'
import type { Block } from '../../../src/core/btc/block.ts'
import { encodeBlock, headerHash } from '../../../src/core/btc/block.ts'
import { FILTER_HEADERS_MAX } from '../../../src/core/btc/filter-message.ts'
import type { Message } from '../../../src/core/btc/message.ts'
import { encodeMessage } from '../../../src/core/btc/message.ts'
import { mainnet, regtest } from '../../../src/core/btc/network.ts'
import { BAN_MS, BANS_MAX, LIE_BAN_MS, PeerBans } from '../../../src/core/btc/peer-bans.ts'
import type { Offence } from '../../../src/core/btc/peer-session.ts'
import { HANDSHAKE_MS, PING_EVERY_MS, PONG_WITHIN_MS } from '../../../src/core/btc/peer-session.ts'
import { stripWitness } from '../../../src/core/btc/transaction.ts'
import { ByteSink } from '../../../src/core/btc/wire.ts'
import type { HarnessOptions } from '../../support/adapter-harness.ts'
import { AdapterHarness, peerVersion } from '../../support/adapter-harness.ts'
import {
  ChainBuilder,
  coinbaseOutput,
  hashOfBlock,
  scriptOf,
  spend,
} from '../../support/chain-builder.ts'

const HOST = '9.1.2.3'

const framed = (command: string, payload: Uint8Array): Uint8Array =>
  encodeMessage(regtest, { type: 'unknown', command, payload })
const listOf = (command: string, count: number, offset = 0): Uint8Array =>
  framed(command, concat(new Uint8Array(offset), new ByteSink().length(count).done()))
const ping: Message = { type: 'ping', nonce: 1n }

function changed(frame: Uint8Array, at: number): Uint8Array {
  return frame.with(at, (frame[at] ?? 0) ^ 1)
}
function oversized(): Uint8Array {
  const frame = encodeMessage(regtest, ping)
  new DataView(frame.buffer).setUint32(16, 4_000_001, true)
  return frame.subarray(0, 24)
}

const chain = new ChainBuilder()
const blocks = chain.mineMany(4)
const headers = blocks.map(({ header }) => header)
const [first, second] = blocks as [Block, Block]

/** A block of a shown and wanted header, as the peer alters it. */
function sendsBlock(block: Block, altered: Block): (peer: AdapterHarness) => void {
  return (peer) => {
    peer.sayHeaders([...headers.slice(0, 2), ...(block === first ? [] : [block.header])])
    peer.step({ type: 'want', hashes: [hashOfBlock(block)] })
    peer.sayBlock(altered)
  }
}

const coin = coinbaseOutput(first)
const invalid = chain.mine({
  parent: second,
  transactions: [spend([coin, coin], [{ to: scriptOf(1), value: 1n }])],
})
const [coinbase] = first.transactions

type Row = readonly [
  what: string,
  does: (peer: AdapterHarness) => void,
  offence: Offence,
  banMs: number,
]

const say =
  (...messages: readonly Message[]) =>
  (peer: AdapterHarness): void => {
    for (const message of messages) peer.say(message)
  }
const send =
  (...frames: readonly Uint8Array[]) =>
  (peer: AdapterHarness): void => {
    for (const frame of frames) peer.bytes(frame)
  }
const thrice = (frame: Uint8Array) => send(frame, frame, frame)

const rows: readonly Row[] = [
  [
    'a header without work',
    say({ type: 'headers', headers: [{ ...(headers[0] as Block['header']), bits: 0x03000001 }] }),
    { kind: 'badHeaders', reason: 'high-hash' },
    BAN_MS,
  ],
  [
    'headers that do not chain',
    say({ type: 'headers', headers: headers.filter((_, i) => i !== 1) }),
    { kind: 'badHeaders', reason: 'the headers do not chain' },
    BAN_MS,
  ],
  [
    'more than two thousand headers',
    send(listOf('headers', 2_001)),
    { kind: 'oversize', reason: 'headers with too many entries' },
    BAN_MS,
  ],
  [
    'a block with a transaction twice',
    sendsBlock(first, { ...first, transactions: coinbase ? [coinbase, coinbase] : [] }),
    { kind: 'mutatedBlock', reason: 'bad-txnmrklroot' },
    BAN_MS,
  ],
  [
    'an invalid block with its own merkle root',
    sendsBlock(invalid, invalid),
    { kind: 'invalidBlock', reason: 'bad-txns-inputs-duplicate' },
    BAN_MS,
  ],
  [
    'a message of over 4,000,000 bytes',
    send(oversized()),
    { kind: 'oversize', reason: 'ping of 4000001 bytes' },
    BAN_MS,
  ],
  [
    'over 50,000 items in an inv',
    send(listOf('inv', 50_001)),
    { kind: 'oversize', reason: 'inv with too many entries' },
    BAN_MS,
  ],
  [
    'over 50,000 items in a getdata',
    send(listOf('getdata', 50_001)),
    { kind: 'oversize', reason: 'getdata with too many entries' },
    BAN_MS,
  ],
  [
    'over 50,000 items in a notfound',
    send(listOf('notfound', 50_001)),
    { kind: 'oversize', reason: 'notfound with too many entries' },
    BAN_MS,
  ],
  [
    'over 1,000 addresses',
    send(listOf('addr', 1_001)),
    { kind: 'oversize', reason: 'addr with too many entries' },
    BAN_MS,
  ],
  [
    'a locator of over 101 hashes',
    send(listOf('getheaders', 102, 4)),
    { kind: 'oversize', reason: 'getheaders with too many entries' },
    BAN_MS,
  ],
  [
    'too many filter headers',
    send(listOf('cfheaders', FILTER_HEADERS_MAX + 1, 65)),
    { kind: 'oversize', reason: 'cfheaders with too many entries' },
    BAN_MS,
  ],
  [
    'a false filter, proven by its block',
    (peer) => peer.step({ type: 'accuse', peer: 0, offence: { kind: 'filterLie', reason: 'x' } }),
    { kind: 'filterLie', reason: 'x' },
    LIE_BAN_MS,
  ],
  [
    'three wrong checksums',
    thrice(changed(encodeMessage(regtest, ping), 20)),
    { kind: 'strikes', reason: 'ping with a wrong checksum' },
    0,
  ],
  [
    'three lengths that are not the shortest',
    thrice(framed('inv', Uint8Array.of(0xfd, 1, 0))),
    { kind: 'strikes', reason: 'inv: CompactSize 1 is longer than needed' },
    0,
  ],
  [
    'trailing bytes three times',
    thrice(framed('headers', Uint8Array.of(0, 0))),
    { kind: 'strikes', reason: 'headers: 1 trailing bytes' },
    0,
  ],
  [
    'headers that are followed by transactions, three times',
    thrice(framed('headers', concat(Uint8Array.of(1), new Uint8Array(80), Uint8Array.of(1)))),
    { kind: 'strikes', reason: 'headers: a header followed by 1 transactions' },
    0,
  ],
  [
    'ten answers that do not connect',
    say(
      ...Array.from(
        { length: 10 },
        (): Message => ({ type: 'headers', headers: headers.slice(1) }),
      ),
    ),
    { kind: 'unconnected', reason: '10 times headers that do not connect' },
    0,
  ],
  [
    'bytes of another network',
    send(encodeMessage(mainnet, ping)),
    { kind: 'badFrame', reason: 'wrong message start' },
    0,
  ],
  [
    'a command that is not text',
    send(encodeMessage(regtest, ping).with(4, 7)),
    { kind: 'badFrame', reason: 'malformed command' },
    0,
  ],
  [
    'a feature after the handshake',
    say({ type: 'sendaddrv2' }),
    { kind: 'protocol', reason: 'sendaddrv2 after verack' },
    0,
  ],
  [
    'no answer to a ping',
    (peer) => {
      peer.sayHeaders([])
      peer.advance(PING_EVERY_MS + PONG_WITHIN_MS)
    },
    { kind: 'timeout', reason: `no pong within ${PONG_WITHIN_MS} ms` },
    0,
  ],
  [
    'no answer to getheaders, twice',
    (peer) => peer.advance(60_000),
    { kind: 'timeout', reason: 'no answer to getheaders' },
    0,
  ],
]

/** Offences of the handshake; the connection stands, and nothing was said. */
const early: readonly Row[] = [
  [
    'no handshake',
    (peer) => peer.advance(HANDSHAKE_MS),
    { kind: 'timeout', reason: `no handshake within ${HANDSHAKE_MS} ms` },
    0,
  ],
  [
    'an old version',
    say(peerVersion({ version: 70_014 })),
    { kind: 'unsuitable', reason: 'protocol version 70014, at least 70015 needed' },
    0,
  ],
  [
    'no witnesses',
    say(peerVersion({ services: 1n })),
    { kind: 'unsuitable', reason: 'no WITNESS service' },
    0,
  ],
  [
    'no blocks',
    say(peerVersion({ services: 8n })),
    { kind: 'unsuitable', reason: 'neither NETWORK nor NETWORK_LIMITED service' },
    0,
  ],
]

function opened(options: HarnessOptions): AdapterHarness {
  const peer = new AdapterHarness(options)
  peer.step({ type: 'start' })
  peer.step({ type: 'connected', peer: 0 })
  peer.sent()
  return peer
}
function readied(options: HarnessOptions): AdapterHarness {
  const peer = new AdapterHarness(options)
  peer.ready()
  return peer
}

describe.each([
  ['once ready', rows, readied],
  ['in the handshake', early, opened],
])('%s', (_, table, begin) => {
  it.each(table)('%s: the connection ends with its reason', (_what, does, offence, banMs) => {
    const peer = begin({ found: [HOST] })
    does(peer)
    expect(peer.offences()).toEqual([offence])
    const bans = [{ host: HOST, offence, untilMs: peer.nowMs + banMs }]
    expect(peer.adapter.status.bans).toEqual(banMs > 0 ? bans : [])
  })

  it.each(table)('%s: a peer that the user named is not banned', (_what, does, offence) => {
    const peer = begin({ named: [HOST] })
    does(peer)
    expect(peer.offences()).toEqual([offence])
    expect(peer.adapter.peers[0]?.lastOffence).toEqual(offence)
    expect(peer.adapter.status.bans).toEqual([])
    peer.advance(1_200)
    expect(peer.of('connect').length).toBe(2)
  })
})

it('bitcoin §13.11: of two thousand headers without work the first bans, and none is kept', () => {
  const peer = readied({ found: [HOST] })
  let previous = regtest.genesis.hash
  const flood = Array.from({ length: 2_000 }, () => {
    const header = { ...first.header, previous, bits: 0x03000001 }
    previous = headerHash(header)
    return header
  })
  peer.sayHeaders(flood)
  expect(peer.adapter.status.bans.map(({ offence }) => offence.reason)).toEqual(['high-hash'])
  expect(peer.adapter.headers.nodes.size).toBe(1)
})

it('bitcoin §13.31: a block with a length longer than needed is a strike, its hash stays good', () => {
  const peer = readied({ found: [HOST] })
  peer.sayHeaders(headers)
  peer.step({ type: 'want', hashes: [hashOfBlock(first)] })
  const body = encodeBlock(first)
  // The count of transactions is the byte after the header.
  const long = concat(body.subarray(0, 80), Uint8Array.of(0xfd, 1, 0), body.subarray(81))
  peer.bytes(framed('block', long))
  expect(peer.offences()).toEqual([])
  expect(peer.of('block')).toEqual([])
  peer.sayBlock(first)
  expect(peer.of('block').map(({ hash }) => hash)).toEqual([hashOfBlock(first)])
  peer.bytes(framed('block', long))
  expect(peer.offences()).toEqual([])
  peer.bytes(framed('block', long))
  expect(peer.lastOffence()).toBe('strikes')
})

it('bitcoin §13.21: a block with its last transactions twice is mutated, its sender banned', () => {
  // Of three the last counts twice in the merkle tree, so four have the same root.
  const three = chain.mine({
    parent: second,
    transactions: [0, 1].map((vout) =>
      spend([{ ...coin, vout }], [{ to: scriptOf(1), value: 1n }]),
    ),
  })
  const last = three.transactions.slice(-1)
  const peer = new AdapterHarness({ found: [HOST, '8.1.2.3'] })
  peer.ready(0)
  peer.advance(ATTEMPT_EVERY_MS)
  peer.ready(1)
  peer.sayHeaders([...headers.slice(0, 2), three.header])
  peer.step({ type: 'want', hashes: [hashOfBlock(three)] })
  peer.sayBlock({ ...three, transactions: [...three.transactions, ...last] })
  expect(peer.adapter.status.bans.map(({ host, offence }) => [host, offence.kind])).toEqual([
    [HOST, 'mutatedBlock'],
  ])
  expect(peer.of('block')).toEqual([])
  peer.sayBlock(three, 1)
  expect(peer.of('block').map(({ block }) => block)).toEqual([three])
})

it('bitcoin §13.22: a block without its witnesses is mutated, its header stays good', () => {
  const peer = new AdapterHarness({ found: [HOST, '8.1.2.3'] })
  peer.ready(0)
  peer.advance(ATTEMPT_EVERY_MS)
  peer.ready(1)
  peer.sayHeaders(headers)
  peer.step({ type: 'want', hashes: [hashOfBlock(first)] })
  peer.sayBlock({ ...first, transactions: first.transactions.map(stripWitness) })
  expect(peer.offences()).toEqual([{ kind: 'mutatedBlock', reason: 'bad-witness-nonce-size' }])
  peer.sayBlock(first, 1)
  expect(peer.of('block').map(({ block }) => block)).toEqual([first])
})

it('a peer on loopback is not banned, however it was found', () => {
  const peer = readied({ found: ['127.0.0.1'] })
  peer.bytes(oversized())
  expect(peer.adapter.status.bans).toEqual([])
})

describe('a ban', () => {
  it('keeps its host away until it ends, and it alone', () => {
    const peer = new AdapterHarness({ found: [HOST, '8.1.2.3'] })
    peer.ready(0)
    peer.advance(ATTEMPT_EVERY_MS)
    peer.ready(1)
    peer.bytes(oversized(), 0)
    // Others go on speaking of it.
    const time = Math.floor(peer.nowMs / 1_000)
    const address = Uint8Array.from(HOST.split('.').map(Number))
    const told = { time, services: 9n, network: addressNetwork.ipv4, address, port: 1 }
    peer.say({ type: 'addrv2', addresses: [told] }, 1)
    peer.step({ type: 'disconnected', peer: 1 })
    peer.advance(12_000)
    const again = peer.of('connect').slice(2)
    expect(new Set(again.map(({ host }) => host))).toEqual(new Set(['8.1.2.3']))
    peer.advance(BAN_MS + 600_000)
    expect(peer.of('connect').filter(({ host }) => host === HOST).length).toBeGreaterThan(1)
    expect(peer.adapter.status.bans).toEqual([])
  })

  const lie: Offence = { kind: 'filterLie', reason: 'a' }
  const bad: Offence = { kind: 'badHeaders', reason: 'b' }

  it('of three hosts is one of their group, as long as all three last', () => {
    const bans = new PeerBans()
    bans.punish('9.1.0.1', lie, 0)
    bans.punish('9.1.0.2', bad, 0)
    bans.punish('9.2.0.2', bad, 0)
    expect(bans.judge(0)('9.1.0.9')).toBeUndefined()
    bans.punish('::ffff:9.1.0.3', bad, 1_000)
    expect(bans.judge(1_000)('9.1.0.9')).toBe(BAN_MS)
    expect(bans.judge(1_000)('9.1.0.1')).toBe(LIE_BAN_MS)
    expect(bans.judge(1_000)('9.2.0.9')).toBeUndefined()
    expect(bans.judge(BAN_MS)('9.1.0.9')).toBeUndefined()
  })

  it('is not shortened by a smaller offence', () => {
    const bans = new PeerBans()
    bans.punish(HOST, lie, 0)
    bans.punish(HOST, bad, 1_000)
    expect(bans.list(1_000)).toEqual([{ host: HOST, offence: lie, untilMs: LIE_BAN_MS }])
  })

  it('is one of a bounded number: the first to end is forgotten', () => {
    const bans = new PeerBans()
    for (let i = 0; i <= BANS_MAX; i++) bans.punish(`9.${i >> 8}.${i & 255}.1`, bad, i)
    expect(bans.list(0).length).toBe(BANS_MAX)
    expect(bans.list(0).some(({ host }) => host === '9.0.0.1')).toBe(false)
  })
})
