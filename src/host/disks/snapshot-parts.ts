/**
 * A snapshot in a store, part by part: reading one value takes memory for it several times, and the
 * library keeps room for the largest that was ever read. Source: architecture §7.
 */
import { concat, fromBigEndian, u32be, u64be, utf8 } from '../../core/base/bytes.ts'
import type { StoreReader, StoreWriter } from '../store/store.ts'

const SNAPSHOT_BYTES = utf8('snapshot-bytes/')
/** In front of the first part: bytes of all parts together. */
const LENGTH_BYTES = 8
export const PART_BYTES_MAX = 4 * 1024 * 1024

/** Of the first part; those of the others begin with it. */
const firstKey = (slot: bigint): Uint8Array => concat(SNAPSHOT_BYTES, u64be(slot))
const partKey = (slot: bigint, index: number): Uint8Array =>
  index === 0 ? firstKey(slot) : concat(firstKey(slot), u32be(index))

export function writeParts(writer: StoreWriter, slot: bigint, bytes: Uint8Array): void {
  removeParts(writer, slot)
  const first = bytes.subarray(0, PART_BYTES_MAX)
  writer.put(firstKey(slot), concat(u64be(BigInt(bytes.length)), first))
  for (let index = 1; index * PART_BYTES_MAX < bytes.length; index++) {
    const at = index * PART_BYTES_MAX
    writer.put(partKey(slot, index), bytes.subarray(at, at + PART_BYTES_MAX))
  }
}

export function removeParts(writer: StoreWriter, slot: bigint): void {
  for (const key of writer.keys({ prefix: firstKey(slot) })) writer.remove(key)
}

/** Undefined where parts are missing; throws what the store throws for a damaged one. */
export function readParts(store: StoreReader, slot: bigint): Uint8Array | undefined {
  const first = store.get(firstKey(slot))
  if (first === undefined || first.length < LENGTH_BYTES) return undefined
  const length = Number(fromBigEndian(first.subarray(0, LENGTH_BYTES)))
  const count = Math.max(1, Math.ceil(length / PART_BYTES_MAX))
  if (store.keys({ prefix: firstKey(slot) }).length !== count) return undefined
  const bytes = new Uint8Array(length)
  for (let index = 0; index < count; index++) {
    const at = index * PART_BYTES_MAX
    const part = index === 0 ? first.subarray(LENGTH_BYTES) : store.get(partKey(slot, index))
    if (part?.length !== Math.min(PART_BYTES_MAX, length - at)) return undefined
    bytes.set(part, at)
  }
  return bytes
}
