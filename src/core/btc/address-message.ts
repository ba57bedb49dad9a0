/**
 * `addr` and `addrv2`: what peers say of other peers. Source: bitcoin.md §3.8 AD-4; BIP155.
 */
import { BadEncoding } from '../base/errors.ts'
import { hostOfBytes, IPV6_SIZE, isRoutable } from './network-address.ts'
import type { ByteCursor, ByteSink } from './wire.ts'

/** BIP155; 3 was version 2 of Tor. */
export const addressNetwork = { ipv4: 1, ipv6: 2, torV2: 3, torV3: 4, i2p: 5, cjdns: 6 } as const

/** Bytes of an address of each known network. */
const sizes: ReadonlyMap<number, number> = new Map<number, number>([
  [addressNetwork.ipv4, 4],
  [addressNetwork.ipv6, IPV6_SIZE],
  [addressNetwork.torV2, 10],
  [addressNetwork.torV3, 32],
  [addressNetwork.i2p, 32],
  [addressNetwork.cjdns, 16],
])

export const ADDRESS_SIZE_MAX = 512
/** Time, services, network, length and port, each as short as it can be. */
export const ADDRESS_V2_SIZE_MIN = 9

export type AddressV2 = {
  /** Unix seconds when it was last seen. */
  readonly time: number
  readonly services: bigint
  readonly network: number
  readonly address: Uint8Array
  readonly port: number
}

/** A peer that can be reached without a proxy. */
export type FoundPeer = {
  readonly host: string
  readonly port: number
  readonly services: bigint
  readonly time: number
}

export function writeAddressV2(sink: ByteSink, entry: AddressV2): void {
  writeServices(sink.u32(entry.time), entry.services)
  sink.u8(entry.network).bytes(entry.address).u16be(entry.port)
}

/** Networks that are not known may come: their addresses are kept as bytes. */
export function readAddressV2(cursor: ByteCursor): AddressV2 {
  const time = cursor.u32()
  const services = readServices(cursor)
  const network = cursor.u8()
  const size = cursor.length()
  if (size > ADDRESS_SIZE_MAX) throw new BadEncoding(`an address of ${size} bytes`)
  const due = sizes.get(network)
  if (due !== undefined && size !== due)
    throw new BadEncoding(`an address of network ${network} with ${size} bytes`)
  return { time, services, network, address: cursor.raw(size), port: cursor.u16be() }
}

function writeServices(sink: ByteSink, services: bigint): void {
  if (services <= 0xffff_ffffn) sink.length(Number(services))
  else sink.u8(0xff).u64(services)
}

/** The one CompactSize that is no length: any 64 bits, in the shortest form. */
function readServices(cursor: ByteCursor): bigint {
  const first = cursor.u8()
  if (first < 0xfd) return BigInt(first)
  const [value, least] =
    first === 0xfd
      ? [BigInt(cursor.u16()), 0xfdn]
      : first === 0xfe
        ? [BigInt(cursor.u32()), 0x1_0000n]
        : [cursor.u64(), 0x1_0000_0000n]
  if (value < least) throw new BadEncoding(`CompactSize ${value} is longer than needed`)
  return value
}

/** An entry of the older message, which has room for IP addresses alone. */
export function fromAddressV1(entry: {
  readonly time: number
  readonly services: bigint
  readonly address: Uint8Array
  readonly port: number
}): AddressV2 {
  const isMapped = hostOfBytes(entry.address)?.includes('.') === true
  return isMapped
    ? { ...entry, network: addressNetwork.ipv4, address: entry.address.subarray(-4) }
    : { ...entry, network: addressNetwork.ipv6 }
}

/** Of those entries that we can connect to; the rest is left out without blame. */
export function reachable(entries: readonly AddressV2[]): readonly FoundPeer[] {
  return entries.flatMap(({ time, services, network, address, port }): readonly FoundPeer[] => {
    const isIp = network === addressNetwork.ipv4 || network === addressNetwork.ipv6
    const host = isIp ? hostOfBytes(address) : undefined
    // An address of version 4 in one of version 6 is refused by BIP155.
    const isDisguised = network === addressNetwork.ipv6 && host?.includes('.') === true
    if (host === undefined || isDisguised || port === 0 || !isRoutable(host)) return []
    return [{ host, port, services, time }]
  })
}
