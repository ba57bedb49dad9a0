/** The clock of a chain runs, stands and jumps as tests want it, and never goes back (RN-11). */
import { describe, expect, it } from 'vitest'
import { ChainClock } from '../../../../src/core/btc/regtest/chain-clock.ts'
import { RegtestNode } from '../../../../src/core/btc/regtest/node.ts'

function clockOver(start: number) {
  const world = { now: start }
  return { world, clock: new ChainClock(() => world.now) }
}

describe('the clock of a chain', () => {
  it('follows the clock of the host, ahead of it once it was advanced', () => {
    const { world, clock } = clockOver(1_000)
    expect(clock.now()).toBe(1_000)
    clock.advance(7_200)
    world.now += 5
    expect(clock.now()).toBe(8_205)
  })

  it('stands while it is frozen, can be moved then, and goes on from there', () => {
    const { world, clock } = clockOver(1_000)
    clock.freeze()
    world.now += 500
    expect(clock.now()).toBe(1_000)
    clock.advance(60)
    expect(clock.now()).toBe(1_060)
    clock.resume()
    clock.resume()
    expect(clock.now()).toBe(1_060)
    world.now += 1
    expect(clock.now()).toBe(1_061)
  })

  it.each([-1, 0.5, Number.NaN])('does not advance by %d', (seconds) => {
    expect(() => clockOver(1_000).clock.advance(seconds)).toThrow(RangeError)
  })

  it('gives blocks their time: the clock, or one second above the median before them', () => {
    const { clock } = clockOver(1_700_000_000)
    const node = new RegtestNode()
    const mine = (): number => {
      node.mine(1, Uint8Array.of(0x51), clock.now())
      return node.tip().header.time - 1_700_000_000
    }
    // The median rises by a second only when half of eleven blocks have it.
    expect(Array.from({ length: 14 }, mine)).toEqual([0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4])
    clock.advance(3_600)
    expect(mine()).toBe(3_600)
  })
})
