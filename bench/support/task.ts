/** What is timed: one call of a benchmark or of a peer. Source: performance specification §6. */
import { present } from '../../src/core/base/errors.ts'

/** One way to do the work. Calls are numbered, so that each takes other inputs. */
export type Task = {
  /** Untimed preparation of call `index`; a task that has one is timed call by call. */
  readonly before?: (index: number) => void
  readonly call: (index: number) => void
  /** Wall microseconds of the newest call, where another process has measured them. */
  readonly elapsedUs?: () => number
  /** Bytes of the newest result: compared with those of a peer, and consumed. */
  readonly result: () => Uint8Array
}

/** The result is kept and encoded outside the timed part, so encoding costs neither side. */
export function task<R>(run: (index: number) => R, bytes: (result: R) => Uint8Array): Task {
  let last: { readonly result: R } | undefined
  return {
    call: (index) => {
      last = { result: run(index) }
    },
    result: () => bytes(present(last, 'a task is called before it is asked').result),
  }
}

export type Peer = {
  readonly task: Task
  /** False for a yardstick that does other work, such as a lower bound. */
  readonly sameResult: boolean
}

/** A bound on a ratio to a peer, on the overhead, or on the rate. */
export type Gate = {
  readonly of: string | 'overhead' | 'rate'
  readonly relation: '>=' | '<='
  readonly bound: number
}

export type Prepared = {
  readonly own: Task
  readonly peers?: Readonly<Record<string, Peer>>
  /** Calibration loops that the curve and Ed25519 alone need (§5); see `floorOf`. */
  readonly floor?: number
  /** What rate and ratios are taken from; of work that waits for a disk or another process, `wall`. */
  readonly clock?: 'cpu' | 'wall'
  /** Things done by one call, for results that are better read as a rate. */
  readonly rate?: { readonly perCall: number; readonly unit: string }
  readonly gates?: readonly Gate[]
  readonly note?: string
}

export type Benchmark = {
  /** Row of §7. */
  readonly id: string
  readonly name: string
  readonly group: 'secp256k1' | null
  readonly n: number | null
  /** Builds the inputs when the benchmark's turn comes. */
  readonly prepare: () => Prepared
}

const same = (run: Task): Peer => ({ task: run, sameResult: true })
const yardstick = (run: Task): Peer => ({ task: run, sameResult: false })
export const peer = { same, yardstick }
