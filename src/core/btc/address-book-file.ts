/**
 * The address book and the anchors as bytes. They come back from a disk that others may have
 * written: nothing of them is believed that is not checked. Source: `docs/spec/bitcoin.md` §3.8
 * AD-5, AD-8.
 */
import { concat, equalBytes, fromUtf8, utf8 } from '../base/bytes.ts'
import { BadEncoding } from '../base/errors.ts'
import { sha256d } from '../base/hash.ts'
import type { PeerAddress } from './adapter-port.ts'
import type { BookEntry } from './address-book.ts'
import { bookSizeMax } from './address-book.ts'
import type { Network } from './network.ts'
import { canonicalHost, isRoutable } from './network-address.ts'
import type { ByteCursor } from './wire.ts'
import { ByteSink, decodeExactly } from './wire.ts'

const MAGIC = utf8('ckbtc-peers-1')
const CHECKSUM_SIZE = 4
export const ANCHORS_MAX = 2
/** A source may be the name of a peer of the user's. */
const TEXT_MAX = 255
const ENTRY_SIZE_MIN = 38
export const BOOK_BYTES_MAX = 1_000_000

/** What a later life may begin with. */
export type KnownPeers = {
  readonly entries: readonly BookEntry[]
  /** Peers of blocks alone: connected first (AD-8). */
  readonly anchors: readonly PeerAddress[]
}

export const NO_PEERS: KnownPeers = { entries: [], anchors: [] }

export function encodeKnownPeers(network: Network, { entries, anchors }: KnownPeers): Uint8Array {
  const sink = new ByteSink().raw(MAGIC).raw(Uint8Array.from(network.messageStart))
  sink.list(entries, (to, entry) => {
    writeAddress(to, entry)
    to.u64(entry.services).u32(entry.seenS).bytes(utf8(entry.source))
    to.u64(BigInt(Math.floor(entry.successMs))).u64(BigInt(Math.floor(entry.failureMs)))
    to.u16(Math.min(entry.failures, 0xffff))
  })
  sink.list(anchors, writeAddress)
  const body = sink.done()
  return concat(body, sha256d(body).subarray(0, CHECKSUM_SIZE))
}

/** Every refusal is `BadEncoding`, with its reason. */
export function decodeKnownPeers(network: Network, bytes: Uint8Array): KnownPeers {
  if (bytes.length > BOOK_BYTES_MAX)
    throw new BadEncoding(`an address book of ${bytes.length} bytes`)
  const body = bytes.subarray(0, Math.max(0, bytes.length - CHECKSUM_SIZE))
  const checksum = sha256d(body).subarray(0, CHECKSUM_SIZE)
  if (!equalBytes(checksum, bytes.subarray(body.length)))
    throw new BadEncoding('an address book with a wrong checksum')
  return decodeExactly(body, (cursor) => {
    if (!equalBytes(cursor.raw(MAGIC.length), MAGIC)) throw new BadEncoding('no address book')
    if (!equalBytes(cursor.raw(4), Uint8Array.from(network.messageStart)))
      throw new BadEncoding('an address book of another network')
    const entries = cursor.list(ENTRY_SIZE_MIN, readEntry)
    const anchors = cursor.list(4, readAddress)
    if (entries.length > bookSizeMax(network.name))
      throw new BadEncoding(`an address book of ${entries.length} entries`)
    if (anchors.length > ANCHORS_MAX) throw new BadEncoding(`${anchors.length} anchors`)
    const keys = new Set(entries.map(({ host, port }) => `${host} ${port}`))
    if (keys.size < entries.length) throw new BadEncoding('an address book with an entry twice')
    return { entries, anchors }
  })
}

function writeAddress(sink: ByteSink, { host, port }: PeerAddress): void {
  sink.bytes(utf8(host)).u16(port)
}

function readText(cursor: ByteCursor): string {
  const bytes = cursor.bytes()
  if (bytes.length > TEXT_MAX) throw new BadEncoding(`a text of ${bytes.length} bytes`)
  const text = fromUtf8(bytes)
  if (!/^[!-~]+$/.test(text)) throw new BadEncoding('a text that is not printable')
  return text
}

function readAddress(cursor: ByteCursor): PeerAddress {
  const host = readText(cursor)
  const port = cursor.u16()
  if (host !== canonicalHost(host) || !isRoutable(host) || port === 0)
    throw new BadEncoding(`"${host}:${port}" is not an address of the internet`)
  return { host, port }
}

function readEntry(cursor: ByteCursor): BookEntry {
  return {
    ...readAddress(cursor),
    services: cursor.u64(),
    seenS: cursor.u32(),
    source: readText(cursor),
    successMs: readTime(cursor),
    failureMs: readTime(cursor),
    failures: cursor.u16(),
  }
}

function readTime(cursor: ByteCursor): number {
  const ms = cursor.u64()
  if (ms > 2n ** 48n) throw new BadEncoding(`the time ${ms}`)
  return Number(ms)
}
