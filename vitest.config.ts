import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import type { TestSpecification } from 'vitest/node'
import { BaseSequencer } from 'vitest/node'

/** Files that take a minute and more: one that came last would leave the other cores idle. */
const LONG =
  /(?:kill-campaign|nodes|restart|console)\.test|(?:refresh|complaints|tape|single-use)\.sim/

/** Their nodes have to keep step until they are stopped: nothing else runs beside them. */
const inStep = ['test/e2e/restart.test.ts', 'test/e2e/older-copy.test.ts']

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): number => Number(LONG.test(moduleId))
    return (await super.sort(files)).toSorted((a, b) => isLong(b) - isLong(a))
  }
}

/** unit: pure code · sim: seeded networks, both from src · e2e, alone: processes, from dist. */
export default defineConfig({
  test: {
    // As many as there are cores: the default leaves one idle.
    maxWorkers: availableParallelism(),
    sequence: { sequencer: LongFirst },
    projects: [
      {
        test: {
          name: 'unit',
          // Pure code: files share a worker and its modules, which saves half of the time.
          pool: 'threads',
          isolate: false,
          include: [
            'test/core/**/*.test.ts',
            'test/host/**/*.test.ts',
            'test/native/**/*.test.ts',
            'test/wallet/**/*.test.ts',
            'test/terminal/**/*.test.ts',
            'test/campaign/**/*.test.ts',
            'test/*.test.ts',
          ],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      { test: { name: 'sim', include: ['test/sim/**/*.sim.ts'], testTimeout: 120_000 } },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', 'test/cli/**/*.test.ts'],
          exclude: inStep,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'alone',
          include: inStep,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
