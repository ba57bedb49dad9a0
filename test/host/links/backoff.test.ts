/** Who cannot be linked, or not for long, is dialled ever more seldom. Threshold §2.1. */
import { expect, it } from 'vitest'
import { BACKOFF_MS_MAX, Backoff } from '../../../src/host/links/backoff.ts'

const waits = (backoff: Backoff, livedMs: number, count: number): readonly number[] =>
  Array.from({ length: count }, () => backoff.next(livedMs))

it.each([0, 1, BACKOFF_MS_MAX - 1])('links that last %i ms: doubled up to the longest', (lived) => {
  expect(waits(new Backoff(), lived, 9)).toEqual([
    50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000,
  ])
})

it('after a link that lasted the wait is short again, and is doubled from there', () => {
  const backoff = new Backoff()
  waits(backoff, 0, 9)
  expect(backoff.next(BACKOFF_MS_MAX)).toBe(50)
  expect(waits(backoff, 0, 2)).toEqual([100, 200])
})
