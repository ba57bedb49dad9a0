/** Metrics as text. Implements the Prometheus exposition format, version 0.0.4. */
/** Its content type. */
export const METRICS = 'text/plain; version=0.0.4; charset=utf-8'

export type Labels = Readonly<Record<string, string>>
/** How many values fell into each bucket, the last of which has no bound. */
type Histogram = { readonly counts: readonly number[]; readonly sum: number }
type Sample = { readonly labels?: Labels; readonly value: number | bigint }

const escapedLabel = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

const escapedHelp = (help: string): string => help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')

function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapedLabel(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

/** One page of metrics; every sample bears the time of the slot. */
export class Exposition {
  readonly #lines: string[] = []
  readonly #timeMs: bigint

  constructor(timeMs: bigint) {
    this.#timeMs = timeMs
  }

  #head(name: string, help: string, type: 'gauge' | 'counter' | 'histogram'): void {
    this.#lines.push(`# HELP ${name} ${escapedHelp(help)}`, `# TYPE ${name} ${type}`)
  }

  #sample(name: string, { labels = {}, value }: Sample): void {
    this.#lines.push(`${name}${labelsText(labels)} ${value} ${this.#timeMs}`)
  }

  gauge(name: string, help: string, ...samples: readonly (Sample | number | bigint)[]): void {
    this.#several(name, help, 'gauge', samples)
  }

  counter(name: string, help: string, ...samples: readonly (Sample | number | bigint)[]): void {
    this.#several(name, help, 'counter', samples)
  }

  #several(
    name: string,
    help: string,
    type: 'gauge' | 'counter',
    samples: readonly (Sample | number | bigint)[],
  ): void {
    this.#head(name, help, type)
    for (const sample of samples)
      this.#sample(name, typeof sample === 'object' ? sample : { value: sample })
  }

  /** Buckets are cumulative here, and the last is `+Inf`. */
  histogram(
    name: string,
    help: string,
    bounds: readonly number[],
    series: readonly { readonly labels: Labels; readonly histogram: Histogram }[],
  ): void {
    this.#head(name, help, 'histogram')
    for (const { labels, histogram } of series) {
      let total = 0
      for (const [i, count] of histogram.counts.entries()) {
        total += count
        const le = bounds[i] === undefined ? '+Inf' : `${bounds[i]}`
        this.#sample(`${name}_bucket`, { labels: { ...labels, le }, value: total })
      }
      this.#sample(`${name}_sum`, { labels, value: histogram.sum })
      this.#sample(`${name}_count`, { labels, value: total })
    }
  }

  text(): string {
    return `${this.#lines.join('\n')}\n`
  }
}
