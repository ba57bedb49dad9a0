/**
 * A proposal for a slot: its node's clock, and the items it wants there, named by hash. Source:
 * threshold §§17.4, 23.
 */
import type { Hash32 } from '../base/bytes.ts'
import { hash32, toHex } from '../base/bytes.ts'
import { Reader, Writer } from '../base/codec.ts'
import { BadEncoding } from '../base/errors.ts'
import type { TimestampNs } from '../base/units.ts'
import { timestampNs } from '../base/units.ts'
import { SLOT_ITEMS_MAX } from './log.ts'

export const PROPOSAL_SIZE_MAX = 256 * 1024
/** Bytes of the items that one proposal names. */
export const PROPOSED_BODIES_MAX = 8 * 1024 * 1024
const HASH_SIZE = 32

export type Proposal = {
  readonly clock: TimestampNs
  /** Hashes of the items, without repetition. */
  readonly items: readonly Hash32[]
}

export function encodeProposal({ clock, items }: Proposal): Uint8Array {
  return new Writer()
    .u64(clock)
    .list(items, (writer, hash) => writer.raw(hash))
    .done()
}

export function decodeProposal(bytes: Uint8Array): Proposal {
  const reader = new Reader(bytes)
  const clock = timestampNs(reader.u64())
  const items = reader.list((list) => hash32(list.raw(HASH_SIZE)), SLOT_ITEMS_MAX)
  if (new Set(items.map(toHex)).size !== items.length)
    throw new BadEncoding('a proposal names an item twice')
  return reader.end({ clock, items })
}
