/** Goal: a snapshot of any length is read whole or not at all. Method: every part changed in turn. */
import { beforeEach, describe, expect, it } from 'vitest'
import { concat, u32be, u64be, utf8 } from '../../../src/core/base/bytes.ts'
import {
  PART_BYTES_MAX,
  readParts,
  removeParts,
  writeParts,
} from '../../../src/host/disks/snapshot-parts.ts'
import { MemoryStore } from '../../../src/host/store/store.ts'

const SLOT = 3n
const first = concat(utf8('snapshot-bytes/'), u64be(SLOT))
const keys = [first, concat(first, u32be(1)), concat(first, u32be(2))]
const whole = new Uint8Array(2 * PART_BYTES_MAX + 5)
for (let i = 0; i < whole.length; i += 1_001) whole[i] = i & 0xff

let store: MemoryStore

const isWhole = (bytes: Uint8Array | undefined): boolean =>
  bytes !== undefined && Buffer.compare(bytes, whole) === 0

beforeEach(() => {
  store = new MemoryStore()
  store.transaction((writer) => writeParts(writer, SLOT, whole))
})

it.each([0, 1, PART_BYTES_MAX - 1, PART_BYTES_MAX, PART_BYTES_MAX + 1])(
  '%i bytes are read as they were written, and no others',
  (size) => {
    store.transaction((writer) => writeParts(writer, SLOT, whole.subarray(0, size)))
    const read = readParts(store, SLOT)
    expect(read?.length).toBe(size)
    expect(Buffer.compare(read ?? whole, whole.subarray(0, size))).toBe(0)
    expect(readParts(store, 4n)).toBeUndefined()
  },
)

it('a part holds no more than it may, and all of them go with the snapshot', () => {
  expect(isWhole(readParts(store, SLOT))).toBe(true)
  const parts = store.range({ prefix: first })
  expect(parts.map(({ key }) => Buffer.from(key).toString('hex'))).toEqual(
    keys.map((key) => Buffer.from(key).toString('hex')),
  )
  expect(Math.max(...parts.map(({ value }) => value.length))).toBe(8 + PART_BYTES_MAX)
  store.transaction((writer) => removeParts(writer, SLOT))
  expect(store.keys({ prefix: first })).toEqual([])
})

describe.each([0, 1, 2])('without part %i as it was', (index) => {
  const key = keys[index] ?? first
  it.each([
    ['gone', undefined],
    ['shorter', -1],
    ['longer', 1],
  ])('%s, nothing is read', (_name, more) => {
    store.transaction((writer) => {
      const part = writer.get(key) ?? first
      if (more === undefined) writer.remove(key)
      else writer.put(key, concat(part, new Uint8Array(1)).subarray(0, part.length + more))
    })
    expect(readParts(store, SLOT)).toBeUndefined()
  })
})

it('one part too many is one of another snapshot: nothing is read', () => {
  store.transaction((writer) => writer.put(concat(first, u32be(3)), first))
  expect(readParts(store, SLOT)).toBeUndefined()
})
