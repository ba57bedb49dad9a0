/**
 * Goal: regtest nodes find one chain and one mempool over P2P, whoever connects to whom, and a peer
 * that lies is dropped for what it did while the others go on.
 * Method: nodes and scripted peers in one process. RN-6, RN-20, §3.4–§3.6.
 */
import { describe, expect, test } from 'vitest'
import { hash32, toHex } from '../../../../src/core/base/bytes.ts'
import { present } from '../../../../src/core/base/errors.ts'
import type { Block } from '../../../../src/core/btc/block.ts'
import { headerHash } from '../../../../src/core/btc/block.ts'
import {
  BLOCK_BYTES_MAX,
  BLOCK_WITHIN_MS,
  SECOND_PEER_MS,
} from '../../../../src/core/btc/block-download.ts'
import { HEADERS_WITHIN_MS } from '../../../../src/core/btc/header-sync.ts'
import type { Message } from '../../../../src/core/btc/message.ts'
import { inventory } from '../../../../src/core/btc/message.ts'
import { BlockSync } from '../../../../src/core/btc/regtest/block-sync.ts'
import { RegtestNode } from '../../../../src/core/btc/regtest/node.ts'
import { PING_EVERY_MS } from '../../../../src/core/btc/regtest/node-peers.ts'
import { txid } from '../../../../src/core/btc/transaction.ts'
import type { Member } from '../../../support/peer-world.ts'
import { answersOf, greeting, PeerWorld } from '../../../support/peer-world.ts'
import { blockOn, coinbaseCoin, NOW, nodeWithCoins, SUBSIDY, unsolved } from './chains.ts'
import { p2wpkhWallet, pay, signedSpend } from './wallets.ts'

const owner = p2wpkhWallet(1)
const OTHER = Uint8Array.of(0x52)
const ZERO = hash32(new Uint8Array(32))

const tipOf = ({ node }: Member): string => toHex(node.tip().hash)
const pooled = ({ node }: Member): number => node.mempool().length
const blocksOf = (node: RegtestNode): readonly Block[] =>
  Array.from({ length: node.tip().height }, (_, i) =>
    present(node.blockAt(i + 1), 'a block of the chain'),
  )
/** Another node with the same chain. */
const twin = (node: RegtestNode): RegtestNode => new RegtestNode({ blocks: blocksOf(node) })

describe('nodes', () => {
  test('a new node gets a chain from its peer, whichever of the two has connected', () => {
    for (const isCaller of [true, false]) {
      const world = new PeerWorld(NOW)
      const old = world.node(nodeWithCoins(owner))
      const young = world.node()
      if (isCaller) world.link(young, old)
      else world.link(old, young)
      expect(tipOf(young)).toBe(tipOf(old))
      expect([...young.drops, ...old.drops]).toEqual([])
    }
  })

  test('three in a ring agree after reorganisations on every side, and share transactions', () => {
    const world = new PeerWorld(NOW)
    const ring = [world.node(nodeWithCoins(owner, 30)), world.node(), world.node()]
    const [a, b, c] = ring as [Member, Member, Member]
    world.link(a, b)
    world.link(b, c)
    world.link(c, a)
    const agree = (): void => {
      world.run()
      expect(new Set(ring.map(tipOf)).size).toBe(1)
      expect(new Set(ring.map(pooled)).size).toBe(1)
    }
    agree()
    let coin = 0
    for (const member of ring)
      for (const depth of [1, 6, 20]) {
        coin += 1
        const spend = signedSpend(
          [coinbaseCoin(a.node, coin, owner)],
          [pay(owner, SUBSIDY - 1_000n)],
        )
        expect(member.node.submit(spend, NOW).type).toBe('accepted')
        agree()
        expect(pooled(c)).toBe(1)
        member.node.mine(1, OTHER, NOW)
        agree()
        expect(pooled(c)).toBe(0)
        const reorganised = member.node.reorganise(depth, {
          dropTransactions: false,
          payToScript: OTHER,
          nowSeconds: NOW,
        })
        expect(reorganised.type).toBe('reorganised')
        agree()
        expect(c.node.transaction(txid(spend))?.confirmations).toBeGreaterThan(0)
      }
    expect(ring.flatMap(({ drops }) => drops)).toEqual([])
  })

  test('what a reorganisation has left counts again when a peer goes on with it', () => {
    const world = new PeerWorld(NOW)
    const [a, b] = [world.node(nodeWithCoins(owner)), world.node()]
    world.link(b, a)
    const apart = twin(a.node)
    a.node.reorganise(6, { dropTransactions: false, payToScript: OTHER, nowSeconds: NOW })
    world.run()
    expect(tipOf(b)).toBe(tipOf(a))
    apart.mine(2, OTHER, NOW)
    for (const block of blocksOf(apart).slice(-2)) b.node.submitBlock(block, NOW)
    world.run()
    expect([tipOf(a), tipOf(b)]).toEqual([tipHex(apart), tipHex(apart)])
    expect([...a.drops, ...b.drops]).toEqual([])
  })

  test('a block that is reconsidered is taken from peers again', () => {
    const world = new PeerWorld(NOW)
    const [a, b] = [world.node(nodeWithCoins(owner)), world.node()]
    world.link(b, a)
    const { hash, height } = b.node.tip()
    b.node.invalidate(hash, NOW)
    expect(b.node.tip().height).toBe(height - 1)
    a.node.mine(1, OTHER, NOW)
    world.run()
    expect(b.node.tip().height).toBe(height - 1)
    b.node.reconsider(hash, NOW)
    a.node.mine(1, OTHER, NOW)
    world.run()
    expect(tipOf(b)).toBe(tipOf(a))
    expect(b.drops).toEqual([])
  })

  test('two nodes that would make the same block make two', () => {
    const nodes = [new RegtestNode(), new RegtestNode()] as const
    const [a, b] = nodes.map((node) => node.mine(1, OTHER, NOW)[0])
    expect(b).toEqual(a)
    const again = nodes[1].reorganise(1, {
      dropTransactions: true,
      payToScript: OTHER,
      nowSeconds: NOW,
    })
    expect(again.type).toBe('reorganised')
    nodes[0].mine(1, OTHER, NOW)
    for (const block of blocksOf(nodes[0])) nodes[1].submitBlock(block, NOW)
    expect(
      nodes[1].reorganise(1, { dropTransactions: true, payToScript: OTHER, nowSeconds: NOW }).type,
    ).toBe('reorganised')
  })

  test('of two chains that were apart the one with more work wins at both ends', () => {
    const world = new PeerWorld(NOW)
    const base = nodeWithCoins(owner)
    const [short, long] = [world.node(twin(base)), world.node(twin(base))]
    short.node.mine(5, OTHER, NOW)
    long.node.mine(40, owner.script, NOW)
    world.link(short, long)
    expect(tipOf(short)).toBe(tipOf(long))
    expect(short.node.tip().height).toBe(base.tip().height + 40)
  })

  test('a connection to itself ends at once', () => {
    const world = new PeerWorld(NOW)
    const lonely = world.node()
    world.link(lonely, lonely)
    expect(lonely.drops).toContain('self-connection: own nonce')
  })

  test('a block goes to who has not shown it, and not back to who has', () => {
    const world = new PeerWorld(NOW)
    const chain = nodeWithCoins(owner)
    const member = world.node(twin(chain))
    const teller = world.script(member, answersOf(chain))
    const listener = world.script(member, answersOf(chain))
    teller.say({ type: 'sendheaders' })
    listener.say({ type: 'sendheaders' })
    chain.mine(1, OTHER, NOW)
    teller.say({ type: 'headers', headers: [chain.tip().header] })
    expect(tipOf(member)).toBe(toHex(chain.tip().hash))
    expect(teller.heardOf('headers')).toEqual([])
    expect(listener.heardOf('headers')).toEqual([
      { type: 'headers', headers: [chain.tip().header] },
    ])
  })
})

describe('the older question for blocks', () => {
  const ask = (locator: readonly Block[], stop = ZERO): Message => ({
    type: 'getblocks',
    version: 70_015,
    locator: locator.map(({ header }) => headerHash(header)),
    stop,
  })

  test('is answered five hundred at a time, and goes on when the last one is fetched', () => {
    const world = new PeerWorld(NOW)
    const node = new RegtestNode()
    node.mine(520, OTHER, NOW)
    const peer = world.script(
      world.node(node),
      (message) =>
        message.type === 'version' ? [greeting({ services: 0n }), { type: 'verack' }] : [],
      false,
    )
    peer.say(greeting({ services: 0n }), { type: 'verack' })
    peer.say(ask([]))
    const [first] = peer.heardOf('inv')
    expect(first?.items.length).toBe(500)
    const last = present(first?.items.at(-1), 'a last block')
    peer.say({ type: 'getdata', items: [{ ...last, kind: inventory.witnessBlock }] })
    const next = present(peer.heardOf('inv')[1], 'there is more')
    expect(next.items).toEqual([{ kind: inventory.block, hash: node.tip().hash }])
    const known = present(node.blockAt(500), 'a block')
    peer.say(ask([known]))
    expect(peer.heardOf('inv')[2]?.items.length).toBe(20)
    peer.say(ask([known], headerHash(present(node.blockAt(503), 'a block').header)))
    expect(peer.heardOf('inv')[3]?.items.length).toBe(2)
  })
})

/** What the honest chain of a liar is: six blocks more than everybody's. */
function story() {
  const world = new PeerWorld(NOW)
  const base = nodeWithCoins(owner)
  const chain = twin(base)
  chain.mine(6, OTHER, NOW)
  return { world, chain, member: world.node(twin(base)), honest: tipHex(chain) }
}
const hashesOf = (message: Message) =>
  message.type === 'getdata' ? message.items.map(({ hash }) => hash) : []
const tipHex = (node: RegtestNode): string => toHex(node.tip().hash)

type Lie = (message: Message, honest: readonly Message[]) => readonly Message[]

const editBlock =
  (edit: (block: Block) => Block): Lie =>
  (_, honest) =>
    honest.map((message) =>
      message.type === 'block' ? { type: 'block', block: edit(message.block) } : message,
    )
const editHeaders =
  (edit: (headers: readonly Block['header'][]) => readonly Block['header'][]): Lie =>
  (_, honest) =>
    honest.map((message) =>
      message.type === 'headers' ? { type: 'headers', headers: edit(message.headers) } : message,
    )

const LIES: readonly (readonly [string, string, Lie])[] = [
  [
    'whose headers do not chain',
    'bad-headers: the headers do not chain',
    editHeaders((all) => all.toReversed()),
  ],
  [
    'whose header has no work',
    'bad-headers: high-hash',
    editHeaders((all) =>
      all.map((header, i) => (i === all.length - 1 ? unsolved(header) : header)),
    ),
  ],
  [
    'that alters a body',
    'mutated-block: bad-txnmrklroot',
    editBlock((block) => ({
      ...block,
      transactions: block.transactions.map((tx) => ({ ...tx, lockTime: tx.lockTime + 1 })),
    })),
  ],
  [
    'without whole blocks',
    'unsuitable: services 1: no whole blocks',
    (_, honest) => honest.map((one) => (one.type === 'version' ? { ...one, services: 1n } : one)),
  ],
  [
    'of an old version',
    'obsolete-version: protocol version 70014',
    (_, honest) =>
      honest.map((one) => (one.type === 'version' ? { ...one, version: 70_014 } : one)),
  ],
]

describe('a peer that we called', () => {
  test.each(LIES)('%s is dropped, and another one gives the chain', (_, reason, lie) => {
    const { world, chain, member, honest } = story()
    const liar = world.script(member, answersOf(chain, lie))
    expect(member.drops).toEqual([reason])
    expect(liar.isClosed).toBe(true)
    expect(tipOf(member)).not.toBe(honest)
    world.script(member, answersOf(chain))
    expect(tipOf(member)).toBe(honest)
  })

  test('whose block breaks the rules is dropped, and nothing above it is asked for', () => {
    const { world, chain, member } = story()
    const bad = blockOn(chain, { reward: SUBSIDY + 1n })
    const above = blockOn(chain, { parent: { header: bad.header, height: chain.tip().height + 1 } })
    const bodies = new Map([bad, above].map((block) => [toHex(headerHash(block.header)), block]))
    const honestAnswers = answersOf(chain)
    const liar = world.script(member, (message) => {
      if (message.type !== 'getheaders' && message.type !== 'getdata') return honestAnswers(message)
      if (message.type === 'getheaders') {
        const headers = chain.headersAfter(message.locator, message.stop)
        return [{ type: 'headers', headers: [...headers, bad.header, above.header] }]
      }
      return hashesOf(message).map((hash) => ({
        type: 'block',
        block: present(bodies.get(toHex(hash)) ?? chain.blockByHash(hash), 'a body'),
      }))
    })
    expect(member.drops).toEqual(['invalid-block: bad-cb-amount'])
    expect(liar.isClosed).toBe(true)
    expect(tipOf(member)).toBe(tipHex(chain))
    const honest = world.script(member, answersOf(chain))
    expect(honest.heardOf('getdata')).toEqual([])
    // Who builds on it is dropped too.
    honest.say({ type: 'headers', headers: [above.header] })
    expect(member.drops.at(-1)).toBe('bad-headers: bad-prevblk')
  })

  test('that says nothing more is dropped, and what it owed is asked of another', () => {
    const { world, chain, member, honest } = story()
    const silent = world.script(
      member,
      answersOf(chain, (message, all) => (message.type === 'getdata' ? [] : all)),
    )
    expect(silent.heardOf('getdata').length).toBe(1)
    const good = world.script(member, answersOf(chain))
    expect(good.heardOf('getdata')).toEqual([])
    // The blocks may be of the greatest size, at 64 KiB a second.
    member.wait(BLOCK_WITHIN_MS + BLOCK_BYTES_MAX / 64)
    expect(tipOf(member)).toBe(honest)
    expect(member.drops).toEqual(['timeout: blocks come too late'])
  })

  test('with headers of a better chain and no blocks holds up no other chain', () => {
    const { world, chain, member, honest } = story()
    const better = twin(chain)
    better.reorganise(4, { dropTransactions: true, payToScript: owner.script, nowSeconds: NOW })
    better.mine(30, OTHER, NOW)
    const mute: Lie = (message, all) => (message.type === 'getdata' ? [] : all)
    const liar = world.script(member, answersOf(better, mute))
    expect(liar.heardOf('getdata').length).toBeGreaterThan(0)
    world.script(member, answersOf(chain))
    member.wait(2 * SECOND_PEER_MS) // The liar was asked for the blocks that both have.
    expect(tipOf(member)).toBe(honest)
    // It is followed as soon as somebody has its blocks.
    world.script(member, answersOf(better))
    member.wait(10_000)
    expect(tipOf(member)).toBe(tipHex(better))
  })

  test('that does not answer the question for headers twice is dropped', () => {
    const { world, chain, member } = story()
    const mute: Lie = (message, all) => (message.type === 'getheaders' ? [] : all)
    world.script(member, answersOf(chain, mute))
    member.wait(2 * HEADERS_WITHIN_MS + 1)
    expect(member.drops).toEqual(['timeout: no answer to getheaders'])
  })

  test('that lives answers pings, and one that does not is dropped', () => {
    const { world, chain, member } = story()
    const pong: Lie = (message, all) =>
      message.type === 'ping' ? [{ type: 'pong', nonce: message.nonce }] : all
    const alive = world.script(member, answersOf(chain, pong))
    const dead = world.script(member, answersOf(chain))
    member.wait(2 * PING_EVERY_MS + 9_000)
    expect(alive.heardOf('ping').length).toBe(2)
    expect(member.drops).toEqual(['timeout: no pong in time'])
    expect(dead.isClosed).toBe(true)
  })

  test('that shakes no hands is dropped in time', () => {
    const { world, member } = story()
    world.script(member, () => [])
    member.wait(10_000)
    expect(member.drops).toEqual(['handshake-timeout: no verack in time'])
  })

  test('that leaves in the middle is made up for by another', () => {
    const { world, chain, member, honest } = story()
    const mute: Lie = (message, all) => (message.type === 'getdata' ? [] : all)
    const leaver = world.script(member, answersOf(chain, mute))
    world.script(member, answersOf(chain))
    expect(tipOf(member)).not.toBe(honest)
    leaver.close()
    expect(tipOf(member)).toBe(honest)
    expect(member.drops).toEqual([])
  })

  test('with more headers than are of use is asked again when the blocks have come', () => {
    const node = new RegtestNode()
    const sync = new BlockSync(node, 100)
    const long = new RegtestNode()
    long.mine(2_000, OTHER, NOW)
    const says = (talk: Message | { readonly type: 'ready' }) =>
      sync.hear(1, talk, NOW * 1_000).flatMap((output) => {
        if (output.type === 'blame') return [output.detail]
        return output.type === 'tell' ? [output.message.type] : []
      })
    expect(says({ type: 'ready' })).toEqual(['getheaders'])
    const headers = blocksOf(long).map(({ header }) => header)
    expect(new Set(says({ type: 'headers', headers }))).toEqual(new Set(['getdata']))
    for (const block of blocksOf(long).slice(0, 1_949)) {
      expect(says({ type: 'block', block })).not.toContain('getheaders')
    }
    const late = present(long.blockAt(1_950), 'a block')
    expect(says({ type: 'block', block: late })).toContain('getheaders')
  })

  test('with headers and never a block is dropped before they are too many', () => {
    const sync = new BlockSync(new RegtestNode(), 100)
    const long = new RegtestNode()
    long.mine(2_120, OTHER, NOW)
    const headers = blocksOf(long).map(({ header }) => header)
    sync.hear(1, { type: 'ready' }, NOW * 1_000)
    const blamed = [
      headers.slice(0, 2_000),
      ...[0, 1, 2, 3, 4, 5].map((i) => headers.slice(2_000 + 20 * i, 2_020 + 20 * i)),
    ]
      .map((some) => sync.hear(1, { type: 'headers', headers: some }, NOW * 1_000))
      .map((outputs) => outputs.flatMap((output) => (output.type === 'blame' ? output.detail : [])))
    expect(blamed).toEqual([[], [], [], [], [], [], ['2120 headers without their blocks']])
  })

  test('that says again and again what it has, or a little more, costs no long search', () => {
    const long = new RegtestNode()
    long.mine(700, OTHER, NOW)
    const blocks = blocksOf(long)
    const headers = blocks.map(({ header }) => header)
    const sync = new BlockSync(new RegtestNode())
    const says = (talk: Message | { readonly type: 'ready' }) => sync.hear(1, talk, NOW * 1_000)
    says({ type: 'ready' })
    says({ type: 'headers', headers: headers.slice(0, 400) })
    // Seconds, where the list of what lacks is made anew for each of these.
    for (const header of headers.slice(400)) {
      says({ type: 'headers', headers: [header] })
      for (const known of headers.slice(395, 400))
        says({ type: 'inv', items: [{ kind: inventory.block, hash: headerHash(known) }] })
    }
    const asked = blocks.flatMap((block) => says({ type: 'block', block }))
    expect(asked.filter(({ type }) => type !== 'tell')).toEqual([])
    // All were asked for in their order, and taken.
    expect(
      asked.flatMap((output) => ('message' in output ? hashesOf(output.message).map(toHex) : [])),
    ).toEqual(headers.slice(16).map((header) => toHex(headerHash(header))))
    expect(says({ type: 'block', block: blockOn(long) })).toMatchObject([{ type: 'tell' }])
  })

  test('that floods with headers nobody asked for is dropped at the third time', () => {
    const { world, chain, member } = story()
    const peer = world.script(member, answersOf(chain))
    chain.mine(21, OTHER, NOW)
    const headers = blocksOf(chain)
      .slice(-21)
      .map(({ header }) => header)
    for (let i = 0; i < 3; i++) peer.say({ type: 'headers', headers })
    expect(member.drops).toEqual(['too-many-strikes: 21 headers unasked'])
  })
})
