/**
 * Goal: each fault of threshold §22.4 by itself, in its words: crashes at every step, a starved
 * node, f + 1 down, withheld bodies, censored proposals, restarts at every write and send.
 *
 * Method: one net per case, with the chosen fault in it; `LogChecker` watches for forks, votes that
 * contradict each other and slot times. Random mixtures of all of them are in `log-random.sim.ts`.
 */
import { describe, expect, it } from 'vitest'
import { faultyMax } from '../../src/core/base/party.ts'
import { decodeLogMessage } from '../../src/core/log/message.ts'
import { itemOf, LogNet } from '../support/log-net.ts'
import type { Schedule } from '../support/log-net-options.ts'
import { inStep, scattered, starving } from '../support/log-schedules.ts'
import { INCARNATION, votesBytes } from '../support/log-world.ts'
import {
  crashAt,
  keepBusy,
  lastOf,
  liarsOf,
  obedient,
  silent,
  withholding,
} from '../support/log-worlds.ts'
import { seedsTo } from '../support/seeds.ts'

/** Long enough for alarms of `resend`. */
const SOON_MS = 120_000

const submitAll = (net: LogNet, name = 'item'): void => {
  for (const node of net.honest) net.submit(node, itemOf(`${name} of ${node}`))
}

/** All liars, and as many honest nodes as make a quorum with them. */
const favouredOf = (nodes: number): readonly number[] => [
  ...lastOf(nodes),
  ...Array.from({ length: nodes - 2 * faultyMax(nodes) }, (_, i) => i),
]

describe.each([1, 4, 5, 6, 7, 10, 13])('%i honest nodes', (nodes) => {
  it('have an item of each in one log, and then are silent', () => {
    const net = new LogNet({ nodes, seed: `calm ${nodes}` })
    submitAll(net)
    expect(net.run(() => net.isServed, SOON_MS)).toBe(true)
    net.run(() => false, SOON_MS)
    const { sent } = net
    net.run(() => false, 3_600_000)
    expect(net.sent).toBe(sent)
  })
})

describe('f crashed at every step', () => {
  const steps = Array.from({ length: 40 }, (_, i) => 3 * i)

  it.each([4, 5, 7])('§22.4 crashed: %i nodes, the others go on', (nodes) => {
    for (const step of steps) {
      const crashed = lastOf(nodes)
      const crash = crashAt(crashed, step, Number.POSITIVE_INFINITY)
      const net = new LogNet({ nodes, seed: `crash ${step}`, crash })
      const others = net.honest.filter((node) => !crashed.includes(node))
      submitAll(net)
      const isServed = (): boolean =>
        others.every((i) => others.every((j) => net.has(i, itemOf(`item of ${j}`))))
      expect(net.run(isServed, SOON_MS), `step ${step}`).toBe(true)
    }
  })
})

describe('f + 1 crashed', () => {
  it.each([4, 5, 6, 7])(
    '§22.4 stopped: %i nodes, no progress, nothing wrong, progress on return',
    (nodes) => {
      const net = new LogNet({ nodes, seed: `too many ${nodes}` })
      const down = Array.from({ length: faultyMax(nodes) + 1 }, (_, i) => i)
      for (const node of down) net.stop(node)
      const up = net.honest.filter((node) => !down.includes(node))
      const [first = 0] = up
      net.submit(first, itemOf('waits'))
      net.run(() => false, 600_000)
      expect(net.honest.map((node) => net.height(node))).toEqual(net.honest.map(() => 0))
      for (const node of down) net.start(node)
      expect(net.run(() => net.isServed, SOON_MS)).toBe(true)
    },
  )
})

describe('a schedule that starves a chosen honest node', () => {
  it.each([4, 5, 7])('§22.4 starved: %i nodes, the others finish, and it follows', (nodes) => {
    const untilMs = 20_000
    for (let starved = 0; starved < nodes; starved++) {
      const liars = liarsOf(nodes, () => obedient)
      if (liars.has(starved)) continue
      const schedule = starving(starved, untilMs, scattered(20, { twiceOneIn: 10 }))
      // Others can do without it: n − f are connected while liars obey.
      const net = new LogNet({ nodes, seed: `starve ${starved}`, liars, schedule })
      const others = net.honest.filter((node) => node !== starved)
      for (const node of others) net.submit(node, itemOf(`item of ${node}`))
      const isServed = (): boolean =>
        others.every((i) => others.every((j) => net.has(i, itemOf(`item of ${j}`))))
      expect(net.run(isServed, untilMs - 1)).toBe(true)
      net.submit(starved, itemOf('mine'))
      expect(net.run(() => net.isServed, untilMs + SOON_MS)).toBe(true)
    }
  })
})

describe('a proposal that names a body its proposer withholds', () => {
  it.each([4, 5, 7])('§22.4 withheld: %i nodes, from all, slots go on without it', (nodes) => {
    const liars = liarsOf(nodes, (node) => withholding(node, []))
    const net = new LogNet({ nodes, seed: 'from all', liars })
    submitAll(net)
    expect(net.run(() => net.isServed, SOON_MS)).toBe(true)
    const { slots } = net.node(0).disk
    const entered = slots.flatMap(({ proposers }) => proposers.map(({ node }) => node))
    expect(entered.filter((node) => !net.isHonest(node))).toEqual([])
  })

  it.each(seedsTo(12))(
    '§22.4 withheld: from some, those who have it give it to the rest (seed %i)',
    (seed) => {
      for (const nodes of [4, 5, 7]) {
        const favoured = favouredOf(nodes)
        const liars = liarsOf(nodes, (node) => withholding(node, favoured))
        const net = new LogNet({ nodes, seed: `from some ${seed}`, liars })
        submitAll(net)
        expect(net.run(() => net.isServed, SOON_MS)).toBe(true)
        submitAll(net, 'another')
        expect(net.run(() => net.isServed, SOON_MS)).toBe(true)
      }
    },
  )
})

describe('those who echoed a proposal', () => {
  it.each([4, 5, 7])('%i nodes: give its items to all who lack them', (nodes) => {
    const favoured = favouredOf(nodes)
    const liars = liarsOf(nodes, (node) => withholding(node, favoured))
    // The liar is near: its proposal is in time, with the answers that it gives.
    const schedule: Schedule = ({ from, to }) => [liars.has(from) || liars.has(to) ? 1 : 4]
    const net = new LogNet({ nodes, seed: 'give', liars, schedule })
    net.run(() => false, 1_000)
    for (const liar of liars.keys()) net.submit(liar, itemOf('of a liar'))
    submitAll(net)
    expect(net.run(() => net.isServed, SOON_MS)).toBe(true)
    const named = net.honest.map((node) => net.has(node, Uint8Array.of(255, 0)))
    expect(named).toEqual(net.honest.map(() => true))
  })

  const steps = Array.from({ length: 60 }, (_, i) => i)

  it.each([4, 5])('%i nodes: keep its bodies over a crash of all of them', (nodes) => {
    const favoured = favouredOf(nodes)
    for (const step of steps) {
      const liars = liarsOf(nodes, (node) => withholding(node, favoured))
      const crash = crashAt([0, 1, 2, 3], step, 30)
      const net = new LogNet({ nodes, seed: `keep ${step}`, liars, crash, schedule: inStep })
      submitAll(net)
      expect(
        net.run(() => net.isServed, SOON_MS),
        `step ${step}`,
      ).toBe(true)
    }
  })
})

describe('a busy log whose schedule keeps one honest node’s proposals out of every slot', () => {
  it.each([4, 5, 7])('§22.4 censored: %i nodes, its item is served (two slots)', (nodes) => {
    const censored = 0
    const votesTag = votesBytes(0, 0n, [])[8]
    const schedule: Schedule = ({ from, bytes }, random) => [
      1 + random.below(10) + (from === censored && bytes[8] === votesTag ? 300 : 0),
    ]
    const net = new LogNet({ nodes, seed: 'censor', schedule })
    const others = net.honest.filter((node) => node !== censored)
    keepBusy(net, others, { everyMs: 15, untilMs: 4_000 })
    net.run(() => net.height(1) >= 8)
    const item = itemOf('kept out')
    net.submit(censored, item)
    const heights = others.map((node) => net.height(node))
    expect(net.run(() => net.has(1, item), 3_000)).toBe(true)
    const { slots } = net.node(1).disk
    const after = slots.slice(Math.min(...heights))
    const entered = after.flatMap(({ proposers }) => proposers.map(({ node }) => node))
    expect(entered).not.toContain(censored)
    // It arrives while the others work on one slot, waits for the next, and is in the third.
    expect(net.height(1) - Math.max(...heights)).toBeLessThanOrEqual(4)
  })
})

describe('a node that has delivered a slot', () => {
  it.each([4, 5, 7])(
    '%i nodes: asks for votes of it until all its instances have stopped',
    (nodes) => {
      let areLost = true
      let asked = 0
      const schedule: Schedule = ({ from, to, bytes }) => {
        const message = decodeLogMessage(INCARNATION, bytes)
        if (from === 0 && message?.type === 'resend' && message.slot === 0n) asked += 1
        const isTerm =
          message?.type === 'votes' && message.votes.some(({ type }) => type === 'term')
        return areLost && to === 0 && isTerm ? [] : [1]
      }
      const net = new LogNet({ nodes, seed: 'unstopped', schedule })
      net.run(() => false, 10_000)
      asked = 0
      net.submit(1, itemOf('item'))
      expect(net.run(() => net.isServed, SOON_MS)).toBe(true)
      net.run(() => false, 10_000)
      expect(asked).toBeGreaterThan(0)
      areLost = false
      net.run(() => false, SOON_MS)
      const { sent } = net
      net.run(() => false, SOON_MS)
      expect(net.sent).toBe(sent)
    },
  )
})

describe('any number of nodes crash and come back', () => {
  const steps = Array.from({ length: 60 }, (_, i) => i)

  it('§22.7 killed-voter: one node, before each durable write and each send, never contradicts itself, and the slot ends with f liars silent', () => {
    for (const nodes of [4, 5])
      for (const step of steps) {
        const crash = crashAt([0], step, 30)
        const liars = liarsOf(nodes, () => silent)
        const net = new LogNet({ nodes, seed: `kill ${step}`, liars, crash })
        submitAll(net)
        expect(
          net.run(() => net.isServed, SOON_MS),
          `step ${step}`,
        ).toBe(true)
      }
  })

  it('§22.4 returns: all nodes at once, before each durable write and each send', () => {
    for (const nodes of [4, 5])
      for (const step of steps) {
        const crash = crashAt([0, 1, 2, 3, 4], step, 30)
        const liars = liarsOf(nodes, () => silent)
        const net = new LogNet({ nodes, seed: `kill all ${step}`, liars, crash, schedule: inStep })
        submitAll(net)
        expect(
          net.run(() => net.isServed, SOON_MS),
          `step ${step}`,
        ).toBe(true)
      }
  })

  it('a node that was away for many slots takes them from others', () => {
    const net = new LogNet({ nodes: 4, seed: 'away', schedule: inStep })
    net.stop(3)
    keepBusy(net, [0, 1, 2], { everyMs: 20, untilMs: 8_000 })
    net.run(() => net.height(0) > 200, 8_000)
    net.start(3)
    expect(net.run(() => net.isServed, SOON_MS)).toBe(true)
    expect(net.height(3)).toBeGreaterThan(200)
  })
})
