/**
 * Goal: bugs between the parts of a node. Whatever liars, network, crashes, partitions and the
 * Bitcoin chain do, honest nodes have one log and one state, never contradict themselves over all
 * their lives, and each deposit is minted, each redemption paid once, each call answered.
 *
 * Method: threshold §§18.4, 22.4, 22.7, architecture §10. Each seed draws liars, schedule, skewed
 * clocks, crashes between any two effects of a step, partitions, reorganisations and users;
 * `NodeChecker` watches. The keys are made once; each run is a time line of its own.
 */
import { describe, expect, it } from 'vitest'
import { playNodes } from '../support/node-run.ts'
import { seedsTo } from '../support/seeds.ts'

/** A run has seconds of work, more than a slow machine does in the time of other tests. */
const TIMEOUT_MS = 600_000

/** Seeds by number of nodes: less than a minute in all. `npm run test:nightly` runs more. */
const SLICES = [
  { nodes: 1, count: 3 },
  { nodes: 4, count: 2 },
]

describe.each(SLICES)('whole nodes, $nodes of them', ({ nodes, count }) => {
  it.each(seedsTo(count))(
    '§22.4 safety, liveness: one state, and every user served (seed %i)',
    (seed) => {
      playNodes(seed, nodes)
    },
    TIMEOUT_MS,
  )
})

it(
  'a run of the same seed is the same bytes',
  () => {
    const [seed = 1] = seedsTo(1)
    expect(playNodes(seed, 1).net.fingerprint).toBe(playNodes(seed, 1).net.fingerprint)
  },
  TIMEOUT_MS,
)
