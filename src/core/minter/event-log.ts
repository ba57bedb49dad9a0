/** The event log as bytes: CBOR records in a hash chain. Source: minter §18.1 [H 12]. */
import type { Hash32 } from '../base/bytes.ts'
import { concat, concatAll, equalBytes, hash32 } from '../base/bytes.ts'
import { Reader, Writer } from '../base/codec.ts'
import { BadEncoding } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'
import { timestampNs } from '../base/units.ts'
import { decodeCanonicalCbor, encodeCbor } from '../ic/cbor.ts'
import { payloadCodec } from './event-fields.ts'
import type { Event } from './events.ts'
import type { Codec } from './fields.ts'
import { field, nat64, optional, record, refine } from './fields.ts'

/** All events so far, and the chain value over them. */
export type EventLog = { readonly events: Event[]; chain: Hash32 }

/** Chain value before the first event. */
const CHAIN_START = hash32(new Uint8Array(32))
const CHAIN_BYTES = 32
/** Enough for a transaction of 1,000 inputs with its signatures. */
const EVENT_BYTES_MAX = 4_000_000

const eventCodec: Codec<Event> = record<Event>({
  timestamp: optional('timestamp', refine(nat64, timestampNs)),
  payload: field('payload', payloadCodec),
})

export const encodeEvent = (event: Event): Uint8Array => encodeCbor(eventCodec.encode(event))

/** Strict: what `encodeEvent` would not have written is refused. */
export function decodeEvent(bytes: Uint8Array): Event {
  const event = eventCodec.decode(decodeCanonicalCbor(bytes))
  if (!equalBytes(encodeEvent(event), bytes)) throw new BadEncoding('an event in other words')
  return event
}

export const emptyLog = (): EventLog => ({ events: [], chain: CHAIN_START })

const nextChain = (chain: Hash32, event: Uint8Array): Hash32 => sha256(concat(chain, event))

export function appendEvent(log: EventLog, event: Event): void {
  log.events.push(event)
  log.chain = nextChain(log.chain, encodeEvent(event))
}

/** One record: length (u32) ‖ CBOR ‖ chain value over this event and all before it. */
function encodeRecord(event: Uint8Array, chain: Hash32): Uint8Array {
  return new Writer().bytes(event).raw(chain).done()
}

export function encodeLog({ events }: { readonly events: readonly Event[] }): Uint8Array {
  let chain = CHAIN_START
  const records = events.map((event) => {
    const bytes = encodeEvent(event)
    chain = nextChain(chain, bytes)
    return encodeRecord(bytes, chain)
  })
  return concatAll(records)
}

/**
 * Reads a log back. A last record that is cut short is dropped and `torn` says so: the write did
 * not end.
 *
 * Any other damage is `BadEncoding`.
 */
export function decodeLog(bytes: Uint8Array): { readonly log: EventLog; readonly torn: boolean } {
  const log = emptyLog()
  for (let offset = 0; offset < bytes.length; ) {
    const size = recordSize(bytes.subarray(offset))
    if (size === undefined || size > bytes.length - offset) return { log, torn: true }
    readRecord(log, bytes.subarray(offset, offset + size))
    offset += size
  }
  return { log, torn: false }
}

/** Size of the record that begins here; undefined while even its length is cut. */
function recordSize(bytes: Uint8Array): number | undefined {
  if (bytes.length < 4) return undefined
  const size = new Reader(bytes.subarray(0, 4)).u32()
  if (size > EVENT_BYTES_MAX) throw new BadEncoding(`an event of ${size} bytes`)
  return 4 + size + CHAIN_BYTES
}

function readRecord(log: EventLog, bytes: Uint8Array): void {
  const reader = new Reader(bytes)
  const event = decodeEvent(reader.bytes(EVENT_BYTES_MAX))
  const chain = reader.end(reader.raw(CHAIN_BYTES))
  appendEvent(log, event)
  if (!equalBytes(log.chain, chain))
    throw new BadEncoding(`event ${log.events.length - 1} breaks the hash chain`)
}
