/** Frames come out as they went in, however the stream is cut, and none beyond the limit. */
import { expect, it } from 'vitest'
import { concat, utf8 } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { FrameReader, frame } from '../../../src/host/links/frames.ts'

const long = 'a longer body than the others'
const bodies = ['one', '', long, long.repeat(500)].map(utf8)
const stream = concat(...bodies.map((body) => frame(body)))

function read(reader: FrameReader): readonly Uint8Array[] {
  const found: Uint8Array[] = []
  for (let body = reader.next(); body !== undefined; body = reader.next()) found.push(body)
  return found
}

it.each([1, 2, 3, 5, 1_000, 10_000])('cut into pieces of %i bytes', (size) => {
  const reader = new FrameReader(100_000)
  const found: Uint8Array[] = []
  for (let at = 0; at < stream.length; at += size) {
    reader.push(stream.subarray(at, at + size))
    found.push(...read(reader))
  }
  expect(found).toEqual(bodies)
})

it('a frame is refused by its length alone, before it has come', () => {
  const reader = new FrameReader(10)
  reader.push(frame(new Uint8Array(10)))
  reader.push(Uint8Array.of(0, 0, 0, 11))
  expect(reader.next()).toHaveLength(10)
  expect(() => reader.next()).toThrow(BadEncoding)
})

it('the limit may change from one frame to the next', () => {
  const reader = new FrameReader(3)
  reader.push(stream)
  expect(reader.next()).toEqual(utf8('one'))
  reader.limit(100_000)
  expect(read(reader)).toEqual(bodies.slice(1))
})
