/**
 * Goal: however much peers send, the adapter holds no more memory than it did. Method: a slice of
 * `npm run flood`: hostile peers on loopback, and what is held after each collection.
 */
import { expect, it } from 'vitest'
import { flood, GROWTH_MB_MAX, growthMb } from '../campaign/flooding.ts'

it('a flood of messages on every connection leaves the memory as it was', async () => {
  const samples = await flood({ seconds: 6, samples: 8 })
  expect(samples.at(-1)?.sentMb).toBeGreaterThan(1)
  expect(growthMb(samples)).toBeLessThan(GROWTH_MB_MAX)
})
