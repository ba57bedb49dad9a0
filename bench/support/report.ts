/**
 * Results as a table and as objects; the format only grows. Source: performance specification §6.
 */
import { present } from '../../src/core/base/errors.ts'
import type { Measured, Series } from './measure.ts'
import { median, OWN, percentile, relativeCost } from './measure.ts'
import { isBusy } from './noise.ts'
import type { Benchmark, Gate, Prepared } from './task.ts'

/** Calls shorter than this have no percentile: they are timed in batches. */
const SINGLES_MIN = 3
const MILLISECOND_US = 1_000

export type Verdict = 'pass' | 'fail' | 'noisy' | 'skipped'

export type Result = {
  readonly id: string
  readonly name: string
  readonly group: string | null
  readonly n: number | null
  readonly engine: 'noble'
  readonly unit: 'us' | 'ms'
  /** Wall time of one call. */
  readonly median: number
  readonly min: number
  readonly max: number
  readonly p95: number | null
  /** CPU time of one call, helpers of the runtime included. */
  readonly cpu: number
  readonly rounds: number
  readonly calls: number
  /** How many times as long each peer takes, in CPU time unless the row says otherwise. */
  readonly ratio: Readonly<Record<string, number>>
  readonly floor: number | null
  readonly overhead: number | null
  readonly rate: { readonly value: number; readonly unit: string } | null
  readonly gate: Readonly<Record<string, readonly [Gate['relation'], number, Verdict]>>
  readonly noisy: boolean
  readonly note: string | null
  readonly checksum: number
}

/** Keeps four digits: more than a clock is good for, fewer than confuse. */
const rounded = (value: number): number => Number(value.toPrecision(4))

export function resultOf(
  { id, name, group, n }: Benchmark,
  prepared: Prepared,
  measured: Measured,
): Result {
  const own = present(measured.series.get(OWN), 'the benchmark itself is measured')
  const wallUs = median(own.wallUs)
  const unit = wallUs < MILLISECOND_US ? 'us' : 'ms'
  const scaled = (us: number): number => rounded(unit === 'us' ? us : us / MILLISECOND_US)
  const cpuUs = median(own.cpuUs)
  const clock = prepared.clock === 'wall' ? 'wallUs' : 'cpuUs'
  const ratio = ratiosOf(own, measured.series, clock)
  const { floor } = prepared
  const noisy = measured.noisy || (prepared.clock === 'wall' && isBusy())
  const overhead = floor === undefined ? null : rounded(relativeCost(measured) / floor)
  const rate = prepared.rate && {
    value: rounded((prepared.rate.perCall * 1e6) / median(own[clock])),
    unit: prepared.rate.unit,
  }
  const found: Readonly<Record<string, number | null | undefined>> = {
    ...ratio,
    overhead,
    rate: rate?.value,
  }
  return {
    id,
    name,
    group,
    n,
    engine: 'noble',
    unit,
    median: scaled(wallUs),
    min: scaled(Math.min(...own.wallUs)),
    max: scaled(Math.max(...own.wallUs)),
    p95:
      measured.singlesUs.length < SINGLES_MIN ? null : scaled(percentile(measured.singlesUs, 0.95)),
    cpu: scaled(cpuUs),
    rounds: measured.rounds,
    calls: own.calls,
    ratio,
    floor: floor === undefined ? null : scaled(floor * median(measured.calibrationUs)),
    overhead,
    rate: rate ?? null,
    gate: Object.fromEntries(
      (prepared.gates ?? []).map((gate) => [
        gate.of,
        [gate.relation, gate.bound, judge(gate, found[gate.of], noisy)],
      ]),
    ),
    noisy,
    note: prepared.note ?? null,
    checksum: measured.checksum,
  }
}

/** The median of the ratios of each round, not the ratio of the medians. */
function ratiosOf(
  own: Series,
  series: ReadonlyMap<string, Series>,
  clock: 'cpuUs' | 'wallUs',
): Record<string, number> {
  const ratios: Record<string, number> = {}
  for (const [name, peer] of series)
    if (name !== OWN)
      ratios[name] = rounded(median(peer[clock].map((us, round) => us / (own[clock][round] ?? us))))
  return ratios
}

function judge(gate: Gate, value: number | null | undefined, noisy: boolean): Verdict {
  if (value === null || value === undefined) return 'skipped'
  const holds = gate.relation === '>=' ? value >= gate.bound : value <= gate.bound
  return holds ? 'pass' : noisy ? 'noisy' : 'fail'
}

export const hasFailed = ({ gate }: Result): boolean =>
  Object.values(gate).some(([, , verdict]) => verdict === 'fail')

export const TITLES =
  'id   benchmark          n       median        cpu   rate             ratios, overhead, gates'

export function line(result: Result): string {
  const { id, name, n, unit, rate, ratio, overhead, gate, noisy, note } = result
  const time = (value: number): string => `${value} ${unit}`.padStart(11)
  const ratios = Object.entries(ratio).map(([peer, value]) => `${peer} ×${value}`)
  const gates = Object.entries(gate).map(
    ([of, [relation, bound, verdict]]) => `${of} ${relation} ${bound} ${verdict}`,
  )
  return [
    id.padEnd(4),
    name.padEnd(18),
    `${n ?? ''}`.padEnd(3),
    time(result.median),
    time(result.cpu),
    ` ${rate === null ? '' : `${rate.value}${rate.unit}`}`.padEnd(17),
    [
      ...ratios,
      ...(overhead === null ? [] : [`overhead ${overhead}`]),
      ...gates.map((text) => `[${text}]`),
      ...(noisy ? ['noisy'] : []),
      ...(note === null ? [] : [`(${note})`]),
    ].join('  '),
  ]
    .join(' ')
    .trimEnd()
}

/** How a ratio is named when two runs are compared. */
export const nameOf = ({ id, name, n }: Result): string =>
  `${id} ${name}${n === null ? '' : ` n=${n}`}`

const MOVED = 0.1

/** The change of every ratio against an earlier run. */
export function changes(before: readonly Result[], now: readonly Result[]): readonly string[] {
  const old = new Map(before.map((result) => [nameOf(result), result]))
  return now.flatMap((result) => {
    const earlier = old.get(nameOf(result))
    if (earlier === undefined) return []
    return Object.entries(comparable(result)).flatMap(([of, value]) => {
      const last = comparable(earlier)[of]
      if (last === undefined) return []
      const change = value / last - 1
      const mark = Math.abs(change) > MOVED ? '  *' : ''
      const percent = `${change >= 0 ? '+' : ''}${(100 * change).toFixed(0)} %`
      return [
        `${nameOf(result).padEnd(30)} ${of.padEnd(14)} ${last} -> ${value}  ${percent}${mark}`,
      ]
    })
  })
}

const comparable = ({ ratio, overhead }: Result): Readonly<Record<string, number>> =>
  overhead === null ? ratio : { ...ratio, overhead }
