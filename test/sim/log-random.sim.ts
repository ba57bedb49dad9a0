/**
 * Goal: whatever liars, network, crashes and partitions do, honest nodes have one log, never
 * contradict themselves, and each item that an honest node submits gets in (threshold §22.4).
 *
 * Method: each seed draws liars, a schedule, crashes before any durable write and any send, and
 * partitions; `LogChecker` watches every vote and every slot. `npm run test:nightly` runs more.
 */
import { describe, expect, it } from 'vitest'
import { playLog } from '../support/log-run.ts'
import { seedsTo } from '../support/seeds.ts'

/** Seeds by number of nodes: about a minute in all. n = 5 and 6 with liars, not only 3f + 1. */
const SLICES = [
  { nodes: 1, count: 10 },
  { nodes: 4, count: 260 },
  { nodes: 5, count: 60 },
  { nodes: 6, count: 60 },
  { nodes: 7, count: 60 },
  { nodes: 10, count: 6 },
  { nodes: 13, count: 3 },
]

describe.each(SLICES)('f byzantine, $nodes nodes', ({ nodes, count }) => {
  it.each(seedsTo(count))('§22.4 byzantine: one log, and every item in it (seed %i)', (seed) => {
    playLog(seed, nodes)
  })
})

describe('a run', () => {
  it.each(seedsTo(5))('of the same seed is the same bytes (seed %i)', (seed) => {
    expect(playLog(seed, 4).net.fingerprint).toBe(playLog(seed, 4).net.fingerprint)
  })
})

it('§22.4 small: n = 5 and 6 with liars are among the runs, not only 3f + 1', () => {
  const sizes = SLICES.filter(({ count }) => count >= 30).map(({ nodes }) => nodes)
  expect(sizes).toEqual(expect.arrayContaining([5, 6]))
})
