/**
 * Goal: a node whose disk is older than what it has said is shown its votes, is silent, returns with
 * a new life, and no slot forks (threshold §§18.4, 22.7).
 *
 * Method: a copy of one node's disk is taken at some moment and put back later; the others go on.
 * `LogChecker` compares all that it ever said.
 */
import { describe, expect, it } from 'vitest'
import { someLiar } from '../support/log-liars.ts'
import { itemOf, LogNet } from '../support/log-net.ts'
import { scattered } from '../support/log-schedules.ts'
import { keepBusy } from '../support/log-worlds.ts'
import { Random } from '../support/random.ts'
import { seedsTo } from '../support/seeds.ts'

const SOON_MS = 120_000

describe.each([4, 5, 7])('an older copy of one of %i nodes is put back', (nodes) => {
  it.each(seedsTo(5))('it is shown its votes and returns with a new life (seed %i)', (seed) => {
    const schedule = scattered(10, { twiceOneIn: 10 })
    const net = new LogNet({ nodes, seed: `return ${seed}`, schedule })
    keepBusy(net, net.honest, { everyMs: 150, untilMs: 4_000 })
    net.run(() => false, 1_000 + net.random.below(500))
    const putBack = net.copyDisk(0)
    // From a few votes of one slot to many slots.
    net.run(() => false, 40 + net.random.below(seed % 2 === 0 ? 100 : 1_500))
    putBack()
    expect(net.run(() => net.rolledBack.length > 0, 2_000)).toBe(true)
    const hasReturned = (): boolean => net.node(0).voice > 0n && net.isServed
    expect(net.run(hasReturned, SOON_MS)).toBe(true)
    expect(net.rolledBack).toEqual([0])
    // It takes part again: the others can do without f of theirs.
    const [last = 0] = net.honest.filter((node) => node !== 0)
    net.stop(last)
    net.submit(0, itemOf('mine again'))
    const others = net.honest.filter((node) => node !== last)
    const isServed = (): boolean => others.every((node) => net.has(node, itemOf('mine again')))
    expect(net.run(isServed, SOON_MS)).toBe(true)
    net.start(last)
    expect(net.run(() => net.isServed, SOON_MS)).toBe(true)
  })
})

describe('of seven nodes, with all that may be corrupt', () => {
  const [BACK, LIAR] = [0, 6]
  /** All vote in a slot at least. */
  const sayMore = (net: LogNet): void => {
    const before = net.height(BACK)
    expect(net.run(() => net.height(BACK) > before, SOON_MS)).toBe(true)
    net.run(() => false, net.random.below(500))
  }
  it.each(seedsTo(3))(
    'one lies and one is put back: no slot forks, all is served (seed %i)',
    (seed) => {
      const random = new Random(`return beside a liar ${seed}`)
      const liars = new Map([[LIAR, someLiar(7, LIAR, random)]])
      const net = new LogNet({ nodes: 7, seed: `liar ${seed}`, schedule: scattered(10), liars })
      keepBusy(net, net.honest, { everyMs: 150, untilMs: 3_000 })
      net.run(() => false, 1_000)
      const putBack = net.copyDisk(BACK)
      sayMore(net)
      putBack()
      net.submit(BACK, itemOf('mine again'))
      const isBack = (): boolean => net.node(BACK).voice > 0n && net.isServed
      expect(net.run(isBack, SOON_MS)).toBe(true)
      expect(net.rolledBack.filter((node) => net.isHonest(node))).toEqual([BACK])
    },
  )

  it.each(seedsTo(3))('two are put back and start at once: both return (seed %i)', (seed) => {
    const net = new LogNet({ nodes: 7, seed: `two ${seed}`, schedule: scattered(10) })
    keepBusy(net, net.honest, { everyMs: 150, untilMs: 3_000 })
    net.run(() => false, 1_000)
    const copies = [0, 1].map((node) => net.copyDisk(node))
    sayMore(net)
    for (const putBack of copies) putBack()
    const isBack = (): boolean => [0, 1].every((node) => net.node(node).voice > 0n) && net.isServed
    expect(net.run(isBack, SOON_MS)).toBe(true)
    expect(net.rolledBack.toSorted()).toEqual([0, 1])
  })
})

it('a node that only starts again is not shown more than it knows', () => {
  const net = new LogNet({ nodes: 4, seed: 'again' })
  keepBusy(net, net.honest, { everyMs: 50, untilMs: 3_000 })
  for (let life = 0; life < 20; life++) {
    net.run(() => false, 100)
    net.stop(life % 4)
    net.start(life % 4)
  }
  expect(net.run(() => net.isServed, SOON_MS)).toBe(true)
  expect(net.rolledBack).toEqual([])
})
