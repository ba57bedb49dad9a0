/**
 * Goal: every switch that makes the node a bad peer does this one thing, and is off until it is
 * turned on (RN-18). What the mempool wants of peers: parents of orphans, and a minimum.
 */
import { describe, expect, it } from 'vitest'
import { hash32 } from '../../../../src/core/base/bytes.ts'
import { present } from '../../../../src/core/base/errors.ts'
import { checkBlock, headerHash } from '../../../../src/core/btc/block.ts'
import { hashMeetsTarget } from '../../../../src/core/btc/header.ts'
import type { Message } from '../../../../src/core/btc/message.ts'
import { inventory } from '../../../../src/core/btc/message.ts'
import { regtest } from '../../../../src/core/btc/network.ts'
import type { RegtestOptions } from '../../../../src/core/btc/regtest/node.ts'
import { RegtestNode } from '../../../../src/core/btc/regtest/node.ts'
import { txid } from '../../../../src/core/btc/transaction.ts'
import { greeting, PeerWorld } from '../../../support/peer-world.ts'
import { anchorsOf, mineAnchors, spendAnchors, spendAtRate } from './anchors.ts'
import { NOW, verdict } from './chains.ts'

const anyScript = Uint8Array.of(0x51)
const INVENTORY_OF_BLOCKS = inventory.witnessBlock

function story(mempool: RegtestOptions['mempool'] = {}) {
  const world = new PeerWorld(NOW)
  const node = new RegtestNode({ mempool })
  const coins = mineAnchors(node, 6, NOW)
  const member = world.node(node)
  const peer = world.script(member, () => [], false)
  peer.say(greeting({ services: 0n }), { type: 'verack' }, { type: 'sendheaders' })
  const ask = (): Message => ({
    type: 'getdata',
    items: [{ kind: INVENTORY_OF_BLOCKS, hash: node.tip().hash }],
  })
  /** The block that is served for the tip. */
  const fetch = () => {
    peer.say(ask())
    return peer.heardOf('block').at(-1)?.block
  }
  const mine = () => {
    node.mine(1, anyScript, NOW)
    world.run()
  }
  return { world, node, coins, member, peer, ask, fetch, mine }
}

const flawOf = ({ node, fetch }: ReturnType<typeof story>): string | undefined => {
  const { height } = node.tip()
  const flaw = checkBlock(present(fetch(), 'a block is served'), { network: regtest, height })
  return flaw === undefined ? undefined : `${flaw.kind}: ${flaw.reason}`
}

describe('a switch', () => {
  it('makes the next block one that its header does not hold, once', () => {
    const it = story()
    it.node.switches.corruptNext('block')
    expect([flawOf(it), flawOf(it)]).toEqual(['mutated: bad-txnmrklroot', undefined])
  })

  it('makes the witnesses of the next block others than it commits to, once', () => {
    const it = story()
    it.node.switches.corruptNext('witness')
    expect([flawOf(it), flawOf(it)]).toEqual(['mutated: bad-witness-merkle-match', undefined])
  })

  it('makes the next header that is announced one without work, once', () => {
    const { node, peer, mine } = story()
    node.switches.corruptNext('header')
    mine()
    mine()
    const [first, second] = peer.heardOf('headers').flatMap(({ headers }) => headers)
    const hashes = [first, second].map((header) => headerHash(present(header, 'it was announced')))
    expect(hashes.map((hash) => hashMeetsTarget(hash, regtest.powLimit))).toEqual([false, true])
    expect(hashes[1]).toEqual(node.tip().hash)
  })

  it('withholds blocks that were announced, without a word', () => {
    const { node, peer, fetch, mine } = story()
    node.switches.withholdsBlocks = true
    mine()
    expect(peer.heardOf('headers')).toHaveLength(1)
    expect([fetch(), peer.heardOf('notfound')]).toEqual([undefined, []])
    node.switches.withholdsBlocks = false
    expect(fetch()).toBeDefined()
  })

  it('stalls: the connection stands, and nothing comes', () => {
    const { node, member, peer, fetch, mine } = story()
    node.switches.isStalled = true
    mine()
    peer.say({ type: 'ping', nonce: 7n })
    expect([fetch(), peer.heardOf('headers'), peer.heardOf('pong')]).toEqual([undefined, [], []])
    expect([peer.isClosed, member.drops]).toEqual([false, []])
    node.switches.isStalled = false
    peer.say({ type: 'ping', nonce: 8n })
    expect(peer.heardOf('pong').map(({ nonce }) => nonce)).toEqual([8n])
  })

  it('lets every message leave later', () => {
    const { node, member, peer } = story()
    expect(member.lagged).toEqual([])
    node.switches.lagMs = 250
    peer.say({ type: 'ping', nonce: 7n })
    expect(member.lagged).toEqual([250])
  })

  it('ends all connections', () => {
    const { world, node, member, peer } = story()
    node.dropPeers()
    world.run()
    expect([peer.isClosed, member.drops]).toEqual([true, ['asked-to: for a test']])
  })
})

describe('a peer of the mempool', () => {
  it('is asked for the parents of an orphan that it sent, and takes its orphans with it', () => {
    const { node, coins, peer } = story()
    const parent = spendAnchors(coins.slice(0, 1), { fee: 1_000n })
    const child = spendAnchors(anchorsOf(parent), { fee: 1_000n })
    peer.say({ type: 'tx', transaction: child })
    expect(peer.heardOf('getdata').at(-1)?.items).toEqual([
      { kind: inventory.witnessTx, hash: txid(parent) },
    ])
    peer.say({ type: 'tx', transaction: parent })
    expect(node.mempool()).toHaveLength(2)
    const lost = spendAnchors(
      [{ outpoint: { txid: hash32(new Uint8Array(32).fill(7)), vout: 0 }, value: 9_000n }],
      { fee: 1_000n },
    )
    peer.say({ type: 'tx', transaction: lost })
    expect(node.orphans.size).toBe(1)
    peer.close()
    expect(node.orphans.size).toBe(0)
  })

  it('hears what a full mempool asks for, and that it asks for less', () => {
    const { world, node, coins, member, peer } = story({ vsizeMax: 2_000 })
    for (const [index, coin] of coins.entries())
      expect(
        verdict(node.submit(spendAtRate([coin], BigInt(5 + index), { outputs: 30 }), NOW)),
      ).toBe('accepted')
    world.run()
    const told = () => peer.heardOf('feefilter').map(({ feeRateSatPerKvb }) => feeRateSatPerKvb)
    expect(told()[0]).toBe(1_000n)
    expect(told().at(-1)).toBeGreaterThanOrEqual(6_000n)
    node.mine(1, anyScript, NOW)
    world.run()
    member.wait(24 * 3_600_000)
    node.mine(1, anyScript, world.nowSeconds)
    world.run()
    expect(told().at(-1)).toBe(1_000n)
  })
})
