/** Goal: the time of the host goes on, never back, and is right after a machine has slept. */
import { expect, it } from 'vitest'
import { clockOf, systemClock } from '../../src/host/clock.ts'

const HOUR_MS = 3_600_000
const NS_PER_MS = 1_000_000n

/** A machine whose clocks a test sets. */
function machine() {
  const at = { wallMs: 1_800_000_000_000, steadyMs: 5_000 }
  const clock = clockOf({ wallMs: () => at.wallMs, steadyMs: () => at.steadyMs })
  const pass = (ms: number): void => {
    at.wallMs += Math.floor(ms)
    at.steadyMs += ms
  }
  return { at, clock, pass, ms: () => Number(clock() / NS_PER_MS) }
}

it('follows the steady clock, in steps below a millisecond', () => {
  const { at, clock, pass, ms } = machine()
  expect(ms()).toBe(at.wallMs)
  const before = clock()
  pass(0.25)
  expect(clock() - before).toBe(250_000n)
  pass(10_000)
  expect(clock() - before).toBe(10_000_250_000n)
})

it('is right after a sleep, in which the steady clock has stood still', () => {
  const { at, ms, pass } = machine()
  ms()
  at.wallMs += 8 * HOUR_MS
  expect(ms()).toBe(at.wallMs)
  pass(1_000)
  expect(ms()).toBe(at.wallMs)
})

it('does not go back with a wall clock that is set back', () => {
  const { at, ms, pass } = machine()
  const before = ms()
  at.wallMs -= HOUR_MS
  expect(ms()).toBe(before)
  pass(500)
  expect(ms()).toBe(before + 500)
})

it('is the time of the system', () => {
  expect(Math.abs(Number(systemClock() / NS_PER_MS) - Date.now())).toBeLessThan(1_100)
})
