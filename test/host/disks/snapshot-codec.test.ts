/**
 * Goal: a state comes back from its bytes as it was, and shares nothing but those. Method: random
 * plain data with arrays of every kind and length, read from memory at every alignment.
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Bug } from '../../../src/core/base/errors.ts'
import { decodeState, encodeState } from '../../../src/host/disks/snapshot-codec.ts'

/** Around the length from which on an array lies apart; some in the midst of other memory. */
const length = fc.oneof(fc.nat(20), fc.integer({ min: 4_080, max: 4_110 }), fc.constant(20_000))
const bytes = fc.tuple(length, fc.nat(255), fc.nat(9)).map(([size, first, offset]) => {
  const whole = Uint8Array.from({ length: size + offset }, (_, i) => (first + 7 * i) & 0xff)
  return whole.subarray(offset)
})
const array = fc.oneof(
  bytes,
  bytes.map((all) => Uint32Array.from(all, (byte) => byte * 0x0101_0101)),
  bytes.map((all) => BigUint64Array.from([...all].map((byte) => BigInt(byte) << 56n))),
)
const state = fc.record({
  map: fc.array(fc.tuple(fc.string(), array)).map((entries) => new Map(entries)),
  list: fc.array(fc.oneof(array, fc.bigInt(), fc.constant(undefined), fc.string())),
})

/** Arrays by kind and bytes: element by element they take too long to compare. */
function told(value: unknown): unknown {
  if (!ArrayBuffer.isView(value)) return value
  const { buffer, byteOffset, byteLength } = value
  return `${value.constructor.name} ${Buffer.from(buffer, byteOffset, byteLength).toString('base64')}`
}

it('what is read is what was written, wherever the bytes lie', () => {
  fc.assert(
    fc.property(state, fc.nat(9), (given, offset) => {
      const encoded = encodeState(given)
      const whole = new Uint8Array(encoded.length + offset)
      whole.set(encoded, offset)
      const read = decodeState(whole.subarray(offset)) as typeof given
      expect([...read.map.keys()]).toEqual([...given.map.keys()])
      expect([...read.map.values()].map(told)).toEqual([...given.map.values()].map(told))
      expect(read.list.map(told)).toEqual(given.list.map(told))
    }),
    { numRuns: 100 },
  )
})

it('an array that stands twice is one again, and can be written to without another changing', () => {
  const shared = new Uint32Array(5_000).fill(7)
  const given = { a: shared, b: shared, c: new Uint32Array(5_000).fill(7), d: new Uint8Array(3) }
  const encoded = encodeState(given)
  const read = decodeState(encoded) as typeof given
  expect(read.a).toBe(read.b)
  read.a.fill(9)
  read.d.fill(9)
  expect(read.c).toEqual(given.c)
  expect(given.a).toEqual(new Uint32Array(5_000).fill(7))
  expect(given.d).toEqual(new Uint8Array(3))
})

it('large arrays are read where they lie, in the bytes themselves', () => {
  const encoded = encodeState([new Uint8Array(3), new BigUint64Array(1_000)])
  const [small, large] = decodeState(encoded) as [Uint8Array, BigUint64Array]
  expect(large.buffer).toBe(encoded.buffer)
  expect(small.buffer).not.toBe(encoded.buffer)
})

it('bytes that are cut are refused', () => {
  const encoded = encodeState({ a: new Uint8Array(5_000), b: 1n })
  for (let size = 0; size < encoded.length; size += 97)
    expect(() => decodeState(encoded.slice(0, size))).toThrow()
})

it('an array of a kind that no state has is a bug', () => {
  expect(() => encodeState(new Float64Array(1))).toThrow(Bug)
})
