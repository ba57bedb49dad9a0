/** Slots and start records as bytes: strict, pinned, and every part of a slot under its hash. */
import { expect, test } from 'vitest'
import { hash32, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import type { LoggedSlot } from '../../../src/core/log/slot-codec.ts'
import {
  decodeSlot,
  decodeStartRecord,
  encodeSlot,
  encodeStartRecord,
  slotHash,
} from '../../../src/core/log/slot-codec.ts'

const previous = hash32(new Uint8Array(32).fill(7))
const logged: LoggedSlot = {
  incarnation: 0x0102_0304_0506_0708n,
  slot: {
    number: 5n,
    time: timestampNs(9n),
    proposers: [],
    items: [utf8('first'), utf8(''), utf8('third')],
  },
}
const proposers = [
  { node: 0, clock: timestampNs(8n) },
  { node: 3, clock: timestampNs(9n) },
]
const start = { incarnation: 3n, first: 6n, previous }

const codecs: readonly (readonly [string, Uint8Array, (bytes: Uint8Array) => Uint8Array])[] = [
  ['a slot', encodeSlot(logged), (bytes) => encodeSlot(decodeSlot(bytes))],
  [
    'a slot of two proposers',
    encodeSlot({ ...logged, slot: { ...logged.slot, proposers } }),
    (bytes) => encodeSlot(decodeSlot(bytes)),
  ],
  [
    'an empty slot',
    encodeSlot({ ...logged, slot: { ...logged.slot, items: [] } }),
    (bytes) => encodeSlot(decodeSlot(bytes)),
  ],
  [
    'a start record',
    encodeStartRecord(start),
    (bytes) => encodeStartRecord(decodeStartRecord(bytes)),
  ],
]

test.each(codecs)(
  '%s comes back as it was, and no prefix or tail of it does',
  (_, bytes, again) => {
    expect(again(bytes)).toEqual(bytes)
    for (let size = 0; size < bytes.length; size++)
      expect(() => again(bytes.subarray(0, size))).toThrow(BadEncoding)
    expect(() => again(Uint8Array.of(...bytes, 0))).toThrow(BadEncoding)
  },
)

test('a slot of more items than bytes is refused before it is read', () => {
  const bytes = encodeSlot(logged)
  bytes.set([255, 255, 255, 255], 28)
  expect(() => decodeSlot(bytes)).toThrow('a list of 4294967295 elements')
})

test('the format and its hash stay what they are', () => {
  expect(toHex(encodeSlot(logged))).toBe(
    '01020304050607080000000000000005000000000000000900000000000000030000000566697273740000000000000005' +
      '7468697264',
  )
  expect(toHex(slotHash(previous, encodeSlot(logged)))).toBe(
    'bca52b3340c6e70613dbdd53274e44dd2cd0963425663023622c8a177e0a2a59',
  )
  expect(toHex(encodeStartRecord(start))).toBe(`00000000000000030000000000000006${toHex(previous)}`)
})

test.each<readonly [string, LoggedSlot]>([
  ['incarnation', { ...logged, incarnation: 1n }],
  ['number', { ...logged, slot: { ...logged.slot, number: 6n } }],
  ['time', { ...logged, slot: { ...logged.slot, time: timestampNs(10n) } }],
  ['items', { ...logged, slot: { ...logged.slot, items: [utf8('first'), utf8('third')] } }],
  ['order', { ...logged, slot: { ...logged.slot, items: logged.slot.items.toReversed() } }],
])('another %s is another hash', (_, other) => {
  const hash = slotHash(previous, encodeSlot(logged))
  expect(slotHash(previous, encodeSlot(other))).not.toEqual(hash)
  expect(slotHash(hash, encodeSlot(logged))).not.toEqual(hash)
})

test.each([
  ['twice the same', [proposers[0], proposers[0]]],
  ['out of order', proposers.toReversed()],
])('proposers %s are refused', (_, wrong) => {
  const bytes = encodeSlot({
    ...logged,
    slot: { ...logged.slot, proposers: wrong.filter((one) => one !== undefined) },
  })
  expect(() => decodeSlot(bytes)).toThrow('proposers repeated or out of order')
})
