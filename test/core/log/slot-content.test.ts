/** The slot that proposals make: order, one of each item, time. Source: threshold §17.4. */
import { describe, expect, it, test } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { TIMESTAMP_MAX, timestampNs } from '../../../src/core/base/units.ts'
import { makeSlot, slotTime } from '../../../src/core/log/slot-content.ts'

const times = (...values: readonly (bigint | number)[]) =>
  values.map((value) => timestampNs(BigInt(value)))

function proposalOf(node: number, clock: number, ...items: readonly string[]) {
  const bodies = items.map(utf8)
  const proposal = { clock: timestampNs(BigInt(clock)), items: bodies.map((body) => sha256(body)) }
  return { node, proposal, bodies }
}

test('a slot is the union of its proposals, in proposer order, without duplicates', () => {
  const entered = [proposalOf(0, 3, 'b', 'a'), proposalOf(2, 1, 'a', 'c'), proposalOf(3, 2, 'b')]
  expect(makeSlot(7n, entered, undefined)).toEqual({
    number: 7n,
    time: 2n,
    proposers: [
      { node: 0, clock: 3n },
      { node: 2, clock: 1n },
      { node: 3, clock: 2n },
    ],
    items: ['b', 'a', 'c'].map(utf8),
  })
})

describe('the time of a slot', () => {
  it('is clock number ⌊(m − 1) / 2⌋ of the sorted ones', () => {
    expect(slotTime(times(5), undefined)).toBe(5n)
    expect(slotTime(times(9, 5, 7), undefined)).toBe(7n)
    expect(slotTime(times(9, 5, 7, 1), undefined)).toBe(5n)
    expect(slotTime(times(10, 9, 100, 8), undefined)).toBe(9n)
  })

  it('is moved by f of 2f + 1 clocks at 0 or 2^64 − 1 to an honest one at most', () => {
    expect(slotTime(times(0, 0, 5, 6, 7), undefined)).toBe(5n)
    expect(slotTime(times(TIMESTAMP_MAX, TIMESTAMP_MAX, 5, 6, 7), undefined)).toBe(7n)
  })

  it('rises by 1 ns at least', () => {
    expect(slotTime(times(5, 5, 5), timestampNs(5n))).toBe(6n)
    expect(slotTime(times(5, 5, 5), timestampNs(9n))).toBe(10n)
  })
})
