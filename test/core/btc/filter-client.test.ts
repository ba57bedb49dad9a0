/**
 * Goal: through compact filters every coin of a watched script is seen, spent or not, whatever all
 * peers but one say; nothing is answered before the search is over.
 * Method: real sessions of regtest nodes in one process; liars alter what they say, and a liar's
 * filters hash to the headers that it stands for.
 */
import { describe, expect, test } from 'vitest'
import { equalBytes } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { headerHash } from '../../../src/core/btc/block.ts'
import { encodeFilter, filterElements, filterHash } from '../../../src/core/btc/compact-filter.ts'
import { service } from '../../../src/core/btc/message.ts'
import type { RegtestNode } from '../../../src/core/btc/regtest/node.ts'
import { txid } from '../../../src/core/btc/transaction.ts'
import { liar } from '../../support/filter-liar.ts'
import type { Alter } from '../../support/filter-net.ts'
import { FilterNet } from '../../support/filter-net.ts'
import { coinbaseCoin, NOW, nodeWithCoins, SUBSIDY } from './regtest/chains.ts'
import { p2trWallet, p2wpkhWallet, pay, signedSpend } from './regtest/wallets.ts'

const owner = p2wpkhWallet(1)
const watched = p2trWallet(8)
const other = p2wpkhWallet(5)

/**
 * A chain of 126 blocks: coins of `watched` from heights 104 and 105, the first spent in 106; all of
 * them below the newest twelve, which are read whatever their filters say.
 */
function story(): RegtestNode {
  const node = nodeWithCoins(owner, 3)
  const send = (height: number) => {
    const coin = coinbaseCoin(node, height, owner)
    const tx = signedSpend([coin], [pay(watched, SUBSIDY - 1_000n)])
    expect(node.submit(tx, NOW).type).toBe('accepted')
    node.mine(1, other.script, NOW)
    return {
      outpoint: { txid: txid(tx), vout: 0 },
      output: pay(watched, SUBSIDY - 1_000n),
      owner: watched,
    }
  }
  const first = send(1)
  send(2)
  expect(node.submit(signedSpend([first], [pay(other, 1_000_000n)]), NOW).type).toBe('accepted')
  node.mine(1, other.script, NOW)
  node.mine(20, other.script, NOW)
  return node
}

/** Heights of the coins of `watched` that a client knows, and where they were spent. */
const coinsOf = ({ client }: FilterNet): readonly (readonly [number, number | undefined])[] =>
  client.scan.coins
    .filter(({ script }) => equalBytes(script, watched.script))
    .map(({ height, spent }) => [height, spent?.height] as const)

const TRUTH = [
  [104, 106],
  [105, undefined],
]

function watching(...peers: ConstructorParameters<typeof FilterNet>[0]): FilterNet {
  const net = new FilterNet(peers, { nowS: NOW + 10_000 })
  net.step({ type: 'watch', scripts: [watched.script], birth: 1 })
  net.start()
  return net
}

/** The filter of a height without some of its scripts. */
const hiding = (node: RegtestNode, at: number, isHidden: (script: Uint8Array) => boolean) =>
  liar(node, (height, honest) => {
    if (height !== at) return honest
    const block = present(node.blockAt(height), 'a block')
    const elements = filterElements(block, []).filter((script) => !isHidden(script))
    return encodeFilter(headerHash(block.header), elements)
  })

const isWatched = (script: Uint8Array): boolean => equalBytes(script, watched.script)

describe('watched scripts', () => {
  test('are searched for from their birth: coins, and their spends', () => {
    const node = story()
    const net = watching({ node }, { node })
    expect(net.client.status).toMatchObject({ synced: true, vouchers: 2, searched: 126 })
    expect(coinsOf(net)).toEqual(TRUTH)
    expect(net.offences).toEqual([])
  })

  test('cost the blocks that their filters show, and the newest twelve', () => {
    const node = nodeWithCoins(owner, 3)
    node.mine(200, other.script, NOW)
    const net = new FilterNet([{ node }], { nowS: NOW + 10_000 })
    net.step({ type: 'watch', scripts: [owner.script], birth: 1 })
    net.start()
    expect(net.client.scan.coins.length).toBe(3)
    expect(net.received.get('block')).toBe(3 + 12)
  })

  test('are followed as blocks come, and back through a reorganisation', () => {
    const node = story()
    const net = watching({ node }, { node })
    node.reorganise(22, { dropTransactions: true, payToScript: other.script, nowSeconds: NOW })
    expect(net.client.status).toMatchObject({ synced: true, searched: 127 })
    expect(coinsOf(net)).toEqual([[104, undefined]])
    const coin = {
      outpoint: present(net.client.scan.coins[0], 'a coin').outpoint,
      output: pay(watched, SUBSIDY - 1_000n),
      owner: watched,
    }
    expect(node.submit(signedSpend([coin], [pay(other, 1_000_000n)]), NOW).type).toBe('accepted')
    node.mine(1, other.script, NOW)
    expect(coinsOf(net)).toEqual([[104, 128]])
  })

  test('that come later are searched for alone, and answers wait for that (CF-4)', () => {
    const node = story()
    const silent: Alter = (message) => (message.type === 'cfilter' ? [] : [message])
    const net = new FilterNet([{ node, alter: silent }], { nowS: NOW + 10_000 })
    net.step({ type: 'watch', scripts: [watched.script], birth: 1 })
    net.start()
    const rescanning = net.client.scan.rescanning([watched.script], 126)
    expect(rescanning).toMatchObject({ type: 'rescanning', from: 1, to: 126, at: 0 })
    const open = new FilterNet([{ node }], { nowS: NOW + 10_000 })
    open.step({ type: 'watch', scripts: [owner.script], birth: 1 })
    open.start()
    open.step({ type: 'watch', scripts: [watched.script], birth: 100 })
    expect(open.client.scan.rescanning([owner.script, watched.script], 126)).toBe(undefined)
    expect(coinsOf(open)).toEqual(TRUTH)
  })

  test('are not searched for again in a later life, and what that life begins with is checked', () => {
    const node = story()
    const first = watching({ node }, { node })
    const memory = first.client.toKeep()
    node.mine(20, other.script, NOW)
    const second = new FilterNet([{ node }, { node }], { nowS: NOW + 10_000, memory })
    second.start()
    expect(second.client.status).toMatchObject({ synced: true, searched: 146 })
    expect(coinsOf(second)).toEqual(TRUTH)
    expect(second.received.get('cfilter')).toBeLessThanOrEqual(8)
    const forged = {
      ...memory,
      filterHeaders: memory.filterHeaders.map((hash) => filterHash(hash)),
    }
    const third = new FilterNet([{ node }, { node }], { nowS: NOW + 10_000, memory: forged })
    third.start()
    expect(third.client.status).toMatchObject({ synced: true, vouchers: 2, searched: 146 })
    expect(coinsOf(third)).toEqual(TRUTH)
  })
})

describe('a lying peer beside one honest peer (§13.44)', () => {
  const cases: readonly (readonly [string, (node: RegtestNode) => Alter])[] = [
    ['hides a payment', (node) => hiding(node, 105, isWatched)],
    ['hides everything', (node) => liar(node, () => Uint8Array.of(0))],
    ['serves filters that do not decode', (node) => liar(node, () => Uint8Array.of(5))],
    [
      'serves headers that do not chain',
      () => (message) => [
        message.type === 'cfheaders'
          ? { ...message, previous: filterHash(message.previous) }
          : message,
      ],
    ],
  ]
  for (const place of [0, 1])
    test.each(cases)(`that %s is found out, asked ${place === 0 ? 'first' : 'last'}`, (_, lie) => {
      const node = story()
      const peers = [{ node }, { node }]
      peers[place] = { node, alter: lie(node) } as never
      const net = watching(...peers)
      expect(coinsOf(net)).toEqual(TRUTH)
      expect(net.client.status).toMatchObject({
        synced: true,
        searched: 126,
        liars: 1,
        vouchers: 1,
      })
      expect(net.offences).toMatchObject([{ peer: place, offence: { kind: 'filterLie' } }])
      net.advance(60_000) // It comes back, and is not heard.
      expect(net.client.status).toMatchObject({ liars: 1, vouchers: 1 })
      expect(net.offences.length).toBe(1)
    })

  test('bitcoin §13.44: that serves another filter than it stands for is found out when it is asked', () => {
    const node = story()
    const alter: Alter = (message) => [
      message.type === 'cfilter' ? { ...message, filter: Uint8Array.of(0) } : message,
    ]
    const net = watching({ node }, { node, alter })
    expect(coinsOf(net)).toEqual(TRUTH)
    expect(net.client.status).toMatchObject({ synced: true, vouchers: 1, liars: 1 })
    expect(net.offences).toMatchObject([{ peer: 1, offence: { kind: 'filterLie' } }])
  })

  test('two liars of three are found out', () => {
    const node = story()
    const net = watching(
      { node, alter: hiding(node, 105, isWatched) },
      { node },
      { node, alter: hiding(node, 105, isWatched) },
    )
    expect(coinsOf(net)).toEqual(TRUTH)
    expect(net.client.status).toMatchObject({ vouchers: 1, liars: 2 })
  })

  test('that was believed while it was alone is found out when an honest one comes', () => {
    const node = story()
    let isMute = true
    const net = watching(
      { node, alter: hiding(node, 105, isWatched) },
      { node, alter: (message) => (isMute ? [] : [message]) },
    )
    expect(net.client.status).toMatchObject({ synced: true, searched: 126, vouchers: 1 })
    expect(coinsOf(net)).toEqual([[104, 106]])
    isMute = false
    net.advance(60_000)
    expect(net.client.status).toMatchObject({ synced: true, searched: 126, vouchers: 1, liars: 1 })
    expect(coinsOf(net)).toEqual(TRUTH)
  })

  test('that comes late is found out, too', () => {
    const node = story()
    const lie = hiding(node, 105, isWatched)
    let isMute = true
    const alter: Alter = (message) => (isMute ? [] : lie(message))
    const net = watching({ node }, { node, alter })
    expect(net.client.status).toMatchObject({ vouchers: 1, liars: 0 })
    isMute = false
    net.advance(60_000)
    expect(net.client.status).toMatchObject({ vouchers: 1, liars: 1 })
    expect(coinsOf(net)).toEqual(TRUTH)
    node.mine(1, watched.script, NOW)
    expect(coinsOf(net).length).toBe(3)
  })

  // What a transaction spends is in no proof: until its coin is known nobody can tell who is right.
  const doubts: readonly (readonly [string, number, Uint8Array])[] = [
    ['a spend of ours', 106, watched.script],
    ['a spend of others', 104, owner.script],
  ]
  test.each(doubts)('that hides %s hides nothing, for the block is read', (_, height, script) => {
    const node = story()
    const alter = hiding(node, height, (one) => equalBytes(one, script))
    for (const peers of [
      [{ node, alter }, { node }],
      [{ node }, { node, alter }],
    ]) {
      const net = watching(...peers)
      expect(net.offences).toEqual([])
      expect(net.client.status).toMatchObject({ synced: true, vouchers: 2, undecided: 1 })
      expect(coinsOf(net)).toEqual(TRUTH)
    }
    node.mine(3, other.script, NOW)
    const later = watching({ node, alter }, { node })
    expect(later.client.status).toMatchObject({ synced: true, vouchers: 2, undecided: 1 })
  })

  test('that puts every height in doubt is not followed without end', () => {
    const node = nodeWithCoins(owner, 3)
    // One element more than the outputs of a block without spends is one too many: a proven lie.
    const more = liar(node, (height, honest) => {
      const block = present(node.blockAt(height), 'a block')
      const elements = [...filterElements(block, []), other.script]
      return height === 0 ? honest : encodeFilter(headerHash(block.header), elements)
    })
    const net = watching({ node }, { node, alter: more })
    expect(net.client.status).toMatchObject({ synced: true, liars: 1, undecided: 0 })
  })
})

describe('a peer', () => {
  test('bitcoin §13.45: alone is believed, and counted as one', () => {
    const node = story()
    const net = watching({ node, alter: hiding(node, 105, isWatched) })
    expect(net.client.status).toMatchObject({ synced: true, vouchers: 1, hopeful: 0 })
    expect(coinsOf(net)).toEqual([[104, 106]])
  })

  test.each([
    ['compact filters', service.network | service.witness, 'no COMPACT_FILTERS service'],
    [
      'old blocks',
      service.networkLimited | service.witness | service.compactFilters,
      'no NETWORK service',
    ],
  ])('without %s is refused', (_, services, reason) => {
    const node = story()
    const alter: Alter = (message) => [
      message.type === 'version' ? { ...message, services } : message,
    ]
    const net = watching({ node, alter })
    expect(net.offences).toMatchObject([{ offence: { kind: 'unsuitable', reason } }])
    expect(net.client.status.synced).toBe(false)
  })

  test.each(['cfheaders', 'cfilter'])('that keeps its %s to itself is left after 30 s', (type) => {
    const node = story()
    const alter: Alter = (message) => (message.type === type ? [] : [message])
    const net = watching({ node }, { node, alter })
    net.advance(31_000)
    expect(net.offences.map(({ offence }) => offence.kind)).toContain('timeout')
    expect(coinsOf(net)).toEqual(TRUTH)
  })

  test('that is behind holds nobody up', () => {
    const node = story()
    const behind = nodeWithCoins(owner, 3)
    const net = watching({ node }, { node: behind }, { node })
    expect(net.client.status).toMatchObject({ synced: true, vouchers: 2, searched: 126 })
    expect(coinsOf(net)).toEqual(TRUTH)
  })

  test('that goes away in the middle is replaced by the next', () => {
    const node = story()
    let said = 0
    const net: FilterNet = watching(
      {
        node,
        alter: (message) => {
          if (message.type === 'cfilter' && ++said === 20) net.cut(0)
          return [message]
        },
      },
      { node },
    )
    expect(coinsOf(net)).toEqual(TRUTH)
  })
})

test('checkpoints spare a second peer the hashes that all agree on', () => {
  const node = nodeWithCoins(owner, 1)
  node.mine(4_100, other.script, NOW)
  const net = new FilterNet([{ node }, { node }], { nowS: NOW + 10_000 })
  net.step({ type: 'watch', scripts: [owner.script], birth: 4_000 })
  net.start()
  expect(net.client.status).toMatchObject({ synced: true, vouchers: 2, searched: 4_201 })
  expect(net.received.get('cfcheckpt')).toBeGreaterThan(0)
})
