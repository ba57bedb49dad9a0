/**
 * A slot as canonical bytes, and the chain of hashes over them. Source: threshold §17.7, §18.4 c.
 */
import type { Hash32 } from '../base/bytes.ts'
import { hash32 } from '../base/bytes.ts'
import { Reader, Writer } from '../base/codec.ts'
import { BadEncoding } from '../base/errors.ts'
import { bytesInput, oracleBytes } from '../base/random-oracle.ts'
import { timestampNs } from '../base/units.ts'
import type { Slot } from './log.ts'
import { ITEM_SIZE_MAX, SLOT_SIZE_MAX } from './log.ts'

/** An empty item is one byte of nothing with a length of four: bounds the list before it is read. */
const ITEMS_MAX = SLOT_SIZE_MAX
const PROPOSERS_MAX = 0xffff
const HASH_SIZE = 32

/** A slot in its time line. */
export type LoggedSlot = { readonly incarnation: bigint; readonly slot: Slot }

/**
 * From `first` on, slots belong to `incarnation`. Of several with the same first slot the last one
 * counts.
 */
export type StartRecord = {
  readonly incarnation: bigint
  readonly first: bigint
  /** Hash of the slot before `first`; of slot 0 the genesis id. */
  readonly previous: Hash32
}

/** The `content` of §17.7. */
export function encodeSlot({ incarnation, slot }: LoggedSlot): Uint8Array {
  return new Writer()
    .u64(incarnation)
    .u64(slot.number)
    .u64(slot.time)
    .list(slot.proposers, (writer, { node, clock }) => writer.u16(node).u64(clock))
    .list(slot.items, (writer, item) => writer.bytes(item))
    .done()
}

export function decodeSlot(bytes: Uint8Array): LoggedSlot {
  const reader = new Reader(bytes)
  const incarnation = reader.u64()
  const number = reader.u64()
  const time = timestampNs(reader.u64())
  const proposers = reader.list(
    (list) => ({ node: list.u16(), clock: timestampNs(list.u64()) }),
    PROPOSERS_MAX,
  )
  const ascending = proposers.every(({ node }, i) => node > (proposers[i - 1]?.node ?? -1))
  if (!ascending) throw new BadEncoding('proposers repeated or out of order')
  const items = reader.list((list) => list.bytes(ITEM_SIZE_MAX), ITEMS_MAX)
  return reader.end({ incarnation, slot: { number, time, proposers, items } })
}

/** Whether the canonical bytes of a slot are of a time line. */
export const isOfTimeLine = (content: Uint8Array, incarnation: bigint): boolean =>
  new Reader(content).u64() === incarnation

/** h_k from h_{k−1} and the canonical bytes of slot k. */
export const slotHash = (previous: Hash32, content: Uint8Array): Hash32 =>
  hash32(
    oracleBytes(
      'ckbtc-slot',
      { previous: bytesInput(previous), content: bytesInput(content) },
      HASH_SIZE,
    ),
  )

export function encodeStartRecord({ incarnation, first, previous }: StartRecord): Uint8Array {
  return new Writer().u64(incarnation).u64(first).raw(previous).done()
}

export function decodeStartRecord(bytes: Uint8Array): StartRecord {
  const reader = new Reader(bytes)
  return reader.end({
    incarnation: reader.u64(),
    first: reader.u64(),
    previous: hash32(reader.raw(HASH_SIZE)),
  })
}
