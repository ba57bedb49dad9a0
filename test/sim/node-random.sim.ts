/**
 * Goal: bugs between the parts of a node. Whatever liars, network, crashes, partitions and the
 * Bitcoin chain do, honest nodes have one log and one state, never contradict themselves over all
 * their lives, and each deposit is minted, each redemption paid once, each call answered.
 *
 * Method: threshold §§18.4, 22.4, 22.7, architecture §10. Each seed draws liars or an older copy of
 * a disk, schedule, skewed clocks, crashes between any two effects of a step, partitions,
 * reorganisations and users; `NodeChecker` watches. The keys are made once; each run is a time line of its own.
 */
import { expect, it } from 'vitest'
import { playNodes } from '../support/node-run.ts'
import { seedsTo } from '../support/seeds.ts'

/** A run has seconds of work, more than a slow machine does in the time of other tests. */
const TIMEOUT_MS = 600_000

/** Seeds of each size: less than a minute in all. `npm run test:nightly` runs more. */
const SEEDS = { one: 3, four: 2 }

// Every run is held to both: nothing bad meanwhile, and everybody served at the end.
it.each(seedsTo(SEEDS.four))(
  '§22.4 liveness: four whole nodes of one state serve every user (seed %i)',
  (seed) => {
    playNodes(seed, 4)
  },
  TIMEOUT_MS,
)

it.each(seedsTo(SEEDS.one))(
  '§22.4 safety: one node keeps its word over all its lives (seed %i)',
  (seed) => {
    playNodes(seed, 1)
  },
  TIMEOUT_MS,
)

it(
  'a run of the same seed is the same bytes',
  () => {
    const [seed = 1] = seedsTo(1)
    expect(playNodes(seed, 1).net.fingerprint).toBe(playNodes(seed, 1).net.fingerprint)
  },
  TIMEOUT_MS,
)
