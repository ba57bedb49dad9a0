/**
 * Goal: binary agreement by itself gives one decision, proposed by an honest node, and a schedule
 * hostile to the coin ends (threshold §§17.3, 22.4).
 *
 * Method: chance with liars, and a scheduler that learns each coin with the first share and keeps
 * two honest nodes apart with it for as long as the protocol lets it.
 */
import { describe, expect, it } from 'vitest'
import { playByChance, playHostile } from '../support/agreement-runs.ts'
import { seedsTo } from '../support/seeds.ts'

describe.each([1, 4, 5, 6, 7, 10, 13])('agreement alone, %i nodes', (nodes) => {
  it('§22.4 agreement: one decision, proposed by an honest node, with f liars sending term early and at random', () => {
    for (const seed of seedsTo(nodes < 7 ? 300 : 60))
      expect(() => playByChance(nodes, seed), `seed ${seed}`).not.toThrow()
  })
})

describe.each([4, 5, 6, 7, 10])('a schedule hostile to the coin, %i nodes', (nodes) => {
  it('§22.4 agreement: ends, mean below 5 rounds, none above 40', () => {
    const seeds = seedsTo(nodes < 7 ? 1_000 : 200)
    const rounds = seeds.map((seed) => playHostile(nodes, seed))
    const worst = Math.max(...rounds)
    expect(worst, `seed ${seeds[rounds.indexOf(worst)]}`).toBeLessThanOrEqual(40)
    expect(rounds.reduce((sum, count) => sum + count, 0) / rounds.length).toBeLessThan(5)
  })
})
