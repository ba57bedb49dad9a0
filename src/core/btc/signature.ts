/** ECDSA signatures in scripts: minimal DER. Source: BIP66, BIP146; minter.md §12 step 2. */
import { concat, fromBigEndian } from '../base/bytes.ts'
import { assert, BadEncoding } from '../base/errors.ts'

const SCALAR_SIZE = 32
const SEQUENCE_TAG = 0x30
const INTEGER_TAG = 0x02
/** Longest strict signature without its sighash byte. */
const DER_MAX = 72
/** Half the order of secp256k1, rounded down. */
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n

/** Minimal DER of r ‖ s (64 bytes), 8 to 72 bytes. The sighash byte is the caller's to append. */
export function derOfCompact(signature: Uint8Array): Uint8Array {
  assert(signature.length === 2 * SCALAR_SIZE, 'a compact signature has 64 bytes')
  const r = derInteger(signature.subarray(0, SCALAR_SIZE))
  const s = derInteger(signature.subarray(SCALAR_SIZE))
  return concat(Uint8Array.of(SEQUENCE_TAG, r.length + s.length), r, s)
}

/** Shortest form of an unsigned number; a leading zero where the top bit would read as a sign. */
function derInteger(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0)
  const digits = start < 0 ? Uint8Array.of(0) : bytes.subarray(start)
  const padding = (digits[0] ?? 0) >= 0x80 ? [0] : []
  return concat(Uint8Array.of(INTEGER_TAG, padding.length + digits.length, ...padding), digits)
}

/** True of a DER signature, its sighash byte cut off, that BIP66 admits. */
export function isStrictDer(der: Uint8Array): boolean {
  if (der.length > DER_MAX) return false
  if (der[0] !== SEQUENCE_TAG || der[1] !== der.length - 2) return false
  const sizeOfR = der[3] ?? 0
  const startOfS = 4 + sizeOfR
  const sizeOfS = der[startOfS + 1] ?? 0
  return (
    der.length === startOfS + 2 + sizeOfS &&
    isMinimalInteger(der.subarray(2, startOfS)) &&
    isMinimalInteger(der.subarray(startOfS))
  )
}

/** Tag, length, at least one byte, not negative, no zero in front that is not needed. */
function isMinimalInteger(field: Uint8Array): boolean {
  const [tag, size, first = 0, second = 0] = field
  if (tag !== INTEGER_TAG || first >= 0x80) return false
  return size === 1 || first !== 0 || second >= 0x80
}

/**
 * r ‖ s of a strict DER signature; anything else is `BadEncoding`.
 *
 * BIP66 admits 33-byte integers that are no scalars: these too are refused here.
 */
export function compactOfDer(der: Uint8Array): Uint8Array {
  if (!isStrictDer(der)) throw new BadEncoding('not a strict DER signature')
  const endOfR = 4 + (der[3] ?? 0)
  return concat(scalar(der.subarray(4, endOfR)), scalar(der.subarray(endOfR + 2)))
}

function scalar(integer: Uint8Array): Uint8Array {
  const digits = integer[0] === 0 ? integer.subarray(1) : integer
  if (digits.length > SCALAR_SIZE) throw new BadEncoding('a signature number of over 32 bytes')
  return concat(new Uint8Array(SCALAR_SIZE - digits.length), digits)
}

/** s of a compact signature is at most half the order: the only form that nodes relay (BIP146). */
export const isLowS = (signature: Uint8Array): boolean =>
  fromBigEndian(signature.subarray(SCALAR_SIZE)) <= HALF_ORDER
