/**
 * Hosts of peers: how an address reads, whether it lies on the internet, and in which group of the
 * network. Source: `docs/spec/bitcoin.md` §3.8 AD-4, AD-7; RFC 4291, RFC 6890.
 */
import { toHex } from '../base/bytes.ts'

const IPV4_SIZE = 4
export const IPV6_SIZE = 16
const IPV6_WORDS = 8
const MAPPED_PREFIX = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff)

type Block = readonly [prefix: readonly number[], bits: number]

/** Not addresses of the internet (RFC 6890). */
const IPV4_SPECIAL: readonly Block[] = [
  [[0], 8],
  [[10], 8],
  [[100, 64], 10],
  [[127], 8],
  [[169, 254], 16],
  [[172, 16], 12],
  [[192, 0, 0], 24],
  [[192, 0, 2], 24],
  [[192, 168], 16],
  [[198, 18], 15],
  [[198, 51, 100], 24],
  [[203, 0, 113], 24],
  [[224], 3],
]
/** The internet's addresses of version 6 begin with 001. */
const IPV6_GLOBAL: Block = [[0x20], 3]
const IPV6_DOCUMENTATION: Block = [[0x20, 0x01, 0x0d, 0xb8], 32]

function isIn(bytes: Uint8Array, [prefix, bits]: Block): boolean {
  return prefix.every((byte, i) => {
    const rest = Math.min(8, bits - 8 * i)
    const mask = 0xff & (0xff << (8 - rest))
    return ((bytes[i] ?? 0) & mask) === (byte & mask)
  })
}

/** 4 or 16 bytes; undefined for a name. A mapped address of version 4 has 4. */
function bytesOfHost(host: string): Uint8Array | undefined {
  const bytes = host.includes(':') ? parseIpv6(host) : parseIpv4(host)
  const isMapped = bytes?.length === IPV6_SIZE && MAPPED_PREFIX.every((b, i) => bytes[i] === b)
  return isMapped ? bytes.slice(MAPPED_PREFIX.length) : bytes
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.')
  const isFour =
    parts.length === IPV4_SIZE && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))
  const numbers = parts.map(Number)
  return isFour && numbers.every((n) => n < 256) ? Uint8Array.from(numbers) : undefined
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = inWords(text).split('::')
  const [head = [], end] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const gap = IPV6_WORDS - head.length - (end?.length ?? 0)
  if (halves.length > 2 || (end === undefined ? gap !== 0 : gap < 1)) return undefined
  const zeros = Array.from({ length: gap }, () => '0')
  const words = [...head, ...zeros, ...(end ?? [])]
  if (!words.every((word) => /^[0-9a-fA-F]{1,4}$/.test(word))) return undefined
  const numbers = words.map((word) => Number.parseInt(word, 16))
  return Uint8Array.from(numbers.flatMap((n) => [n >> 8, n & 0xff]))
}

/** The last four bytes may be written as in version 4. */
function inWords(text: string): string {
  const [, dotted = ''] = /:(\d+\.\d+\.\d+\.\d+)$/.exec(text) ?? []
  const bytes = parseIpv4(dotted)
  if (bytes === undefined) return text
  const words = [bytes.subarray(0, 2), bytes.subarray(2)].map(toHex)
  return text.slice(0, -dotted.length) + words.join(':')
}

/** The one text of an address; undefined for bytes that are none. */
export function hostOfBytes(bytes: Uint8Array): string | undefined {
  if (bytes.length === IPV4_SIZE) return bytes.join('.')
  if (bytes.length !== IPV6_SIZE) return undefined
  if (MAPPED_PREFIX.every((byte, i) => bytes[i] === byte))
    return bytes.slice(MAPPED_PREFIX.length).join('.')
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const words = Array.from({ length: IPV6_WORDS }, (_, i) => view.getUint16(2 * i).toString(16))
  return words.join(':')
}

/** The same text for the same host, however it was written. */
export function canonicalHost(host: string): string {
  const bytes = bytesOfHost(host)
  return (bytes && hostOfBytes(bytes)) ?? host.toLowerCase()
}

export function isLoopback(host: string): boolean {
  const bytes = bytesOfHost(host)
  if (bytes === undefined) return /^localhost$/i.test(host)
  if (bytes.length === IPV4_SIZE) return bytes[0] === 127
  return bytes.every((byte, i) => byte === (i === IPV6_SIZE - 1 ? 1 : 0))
}

/** An address of the internet, as far as its form tells. Names are none. */
export function isRoutable(host: string): boolean {
  const bytes = bytesOfHost(host)
  if (bytes === undefined) return false
  return bytes.length === IPV4_SIZE
    ? !IPV4_SPECIAL.some((block) => isIn(bytes, block))
    : isIn(bytes, IPV6_GLOBAL) && !isIn(bytes, IPV6_DOCUMENTATION)
}

/** The /16 of an address of version 4, the /32 of one of version 6; a name is a group by itself. */
export function networkGroup(host: string): string {
  if (isLoopback(host)) return 'loopback'
  const bytes = bytesOfHost(host)
  if (bytes === undefined) return host.toLowerCase()
  if (bytes.length === IPV4_SIZE) return `${bytes[0]}.${bytes[1]}`
  // 6to4 is an address of version 4 in disguise.
  const isTunnel = bytes[0] === 0x20 && bytes[1] === 0x02
  return isTunnel ? `${bytes[2]}.${bytes[3]}` : toHex(bytes.subarray(0, 4))
}
