/** What many measurements come to. Source: `docs/spec/cli.md` §5.18. */

export type Summary = {
  /** So many were measured. */
  readonly count: number
  readonly min: number
  readonly median: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

/** Nearest ranks, so every number was measured; undefined of no measurements. */
export function summaryOf(values: readonly number[]): Summary | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const [min, max] = [sorted[0], sorted.at(-1)]
  if (min === undefined || max === undefined) return undefined
  const rank = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? max
  return { count: sorted.length, min, median: rank(0.5), p95: rank(0.95), p99: rank(0.99), max }
}

/** Values from `from` on and below `to`; in the last one also those that are `to`. */
export type Bin = { readonly from: number; readonly to: number; readonly count: number }

/** As many bins of one width from the smallest value to the largest; one if they are the same. */
export function histogram(values: readonly number[], bins: number): readonly Bin[] {
  const summary = summaryOf(values)
  if (summary === undefined) return []
  const { min, max } = summary
  if (min === max) return [{ from: min, to: max, count: values.length }]
  const width = (max - min) / bins
  const counts = Array.from({ length: bins }, () => 0)
  for (const value of values) {
    const place = Math.min(bins - 1, Math.floor((value - min) / width))
    counts[place] = (counts[place] ?? 0) + 1
  }
  return counts.map((count, i) => ({ from: min + i * width, to: min + (i + 1) * width, count }))
}

/** A bar for each bin: the longest has `width` signs, and what is not empty at least one. */
export function bars(bins: readonly Bin[], width: number, sign: string): readonly string[] {
  const most = Math.max(1, ...bins.map(({ count }) => count))
  return bins.map(({ count }) => sign.repeat(Math.ceil((width * count) / most)))
}
