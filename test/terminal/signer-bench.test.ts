/** Statistics of `signer bench`: every number shown was measured, and every measurement is counted. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bars, histogram, summaryOf } from '../../src/commands/signer/statistics.ts'

const times = fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 300 })

describe('a summary', () => {
  it('of nothing is none', () => {
    expect(summaryOf([])).toBeUndefined()
    expect(histogram([], 10)).toEqual([])
  })

  it('takes nearest ranks', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i)
    expect(summaryOf(hundred)).toEqual({
      count: 100,
      min: 1,
      median: 50,
      p95: 95,
      p99: 99,
      max: 100,
    })
    expect(summaryOf([7])).toEqual({ count: 1, min: 7, median: 7, p95: 7, p99: 7, max: 7 })
    expect(summaryOf([9, 1])).toMatchObject({ min: 1, median: 1, p95: 9, p99: 9, max: 9 })
  })

  it('names measured values in ascending order, wherever they stand', () => {
    fc.assert(
      fc.property(times, (values) => {
        const summary = summaryOf(values)
        if (summary === undefined) throw new Error('there are values')
        const { count, ...ranks } = summary
        expect(count).toBe(values.length)
        const named = Object.values(ranks)
        expect(named).toEqual(named.toSorted((a, b) => a - b))
        for (const value of named) expect(values).toContain(value)
        // At least the share that the rank names is not above it.
        const notAbove = values.filter((value) => value <= summary.p95).length
        expect(notAbove / count).toBeGreaterThanOrEqual(0.95)
      }),
    )
  })
})

describe('a histogram', () => {
  it('counts every value once, in bins without gaps', () => {
    fc.assert(
      fc.property(times, fc.integer({ min: 1, max: 20 }), (values, size) => {
        const bins = histogram(values, size)
        expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(values.length)
        expect(bins[0]?.from).toBe(Math.min(...values))
        expect(bins.at(-1)?.to).toBeCloseTo(Math.max(...values), 6)
        for (const [i, { from }] of bins.entries())
          if (i > 0) expect(from).toBeCloseTo(bins[i - 1]?.to ?? 0, 6)
      }),
    )
  })

  it('of one value is one bin', () => {
    expect(histogram([5, 5, 5], 10)).toEqual([{ from: 5, to: 5, count: 3 }])
  })

  it('shows what is there at all, and nothing as wide as the most', () => {
    const shown = bars(
      [0, 1, 500, 1_000].map((count) => ({ from: 0, to: 0, count })),
      40,
      '#',
    )
    expect(shown.map(({ length }) => length)).toEqual([0, 1, 20, 40])
  })
})
