import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromHex, toHex } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { ByteCursor, ByteSink, LENGTH_MAX, lengthSize } from '../../../src/core/btc/wire.ts'

const readLength = (hex: string) => new ByteCursor(fromHex(hex)).length()

test.each([
  [0, '00'],
  [0xfc, 'fc'],
  [0xfd, 'fdfd00'],
  [0xffff, 'fdffff'],
  [0x1_0000, 'fe00000100'],
  [LENGTH_MAX, 'fe00000002'],
])('CompactSize of %d is %s', (value, hex) => {
  expect(toHex(new ByteSink().length(value).done())).toBe(hex)
  expect(readLength(hex)).toBe(value)
  expect(lengthSize(value)).toBe(hex.length / 2)
})

test.each([
  ['fdfc00', '252 in three bytes'],
  ['fd0000', 'zero in three bytes'],
  ['feffff0000', '65,535 in five bytes'],
  ['ffffffffff00000000', '2^32 − 1 in nine bytes'],
  ['fe01000002', 'one more than the largest length'],
  ['ff0000010000000000', '65,536 in nine bytes'],
  ['ff0000000001000000', '2^32'],
  ['ffffffffffffffffff', '2^64 − 1'],
  ['fd00', 'a cut CompactSize'],
  ['', 'nothing'],
])('CompactSize %s is refused: %s', (hex) => {
  expect(() => readLength(hex)).toThrow(BadEncoding)
})

test('a list is refused before it is built when the bytes left cannot hold it', () => {
  const cursor = new ByteCursor(fromHex('fe00000002aabb'))
  let reads = 0
  expect(() => cursor.list(1, () => reads++)).toThrow('cannot fit')
  expect(reads).toBe(0)
})

test('what the sink writes the cursor reads, whatever its start size', () => {
  fc.assert(
    fc.property(
      fc.record({
        small: fc.nat(0xff),
        half: fc.nat(0xffff),
        word: fc.nat(0xffff_ffff),
        signed: fc.integer(),
        wide: fc.bigInt(0n, 2n ** 64n - 1n),
        bytes: fc.uint8Array({ maxLength: 700 }),
      }),
      fc.nat(64),
      ({ small, half, word, signed, wide, bytes }, sizeHint) => {
        const sink = new ByteSink(sizeHint).u8(small).u16(half).u16be(half).u32(word)
        sink.u32(signed).u64(wide).u64(-wide).bytes(bytes)
        const cursor = new ByteCursor(sink.done())
        expect(cursor.u8()).toBe(small)
        expect(cursor.u16()).toBe(half)
        expect(cursor.u16be()).toBe(half)
        expect(cursor.u32()).toBe(word)
        expect(cursor.i32()).toBe(signed)
        expect(cursor.u64()).toBe(wide)
        expect(cursor.u64()).toBe(BigInt.asUintN(64, -wide))
        expect(cursor.bytes()).toEqual(bytes)
        expect(cursor.end('all read')).toBe('all read')
      },
    ),
  )
})

test('a cursor over part of a buffer sees that part alone', () => {
  const whole = fromHex('ff01000000ff')
  const cursor = new ByteCursor(whole.subarray(1, 5))
  expect(cursor.u32()).toBe(1)
  expect(() => cursor.u8()).toThrow(BadEncoding)
})

test('bytes read are copies', () => {
  const whole = fromHex('0102')
  const part = new ByteCursor(whole).raw(2)
  whole[0] = 9
  expect(toHex(part)).toBe('0102')
})
