/**
 * Goal: the adapter finds peers by itself, of many groups of the network, keeps the number that it
 * should have, and comes back after anything. Method: machines that a test switches on and off, and
 * a clock that only the test moves.
 */
import { describe, expect, it } from 'vitest'
import {
  ATTEMPT_EVERY_MS_MAX,
  connectionCounts,
  EXTRA_MS,
  TIP_CHECK_MS,
} from '../../../src/core/btc/adapter-discovery.ts'
import { NO_PEERS } from '../../../src/core/btc/address-book-file.ts'
import { addressNetwork } from '../../../src/core/btc/address-message.ts'
import type { Message } from '../../../src/core/btc/message.ts'
import { service } from '../../../src/core/btc/message.ts'
import { mainnet, signet } from '../../../src/core/btc/network.ts'
import { networkGroup } from '../../../src/core/btc/network-address.ts'
import { readOutgoing } from '../../../src/core/btc/outgoing.ts'
import { SEED_ROUND_MS } from '../../../src/core/btc/seed-queries.ts'
import { AdapterHarness } from '../../support/adapter-harness.ts'
import {
  bytesOf,
  ChainBuilder,
  coinbaseOutput,
  NOW,
  scriptOf,
  spend,
} from '../../support/chain-builder.ts'
import { DiscoveryWorld } from '../../support/discovery-world.ts'

const SEED = 'seed.example'
const HOUR_MS = 3_600_000
/** Machines of as many groups. */
const machines = (count: number, first = 20): readonly string[] =>
  Array.from({ length: count }, (_, i) => `${first + i}.1.0.1`)

function seeded(hosts: readonly string[], config = {}, options = {}): DiscoveryWorld {
  const world = new DiscoveryWorld({ seeds: [SEED], ...config }, options)
  world.seeds.set(SEED, hosts)
  // The first look-up was answered before the seed knew anybody.
  return world
}
const started = (hosts: readonly string[], options = {}): DiscoveryWorld => {
  const world = seeded(hosts, {}, options)
  world.wait(15 * 60_000)
  return world
}

const addressesOf = (hosts: readonly string[], time: number): Message => ({
  type: 'addrv2',
  addresses: hosts.map((host) => ({
    time,
    services: service.network | service.witness,
    network: addressNetwork.ipv4,
    address: Uint8Array.from(host.split('.').map(Number)),
    port: 18_444,
  })),
})

describe('where peers come from', () => {
  it('from seeds when nothing is known, up to the number of connections (AD-1, AD-6)', () => {
    const world = started(machines(30))
    expect(world.hosts.length).toBe(4)
    expect(world.roles()).toEqual(['blocks', 'relay', 'relay', 'relay'])
    expect(connectionCounts(mainnet)).toEqual({ relay: 6, blocks: 2 })
    expect(connectionCounts(signet)).toEqual({ relay: 3, blocks: 1 })
  })

  it('never without a discovery: the user said which peers (AD-2)', () => {
    const harness = new AdapterHarness()
    harness.ready()
    harness.say(addressesOf(machines(10), 1))
    harness.advance(60_000)
    expect(harness.of('lookUp')).toEqual([])
    expect(harness.of('connect').every(({ host }) => host === '127.0.0.1')).toBe(true)
  })

  it('from the fixed list when no seed answers', () => {
    const fixed = machines(8).map((host) => ({ host, port: 18_444 }))
    const world = new DiscoveryWorld({ seeds: [SEED], fixed })
    world.wait(30_000)
    expect(world.lookUps).toEqual([SEED])
    expect(world.hosts.length).toBe(4)
  })

  it('from what peers say, if these are asked; peers of blocks alone are not', () => {
    const world = new DiscoveryWorld({ fixed: [{ host: '20.1.0.1', port: 18_444 }] })
    world.wait(30_000)
    expect(world.hosts).toEqual(['20.1.0.1'])
    const nowS = Math.floor(world.harness.nowMs / 1_000)
    world.harness.say(addressesOf(machines(9, 40), nowS), world.peerOf('20.1.0.1'))
    world.wait(10_000)
    expect(world.hosts.length).toBe(4)
    const blocks = world.harness.adapter.peers.findIndex(({ role }) => role === 'blocks')
    const host = world.harness.adapter.peers[blocks]?.address.host ?? ''
    const size = world.harness.adapter.toKeep().entries.length
    world.harness.say(addressesOf(machines(9, 60), nowS), world.peerOf(host))
    expect(world.harness.adapter.toKeep().entries.length).toBe(size)
  })

  it('through a proxy seeds are called by name, and let go with what they have said (AD-3)', () => {
    const world = new DiscoveryWorld({ seeds: [SEED, 'mute.example'] }, { isProxied: true })
    world.wait(10_000)
    expect(world.lookUps).toEqual([])
    expect(world.hosts.toSorted()).toEqual(['mute.example', SEED])
    const { harness } = world
    const nowS = Math.floor(harness.nowMs / 1_000)
    harness.say(addressesOf(['20.1.0.1'], nowS), world.peerOf(SEED))
    expect(world.hosts).toContain(SEED)
    harness.say(addressesOf(machines(9), nowS), world.peerOf(SEED))
    world.pump()
    expect(harness.offences().at(-1)).toEqual({
      kind: 'unneeded',
      reason: 'it has named addresses',
    })
    world.wait(EXTRA_MS)
    expect(world.hosts.length).toBe(4)
    expect(harness.offences().at(-1)?.reason).toBe('it names no addresses')
    expect(world.roles()).toEqual(['blocks', 'relay', 'relay', 'relay'])
  })

  it('at most three seeds are asked at once, each at most every ten minutes', () => {
    const names = ['a', 'b', 'c', 'd'].map((name) => `${name}.example`)
    const world = new DiscoveryWorld({ seeds: names })
    expect(world.lookUps.length).toBe(3)
    world.wait(60_000)
    expect(world.lookUps.toSorted()).toEqual(names)
    world.wait(600_000)
    expect(world.lookUps.length).toBe(8)
  })
})

describe('whether anybody may still be found', () => {
  const hope = (world: DiscoveryWorld): boolean | undefined =>
    world.harness.adapter.search?.isHopeful

  it('not where no source has anybody, and not of an adapter that has its peers', () => {
    expect(hope(new DiscoveryWorld())).toBe(false)
    expect(new AdapterHarness().adapter.search).toBeUndefined()
  })

  it('not once everybody has failed; again with whoever is new', () => {
    const world = new DiscoveryWorld({ seeds: [SEED], fixed: [{ host: '20.1.0.1', port: 1 }] })
    world.down.add('20.1.0.1')
    expect(hope(world)).toBe(true)
    world.wait(5_000)
    expect(hope(world)).toBe(false)
    expect(world.harness.adapter.search?.calls).toBeGreaterThan(0)
    world.harness.step({ type: 'lookedUp', seed: SEED, addresses: machines(1, 40) })
    expect(hope(world)).toBe(false) // It was not asked.
  })

  it('names are asked again where whoever is known does not answer', () => {
    const world = new DiscoveryWorld({ seeds: [SEED], fixed: [{ host: '20.1.0.1', port: 1 }] })
    world.down.add('20.1.0.1')
    world.seeds.set(SEED, machines(1, 40))
    world.wait(SEED_ROUND_MS + 2 * ATTEMPT_EVERY_MS_MAX)
    expect(world.hosts).toEqual(['40.1.0.1'])
  })

  it('not where every connection stands', () => {
    const world = started(machines(30))
    expect(world.hosts.length).toBe(4)
    expect(hope(world)).toBe(false)
  })
})

it('names that know nobody make way for the next, and these for the fixed list, at once', () => {
  const seeds = Array.from({ length: 9 }, (_, i) => `${i}.example`)
  const world = new DiscoveryWorld({ seeds, fixed: [{ host: '20.1.0.1', port: 18_444 }] })
  world.wait(4_000)
  expect(world.hosts).toEqual(['20.1.0.1'])
  expect(world.lookUps.length).toBe(9)
})

it('of peers with filters only those are taken from others that promise filters and all blocks', () => {
  const world = new DiscoveryWorld(
    { fixed: [{ host: '20.1.0.1', port: 18_444 }] },
    { filters: true },
  )
  world.versions.set('20.1.0.1', { services: 73n })
  world.wait(3_000)
  const nowS = Math.floor(world.harness.nowMs / 1_000)
  const told = addressesOf(machines(3, 40), nowS)
  if (told.type !== 'addrv2') throw new RangeError('another message')
  const services = [9n, 72n, 73n]
  const addresses = told.addresses.map((one, i) => ({ ...one, services: services[i] ?? 0n }))
  world.harness.say({ type: 'addrv2', addresses }, world.peerOf('20.1.0.1'))
  const entries = world.harness.adapter.toKeep().entries.map(({ host }) => host)
  expect(entries).toEqual(['20.1.0.1', '42.1.0.1'])
})

describe('which peers', () => {
  it('one of each group of the network (AD-7)', () => {
    const crowd = Array.from({ length: 20 }, (_, i) => `50.60.0.${i + 1}`)
    const world = started([...crowd, '70.1.0.1'])
    expect(new Set(world.hosts.map(networkGroup))).toEqual(new Set(['50.60', '70.1']))
    expect(world.hosts.length).toBe(2)
  })

  it('bitcoin §13.37: all peers of one group are a risk, and others are preferred', () => {
    const world = started(['50.60.0.1', '50.60.0.2'])
    expect(world.harness.adapter.status.eclipseRisk).toBe('50.60')
    const nowS = Math.floor(world.harness.nowMs / 1_000)
    const others = ['50.60.0.3', '50.60.0.4', '80.1.0.1', '90.1.0.1']
    world.harness.say(addressesOf(others, nowS), world.peerOf(world.hosts[0] ?? ''))
    world.wait(30_000)
    expect(world.hosts.map(networkGroup).toSorted()).toEqual(['50.60', '80.1', '90.1'])
    expect(world.harness.adapter.status.eclipseRisk).toBeUndefined()
  })

  it('the anchors of an earlier life first, as peers of blocks alone (AD-8)', () => {
    const anchors = [{ host: '33.1.0.1', port: 18_444 }]
    const world = seeded(machines(10), { known: { ...NO_PEERS, anchors } })
    world.wait(1_000)
    expect(world.attempts[0]?.host).toBe('33.1.0.1')
    expect(world.harness.adapter.peers[0]).toMatchObject({ role: 'blocks', state: 'ready' })
    expect(world.harness.adapter.toKeep().anchors).toEqual(anchors)
  })

  it('bitcoin §13.38: a peer that floods with addresses has its share, and displaces nobody', () => {
    const world = started(machines(10))
    const { adapter } = world.harness
    const before = adapter.toKeep().entries
    const flooder = world.harness.adapter.peers.find(({ role }) => role === 'relay')
    const peer = world.peerOf(flooder?.address.host ?? '')
    const nowS = Math.floor(world.harness.nowMs / 1_000)
    for (let i = 0; i < 100; i++) {
      const hosts = Array.from(
        { length: 1_000 },
        (_, n) => `${100 + (i % 90)}.${n >> 8}.${i}.${n & 255}`,
      )
      world.harness.say(addressesOf(hosts, nowS), peer)
    }
    const after = adapter.toKeep().entries
    expect(after.length - before.length).toBe(250)
    for (const { host } of before) expect(after.some((entry) => entry.host === host)).toBe(true)
    expect(world.harness.offences()).toEqual([])
  })

  it('a peer of blocks alone is asked for no transactions, and told of none (AD-6)', () => {
    const world = started(machines(10))
    const { harness } = world
    const tx = spend([coinbaseOutput(new ChainBuilder().mine())], [{ to: scriptOf(1), value: 1n }])
    const own = readOutgoing(bytesOf(tx), { keep: true, since: NOW })
    harness.step({ type: 'announce', transactions: own === undefined ? [] : [own] })
    const told = harness.adapter.peers.flatMap(({ address, role }) => {
      const messages = harness.sent(world.peerOf(address.host))
      return messages.some(({ type }) => type === 'inv') ? [role] : []
    })
    // Of those that carry transactions the last is the canary.
    expect(told).toEqual(['relay', 'relay'])
    const flags = harness.of('connect').map(({ peer }) => world.relayFlags.get(peer))
    expect(flags.filter((flag) => flag === false).length).toBe(1)
  })

  it('bitcoin §13.40: a peer that is days behind stays only while peers are missing', () => {
    const headers = new ChainBuilder().mineMany(300).map(({ header }) => header)
    const hosts = machines(6)
    const world = seeded(hosts.slice(0, 1))
    world.harness.step({ type: 'knownHeaders', headers })
    for (const host of hosts.slice(1)) world.versions.set(host, { startHeight: 300 })
    world.wait(11 * 60_000)
    expect(world.hosts).toEqual(hosts.slice(0, 1))
    expect(world.harness.adapter.bestHeight).toBe(300)
    world.seeds.set(SEED, hosts)
    world.wait(11 * 60_000)
    expect(world.hosts).not.toContain(hosts[0])
    expect(world.hosts.length).toBe(4)
    expect(world.harness.adapter.bestHeight).toBe(300)
    expect(world.harness.adapter.status.bans).toEqual([])
  })

  it('a peer that is two days behind, and no more, stays', () => {
    const headers = new ChainBuilder().mineMany(300).map(({ header }) => header)
    const [late = '', tooLate = '', ...others] = machines(6)
    const world = seeded([late, tooLate, ...others.slice(0, 2)])
    world.harness.step({ type: 'knownHeaders', headers })
    world.versions.set(late, { startHeight: 12 })
    world.versions.set(tooLate, { startHeight: 11 })
    for (const host of others) world.versions.set(host, { startHeight: 300 })
    world.wait(11 * 60_000)
    world.seeds.set(SEED, machines(6))
    world.wait(11 * 60_000)
    expect(world.hosts).toContain(late)
    const reasons = world.harness.offences().map(({ reason }) => reason)
    expect(new Set(reasons)).toEqual(new Set(['it is 289 blocks behind']))
  })

  it('nobody is tried whose ban lasts, though nobody else is left', () => {
    const hosts = machines(4)
    const world = started(hosts)
    expect(world.hosts.length).toBe(4)
    const [broken = ''] = world.hosts
    const [one, , three] = new ChainBuilder().mineMany(3).map(({ header }) => header)
    if (one === undefined || three === undefined) throw new RangeError('three were mined')
    world.harness.sayHeaders([one, three], world.peerOf(broken))
    world.pump()
    expect(world.harness.adapter.status.bans.map(({ host }) => host)).toEqual([broken])
    world.wait(HOUR_MS)
    const { peers } = world.harness.adapter
    expect(peers.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready'])
    world.harness.nowMs += 24 * HOUR_MS
    world.wait(60_000)
    expect(world.hosts).toContain(broken)
  })

  it('while the network is gone, no address is to blame (AD-5)', () => {
    const world = started(machines(6))
    world.goDown()
    world.wait(2 * HOUR_MS)
    expect(world.attempts.length).toBeGreaterThan(50)
    const { entries } = world.harness.adapter.toKeep()
    expect(entries.length).toBe(6)
    expect(Math.max(...entries.map(({ failures }) => failures))).toBe(1)
  })

  it('a tip that is old calls an extra peer; whoever has less goes (AD-9)', () => {
    const world = started(machines(12))
    const before = world.hosts
    const headers = new ChainBuilder().mineMany(5).map(({ header }) => header)
    for (const host of machines(12)) world.chains.set(host, headers)
    // The tip is the genesis block: always old.
    world.wait(TIP_CHECK_MS + 60_000)
    const [fresh] = world.hosts.filter((host) => !before.includes(host))
    expect(fresh).toBeDefined()
    expect(world.hosts.length).toBe(4)
    expect(world.harness.lastOffence()).toBe('unneeded')
    expect(world.harness.adapter.bestHeight).toBe(5)
    // The others announce the same; the next claims more, and shows nothing.
    for (const peer of world.live.keys()) world.harness.sayHeaders(headers, peer)
    const kept = new Set(world.hosts)
    world.chains.clear()
    for (const host of machines(12)) world.versions.set(host, { startHeight: 1_000_000 })
    world.wait(TIP_CHECK_MS)
    expect(new Set(world.hosts)).toEqual(kept)
    expect(world.harness.offences().at(-1)?.reason).toBe('it has no more than the others')
  })

  it('ourselves are forgotten', () => {
    const world = new DiscoveryWorld({ fixed: [{ host: '20.1.0.1', port: 18_444 }] })
    world.down.add('20.1.0.1')
    world.wait(20_000)
    expect(world.attempts.length).toBeGreaterThan(0)
    const { harness } = world
    const own = harness.of('connect').length
    world.down.clear()
    world.live.clear()
    while (harness.of('connect').length === own) harness.advance(500)
    const peer = harness.of('connect').slice(own)[0]?.peer ?? -1
    harness.step({ type: 'connected', peer })
    const [version] = harness.sent(peer)
    expect(version?.type).toBe('version')
    if (version?.type === 'version') harness.say(version, peer)
    expect(harness.lastOffence()).toBe('selfConnection')
    expect(harness.adapter.toKeep().entries).toEqual([])
  })
})

describe('what may happen', () => {
  it('bitcoin §13.43: the network is down for an hour and returns: the peers come back', () => {
    const world = started(machines(20))
    world.goDown()
    const tries = world.attempts.length
    world.wait(HOUR_MS)
    expect(world.hosts).toEqual([])
    // Neither silence nor a storm.
    const during = world.attempts.length - tries
    expect(during).toBeGreaterThan(30)
    expect(during).toBeLessThan(600)
    world.isOnline = true
    world.wait(10 * 60_000 * 1.2 + ATTEMPT_EVERY_MS_MAX)
    expect(world.hosts.length).toBe(4)
    expect(world.harness.adapter.toKeep().entries.length).toBe(20)
    expect(world.harness.adapter.status.bans).toEqual([])
  })

  it('bitcoin §13.69: a laptop sleeps for eight hours: nobody is banned, sync goes on', () => {
    const world = started(machines(20))
    world.harness.nowMs += 8 * HOUR_MS
    world.wait(10_000)
    expect(world.harness.adapter.status.bans).toEqual([])
    expect(world.hosts.length).toBe(4)
    // Connections that the sleep has cut are replaced.
    world.harness.nowMs += 8 * HOUR_MS
    for (const peer of [...world.live.keys()]) world.harness.step({ type: 'disconnected', peer })
    world.live.clear()
    world.wait(10_000)
    expect(world.hosts.length).toBe(4)
    expect(world.harness.adapter.status.bans).toEqual([])
  })

  it('without calls for an hour connections end, and a call brings them back (AD-11)', () => {
    const world = started(machines(20), { idleAfterMs: HOUR_MS })
    world.harness.step({ type: 'called' })
    world.wait(HOUR_MS - 1_000)
    expect(world.hosts.length).toBe(4)
    world.wait(2_000)
    expect(world.hosts).toEqual([])
    expect(world.harness.adapter.status.state).toBe('idle')
    const tries = world.attempts.length
    world.wait(HOUR_MS)
    expect(world.attempts.length).toBe(tries)
    world.harness.step({ type: 'called' })
    world.pump()
    expect(world.harness.adapter.status.state).toBe('catching up')
    world.wait(2_000)
    expect(world.hosts.length).toBeGreaterThan(1)
    world.wait(5_000)
    expect(world.harness.adapter.status.state).toBe('current')
  })

  it('regtest has no seeds: nothing is asked of anybody', () => {
    const world = new DiscoveryWorld()
    world.wait(60_000)
    expect(world.lookUps).toEqual([])
    expect(world.attempts).toEqual([])
  })
})
