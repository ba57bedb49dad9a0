/** The event log: CBOR of every event, and a hash chain over them. Source: minter §18.1 [H 12]. */
import type { Hash32, Txid } from '../../base/bytes.ts'
import { concat, concatAll, equalBytes, hash32, toHex } from '../../base/bytes.ts'
import { Reader, Writer } from '../../base/codec.ts'
import { BadEncoding, present } from '../../base/errors.ts'
import { sha256 } from '../../base/hash.ts'
import { timestampNs } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import { decodeCanonicalCbor, decodeCbor, encodeCbor } from '../../ic/cbor.ts'
import { payloadCodec } from './event-fields.ts'
import type { Event } from './events.ts'
import { isExtension } from './events.ts'
import type { Codec } from './fields.ts'
import { field, nat64, optional, record, refine } from './fields.ts'
import type { History } from './history.ts'
import { copyOfHistory, emptyHistory, enterEvent } from './history.ts'

/** Events of one stretch of the log, back to back. */
export type LogPiece = {
  readonly bytes: Uint8Array
  /** Where each event ends. */
  readonly ends: Uint32Array
  /** 1 for each event that `get_events` shows. */
  readonly published: Uint8Array
  /** How many that are. */
  readonly publishedCount: number
}

/**
 * All events so far, as bytes: a decoded event takes several times the memory. Full pieces never
 * change again, so copies of a log share them.
 */
export type EventLog = {
  readonly pieces: LogPiece[]
  /** Of each piece: how many events, and how many published ones, come before it. */
  readonly before: { readonly events: number; readonly published: number }[]
  /** The newest events, that make the next piece. */
  readonly tail: Uint8Array[]
  readonly tailPublished: number[]
  /** Events in all. */
  count: number
  /** Those among them that `get_events` shows. */
  published: number
  /** By txid in hexadecimal: number of the event that says it was sent. */
  readonly sent: Map<string, number>
  /** Which events tell of which withdrawal and account. */
  readonly history: History
  /** Chain value over all events. */
  chain: Hash32
}

/** Chain value before the first event. */
const CHAIN_START = hash32(new Uint8Array(32))
/** Events of a full piece. */
export const PIECE_EVENTS = 1_024
const CHAIN_BYTES = 32
/** Enough for a transaction of 1,000 inputs with its signatures. */
const EVENT_BYTES_MAX = 4_000_000

export const eventCodec: Codec<Event> = record<Event>({
  timestamp: optional('timestamp', refine(nat64, timestampNs)),
  payload: field('payload', payloadCodec),
})

export const encodeEvent = (event: Event): Uint8Array => encodeCbor(eventCodec.encode(event))

/**
 * Strict: what `encodeEvent` would not have written is refused, but for the older form without a
 * time, which is the payload alone.
 */
export function decodeEvent(bytes: Uint8Array): Event {
  const cbor = decodeCanonicalCbor(bytes)
  const isBare = cbor instanceof Map && !cbor.has('payload')
  const event = isBare ? { payload: payloadCodec.decode(cbor) } : eventCodec.decode(cbor)
  const again = isBare ? encodeCbor(payloadCodec.encode(event.payload)) : encodeEvent(event)
  if (!equalBytes(again, bytes)) throw new BadEncoding('an event in other words')
  return event
}

/** What was written here needs no second look at its form. */
const ownEvent = (bytes: Uint8Array): Event => eventCodec.decode(decodeCbor(bytes))

export const emptyLog = (): EventLog => ({
  pieces: [],
  before: [],
  tail: [],
  tailPublished: [],
  count: 0,
  published: 0,
  sent: new Map(),
  history: emptyHistory(),
  chain: CHAIN_START,
})

const nextChain = (chain: Hash32, event: Uint8Array): Hash32 => sha256(concat(chain, event))

export function appendEvent(log: EventLog, event: Event): void {
  const bytes = encodeEvent(event)
  const { payload } = event
  if (payload.type === 'sentTransaction') log.sent.set(toHex(payload.txid), log.count)
  if (payload.type === 'replacedTransaction') log.sent.set(toHex(payload.newTxid), log.count)
  enterEvent(log.history, payload, log.count)
  const published = isExtension(payload.type) ? 0 : 1
  log.tail.push(bytes)
  log.tailPublished.push(published)
  log.count += 1
  log.published += published
  log.chain = nextChain(log.chain, bytes)
  if (log.tail.length === PIECE_EVENTS) seal(log)
}

function seal(log: EventLog): void {
  let end = 0
  const ends = Uint32Array.from(log.tail, ({ length }) => {
    end += length
    return end
  })
  const published = Uint8Array.from(log.tailPublished)
  const publishedCount = published.reduce((sum, one) => sum + one, 0)
  log.before.push({
    events: log.count - log.tail.length,
    published: log.published - publishedCount,
  })
  log.pieces.push({ bytes: concatAll(log.tail), ends, published, publishedCount })
  log.tail.length = 0
  log.tailPublished.length = 0
}

/** Another log that begins with the same events; the bytes of both are one. */
export const copyOfLog = (log: View<EventLog>): EventLog => ({
  ...log,
  pieces: [...log.pieces],
  before: [...log.before],
  tail: [...log.tail],
  tailPublished: [...log.tailPublished],
  sent: new Map(log.sent),
  history: copyOfHistory(log.history),
})

/** Bytes of the event at `index`; undefined beyond the end. */
function bytesAt(log: View<EventLog>, index: number): Uint8Array | undefined {
  const piece = log.pieces[Math.floor(index / PIECE_EVENTS)]
  const within = index % PIECE_EVENTS
  if (piece === undefined) return log.tail[index - log.pieces.length * PIECE_EVENTS]
  return piece.bytes.subarray(within === 0 ? 0 : piece.ends[within - 1], piece.ends[within])
}

/** Bytes of the events from `start` on, below `end`. */
export function* encodedEvents(
  log: View<EventLog>,
  { start = 0, end = log.count }: { readonly start?: number; readonly end?: number } = {},
): Generator<Uint8Array> {
  for (let index = start; index < Math.min(end, log.count); index++)
    yield present(bytesAt(log, index), 'a log holds what it counts')
}

/** The events, read one by one as they are asked for. */
export function* eventsOf(log: View<EventLog>): Generator<Event> {
  for (const bytes of encodedEvents(log)) yield ownEvent(bytes)
}

/** The event of that number; undefined beyond the end. */
export function eventAt(log: View<EventLog>, index: number): Event | undefined {
  const bytes = bytesAt(log, index)
  return bytes && ownEvent(bytes)
}

/** The event that says that a transaction was sent, and its number. */
export function sentEvent(
  log: View<EventLog>,
  txid: Txid,
): { readonly number: number; readonly event: Event } | undefined {
  const number = log.sent.get(toHex(txid))
  const event = number === undefined ? undefined : eventAt(log, number)
  return number === undefined || event === undefined ? undefined : { number, event }
}

/** Published events from number `start` on, at most `length` of them, and one at least. */
export function publishedEvents(
  log: View<EventLog>,
  {
    start,
    length,
    bytesMax = Number.POSITIVE_INFINITY,
  }: { readonly start: number; readonly length: number; readonly bytesMax?: number },
): readonly Event[] {
  // The last piece that begins at or before `start`.
  let [low, high] = [0, log.before.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((log.before[middle]?.published ?? 0) <= start) low = middle + 1
    else high = middle
  }
  const first = Math.max(0, low - 1)
  let number = log.before[first]?.published ?? 0
  const found: Event[] = []
  let size = 0
  for (let index = first * PIECE_EVENTS; index < log.count && found.length < length; index++) {
    if (!isPublished(log, index)) continue
    if (number++ < start) continue
    const bytes = present(bytesAt(log, index), 'a log holds what it counts')
    size += bytes.length
    if (size > bytesMax && found.length > 0) break
    found.push(ownEvent(bytes))
  }
  return found
}

function isPublished(log: View<EventLog>, index: number): boolean {
  const piece = log.pieces[Math.floor(index / PIECE_EVENTS)]
  const flags = piece?.published ?? log.tailPublished
  return flags[index % PIECE_EVENTS] === 1
}

/** One record: length (u32) ‖ CBOR ‖ chain value over this event and all before it. */
export function encodeLog({ events }: { readonly events: Iterable<Event> }): Uint8Array {
  let chain = CHAIN_START
  const records: Uint8Array[] = []
  for (const event of events) {
    const bytes = encodeEvent(event)
    chain = nextChain(chain, bytes)
    records.push(new Writer().bytes(bytes).raw(chain).done())
  }
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
    throw new BadEncoding(`event ${log.count - 1} breaks the hash chain`)
}
