/**
 * Goal: a link of the regtest node speaks the protocol with a well-behaved peer, and survives every other.
 * Method: a scripted peer on the codec; then random messages and random bytes.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { concat, hash32, toHex } from '../../../../src/core/base/bytes.ts'
import { decodeBlock, encodeBlock, headerHash } from '../../../../src/core/btc/block.ts'
import type { InventoryItem, Message } from '../../../../src/core/btc/message.ts'
import { encodeMessage, inventory, service } from '../../../../src/core/btc/message.ts'
import { MessageStream } from '../../../../src/core/btc/message-stream.ts'
import { regtest } from '../../../../src/core/btc/network.ts'
import { RegtestNode } from '../../../../src/core/btc/regtest/node.ts'
import { PeerLink } from '../../../../src/core/btc/regtest/peer-link.ts'
import type { LinkOutput } from '../../../../src/core/btc/regtest/peer-link-port.ts'
import { hasWitness, stripWitness, txid, wtxid } from '../../../../src/core/btc/transaction.ts'
import { coinbaseCoin, NOW, nodeWithCoins, SUBSIDY } from './chains.ts'
import { p2wpkhWallet, pay, signedSpend } from './wallets.ts'

const owner = p2wpkhWallet(1)
const NONCE = 0x0123_4567_89ab_cdefn
const ZERO = hash32(new Uint8Array(32))
const nowhere = { services: 0n, address: new Uint8Array(16), port: 0 }

const version = (change = {}): Message => ({
  type: 'version',
  version: 70_016,
  services: 0n,
  time: BigInt(NOW),
  receiver: nowhere,
  sender: nowhere,
  nonce: 1n,
  userAgent: '/test/',
  startHeight: 0,
  relay: true,
  ...change,
})

/** A session with the far end of its connection: what it is told, decoded. */
class Dialogue {
  readonly session: PeerLink
  readonly #stream = new MessageStream(regtest)
  /** Everything said by the server since the last look, events included. */
  readonly #heard: LinkOutput[] = []

  constructor(node: RegtestNode, peer = 'peer 1') {
    this.session = new PeerLink({ node, peer, nonce: NONCE })
    node.subscribe((event) => this.#heard.push(...this.session.step({ type: 'event', event })))
  }
  say(...messages: readonly Message[]): readonly Message[] {
    return this.bytes(concat(...messages.map((message) => encodeMessage(regtest, message))))
  }
  bytes(bytes: Uint8Array): readonly Message[] {
    this.#heard.push(...this.session.step({ type: 'bytes', bytes, nowSeconds: NOW }))
    return this.hear()
  }
  drained(): readonly Message[] {
    this.#heard.push(...this.session.step({ type: 'drained' }))
    return this.hear()
  }
  /** Messages since the last look; a drop reads as a message of its own. */
  hear(): readonly Message[] {
    return this.#heard.splice(0).flatMap((output): readonly Message[] => {
      if (output.type === 'drop')
        return [{ type: 'unknown', command: output.reason, payload: new Uint8Array(0) }]
      return this.#stream
        .push(output.bytes)
        .flatMap((event) => (event.type === 'message' ? [event.message] : []))
    })
  }
}

const typesOf = (messages: readonly Message[]): readonly string[] =>
  messages.map((message) => (message.type === 'unknown' ? message.command : message.type))

function connected(node: RegtestNode, ...features: readonly Message[]): Dialogue {
  const dialogue = new Dialogue(node)
  dialogue.say(version(), ...features, { type: 'verack' })
  return dialogue
}

const getData = (...items: readonly InventoryItem[]): Message => ({ type: 'getdata', items })

test('the handshake offers witness blocks, wtxid relay and the height of the chain', () => {
  const node = nodeWithCoins(owner)
  const dialogue = new Dialogue(node)
  const [own, ...rest] = dialogue.say(version())
  expect(own).toMatchObject({
    type: 'version',
    version: 70_016,
    services: service.network | service.witness | service.compactFilters,
    nonce: NONCE,
    startHeight: 101,
    relay: true,
  })
  expect(typesOf(rest)).toEqual(['wtxidrelay', 'sendaddrv2', 'verack'])
  expect(dialogue.session.ready).toBe(false)
  expect(typesOf(dialogue.say({ type: 'verack' }))).toEqual(['sendheaders', 'feefilter'])
  expect(dialogue.session.ready).toBe(true)
})

type DropCase = readonly [reason: string, act: (dialogue: Dialogue) => readonly Message[]]

const badChecksum = (): Uint8Array => {
  const frame = encodeMessage(regtest, { type: 'ping', nonce: 1n })
  return frame.with(20, (frame[20] ?? 0) ^ 1)
}

const DROPS: readonly DropCase[] = [
  ['self-connection', (d) => d.say(version({ nonce: NONCE }))],
  ['obsolete-version', (d) => d.say(version({ version: 70_014 }))],
  ['late-feature', (d) => d.say(version(), { type: 'verack' }, { type: 'wtxidrelay' })],
  ['late-feature', (d) => d.say(version(), { type: 'verack' }, { type: 'sendaddrv2' })],
  ['malformed-stream', (d) => d.bytes(new Uint8Array(24))],
  ['too-many-strikes', (d) => d.bytes(concat(badChecksum(), badChecksum(), badChecksum()))],
  [
    'too-many-requests',
    (d) => {
      const ask: Message = { type: 'getheaders', version: 70_016, locator: [], stop: ZERO }
      return d.say(version(), { type: 'verack' }, ...Array.from({ length: 1_000 }, () => ask))
    },
  ],
]

test.each(DROPS)('a peer is dropped: %s', (reason, act) => {
  const dialogue = new Dialogue(nodeWithCoins(owner))
  expect(typesOf(act(dialogue)).at(-1)).toBe(reason)
  expect(dialogue.say({ type: 'ping', nonce: 1n })).toEqual([])
})

test('a peer that does not finish the handshake is dropped at the deadline, others are not', () => {
  const node = nodeWithCoins(owner)
  const silent = new PeerLink({ node, peer: 'a', nonce: 1n })
  expect(silent.step({ type: 'deadline' })).toMatchObject([{ reason: 'handshake-timeout' }])
  expect(connected(node).session.step({ type: 'deadline' })).toEqual([])
})

test('nothing counts before version, and a second version is ignored', () => {
  const dialogue = new Dialogue(nodeWithCoins(owner))
  expect(dialogue.say({ type: 'verack' }, { type: 'ping', nonce: 1n })).toEqual([])
  dialogue.say(version(), { type: 'verack' })
  expect(dialogue.say(version({ nonce: NONCE }))).toEqual([])
  expect(dialogue.session.ready).toBe(true)
})

test('pings are answered, questions for addresses are not, and unknown commands are ignored', () => {
  const dialogue = connected(nodeWithCoins(owner))
  dialogue.hear()
  const payload = new Uint8Array(3)
  const heard = dialogue.say(
    { type: 'ping', nonce: 77n },
    { type: 'unknown', command: 'novelty', payload },
    { type: 'getaddr' },
  )
  expect(heard).toEqual([{ type: 'pong', nonce: 77n }])
})

test('headers follow the first locator entry on the chain, up to the stop or two thousand', () => {
  const node = new RegtestNode()
  node.mine(2_100, Uint8Array.of(0x51), NOW)
  const dialogue = connected(node)
  const ask = (locator: readonly number[], stop = ZERO) => {
    const hashes = locator.map((height) => {
      const block = node.blockAt(height)
      return block === undefined ? hash32(new Uint8Array(32).fill(1)) : headerHash(block.header)
    })
    const [reply] = dialogue.say({ type: 'getheaders', version: 70_016, locator: hashes, stop })
    return reply?.type === 'headers' ? reply.headers : undefined
  }
  const headerAt = (height: number) => node.blockAt(height)?.header
  expect(ask([])?.length).toBe(2_000)
  expect(ask([9_999])?.[0]).toEqual(headerAt(1))
  expect(ask([9_999, 2_000, 50])).toEqual(
    Array.from({ length: 100 }, (_, i) => headerAt(2_001 + i)),
  )
  const stop = headerAt(12)
  expect(stop && ask([10], headerHash(stop))).toEqual([headerAt(11), headerAt(12)])
  expect(ask([2_100])).toEqual([])
})

test('a block is served whole, or without witnesses, or not found', () => {
  const node = nodeWithCoins(owner)
  node.submit(signedSpend([coinbaseCoin(node, 1, owner)], [pay(owner, SUBSIDY - 1_000n)]), NOW)
  const [hash = ZERO] = node.mine(1, owner.script, NOW)
  const block = node.blockByHash(hash)
  if (block === undefined) throw new RangeError('the block is there')
  const dialogue = connected(node)
  dialogue.hear()
  const heard = dialogue.say(
    getData(
      { kind: inventory.witnessBlock, hash },
      { kind: inventory.block, hash },
      { kind: inventory.block, hash: ZERO },
      { kind: 99, hash },
    ),
  )
  expect(typesOf(heard)).toEqual(['block', 'block', 'notfound'])
  expect(heard[0]).toEqual({ type: 'block', block })
  expect(heard[1]).toMatchObject({
    block: { transactions: block.transactions.map(stripWitness) },
  })
  expect(heard[2]).toEqual({
    type: 'notfound',
    items: [
      { kind: inventory.block, hash: ZERO },
      { kind: 99, hash },
    ],
  })
  expect(block.transactions.some(hasWitness)).toBe(true)
  expect(decodeBlock(encodeBlock(block))).toEqual(block)
})

test('many blocks are served as the socket drains, every one in the end', () => {
  const node = new RegtestNode()
  node.mine(200, new Uint8Array(9_000).fill(0x61), NOW)
  const items = Array.from({ length: 200 }, (_, i) => {
    const block = node.blockAt(i + 1)
    return { kind: inventory.witnessBlock, hash: block ? headerHash(block.header) : ZERO }
  })
  const dialogue = connected(node)
  dialogue.hear()
  let served = dialogue.say(getData(...items)).length
  expect(served).toBeLessThan(200)
  // More questions wait behind the first ones, and do not fill the socket.
  expect(dialogue.say(getData(...items.slice(0, 1)))).toEqual([])
  while (dialogue.session.waiting) served += dialogue.drained().length
  expect(served).toBe(201)
})

test('an offered transaction is asked for, taken, and told to the other peers alone', () => {
  const node = nodeWithCoins(owner)
  const sender = connected(node, { type: 'wtxidrelay' })
  const byWtxid = new Dialogue(node, 'peer 2')
  byWtxid.say(version(), { type: 'wtxidrelay' }, { type: 'verack' })
  const byTxid = new Dialogue(node, 'peer 3')
  byTxid.say(version(), { type: 'verack' })
  const blocksOnly = new Dialogue(node, 'peer 4')
  blocksOnly.say(version({ relay: false }), { type: 'verack' })
  const expensive = new Dialogue(node, 'peer 5')
  expensive.say(version(), { type: 'verack' }, { type: 'feefilter', feeRateSatPerKvb: 10_000n })
  for (const dialogue of [sender, byWtxid, byTxid, blocksOnly, expensive]) dialogue.hear()

  const tx = signedSpend([coinbaseCoin(node, 1, owner)], [pay(owner, SUBSIDY - 1_000n)])
  const offer = { kind: inventory.wtx, hash: wtxid(tx) }
  expect(sender.say({ type: 'inv', items: [offer] })).toEqual([getData(offer)])
  expect(sender.say({ type: 'tx', transaction: tx })).toEqual([])
  expect(node.pooled(txid(tx))).toBeDefined()
  expect(byWtxid.hear()).toEqual([{ type: 'inv', items: [offer] }])
  expect(byTxid.hear()).toEqual([{ type: 'inv', items: [{ kind: inventory.tx, hash: txid(tx) }] }])
  expect([...blocksOnly.hear(), ...expensive.hear()]).toEqual([])
  expect(sender.say({ type: 'inv', items: [offer] })).toEqual([])
})

test('a transaction that was pushed unasked is not told to its sender', () => {
  const node = nodeWithCoins(owner)
  const sender = connected(node)
  const other = new Dialogue(node, 'peer 2')
  other.say(version(), { type: 'verack' })
  for (const dialogue of [sender, other]) dialogue.hear()
  const transaction = signedSpend([coinbaseCoin(node, 1, owner)], [pay(owner, SUBSIDY - 1_000n)])
  expect(sender.say({ type: 'tx', transaction })).toEqual([])
  expect(typesOf(other.hear())).toEqual(['inv'])
})

test('a transaction of the mempool is served in the form that was asked for', () => {
  const node = nodeWithCoins(owner)
  const tx = signedSpend([coinbaseCoin(node, 1, owner)], [pay(owner, SUBSIDY - 1_000n)])
  node.submit(tx, NOW)
  const dialogue = connected(node)
  dialogue.hear()
  const heard = dialogue.say(
    getData(
      { kind: inventory.wtx, hash: wtxid(tx) },
      { kind: inventory.witnessTx, hash: txid(tx) },
      { kind: inventory.tx, hash: txid(tx) },
    ),
  )
  expect(heard).toEqual([
    { type: 'tx', transaction: tx },
    { type: 'tx', transaction: tx },
    { type: 'tx', transaction: stripWitness(tx) },
  ])
})

test('a transaction that the mempool refuses is met with silence', () => {
  const node = nodeWithCoins(owner)
  const dialogue = connected(node)
  dialogue.hear()
  const transaction = signedSpend([coinbaseCoin(node, 1, owner)], [pay(owner, SUBSIDY + 1n)])
  expect(dialogue.say({ type: 'tx', transaction }, { type: 'ping', nonce: 1n })).toEqual([
    { type: 'pong', nonce: 1n },
  ])
})

test('a new block is announced by header to who asked for that, else by inventory', () => {
  const node = nodeWithCoins(owner)
  const byHeader = connected(node)
  byHeader.say({ type: 'sendheaders' })
  const byInventory = new Dialogue(node, 'peer 2')
  byInventory.say(version(), { type: 'verack' })
  const [hash = ZERO] = node.mine(1, owner.script, NOW)
  expect(byHeader.hear()).toEqual([{ type: 'headers', headers: [node.tip().header] }])
  expect(byInventory.hear()).toEqual([{ type: 'inv', items: [{ kind: inventory.block, hash }] }])
})

test('no bytes of a peer make the server throw', () => {
  const node = nodeWithCoins(owner)
  const height = node.tip().height
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (chunks) => {
      const raw = new Dialogue(node)
      for (const chunk of chunks) raw.bytes(chunk)
    }),
  )
  expect(node.tip().height).toBe(height)
})

const COMMANDS = [
  'version verack wtxidrelay sendaddrv2 sendheaders getaddr sendcmpct feefilter ping pong addr',
  'getheaders getblocks headers inv getdata notfound block tx mempool getcfilters',
].flatMap((line) => line.split(' '))

test('no payload in a right frame makes a link throw, before or after the handshake', () => {
  const node = nodeWithCoins(owner)
  const frames = fc.array(
    fc.record({
      command: fc.constantFrom(...COMMANDS),
      payload: fc.uint8Array({ maxLength: 120 }),
    }),
    { maxLength: 30 },
  )
  fc.assert(
    fc.property(frames, fc.boolean(), (messages, shakesHands) => {
      const dialogue = shakesHands ? connected(node) : new Dialogue(node)
      for (const { command, payload } of messages)
        dialogue.say({ type: 'unknown', command, payload })
    }),
  )
  expect(toHex(node.tip().hash)).toBe(toHex(headerHash(node.tip().header)))
})

test('a message cut anywhere arrives all the same', () => {
  const node = nodeWithCoins(owner)
  const bytes = concat(
    encodeMessage(regtest, version()),
    encodeMessage(regtest, { type: 'verack' }),
    encodeMessage(regtest, { type: 'ping', nonce: 5n }),
  )
  for (let cut = 0; cut <= bytes.length; cut++) {
    const dialogue = new Dialogue(node)
    const heard = [
      ...dialogue.bytes(bytes.subarray(0, cut)),
      ...dialogue.bytes(bytes.subarray(cut)),
    ]
    expect(heard.at(-1)).toEqual({ type: 'pong', nonce: 5n })
  }
})
