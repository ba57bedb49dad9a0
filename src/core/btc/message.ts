/**
 * P2P messages and their v1 form. Source: bitcoin.md §3.1–§3.3; BIP31, 130, 133, 152, 155, 157, 339.
 */
import type { BlockHash, Hash32 } from '../base/bytes.ts'
import { hash32 } from '../base/bytes.ts'
import { assert, BadEncoding } from '../base/errors.ts'
import { sha256d } from '../base/hash.ts'
import type { AddressV2 } from './address-message.ts'
import { ADDRESS_V2_SIZE_MIN, readAddressV2, writeAddressV2 } from './address-message.ts'
import type { Block, BlockHeader } from './block.ts'
import { encodeBlock, HEADER_SIZE, readBlock, readHeader, writeHeader } from './block.ts'
import type { FilterMessage } from './filter-message.ts'
import { filterMessageLists, filterMessageReaders, writeFilterMessage } from './filter-message.ts'
import type { Network } from './network.ts'
import type { Transaction } from './transaction.ts'
import { encodeTransaction, readTransaction } from './transaction.ts'
import { ByteCursor, ByteSink } from './wire.ts'

/** Services bits of a peer (§3.2). */
export const service = {
  network: 1n,
  bloom: 4n,
  witness: 8n,
  compactFilters: 64n,
  networkLimited: 1024n,
  p2pV2: 2048n,
} as const

/** Kinds of inventory items; the witness forms are asked for, never announced. */
export const inventory = {
  tx: 1,
  block: 2,
  compactBlock: 4,
  wtx: 5,
  witnessTx: 0x4000_0001,
  witnessBlock: 0x4000_0002,
} as const

export type InventoryItem = { readonly kind: number; readonly hash: Hash32 }

export type NetworkAddress = {
  readonly services: bigint
  /** 16 bytes; IPv4 mapped into IPv6. */
  readonly address: Uint8Array
  readonly port: number
}

/** An address with the Unix seconds when it was last seen. */
export type TimedAddress = NetworkAddress & { readonly time: number }

export type VersionMessage = {
  readonly type: 'version'
  readonly version: number
  readonly services: bigint
  /** Unix seconds. */
  readonly time: bigint
  readonly receiver: NetworkAddress
  readonly sender: NetworkAddress
  readonly nonce: bigint
  /** Printable ASCII; anything else arrives as `?`. */
  readonly userAgent: string
  readonly startHeight: number
  readonly relay: boolean
}

export type Message =
  | VersionMessage
  | { readonly type: 'verack' | 'wtxidrelay' | 'sendaddrv2' | 'sendheaders' | 'getaddr' }
  | { readonly type: 'sendcmpct'; readonly announce: boolean; readonly version: bigint }
  | { readonly type: 'feefilter'; readonly feeRateSatPerKvb: bigint }
  | { readonly type: 'ping' | 'pong'; readonly nonce: bigint }
  | { readonly type: 'addr'; readonly addresses: readonly TimedAddress[] }
  | { readonly type: 'addrv2'; readonly addresses: readonly AddressV2[] }
  | {
      /** `getblocks` is the older question, answered with an `inv` of blocks. */
      readonly type: 'getheaders' | 'getblocks'
      readonly version: number
      readonly locator: readonly BlockHash[]
      /** Last header or block wanted; zeros for as many as fit. */
      readonly stop: BlockHash
    }
  | { readonly type: 'headers'; readonly headers: readonly BlockHeader[] }
  | { readonly type: 'inv' | 'getdata' | 'notfound'; readonly items: readonly InventoryItem[] }
  | { readonly type: 'block'; readonly block: Block }
  | FilterMessage
  /** For the form without witness data hand in `stripWitness(transaction)`. */
  | { readonly type: 'tx'; readonly transaction: Transaction }
  /** A command that is not ours to know: ignored, never punished (WIRE-4). */
  | { readonly type: 'unknown'; readonly command: string; readonly payload: Uint8Array }

export const PAYLOAD_MAX = 4_000_000
export const COMMAND_SIZE = 12
export const FRAME_HEADER_SIZE = 24
export const HEADERS_MAX = 2_000
export const INVENTORY_MAX = 50_000
export const ADDRESSES_MAX = 1_000
export const LOCATOR_MAX = 101
export const USER_AGENT_MAX = 256

const HASH_SIZE = 32
const ADDRESS_SIZE = 26
const ITEM_SIZE = 36

/** A whole v1 frame: message start, command, length, checksum, payload. */
export function encodeMessage(network: Network, message: Message): Uint8Array {
  const payload = encodePayload(message)
  assert(payload.length <= PAYLOAD_MAX, 'a message we send has at most 4,000,000 bytes')
  const command = message.type === 'unknown' ? message.command : message.type
  assert(/^[!-~]{1,12}$/.test(command), 'a command is 1 to 12 printable characters')
  const sink = new ByteSink(FRAME_HEADER_SIZE + payload.length)
  sink.raw(Uint8Array.from(network.messageStart)).raw(paddedAscii(command))
  return sink.u32(payload.length).raw(payloadChecksum(payload)).raw(payload).done()
}

export const payloadChecksum = (payload: Uint8Array): Uint8Array => sha256d(payload).subarray(0, 4)

function paddedAscii(command: string): Uint8Array {
  const bytes = new Uint8Array(COMMAND_SIZE)
  for (let i = 0; i < command.length; i++) bytes[i] = command.charCodeAt(i)
  return bytes
}

export function encodePayload(message: Message): Uint8Array {
  const sink = new ByteSink()
  switch (message.type) {
    case 'version':
      writeVersion(sink, message)
      break
    case 'verack':
    case 'wtxidrelay':
    case 'sendaddrv2':
    case 'sendheaders':
    case 'getaddr':
      break
    case 'sendcmpct':
      sink.u8(message.announce ? 1 : 0).u64(message.version)
      break
    case 'feefilter':
      sink.u64(message.feeRateSatPerKvb)
      break
    case 'ping':
    case 'pong':
      sink.u64(message.nonce)
      break
    case 'addr':
      sink.list(message.addresses, writeTimedAddress)
      break
    case 'addrv2':
      sink.list(message.addresses, writeAddressV2)
      break
    case 'getheaders':
    case 'getblocks':
      sink.u32(message.version).list(message.locator, writeHash).raw(message.stop)
      break
    case 'headers':
      sink.list(message.headers, writeHeadersEntry)
      break
    case 'inv':
    case 'getdata':
    case 'notfound':
      sink.list(message.items, writeItem)
      break
    case 'getcfilters':
    case 'getcfheaders':
    case 'getcfcheckpt':
    case 'cfilter':
    case 'cfheaders':
    case 'cfcheckpt':
      writeFilterMessage(sink, message)
      break
    case 'block':
      return encodeBlock(message.block)
    case 'tx':
      return encodeTransaction(message.transaction)
    case 'unknown':
      return message.payload
  }
  return sink.done()
}

/**
 * The message of a command and its payload; every refusal is `BadEncoding`.
 *
 * Trailing bytes are refused but for `version`, which grows by appending (WIRE-6).
 */
export function decodeMessage(command: string, payload: Uint8Array): Message {
  const read = readers.get(command)
  if (read === undefined) return { type: 'unknown', command, payload }
  const cursor = new ByteCursor(payload)
  const message = read(cursor)
  return command === 'version' ? message : cursor.end(message)
}

type PayloadReader = (cursor: ByteCursor) => Message

const readers: ReadonlyMap<string, PayloadReader> = new Map<string, PayloadReader>([
  ['version', readVersion],
  ['verack', () => ({ type: 'verack' })],
  ['wtxidrelay', () => ({ type: 'wtxidrelay' })],
  ['sendaddrv2', () => ({ type: 'sendaddrv2' })],
  ['sendheaders', () => ({ type: 'sendheaders' })],
  ['getaddr', () => ({ type: 'getaddr' })],
  ['sendcmpct', readSendCompact],
  ['feefilter', (cursor) => ({ type: 'feefilter', feeRateSatPerKvb: cursor.u64() })],
  ['ping', (cursor) => ({ type: 'ping', nonce: cursor.u64() })],
  ['pong', (cursor) => ({ type: 'pong', nonce: cursor.u64() })],
  ['addr', readAddresses],
  ['addrv2', readAddressesV2],
  ['getheaders', (cursor) => readLocator(cursor, 'getheaders')],
  ['getblocks', (cursor) => readLocator(cursor, 'getblocks')],
  ['headers', readHeaders],
  ['inv', (cursor) => ({ type: 'inv', items: readItems(cursor) })],
  ['getdata', (cursor) => ({ type: 'getdata', items: readItems(cursor) })],
  ['notfound', (cursor) => ({ type: 'notfound', items: readItems(cursor) })],
  ['block', (cursor) => ({ type: 'block', block: readBlock(cursor) })],
  ['tx', (cursor) => ({ type: 'tx', transaction: readTransaction(cursor) })],
  ...filterMessageReaders,
])

/** Where a command's list stands in its payload, and how long it may be. */
const lists: ReadonlyMap<string, { readonly offset: number; readonly countMax: number }> = new Map<
  string,
  { readonly offset: number; readonly countMax: number }
>([
  ['addr', { offset: 0, countMax: ADDRESSES_MAX }],
  ['addrv2', { offset: 0, countMax: ADDRESSES_MAX }],
  ['getheaders', { offset: 4, countMax: LOCATOR_MAX }],
  ['getblocks', { offset: 4, countMax: LOCATOR_MAX }],
  ['headers', { offset: 0, countMax: HEADERS_MAX }],
  ['inv', { offset: 0, countMax: INVENTORY_MAX }],
  ['getdata', { offset: 0, countMax: INVENTORY_MAX }],
  ['notfound', { offset: 0, countMax: INVENTORY_MAX }],
  ...filterMessageLists,
])

/** Tells a list that is too long, an offence of its own (§3.9), from bytes that do not decode. */
export function listTooLong(command: string, payload: Uint8Array): boolean {
  const list = lists.get(command)
  if (list === undefined || payload.length <= list.offset) return false
  return new ByteCursor(payload.subarray(list.offset)).length() > list.countMax
}

/** A list within the limit that its command has. */
function readLimited<T>(
  cursor: ByteCursor,
  { countMax, sizeMin }: { readonly countMax: number; readonly sizeMin: number },
  read: (cursor: ByteCursor) => T,
): T[] {
  const items = cursor.list(sizeMin, read)
  if (items.length > countMax)
    throw new BadEncoding(`a list of ${items.length}, at most ${countMax} allowed`)
  return items
}

function writeVersion(sink: ByteSink, message: VersionMessage): void {
  assert(message.userAgent.length <= USER_AGENT_MAX, 'a user agent has at most 256 characters')
  sink.u32(message.version).u64(message.services).u64(message.time)
  writeAddress(sink, message.receiver)
  writeAddress(sink, message.sender)
  sink.u64(message.nonce).length(message.userAgent.length)
  for (const character of message.userAgent) sink.u8(character.charCodeAt(0))
  sink.u32(message.startHeight).u8(message.relay ? 1 : 0)
}

function readVersion(cursor: ByteCursor): Message {
  const version = cursor.i32()
  const services = cursor.u64()
  const time = cursor.i64()
  const receiver = readAddress(cursor)
  const sender = readAddress(cursor)
  const nonce = cursor.u64()
  const agent = cursor.bytes()
  if (agent.length > USER_AGENT_MAX) throw new BadEncoding(`user agent of ${agent.length} bytes`)
  const userAgent = printable(agent)
  const startHeight = cursor.i32()
  const relay = cursor.remaining === 0 || cursor.u8() !== 0 // BIP37: absent means yes.
  return {
    type: 'version',
    version,
    services,
    time,
    receiver,
    sender,
    nonce,
    userAgent,
    startHeight,
    relay,
  }
}

/** Text of a peer that may reach a terminal: printable ASCII, the rest as `?`. */
const printable = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '?')).join(
    '',
  )

function writeAddress(sink: ByteSink, { services, address, port }: NetworkAddress): void {
  assert(address.length === 16, 'a network address has 16 bytes')
  sink.u64(services).raw(address).u16be(port)
}

const readAddress = (cursor: ByteCursor): NetworkAddress => ({
  services: cursor.u64(),
  address: cursor.raw(16),
  port: cursor.u16be(),
})

function writeTimedAddress(sink: ByteSink, entry: TimedAddress): void {
  writeAddress(sink.u32(entry.time), entry)
}

function readAddresses(cursor: ByteCursor): Message {
  const limits = { countMax: ADDRESSES_MAX, sizeMin: 4 + ADDRESS_SIZE }
  const addresses = readLimited(cursor, limits, (from) => ({
    time: from.u32(),
    ...readAddress(from),
  }))
  return { type: 'addr', addresses }
}

function readAddressesV2(cursor: ByteCursor): Message {
  const limits = { countMax: ADDRESSES_MAX, sizeMin: ADDRESS_V2_SIZE_MIN }
  return { type: 'addrv2', addresses: readLimited(cursor, limits, readAddressV2) }
}

function readSendCompact(cursor: ByteCursor): Message {
  const announce = cursor.u8()
  if (announce > 1) throw new BadEncoding(`sendcmpct announces ${announce}`) // BIP152
  return { type: 'sendcmpct', announce: announce === 1, version: cursor.u64() }
}

function writeHash(sink: ByteSink, hash: Hash32): void {
  sink.raw(hash)
}

const readHash = (cursor: ByteCursor): Hash32 => hash32(cursor.raw(HASH_SIZE))

function readLocator(cursor: ByteCursor, type: 'getheaders' | 'getblocks'): Message {
  const version = cursor.u32()
  const locator = readLimited(cursor, { countMax: LOCATOR_MAX, sizeMin: HASH_SIZE }, readHash)
  return { type, version, locator, stop: readHash(cursor) }
}

/** A header, then the count of transactions that a `block` would have: always zero (HD-2). */
function writeHeadersEntry(sink: ByteSink, header: BlockHeader): void {
  writeHeader(sink, header)
  sink.u8(0)
}

function readHeaders(cursor: ByteCursor): Message {
  const limits = { countMax: HEADERS_MAX, sizeMin: HEADER_SIZE + 1 }
  const headers = readLimited(cursor, limits, (from) => {
    const header = readHeader(from)
    const count = from.u8()
    if (count !== 0) throw new BadEncoding(`a header followed by ${count} transactions`)
    return header
  })
  return { type: 'headers', headers }
}

function writeItem(sink: ByteSink, { kind, hash }: InventoryItem): void {
  sink.u32(kind).raw(hash)
}

const readItems = (cursor: ByteCursor): InventoryItem[] =>
  readLimited(cursor, { countMax: INVENTORY_MAX, sizeMin: ITEM_SIZE }, (from) => ({
    kind: from.u32(),
    hash: readHash(from),
  }))
