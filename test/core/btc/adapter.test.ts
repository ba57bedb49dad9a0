/**
 * Goal: the adapter follows an honest peer, ends every dishonest connection with its reason, and
 * survives anything. Method: one scripted peer, real regtest headers and blocks, a clock that only
 * the test moves.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concat, hash32 } from '../../../src/core/base/bytes.ts'
import { BACK_OFF_MAX_MS } from '../../../src/core/btc/address-book.ts'
import type { Block } from '../../../src/core/btc/block.ts'
import { SECOND_PEER_MS } from '../../../src/core/btc/block-download.ts'
import type { Message } from '../../../src/core/btc/message.ts'
import { encodeMessage, inventory, service } from '../../../src/core/btc/message.ts'
import { mainnet, regtest } from '../../../src/core/btc/network.ts'
import { readOutgoing } from '../../../src/core/btc/outgoing.ts'
import type { Offence } from '../../../src/core/btc/peer-session.ts'
import {
  HANDSHAKE_MS,
  PING_EVERY_MS,
  PONG_WITHIN_MS,
  PROXIED_CONNECT_MS,
} from '../../../src/core/btc/peer-session.ts'
import type { Announcement } from '../../../src/core/btc/transaction-relay.ts'
import { AdapterHarness, peerVersion } from '../../support/adapter-harness.ts'
import {
  bytesOf,
  ChainBuilder,
  coinbaseOutput,
  hashOfBlock,
  NOW,
  scriptOf,
  spend,
} from '../../support/chain-builder.ts'

const ready = (options = {}): AdapterHarness => {
  const harness = new AdapterHarness(options)
  harness.ready()
  return harness
}

/** A frame whose checksum does not fit. */
function corrupted(message: Message): Uint8Array {
  const frame = encodeMessage(regtest, message)
  frame[20] = (frame[20] ?? 0) ^ 1
  return frame
}

describe('handshake', () => {
  it('says version first, and wtxidrelay, sendaddrv2, verack in answer', () => {
    const peer = new AdapterHarness()
    peer.step({ type: 'start' })
    expect(peer.of('connect')).toEqual([
      { type: 'connect', peer: 0, host: '127.0.0.1', port: 18_444 },
    ])
    expect(peer.sent()).toEqual([])
    peer.step({ type: 'connected', peer: 0 })
    const [version] = peer.sent()
    expect(version).toMatchObject({
      type: 'version',
      version: 70_016,
      services: service.witness,
      startHeight: 0,
    })
    peer.say(peerVersion())
    expect(peer.sentTypes()).toEqual(['wtxidrelay', 'sendaddrv2', 'verack'])
    peer.say({ type: 'verack' })
    expect(peer.sentTypes()).toEqual(['sendheaders', 'getheaders'])
    expect(peer.adapter.peers[0]?.state).toBe('ready')
  })

  it('an older peer hears no features it does not know', () => {
    const peer = new AdapterHarness()
    peer.step({ type: 'start' })
    peer.step({ type: 'connected', peer: 0 })
    peer.sent()
    peer.say(peerVersion({ version: 70_015 }))
    expect(peer.sentTypes()).toEqual(['verack'])
  })

  it.each([
    ['an old version', { version: 70_014 }],
    ['no witnesses', { services: service.network }],
    ['no blocks', { services: service.witness }],
  ])('a peer with %s is unsuitable', (_, change) => {
    const peer = new AdapterHarness()
    peer.step({ type: 'start' })
    peer.step({ type: 'connected', peer: 0 })
    peer.say(peerVersion(change))
    expect(peer.lastOffence()).toBe('unsuitable')
  })

  it('bitcoin §13.41: ourselves are recognised by the nonce', () => {
    const peer = new AdapterHarness()
    peer.step({ type: 'start' })
    peer.step({ type: 'connected', peer: 0 })
    const [version] = peer.sent()
    peer.say(peerVersion({ nonce: version?.type === 'version' ? version.nonce : 0n }))
    expect(peer.lastOffence()).toBe('selfConnection')
  })

  it('nothing counts before version, nor a second version', () => {
    const peer = new AdapterHarness()
    peer.step({ type: 'start' })
    peer.step({ type: 'connected', peer: 0 })
    peer.sent()
    peer.say({ type: 'verack' })
    peer.say({ type: 'headers', headers: [] })
    expect(peer.sent()).toEqual([])
    peer.say(peerVersion())
    peer.say(peerVersion())
    expect(peer.sentTypes()).toEqual(['wtxidrelay', 'sendaddrv2', 'verack'])
    expect(peer.offences()).toEqual([])
  })

  it('bitcoin §13.36: a peer that trickles bytes is dropped after ten seconds all the same', () => {
    const peer = new AdapterHarness()
    peer.step({ type: 'start' })
    peer.step({ type: 'connected', peer: 0 })
    const version = encodeMessage(regtest, peerVersion())
    for (let i = 0; i < 9; i++) {
      peer.bytes(version.subarray(i, i + 1))
      peer.advance(HANDSHAKE_MS / 10)
    }
    expect(peer.offences()).toEqual([])
    peer.bytes(version.subarray(9))
    peer.advance(HANDSHAKE_MS / 10)
    expect(peer.lastOffence()).toBe('timeout')
  })

  it('bitcoin §13.35: a peer that never sends verack is dropped after ten seconds', () => {
    const peer = new AdapterHarness()
    peer.step({ type: 'start' })
    peer.step({ type: 'connected', peer: 0 })
    peer.say(peerVersion())
    peer.advance(HANDSHAKE_MS - 1)
    expect(peer.offences()).toEqual([])
    peer.advance(1)
    expect(peer.lastOffence()).toBe('timeout')
  })

  it('a proxy has thirty seconds to connect, then the handshake has its ten (HS-5)', () => {
    const peer = new AdapterHarness({ found: ['9.1.2.3'], isProxied: true })
    peer.step({ type: 'start' })
    peer.advance(PROXIED_CONNECT_MS - 1)
    expect(peer.offences()).toEqual([])
    peer.step({ type: 'connected', peer: 0 })
    peer.advance(HANDSHAKE_MS - 1)
    expect(peer.offences()).toEqual([])
    peer.advance(1)
    expect(peer.lastOffence()).toBe('timeout')
  })

  it('a peer that is lower than we are, or says any height, is taken (HS-6)', () => {
    for (const startHeight of [0, -1, 2 ** 31 - 1]) {
      const peer = new AdapterHarness()
      const headers = new ChainBuilder().mineMany(3).map(({ header }) => header)
      peer.step({ type: 'knownHeaders', headers })
      peer.ready(0, { startHeight })
      expect(peer.adapter.peers[0]?.state).toBe('ready')
      expect(peer.adapter.bestHeight).toBe(3)
    }
  })

  it('a connection that does not open in time is given up and tried again', () => {
    const peer = new AdapterHarness()
    peer.step({ type: 'start' })
    peer.advance(HANDSHAKE_MS)
    expect(peer.lastOffence()).toBe('timeout')
    peer.advance(1_200)
    expect(peer.of('connect').length).toBe(2)
  })

  it('a whole session works one byte at a time', () => {
    const chain = new ChainBuilder()
    const block = chain.mine()
    const peer = new AdapterHarness()
    peer.step({ type: 'start' })
    peer.step({ type: 'connected', peer: 0 })
    const messages: readonly Message[] = [
      peerVersion(),
      { type: 'wtxidrelay' },
      { type: 'verack' },
      { type: 'headers', headers: [block.header] },
    ]
    for (const byte of concat(...messages.map((message) => encodeMessage(regtest, message))))
      peer.bytes(Uint8Array.of(byte))
    expect(peer.of('headers').flatMap(({ headers }) => headers)).toEqual([block.header])
  })
})

describe('keep-alive', () => {
  it('a ping is answered with its nonce', () => {
    const peer = ready()
    peer.say({ type: 'ping', nonce: 77n })
    expect(peer.sent()).toEqual([{ type: 'pong', nonce: 77n }])
  })

  it('a pong with another nonce is ignored, and none in time ends the connection', () => {
    const peer = ready()
    peer.sayHeaders([])
    peer.advance(PING_EVERY_MS)
    const [ping] = peer.sent()
    expect(ping?.type).toBe('ping')
    peer.say({ type: 'pong', nonce: 1n })
    peer.advance(PONG_WITHIN_MS - 1)
    expect(peer.offences()).toEqual([])
    peer.advance(1)
    expect(peer.lastOffence()).toBe('timeout')
  })

  it('the right pong keeps the connection', () => {
    const peer = ready()
    peer.sayHeaders([])
    for (let i = 0; i < 3; i++) {
      peer.advance(PING_EVERY_MS)
      const [ping] = peer.sent()
      if (ping?.type === 'ping') peer.say({ type: 'pong', nonce: ping.nonce })
    }
    expect(peer.offences()).toEqual([])
  })
})

describe('frames', () => {
  it.each<[string, Uint8Array, Offence['kind']]>([
    ['another network', encodeMessage(mainnet, { type: 'verack' }), 'badFrame'],
    [
      'an oversize length',
      concat(
        encodeMessage(regtest, { type: 'verack' }).subarray(0, 16),
        Uint8Array.of(1, 9, 61, 0),
        new Uint8Array(4),
      ),
      'oversize',
    ],
    [
      'a command that is not text',
      encodeMessage(regtest, { type: 'verack' }).with(4, 7),
      'badFrame',
    ],
    [
      'more than two thousand headers',
      encodeMessage(regtest, {
        type: 'unknown',
        command: 'headers',
        payload: concat(Uint8Array.of(0xfd, 0xd1, 0x07), new Uint8Array(2001 * 81)),
      }),
      'oversize',
    ],
  ])('%s ends the connection at once', (_, bytes, kind) => {
    const peer = ready()
    peer.bytes(bytes)
    expect(peer.lastOffence()).toBe(kind)
    expect(peer.say({ type: 'ping', nonce: 1n })).toEqual([])
  })

  it('three wrong checksums in ten minutes end it, spread out they do not', () => {
    const peer = ready()
    peer.bytes(corrupted({ type: 'ping', nonce: 1n }))
    peer.bytes(corrupted({ type: 'ping', nonce: 1n }))
    expect(peer.offences()).toEqual([])
    expect(peer.sent()).toEqual([])
    peer.bytes(corrupted({ type: 'ping', nonce: 1n }))
    expect(peer.lastOffence()).toBe('strikes')

    const slow = ready()
    slow.sayHeaders([])
    for (let i = 0; i < 10; i++) {
      slow.bytes(corrupted({ type: 'ping', nonce: 1n }))
      for (let t = 0; t < 3; t++) {
        slow.advance(PING_EVERY_MS)
        const ping = slow.sent().find(({ type }) => type === 'ping')
        if (ping?.type === 'ping') slow.say({ type: 'pong', nonce: ping.nonce })
      }
    }
    expect(slow.offences()).toEqual([])
  })

  it('unknown commands are ignored, feature messages after verack are not', () => {
    const peer = ready()
    peer.say({ type: 'unknown', command: 'newfangled', payload: new Uint8Array(100) })
    expect(peer.offences()).toEqual([])
    peer.say({ type: 'wtxidrelay' })
    expect(peer.lastOffence()).toBe('protocol')
  })
})

describe('headers', () => {
  it('valid ones are handed on once, in order', () => {
    const headers = new ChainBuilder().mineMany(5).map(({ header }) => header)
    const peer = ready()
    peer.sayHeaders(headers)
    peer.sayHeaders(headers.slice(2))
    expect(peer.of('headers')).toEqual([{ type: 'headers', headers }])
    expect(peer.adapter.bestHeight).toBe(5)
    expect(peer.sent()).toEqual([])
  })

  it('a full batch asks for more, from its last hash', () => {
    const blocks = new ChainBuilder().mineMany(2_001)
    const peer = ready()
    peer.sayHeaders(blocks.slice(0, 2_000).map(({ header }) => header))
    const [question] = peer.sent()
    expect(question?.type === 'getheaders' && question.locator[0]).toEqual(
      hashOfBlock(blocks[1_999] as Block),
    )
    peer.sayHeaders([(blocks[2_000] as Block).header])
    expect(peer.adapter.bestHeight).toBe(2_001)
  })

  it('what is known already is asked from there', () => {
    const blocks = new ChainBuilder().mineMany(3)
    const peer = new AdapterHarness()
    peer.step({ type: 'knownHeaders', headers: blocks.map(({ header }) => header) })
    peer.step({ type: 'start' })
    peer.step({ type: 'connected', peer: 0 })
    peer.say(peerVersion())
    peer.say({ type: 'verack' })
    const question = peer.sent().find(({ type }) => type === 'getheaders')
    expect(question?.type === 'getheaders' && question.locator[0]).toEqual(
      hashOfBlock(blocks[2] as Block),
    )
    expect(peer.of('headers')).toEqual([])
  })

  it('headers that do not chain end the connection', () => {
    const headers = new ChainBuilder().mineMany(4).map(({ header }) => header)
    const peer = ready()
    peer.sayHeaders(headers.filter((_, i) => i !== 1))
    expect(peer.offences()).toEqual([{ kind: 'badHeaders', reason: 'the headers do not chain' }])
    expect(peer.adapter.bestHeight).toBe(0)
  })

  it('nothing that follows an offence in the same chunk counts', () => {
    const [a, b] = new ChainBuilder().mineMany(2) as [Block, Block]
    const messages: readonly Message[] = [
      { type: 'headers', headers: [b.header, a.header] },
      { type: 'headers', headers: [a.header] },
      { type: 'ping', nonce: 1n },
    ]
    const peer = ready()
    peer.bytes(concat(...messages.map((message) => encodeMessage(regtest, message))))
    expect(peer.offences().length).toBe(1)
    expect(peer.of('headers')).toEqual([])
    expect(peer.sent()).toEqual([])
  })

  it.each([
    ['high-hash', { bits: 0x03000001 }],
    ['bad-diffbits', { bits: 0x207ffffe }],
    ['time-too-old', { time: 1 }],
    ['bad-version', { version: 1 }],
  ])('a header with %s ends the connection, the good ones before it stay', (reason, change) => {
    const chain = new ChainBuilder()
    const good = chain.mine()
    const next = { ...chain.mine().header, ...change }
    const bad = reason === 'high-hash' ? next : chain.solved(next)
    const peer = ready()
    peer.sayHeaders([good.header, bad])
    expect(peer.offences()).toEqual([{ kind: 'badHeaders', reason }])
    expect(peer.of('headers')).toEqual([{ type: 'headers', headers: [good.header] }])
  })

  it('bitcoin §13.19: ten answers that do not connect lose the connection, each but the last asks again', () => {
    const chain = new ChainBuilder()
    chain.mine()
    const { header } = chain.mine()
    const peer = ready()
    for (let i = 1; i < 10; i++) {
      peer.sayHeaders([header])
      expect(peer.sentTypes()).toEqual(['getheaders'])
    }
    peer.sayHeaders([header])
    expect(peer.lastOffence()).toBe('unconnected')
  })

  it('a header from the future is no offence and is asked for again', () => {
    const chain = new ChainBuilder()
    const block = chain.mine()
    const peer = ready()
    const early = chain.solved({ ...block.header, time: peer.nowMs / 1000 + 7_200 + 30 })
    peer.sayHeaders([early])
    expect(peer.offences()).toEqual([])
    expect(peer.of('headers')).toEqual([])
    peer.advance(60_000)
    expect(peer.sentTypes()).toEqual(['getheaders'])
    peer.sayHeaders([early])
    expect(peer.of('headers').length).toBe(1)
  })

  it('more than twenty headers unasked are a strike', () => {
    const blocks = new ChainBuilder().mineMany(21)
    const headers = blocks.map(({ header }) => header)
    const peer = ready()
    peer.sayHeaders([])
    for (let i = 0; i < 2; i++) peer.sayHeaders(headers)
    peer.sayHeaders(headers.slice(0, 20))
    expect(peer.offences()).toEqual([])
    peer.sayHeaders(headers)
    expect(peer.lastOffence()).toBe('strikes')
  })

  it('no answer is asked for once more, then the connection ends', () => {
    const peer = ready()
    peer.advance(30_000)
    expect(peer.sentTypes()).toEqual(['getheaders'])
    peer.advance(30_000)
    expect(peer.lastOffence()).toBe('timeout')
  })

  it('an inv of an unknown block asks for headers, of a known one for nothing', () => {
    const block = new ChainBuilder().mine()
    const items = [{ kind: inventory.block, hash: hashOfBlock(block) }]
    const peer = ready()
    peer.sayHeaders([])
    peer.say({ type: 'inv', items })
    expect(peer.sentTypes()).toEqual(['getheaders'])
    peer.sayHeaders([block.header])
    peer.say({ type: 'inv', items })
    expect(peer.sent()).toEqual([])
  })
})

describe('blocks', () => {
  function wanting(count = 3, options = {}) {
    const blocks = new ChainBuilder().mineMany(count)
    const peer = ready(options)
    peer.sayHeaders(blocks.map(({ header }) => header))
    peer.step({ type: 'want', hashes: blocks.map(hashOfBlock) })
    return { blocks, peer }
  }
  const asked = (messages: readonly Message[]): readonly Uint8Array[] =>
    messages.flatMap((message) =>
      message.type === 'getdata' ? message.items.map(({ hash }) => hash) : [],
    )

  it('are asked for with witnesses, at most eight at once and sixteen in flight', () => {
    const { blocks, peer } = wanting(20)
    const requests = peer.sent()
    expect(requests.map((message) => message.type === 'getdata' && message.items.length)).toEqual([
      8, 8,
    ])
    expect(
      requests.every(
        (message) =>
          message.type === 'getdata' &&
          message.items.every(({ kind }) => kind === inventory.witnessBlock),
      ),
    ).toBe(true)
    peer.sayBlock(blocks[0] as Block)
    expect(asked(peer.sent())).toEqual([hashOfBlock(blocks[16] as Block)])
    expect(peer.of('block').map(({ block }) => block)).toEqual([blocks[0]])
  })

  it('without a header that we validated are not asked for', () => {
    const block = new ChainBuilder().mine()
    const peer = ready()
    peer.step({ type: 'want', hashes: [hashOfBlock(block)] })
    expect(peer.sent()).toEqual([])
    peer.sayHeaders([block.header])
    expect(asked(peer.sent())).toEqual([hashOfBlock(block)])
  })

  it('that nobody asked for are dropped without a strike', () => {
    const { blocks, peer } = wanting(1)
    const block = blocks[0] as Block
    peer.sayBlock(block)
    for (let i = 0; i < 5; i++) peer.sayBlock(block)
    expect(peer.of('block').length).toBe(1)
    expect(peer.offences()).toEqual([])
  })

  it('a mutated one ends the connection; the true one is taken from the same peer afterwards', () => {
    const { blocks, peer } = wanting(1)
    const block = blocks[0] as Block
    const [coinbase] = block.transactions
    const mutated = { ...block, transactions: coinbase === undefined ? [] : [coinbase, coinbase] }
    peer.sayBlock(mutated)
    expect(peer.offences()).toEqual([{ kind: 'mutatedBlock', reason: 'bad-txnmrklroot' }])
    expect(peer.of('block')).toEqual([])
    peer.advance(1_200)
    peer.ready()
    peer.sayHeaders([])
    peer.sayBlock(block)
    expect(peer.of('block').map(({ hash }) => hash)).toEqual([hashOfBlock(block)])
  })

  it('an invalid one ends the connection, condemns its header and is handed on as proof', () => {
    const chain = new ChainBuilder()
    const funds = chain.mine()
    const coin = coinbaseOutput(funds)
    const bad = chain.mine({
      transactions: [spend([coin, coin], [{ to: scriptOf(1), value: 1n }])],
    })
    const child = chain.mine({ parent: bad })
    const peer = ready()
    peer.sayHeaders([funds.header, bad.header, child.header])
    peer.step({ type: 'want', hashes: [hashOfBlock(bad)] })
    peer.sayBlock(bad)
    expect(peer.offences()).toEqual([{ kind: 'invalidBlock', reason: 'bad-txns-inputs-duplicate' }])
    expect(peer.of('block').map(({ hash }) => hash)).toEqual([hashOfBlock(bad)])
    expect(peer.adapter.bestHeight).toBe(1)
  })

  it('that come too late are asked for again, and twice ends the connection', () => {
    const { peer, blocks } = wanting(1)
    peer.sent()
    const pongs = () => {
      for (const message of peer.sent())
        if (message.type === 'ping') peer.say({ type: 'pong', nonce: message.nonce })
    }
    peer.advance(92_000)
    expect(asked(peer.sent())).toEqual([hashOfBlock(blocks[0] as Block)])
    peer.advance(40_000)
    pongs()
    expect(peer.offences()).toEqual([])
    peer.advance(52_000)
    expect(peer.offences()).toEqual([{ kind: 'timeout', reason: 'blocks come too late' }])
  })

  it('bitcoin §13.39: a withheld block is asked of another peer within five seconds', () => {
    const { blocks, peer } = wanting(1, { peers: 2 })
    peer.ready(1)
    peer.sayHeaders([(blocks[0] as Block).header], 1)
    expect(asked(peer.sent(0)).length).toBe(1)
    peer.advance(SECOND_PEER_MS - 1)
    expect(asked(peer.sent(1)).length).toBe(0)
    peer.advance(1)
    expect(asked(peer.sent(1)).length).toBe(1)
    peer.sayBlock(blocks[0] as Block, 1)
    peer.sayBlock(blocks[0] as Block, 0)
    expect(peer.of('block').length).toBe(1)
    expect(peer.offences()).toEqual([])
  })

  it('that are the best are taken unasked, once, if they are wanted (BD-5)', () => {
    const blocks = new ChainBuilder().mineMany(20)
    const peer = ready()
    peer.sayHeaders(blocks.map(({ header }) => header))
    peer.step({ type: 'want', hashes: blocks.map(hashOfBlock) })
    for (const i of [18, 19, 19]) peer.sayBlock(blocks[i] as Block)
    expect(peer.of('block').map(({ block }) => block)).toEqual([blocks[19]])
  })

  it('a pruned peer is refused while older blocks are needed, and taken at the tip', () => {
    const headers = new ChainBuilder().mineMany(3).map(({ header }) => header)
    const services = service.witness | service.networkLimited
    const greet = (startHeight: number): AdapterHarness => {
      const peer = new AdapterHarness()
      peer.step({ type: 'knownHeaders', headers })
      peer.step({ type: 'start' })
      peer.step({ type: 'connected', peer: 0 })
      peer.say(peerVersion({ services, startHeight }))
      return peer
    }
    expect(greet(4 + 288).offences()).toEqual([])
    expect(greet(5 + 288).offences()).toEqual([
      { kind: 'unsuitable', reason: 'it has no blocks below 5, which are needed' },
    ])
  })

  it('that a peer lacks are asked of another', () => {
    const { blocks, peer } = wanting(1, { peers: 2 })
    peer.ready(1)
    expect(asked(peer.sent(0)).length).toBe(1)
    expect(asked(peer.sent(1)).length).toBe(0)
    peer.say({
      type: 'notfound',
      items: [{ kind: inventory.witnessBlock, hash: hashOfBlock(blocks[0] as Block) }],
    })
    expect(asked(peer.sent(1)).length).toBe(1)
    expect(asked(peer.sent(0)).length).toBe(0)
    peer.step({ type: 'disconnected', peer: 1 })
    expect(asked(peer.sent(0)).length).toBe(0)
  })

  it('that were handed on and stay wanted are asked for again after a while', () => {
    const { blocks, peer } = wanting(1)
    peer.sayBlock(blocks[0] as Block)
    peer.sent()
    peer.advance(29_999)
    expect(peer.sent()).toEqual([])
    peer.advance(1)
    expect(asked(peer.sent()).length).toBe(1)
    peer.step({ type: 'want', hashes: [] })
    peer.sayBlock(blocks[0] as Block)
    peer.advance(60_000)
    expect(asked(peer.sent())).toEqual([])
  })
})

describe('our transactions', () => {
  const numbered = (vout: number): Announcement => {
    const tx = spend([{ ...coin, vout }], [{ to: scriptOf(1), value: 1n }])
    const inputs = tx.inputs.map((input) => ({ ...input, witness: [Uint8Array.of(1)] }))
    const bytes = bytesOf({ ...tx, inputs })
    const outgoing = readOutgoing(bytes, { keep: true, since: NOW })
    if (outgoing === undefined) throw new RangeError('a test transaction is sane')
    return outgoing
  }
  const coin = coinbaseOutput(new ChainBuilder().mine())
  const [one, two] = [numbered(1), numbered(2)] as const
  const announced = (messages: readonly Message[]) =>
    messages.flatMap((message) => (message.type === 'inv' ? message.items : []))

  it('are announced by wtxid once, and again after two, five and fifteen minutes', () => {
    const peer = ready()
    peer.sayHeaders([])
    peer.step({ type: 'announce', transactions: [one] })
    peer.step({ type: 'announce', transactions: [one] })
    expect(announced(peer.sent())).toEqual([{ kind: inventory.wtx, hash: one.wtxid }])
    const heard: number[] = []
    for (let minute = 1; minute <= 16; minute++) {
      peer.advance(60_000)
      const messages = peer.sent()
      for (const message of messages)
        if (message.type === 'ping') peer.say({ type: 'pong', nonce: message.nonce })
      if (announced(messages).length > 0) heard.push(minute)
    }
    expect(heard).toEqual([2, 5, 15])
  })

  it('are announced by txid to a peer without wtxidrelay, and on every new connection', () => {
    const peer = new AdapterHarness()
    peer.step({ type: 'announce', transactions: [one, two] })
    peer.step({ type: 'start' })
    for (let i = 0; i < 2; i++) {
      peer.step({ type: 'connected', peer: 0 })
      peer.say(peerVersion())
      peer.say({ type: 'verack' })
      expect(announced(peer.sent()).map(({ kind }) => kind)).toEqual([inventory.tx, inventory.tx])
      peer.step({ type: 'disconnected', peer: 0 })
      peer.advance(3_000)
    }
  })

  it('are pushed to the first peer alone where that is allowed, and kept from the last', () => {
    const peer = ready({ peers: 3, push: true })
    peer.ready(1)
    peer.ready(2)
    peer.step({ type: 'announce', transactions: [one] })
    expect([0, 1, 2].map((i) => peer.sentTypes(i))).toEqual([['tx'], ['inv'], []])
  })

  it('are announced, no more pushed, where a connection has ended at a push', () => {
    const peer = ready({ push: true })
    peer.step({ type: 'announce', transactions: [one] })
    expect(peer.sentTypes()).toEqual(['tx'])
    peer.advance(4_000)
    peer.step({ type: 'disconnected', peer: 0 })
    peer.advance(3_000)
    peer.ready()
    peer.step({ type: 'announce', transactions: [two] })
    expect(announced(peer.sent()).length).toBeGreaterThan(0)
    peer.step({ type: 'announce', transactions: [one, two] })
    expect(peer.sentTypes()).not.toContain('tx')
  })

  it('are pushed on where a connection has ended long after a push', () => {
    const peer = ready({ push: true })
    peer.step({ type: 'announce', transactions: [one] })
    peer.advance(6_000)
    peer.step({ type: 'disconnected', peer: 0 })
    peer.advance(3_000)
    peer.ready()
    peer.sent()
    peer.step({ type: 'announce', transactions: [one, two] })
    expect(peer.sentTypes()).toEqual(['tx'])
  })

  it('are served by either id; anything else is not found', () => {
    const peer = ready()
    peer.step({ type: 'announce', transactions: [one, two] })
    peer.sent()
    const stranger = { kind: inventory.witnessTx, hash: hash32(new Uint8Array(32)) }
    peer.say({
      type: 'getdata',
      items: [
        { kind: inventory.wtx, hash: one.wtxid },
        { kind: inventory.witnessTx, hash: two.txid },
        { kind: inventory.witnessTx, hash: two.txid },
        stranger,
      ],
    })
    expect(peer.sent()).toEqual([
      { type: 'tx', transaction: one.transaction },
      { type: 'tx', transaction: two.transaction },
      { type: 'notfound', items: [stranger] },
    ])
    expect(peer.of('evidence').map(({ kind }) => kind)).toEqual(['requested', 'requested'])
  })

  it('are served no more once the list lacks them', () => {
    const peer = ready()
    peer.step({ type: 'announce', transactions: [one] })
    peer.step({ type: 'announce', transactions: [] })
    peer.sent()
    peer.say({ type: 'getdata', items: [{ kind: inventory.wtx, hash: one.wtxid }] })
    expect(peer.sentTypes()).toEqual(['notfound'])
  })

  it('are told to the canary once another peer has taken its place', () => {
    const peer = ready({ peers: 3 })
    peer.ready(1)
    peer.step({ type: 'announce', transactions: [one] })
    expect(announced(peer.sent(1))).toEqual([])
    peer.ready(2)
    expect(announced(peer.sent(1)).map(({ hash }) => hash)).toEqual([one.wtxid])
    expect(announced(peer.sent(2))).toEqual([])
  })

  it('count as echoed, once, when the peer that we told nothing announces them', () => {
    const peer = ready({ peers: 2 })
    peer.ready(1)
    for (const i of [0, 1]) peer.sayHeaders([], i)
    peer.step({ type: 'announce', transactions: [one, two] })
    const echo: Message = { type: 'inv', items: [{ kind: inventory.wtx, hash: one.wtxid }] }
    peer.say(echo, 0)
    expect(peer.of('evidence')).toEqual([])
    peer.say(echo, 1)
    peer.say(echo, 1)
    expect(peer.of('evidence')).toEqual([
      { type: 'evidence', peer: 1, txid: one.txid, kind: 'echoed' },
    ])
    // What is echoed is repeated after hours, the rest after minutes.
    peer.sent()
    peer.advance(2 * 60_000)
    expect(announced(peer.sent(0)).map(({ hash }) => hash)).toEqual([two.wtxid])
  })
})

describe('connections', () => {
  it('come back with growing pauses, never longer than ten minutes and a fifth', () => {
    const peer = new AdapterHarness()
    peer.step({ type: 'start' })
    const pauses: number[] = []
    for (let i = 0; i < 14; i++) {
      peer.step({ type: 'disconnected', peer: 0 })
      const alarm = peer.of('alarm').at(-1)
      pauses.push(alarm?.afterMs ?? 0)
      peer.advance(alarm?.afterMs ?? 0)
      expect(peer.of('connect').length).toBe(i + 2)
    }
    pauses.forEach((pause, i) => {
      const exact = Math.min(BACK_OFF_MAX_MS, 1_000 * 2 ** i)
      expect(pause).toBeGreaterThanOrEqual(exact * 0.8)
      expect(pause).toBeLessThanOrEqual(exact * 1.2 + 1)
    })
  })

  it('a clock that is set back makes them anew, without blame', () => {
    const peer = ready({ peers: 2 })
    peer.sayHeaders([])
    peer.step({ type: 'disconnected', peer: 1 })
    peer.nowMs -= 8 * 3_600_000
    peer.say({ type: 'ping', nonce: 1n })
    expect(peer.offences()).toEqual([{ kind: 'unneeded', reason: 'the clock was set back' }])
    peer.advance(BACK_OFF_MAX_MS)
    expect(
      peer
        .of('connect')
        .slice(2)
        .map((output) => output.peer),
    ).toEqual(expect.arrayContaining([0, 1]))
    // A minute is no reason.
    const steady = ready()
    steady.nowMs -= 60_000
    steady.say({ type: 'ping', nonce: 1n })
    expect(steady.offences()).toEqual([])
  })

  it('an idle adapter sets an alarm only for the next ping', () => {
    const peer = ready()
    peer.sayHeaders([])
    const alarms = peer.of('alarm').length
    peer.advance(PING_EVERY_MS - 1)
    expect(peer.of('alarm').length).toBe(alarms)
  })
})

describe('whatever a peer sends', () => {
  const commands = [
    'version',
    'verack',
    'headers',
    'inv',
    'getdata',
    'notfound',
    'block',
    'tx',
    'ping',
    'pong',
    'addr',
    'feefilter',
    'getheaders',
    'sendcmpct',
  ]

  it('random bytes never throw, before and after the handshake', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }),
        fc.boolean(),
        (chunks, late) => {
          const peer = new AdapterHarness()
          if (late) peer.ready()
          else peer.step({ type: 'start' })
          peer.step({ type: 'connected', peer: 0 })
          for (const chunk of chunks) peer.bytes(chunk)
          peer.advance(200_000)
          expect(peer.adapter.bestHeight).toBe(0)
        },
      ),
    )
  })

  it('well-framed nonsense never throws and makes no headers', () => {
    const payloads = fc.array(
      fc.tuple(fc.constantFrom(...commands), fc.uint8Array({ maxLength: 300 })),
      { maxLength: 30 },
    )
    fc.assert(
      fc.property(payloads, (messages) => {
        const peer = ready()
        for (const [command, payload] of messages) peer.say({ type: 'unknown', command, payload })
        expect(peer.of('headers')).toEqual([])
        expect(peer.of('block')).toEqual([])
      }),
    )
  })

  it('real messages with one byte changed are accepted, ignored or punished', () => {
    const blocks = new ChainBuilder().mineMany(3)
    const frames = [
      encodeMessage(regtest, { type: 'headers', headers: blocks.map(({ header }) => header) }),
      ...blocks.map((block) => encodeMessage(regtest, { type: 'block', block })),
    ]
    const change = fc.record({
      frame: fc.nat(frames.length - 1),
      at: fc.nat(10_000),
      to: fc.nat(255),
    })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), (changes) => {
        const peer = ready()
        peer.step({ type: 'want', hashes: blocks.map(hashOfBlock) })
        frames.forEach((frame, i) => {
          const bytes = frame.slice()
          for (const { frame: index, at, to } of changes)
            if (index === i) bytes[at % bytes.length] = to
          peer.bytes(bytes)
        })
        for (const { block } of peer.of('block')) expect(blocks).toContainEqual(block)
      }),
    )
  })
})
