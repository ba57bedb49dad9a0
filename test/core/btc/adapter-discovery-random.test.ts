/**
 * Goal: whatever machines and networks do, the adapter has at most its number of connections, one of
 * a group, none to a banned host, and all of them again when things are calm. Method: events by
 * fast-check among forty machines, invariants after each, then a calm hour.
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { concat } from '../../../src/core/base/bytes.ts'
import { addressNetwork } from '../../../src/core/btc/address-message.ts'
import type { Message } from '../../../src/core/btc/message.ts'
import { encodeMessage } from '../../../src/core/btc/message.ts'
import { regtest } from '../../../src/core/btc/network.ts'
import { networkGroup } from '../../../src/core/btc/network-address.ts'
import { ByteSink } from '../../../src/core/btc/wire.ts'
import { DiscoveryWorld } from '../../support/discovery-world.ts'

const SEED = 'seed.example'
/** Two of each group. */
const MACHINES = Array.from({ length: 40 }, (_, i) => `${20 + (i >> 1)}.1.${i & 1}.1`)
const CONNECTIONS = 4

type Event =
  | { readonly kind: 'down' | 'up' | 'lie' | 'strikes' | 'leave'; readonly which: number }
  | { readonly kind: 'tell'; readonly which: number; readonly first: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'offline' | 'online' | 'sleep' }

const which = fc.nat(MACHINES.length - 1)
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    kind: fc.constantFrom(
      'down' as const,
      'up' as const,
      'lie' as const,
      'strikes' as const,
      'leave' as const,
    ),
    which,
  }),
  fc.record({ kind: fc.constant('tell' as const), which, first: fc.nat(200) }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 500, max: 90_000 }) }),
  fc.record({ kind: fc.constantFrom('offline' as const, 'online' as const, 'sleep' as const) }),
)

const oversized = encodeMessage(regtest, {
  type: 'unknown',
  command: 'inv',
  payload: new ByteSink().length(50_001).done(),
})
const corrupt = encodeMessage(regtest, { type: 'ping', nonce: 1n }).with(20, 0)

function told(first: number): Message {
  const addresses = Array.from({ length: 50 }, (_, i) => ({
    time: 1,
    services: 9n,
    network: addressNetwork.ipv4,
    address: Uint8Array.of(60 + ((first + i) % 100), first, i, 1),
    port: 18_444,
  }))
  return { type: 'addrv2', addresses }
}

/** The peer is one of those that are connected, if there are any. */
function happen(world: DiscoveryWorld, one: Event): void {
  const { harness } = world
  const [peer] = 'which' in one ? [...world.live.keys()].slice(one.which % CONNECTIONS) : []
  switch (one.kind) {
    case 'down':
    case 'up': {
      const host = MACHINES[one.which] ?? ''
      if (one.kind === 'down') world.down.add(host)
      else world.down.delete(host)
      break
    }
    case 'lie':
      if (peer !== undefined) harness.bytes(oversized, peer)
      break
    case 'strikes':
      if (peer !== undefined) harness.bytes(concat(corrupt, corrupt, corrupt), peer)
      break
    case 'leave':
      if (peer === undefined) break
      world.live.delete(peer)
      harness.step({ type: 'disconnected', peer })
      break
    case 'tell':
      if (peer !== undefined) harness.say(told(one.first), peer)
      break
    case 'wait':
      world.wait(one.ms)
      break
    case 'offline':
      world.goDown()
      break
    case 'online':
      world.isOnline = true
      break
    case 'sleep':
      harness.nowMs += 8 * 3_600_000
  }
  world.pump()
}

function check(world: DiscoveryWorld): void {
  const { peers, bans } = world.harness.adapter.status
  const hosts = peers.map(({ address }) => address.host)
  expect(hosts.length).toBeLessThanOrEqual(CONNECTIONS + 1)
  expect(new Set(hosts.map(networkGroup)).size).toBe(hosts.length)
  for (const { host } of bans) expect(hosts).not.toContain(host)
}

it('any events leave the connections as they should be, and calm brings all of them back', () => {
  fc.assert(
    fc.property(fc.array(event, { minLength: 5, maxLength: 25 }), (events) => {
      const world = new DiscoveryWorld({
        seeds: [SEED],
        fixed: MACHINES.slice(0, 6).map((host) => ({ host, port: 18_444 })),
      })
      world.seeds.set(SEED, MACHINES)
      world.wait(5_000)
      for (const one of events) {
        happen(world, one)
        check(world)
      }
      world.isOnline = true
      world.down.clear()
      world.wait(13 * 60_000)
      check(world)
      expect(world.hosts.length).toBeGreaterThanOrEqual(CONNECTIONS)
    }),
    { numRuns: 25 },
  )
})
