/** When a node proposes, and when it asks again. Source: threshold §§17.4, 17.8, 23. */
import { describe, expect, it, test } from 'vitest'
import { NS_PER_MS, NS_PER_SECOND, timestampNs } from '../../../src/core/base/units.ts'
import { Allowance, ANSWERED_SIZE_MAX, RESENT_MAX } from '../../../src/core/log/allowance.ts'
import { Pace } from '../../../src/core/log/pace.ts'
import { Reminder } from '../../../src/core/log/reminder.ts'

const NODES = 7
const nothing = { hasItem: false, proposers: 0, isHeard: false }
const at = (ms: number) => timestampNs(BigInt(ms) * NS_PER_MS)

function afterQuiet(slots: number): Pace {
  const pace = new Pace(NODES)
  for (let i = 0; i < slots; i++) pace.entered(at(1_000), true)
  return pace
}

describe('a node proposes', () => {
  it('for nothing never', () => {
    expect(afterQuiet(3).waitMs(nothing, at(99_000))).toBeUndefined()
  })

  it('at once for an item, for f + 1 proposals and for a reader, whatever was before', () => {
    const pace = afterQuiet(9)
    expect(pace.waitMs({ ...nothing, hasItem: true }, at(1_000))).toBe(0)
    expect(pace.waitMs({ ...nothing, proposers: 2 }, at(1_000))).toBeUndefined()
    expect(pace.waitMs({ ...nothing, proposers: 3 }, at(1_000))).toBe(0)
    pace.read()
    expect(pace.waitMs(nothing, at(1_000))).toBe(0)
  })

  it('for a word of another node or a timer after 100 ms, doubled for each quiet slot up to 10 s', () => {
    const heard = { ...nothing, isHeard: true }
    const waits = [0, 1, 2, 3, 7, 8, 20].map((slots) => afterQuiet(slots).waitMs(heard, at(1_000)))
    expect(waits).toEqual([0, 100, 200, 400, 6_400, 10_000, 10_000])
    const due = afterQuiet(2)
    due.due()
    expect([due.waitMs(nothing, at(1_150)), due.waitMs(nothing, at(1_200))]).toEqual([50, 0])
  })

  it('without a wait after a slot that was of use, and its reasons end with the slot', () => {
    const pace = afterQuiet(5)
    pace.due()
    pace.read()
    pace.entered(at(2_000), false)
    expect(pace.waitMs(nothing, at(2_000))).toBeUndefined()
    expect(pace.waitMs({ ...nothing, isHeard: true }, at(2_000))).toBe(0)
  })

  it('after one wait when its clock was set back, not after hours', () => {
    expect(afterQuiet(1).waitMs({ ...nothing, isHeard: true }, at(0))).toBe(100)
  })
})

describe('the alarm of resend', () => {
  it('asks while nothing moves, after 2 s, doubled up to 60 s', () => {
    const reminder = new Reminder()
    const delays = Array.from({ length: 7 }, () => [reminder.arm(), reminder.fire()])
    expect(delays).toEqual([2, 4, 8, 16, 32, 60, 60].map((s) => [1_000 * s, true]))
  })

  it('does not ask when something moved, and begins anew', () => {
    const reminder = new Reminder()
    reminder.arm()
    reminder.fire()
    reminder.arm()
    reminder.moved()
    expect([reminder.arm(), reminder.fire(), reminder.arm()]).toEqual([undefined, false, 2_000])
  })

  it('of a slot that is over does nothing', () => {
    const reminder = new Reminder()
    reminder.arm()
    reminder.begin()
    expect([reminder.fire(), reminder.arm()]).toEqual([false, 2_000])
  })
})

describe('a peer gets in one second', () => {
  const now = timestampNs(5n * NS_PER_SECOND)
  const later = timestampNs(6n * NS_PER_SECOND)

  it('one answer about the votes of a slot, and of so many slots', () => {
    const allowance = new Allowance()
    const ask = (slot: bigint): boolean => allowance.mayResend(1, slot, now)
    expect([ask(7n), ask(7n), ask(8n)]).toEqual([true, false, true])
    const more = Array.from({ length: RESENT_MAX }, (_, i) => ask(BigInt(100 + i)))
    expect(more.filter(Boolean).length).toBe(RESENT_MAX - 2)
    expect([allowance.mayResend(2, 7n, now), allowance.mayResend(1, 7n, later)]).toEqual([
      true,
      true,
    ])
  })

  it('16 MiB, and one answer whatever its size', () => {
    const allowance = new Allowance()
    const give = (size: number): boolean => allowance.mayGive(1, size, now)
    expect([give(ANSWERED_SIZE_MAX), give(1), allowance.mayGive(1, 1, later)]).toEqual([
      true,
      false,
      true,
    ])
    expect(allowance.mayGive(3, 2 * ANSWERED_SIZE_MAX, now)).toBe(true)
  })
})

test('f + 1 of one node is that node', () => {
  expect(new Pace(1).waitMs({ ...nothing, proposers: 1 }, at(0))).toBe(0)
})
