/** The only reader of clocks. */
import { performance } from 'node:perf_hooks'
import type { TimestampNs } from '../core/base/units.ts'
import { NS_PER_MS, timestampNs } from '../core/base/units.ts'

export type Clock = () => TimestampNs

const NS_PER_MS_NUMBER = 1e6

/** Wall time with sub-millisecond steps, so that slots close together keep distinct times. */
export const systemClock: Clock = () => {
  const ms = performance.timeOrigin + performance.now()
  const whole = Math.floor(ms)
  return timestampNs(
    BigInt(whole) * NS_PER_MS + BigInt(Math.floor((ms - whole) * NS_PER_MS_NUMBER)),
  )
}

/** Milliseconds on a clock that never steps back, for durations. */
export const monotonicMs = (): number => performance.now()
