/** Times the candidates of one benchmark round robin. Source: performance specification §6. */
import { equalBytes } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { calibrate, isSteady } from './noise.ts'
import type { Peer, Task } from './task.ts'

export const OWN = 'own'
const CHECKS = 16
/** Calls between two looks at the clock last about this long. */
const BATCH_US = 500
const REPEATS_MAX = 2

/** A peer gave other bytes: no time is worth reporting. */
export class WrongResult extends Error {}

/** Microseconds a call of one candidate, one entry a round. */
export type Series = { readonly wallUs: number[]; readonly cpuUs: number[]; calls: number }

export type Measured = {
  readonly series: ReadonlyMap<string, Series>
  /** Wall time of single calls, where a call is long enough to be timed alone. */
  readonly singlesUs: readonly number[]
  readonly rounds: number
  /** Calibration loop around each round: how fast the machine was just then. */
  readonly calibrationUs: readonly number[]
  readonly noisy: boolean
  /** A byte of every result, so that no work can be left out. */
  readonly checksum: number
}

/** One candidate on its way through the rounds. */
type Runner = {
  readonly name: string
  readonly task: Task
  readonly batch: number
  next: number
}

type Slice = { readonly wallUs: number; readonly cpuUs: number; readonly calls: number }

const wallNow = (): number => Number(process.hrtime.bigint()) / 1_000

function cpuNow(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** Correct first: peers that claim the same result give the same bytes on the first inputs. */
function compare(own: Task, peers: ReadonlyMap<string, Peer>): void {
  const twins = [...peers].filter(([, { sameResult }]) => sameResult)
  if (twins.length === 0) return
  for (let index = 0; index < CHECKS; index++) {
    const expected = resultOf(own, index)
    for (const [name, { task }] of twins)
      if (!equalBytes(resultOf(task, index), expected))
        throw new WrongResult(`${name} gives another result on input ${index}`)
  }
}

function resultOf(task: Task, index: number): Uint8Array {
  task.before?.(index)
  task.call(index)
  return task.result()
}

/** Calls until `sliceUs` have passed, at least one. */
function slice(runner: Runner, sliceUs: number, single: (us: number) => void): Slice {
  const { task, batch } = runner
  let [wallUs, cpuUs, calls] = [0, 0, 0]
  while (calls === 0 || wallUs < sliceUs) {
    task.before?.(runner.next)
    const [wall, cpu] = [wallNow(), cpuNow()]
    for (let i = 0; i < batch; i++) task.call(runner.next + i)
    const us = task.elapsedUs?.() ?? wallNow() - wall
    cpuUs += cpuNow() - cpu
    wallUs += us
    if (batch === 1) single(us)
    runner.next += batch
    calls += batch
  }
  return { wallUs, cpuUs, calls }
}

/**
 * The first calls warm the compiler up; from the last of them follows how many calls make a batch.
 */
function warmUp(name: string, task: Task, sliceUs: number): Runner & { readonly callUs: number } {
  const first = { name, task, batch: 1, next: CHECKS }
  let callUs = 0
  slice(first, sliceUs, (us) => {
    callUs = us
  })
  const isSingle = task.before !== undefined || task.elapsedUs !== undefined
  const batch = !isSingle ? Math.max(1, Math.floor(BATCH_US / callUs)) : 1
  return { ...first, batch, callUs }
}

const roundsFor = (callUs: number): number => (callUs > 500_000 ? 3 : callUs > 50_000 ? 5 : 7)

type Round = {
  readonly slices: readonly Slice[]
  readonly calibrationUs: number
  readonly steady: boolean
}

/** All candidates once, repeated while the machine is busy with something else. */
function round(one: () => readonly Slice[]): Round {
  for (let repeats = 0; ; repeats++) {
    const before = calibrate()
    const slices = one()
    const after = calibrate()
    const steady = isSteady(before) && isSteady(after)
    if (steady || repeats === REPEATS_MAX)
      return { slices, calibrationUs: (before + after) / 2, steady }
  }
}

export function measure(
  own: Task,
  peers: Readonly<Record<string, Peer>>,
  { sliceMs }: { readonly sliceMs: number },
): Measured {
  const named = new Map(Object.entries(peers))
  compare(own, named)
  const tasks: readonly [string, Task][] = [
    [OWN, own],
    ...[...named].map(([name, { task }]): [string, Task] => [name, task]),
  ]
  const sliceUs = sliceMs * 1_000
  const runners = tasks.map(([name, task]) => warmUp(name, task, sliceUs))
  const rounds = roundsFor(Math.max(...runners.map(({ callUs }) => callUs)))
  const series = new Map<string, Series>(
    runners.map(({ name }) => [name, { wallUs: [], cpuUs: [], calls: 0 }]),
  )
  const singlesUs: number[] = []
  const calibrationUs: number[] = []
  let [noisyRounds, checksum] = [0, 0]
  for (let i = 0; i < rounds; i++) {
    const { slices, steady, ...calibration } = round(() =>
      runners.map((runner) =>
        slice(runner, sliceUs, (us) => runner.name === OWN && singlesUs.push(us)),
      ),
    )
    calibrationUs.push(calibration.calibrationUs)
    if (!steady) noisyRounds++
    for (const [j, { name, task }] of runners.entries()) {
      record(present(series.get(name), 'every runner has a series'), slices[j])
      checksum = (31 * checksum + (task.result().at(-1) ?? 0)) >>> 0
    }
  }
  const noisy = 2 * noisyRounds > rounds
  return { series, singlesUs, rounds, calibrationUs, noisy, checksum }
}

function record(series: Series, slice: Slice | undefined): void {
  const { wallUs, cpuUs, calls } = present(slice, 'every runner has a slice')
  series.wallUs.push(wallUs / calls)
  series.cpuUs.push(cpuUs / calls)
  series.calls += calls
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** The value that a share of `values` does not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
}

/**
 * Median CPU time of the benchmark's own call in calibration loops of its round. A machine whose
 * speed changes from minute to minute still gives comparable costs so.
 */
export function relativeCost({ series, calibrationUs }: Measured): number {
  const own = present(series.get(OWN), 'the benchmark itself is measured')
  return median(own.cpuUs.map((us, i) => us / (calibrationUs[i] ?? us)))
}
