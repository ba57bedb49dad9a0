/**
 * ECDSA signatures as they were read before BIP66, which old script flags still admit. Source:
 * Bitcoin Core `pubkey.cpp`, ecdsa_signature_parse_der_lax.
 */
import { concat } from '../../base/bytes.ts'

const SEQUENCE_TAG = 0x30
const INTEGER_TAG = 0x02
const SCALAR_SIZE = 32
/** A length in so many bytes is refused, leading zeros not counted. */
const LENGTH_BYTES_LIMIT = 4

/**
 * r ‖ s in 64 bytes; undefined when it cannot be read, or a number has over 32 bytes.
 *
 * The length of the sequence, padding, signs and bytes after s are not looked at.
 */
export function compactOfLaxDer(der: Uint8Array): Uint8Array | undefined {
  const start = der[0] === SEQUENCE_TAG ? skipLength(der, 1) : undefined
  const r = start === undefined ? undefined : readInteger(der, start)
  const s = r === undefined ? undefined : readInteger(der, r.next)
  const first = r === undefined ? undefined : scalarOf(r.digits)
  const second = s === undefined ? undefined : scalarOf(s.digits)
  return first === undefined || second === undefined ? undefined : concat(first, second)
}

/** Where the sequence begins; its stated length is not compared with anything. */
function skipLength(der: Uint8Array, offset: number): number | undefined {
  const first = der[offset]
  if (first === undefined) return undefined
  const next = offset + 1 + (first >= 0x80 ? first - 0x80 : 0)
  return next > der.length ? undefined : next
}

type Integer = { readonly digits: Uint8Array; readonly next: number }

function readInteger(der: Uint8Array, offset: number): Integer | undefined {
  if (der[offset] !== INTEGER_TAG) return undefined
  const length = readLength(der, offset + 1)
  if (length === undefined || length.size > der.length - length.next) return undefined
  const next = length.next + length.size
  return { digits: der.subarray(length.next, next), next }
}

function readLength(
  der: Uint8Array,
  offset: number,
): { readonly size: number; readonly next: number } | undefined {
  const first = der[offset]
  if (first === undefined) return undefined
  if (first < 0x80) return { size: first, next: offset + 1 }
  const next = offset + 1 + first - 0x80
  if (next > der.length) return undefined
  const bytes = withoutZeros(der.subarray(offset + 1, next))
  if (bytes.length >= LENGTH_BYTES_LIMIT) return undefined
  return { size: bytes.reduce((size, byte) => size * 256 + byte, 0), next }
}

function withoutZeros(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0)
  return first < 0 ? new Uint8Array(0) : bytes.subarray(first)
}

function scalarOf(digits: Uint8Array): Uint8Array | undefined {
  const shortest = withoutZeros(digits)
  if (shortest.length > SCALAR_SIZE) return undefined
  return concat(new Uint8Array(SCALAR_SIZE - shortest.length), shortest)
}
