/**
 * Goal: f liars cannot keep an idle subnet busy, move slot time outside honest clocks, or make a
 * node store without end (threshold §22.4).
 *
 * Method: each liar runs an honest node and says more than that one, on purpose and for ever.
 */
import { describe, expect, it } from 'vitest'
import { present } from '../../src/core/base/errors.ts'
import { sha256 } from '../../src/core/base/hash.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { TIMESTAMP_MAX, timestampNs } from '../../src/core/base/units.ts'
import { encodeProposal } from '../../src/core/log/proposal.ts'
import { COIN_SHARE_SIZE } from '../../src/core/log/vote.ts'
import { itemOf, LogNet } from '../support/log-net.ts'
import type { Schedule } from '../support/log-net-options.ts'
import { encoded, votesBytes } from '../support/log-world.ts'
import { forEver, keepBusy, liarsOf, obedient } from '../support/log-worlds.ts'

describe('f liars that send messages for the next slot for ever', () => {
  it.each([4, 5, 7])(
    '§22.4 idle: %i nodes, an idle subnet makes at most one slot in 10 s',
    (nodes) => {
      const liars = liarsOf(nodes, () => obedient)
      const net = new LogNet({ nodes, seed: 'noise', liars })
      forEver(net, 20, () => {
        for (const from of liars.keys())
          for (const to of net.honest) {
            const slot = BigInt(net.height(to))
            const proposal = encodeProposal({ clock: timestampNs(slot), items: [] })
            net.post({ from, to, bytes: votesBytes(from, slot, [{ type: 'initial', proposal }]) })
          }
      })
      net.run(() => false, 60_000)
      const before = net.height(0)
      net.run(() => false, 300_000)
      expect(net.height(0) - before).toBeLessThanOrEqual(30)
      // An honest item waits for nobody.
      net.submit(0, itemOf('now'))
      expect(net.run(() => net.isServed, 1_000)).toBe(true)
    },
  )
})

describe('f liars that send items for ever that never count', () => {
  it.each([4, 5, 7])(
    '§22.4 idle: %i nodes, an idle subnet makes at most one slot in 10 s, and serves an honest item',
    (nodes) => {
      const liars = liarsOf(nodes, () => obedient)
      const counts = (item: Uint8Array): boolean => item[0] !== 0
      const net = new LogNet({ nodes, seed: 'junk', liars, counts })
      let count = 0
      forEver(net, 4_000, () => {
        for (const from of liars.keys())
          for (const to of net.honest) {
            count += 1
            const item = Uint8Array.of(0, from, count >> 16, (count >> 8) & 0xff, count & 0xff)
            net.post({ from, to, bytes: encoded({ type: 'item', item }) })
          }
      })
      net.run(() => false, 60_000)
      const before = net.height(0)
      net.run(() => false, 300_000)
      expect(net.height(0) - before).toBeLessThanOrEqual(30)
      expect(net.height(0)).toBeGreaterThan(before)
      net.submit(0, itemOf('now'))
      expect(net.run(() => net.isServed, 1_000)).toBe(true)
    },
  )
})

describe('f liars that go on talking', () => {
  it.each([4, 7])('%i nodes: do not keep a node from asking for what it lacks', (nodes) => {
    const liars = liarsOf(nodes, () => obedient)
    // Lost without a sign: no link ends, nobody starts again.
    const schedule: Schedule = ({ from, to }, random, nowMs) =>
      to === 0 && nowMs < 5_000 && !liars.has(from) ? [] : [1 + random.below(10)]
    const net = new LogNet({ nodes, seed: 'talk', liars, schedule })
    forEver(net, 500, () => {
      const votes = [{ type: 'term', instance: 0, value: 0 } as const]
      for (const from of liars.keys())
        net.post({ from, to: 0, bytes: votesBytes(from, BigInt(net.height(0)), votes) })
    })
    net.submit(1, itemOf('item'))
    expect(net.run(() => net.isServed, 120_000)).toBe(true)
  })
})

describe('clocks of f liars at 0 and at 2^64 − 1', () => {
  it.each([4, 5, 6, 7, 10])(
    '§22.4 clocks: %i nodes, slot time stays within honest clocks and rises',
    (nodes) => {
      for (const wrong of [0n, TIMESTAMP_MAX]) {
        const liars = liarsOf(nodes, () => obedient)
        const clock = (node: NodeIndex, ns: bigint): bigint =>
          liars.has(node) ? wrong : ns + BigInt(node) * 1_000_000_000n
        const net = new LogNet({ nodes, seed: `clock ${wrong}`, liars, clock })
        keepBusy(net, net.honest, { everyMs: 30, untilMs: 300 })
        expect(net.run(() => net.isServed)).toBe(true)
        const { slots } = net.node(0).disk
        const entered = slots.flatMap(({ proposers }) => proposers)
        expect(entered.some(({ clock: time }) => time === wrong)).toBe(true)
        // `LogChecker` compares each slot with the honest clocks in it; this is the whole of it.
        for (const [i, { time }] of slots.entries()) {
          expect(time).toBeGreaterThan(slots[i - 1]?.time ?? 0n)
          expect(time).toBeGreaterThanOrEqual(1_000_000_000_000n)
          expect(time).toBeLessThan(1_000_000_000_000n + BigInt(nodes + 60) * 1_000_000_000n)
        }
      }
    },
  )
})

describe('store sizes stay within §17.8 and §23', () => {
  const nodes = 4
  const liar = 3
  const [victim, slot] = [0, 1n]
  const ROUND_MAX = 0xffff
  /** Votes: of 3 slots and n² pairs of sender and instance; kinds without round, and of rounds. */
  const VOTES_MAX = 3 * nodes * nodes * (3 + 5 * 17)
  const MIB = 1024 * 1024
  /** Of one liar: items that wait, and in two slots proposals and what they name. */
  const BYTES_MAX = (8 + 2 * (8 + 1)) * MIB

  /** A net after its first slot, one node of which is then told `count` things by a liar. */
  function flooded(count: number, say: (i: number) => Uint8Array): LogNet {
    const liars = new Map([[liar, obedient]])
    const net = new LogNet({ nodes, seed: 'flood', liars })
    net.submit(victim, itemOf('first'))
    expect(net.run(() => net.isServed)).toBe(true)
    net.run(() => false, 1_000)
    for (let i = 0; i < count; i++) {
      net.input(victim, { type: 'message', from: liar, bytes: say(i) })
      if (i % 100 === 0) expectBounded(net)
    }
    expectBounded(net)
    const { sentBytes } = net
    expect(sentBytes).toBeLessThan(40 * MIB)
    net.submit(1, itemOf('last'))
    expect(net.run(() => net.isServed)).toBe(true)
    return net
  }

  function expectBounded(net: LogNet): void {
    const { votes, bytes } = present(net.node(victim).party, 'it is up').held
    expect(votes).toBeLessThanOrEqual(VOTES_MAX)
    expect(bytes).toBeLessThanOrEqual(BYTES_MAX)
  }

  it('§22.4 bounded: under senders of far slots', () => {
    flooded(3_000, (i) => {
      const votes = [{ type: 'term', instance: i % nodes, value: 1 } as const]
      return votesBytes(liar, slot + BigInt(i * i), votes)
    })
  })

  it('§22.4 bounded: under senders of far rounds', () => {
    for (const ahead of [0n, 1n])
      flooded(3_000, (i) => {
        const place = { instance: i % nodes, round: (i * 31) % ROUND_MAX }
        return votesBytes(liar, slot + ahead, [
          { type: 'bval', ...place, value: 0, isEstimate: true },
          { type: 'bval', ...place, value: 1, isEstimate: false },
          { type: 'aux', ...place, value: 1 },
          { type: 'conf', ...place, values: 3 },
          { type: 'coin', ...place, share: new Uint8Array(COIN_SHARE_SIZE) },
        ])
      })
  })

  it('§22.4 bounded: under senders of unknown runs, other time lines, slots, proposers and kinds', () => {
    flooded(3_000, (i) => {
      const bytes = votesBytes(liar, slot, [{ type: 'term', instance: 200, value: 1 }]).slice()
      if (i % 2 === 0) bytes[i % 9] = i & 0xff
      return bytes
    })
  })

  it('§22.4 bounded: under senders of items, proposals and bodies without end', () => {
    const large = (i: number): Uint8Array => {
      const item = new Uint8Array(MIB)
      new DataView(item.buffer).setUint32(0, i)
      return item
    }
    const LARGE = 60
    const items = Array.from({ length: LARGE }, (_, i) => sha256(large(i)))
    flooded(3 * LARGE, (i) => {
      if (i < LARGE) return encoded({ type: 'item', item: large(1_000 + i) })
      if (i === LARGE) {
        const proposal = encodeProposal({ clock: timestampNs(1n), items })
        return votesBytes(liar, slot, [{ type: 'initial', proposal }])
      }
      if (i < 2 * LARGE + 1) return encoded({ type: 'body', item: large(i - LARGE - 1) })
      const proposal = encodeProposal({ clock: timestampNs(BigInt(i)), items: items.slice(1) })
      return votesBytes(liar, slot + BigInt(i % 2), [{ type: 'initial', proposal }])
    })
  })

  it('under askers without end, who get a bounded answer in a second', () => {
    flooded(5_000, (i) => {
      if (i % 2 === 0) return encoded({ type: 'resend', slot: BigInt(i % 4_000) })
      if (i % 3 === 0) return encoded({ type: 'copy', first: 0n })
      return encoded({ type: 'decided', first: BigInt(i), hashes: hashes.slice(i % 2) })
    })
  })
})

const hashes = Array.from({ length: 128 }, (_, i) => sha256(itemOf(`hash ${i}`)))
