/** Goal: LEB128 is the shortest, and reads back. Method: against its definition, group by group. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Cursor, leb128 } from '../../../src/core/ic/cursor.ts'

function groupByGroup(value: bigint): number[] {
  const group = Number(value & 0x7fn)
  return value < 0x80n ? [group] : [group | 0x80, ...groupByGroup(value >> 7n)]
}

it('every number is written as defined, around the ends of groups and words too', () => {
  const power = fc.record({ bits: fc.nat(300), off: fc.bigInt(-2n, 2n) })
  const edge = power.map(({ bits, off }) => (1n << BigInt(bits)) + off).filter((n) => n >= 0n)
  const any = fc.oneof(edge, fc.bigInt(0n, 2n ** 64n - 1n), fc.bigInt(0n, 2n ** 256n - 1n))
  fc.assert(
    fc.property(any, (value) => {
      expect([...leb128(value)]).toEqual(groupByGroup(value))
      expect(new Cursor(leb128(value)).leb128()).toBe(value)
    }),
    { numRuns: 1_000 },
  )
})

it('a negative number has no unsigned form', () => {
  expect(() => leb128(-1n)).toThrow(RangeError)
})
