/** What is due when: tasks, their periods, and that nothing stops them. Source: minter §17. */
import { expect, it } from 'vitest'
import { NS_PER_SECOND } from '../../../src/core/base/units.ts'
import { schedule } from '../../../src/core/minter/context.ts'
import { nextTimer } from '../../../src/core/minter/timers.ts'
import { TestMinter, user } from '../../support/minter-world.ts'

const SECOND = NS_PER_SECOND
const HOUR = 3_600n * SECOND
const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const alice = { owner: user(1) }

it('minter §23.110: a task that is scheduled again and again is there once, at its earliest time', () => {
  const { state, now } = new TestMinter()
  state.volatile.tasks.clear()
  for (const seconds of [7n, 5n, 9n, 5n]) schedule(state, 'process', now + seconds * SECOND)
  schedule(state, 'refreshFees', now + HOUR)
  expect([...state.volatile.tasks]).toEqual([
    ['process', now + 5n * SECOND],
    ['refreshFees', now + HOUR],
  ])
  expect(nextTimer(state)).toBe(now + 5n * SECOND)
})

it('minter §23.110: a refresh that learns nothing is due again in an hour', () => {
  const world = new TestMinter({ init: { network: 'mainnet' } })
  expect(world.state.volatile.fees.known).toBe(false)
  world.state.volatile.tasks.delete('process')
  for (let hour = 0; hour < 3; hour++) {
    expect(world.state.volatile.tasks.get('refreshFees')).toBe(world.now + HOUR)
    world.wait(HOUR)
  }
})

it('minter §23.110: a round that gets nowhere is due again in five seconds', () => {
  const world = new TestMinter()
  world.deposit(alice, 1_000_000n)
  world.withdraw(alice, ADDRESS, 900_000n)
  world.wait(11n * SECOND)
  world.chain.refusesToSend = true
  world.sign()
  for (let round = 0; round < 3; round++) {
    world.tick()
    const due = world.state.volatile.tasks.get('process') ?? expect.unreachable()
    expect(due).toBeGreaterThan(world.now)
    expect(due).toBeLessThanOrEqual(world.now + 5n * SECOND)
    world.wait(due - world.now)
  }
  expect(world.chain.sent).toEqual([])
  world.chain.refusesToSend = false
  world.wait(5n * SECOND)
  expect(world.chain.sent.length).toBe(1)
})
