/** The only reader of clocks. */
import { performance } from 'node:perf_hooks'
import type { TimestampNs } from '../core/base/units.ts'
import { NS_PER_MS, timestampNs } from '../core/base/units.ts'

export type Clock = () => TimestampNs

const NS_PER_MS_NUMBER = 1e6
/** The clocks of the platform differ by less than this, however they are read. */
const JUMP_MS = 1_000

/** Milliseconds: of the wall, which people and their machines set, and since any moment. */
export type Readings = { readonly wallMs: () => number; readonly steadyMs: () => number }

/**
 * Wall time with sub-millisecond steps, so that slots close together keep distinct times. It never
 * steps back. It follows the wall forward: the steady clock stands still while a machine sleeps.
 */
export function clockOf({ wallMs, steadyMs }: Readings): Clock {
  let originMs = wallMs() - steadyMs()
  return () => {
    const steady = steadyMs()
    const lagMs = wallMs() - (originMs + steady)
    if (lagMs > JUMP_MS) originMs += lagMs
    const ms = originMs + steady
    const whole = Math.floor(ms)
    return timestampNs(
      BigInt(whole) * NS_PER_MS + BigInt(Math.floor((ms - whole) * NS_PER_MS_NUMBER)),
    )
  }
}

export const systemClock: Clock = clockOf({
  wallMs: () => Date.now(),
  steadyMs: () => performance.now(),
})

/** Milliseconds on a clock that never steps back, for durations. */
export const monotonicMs = (): number => performance.now()
