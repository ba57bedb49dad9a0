/**
 * Numbers and truth values read from the script stack. Source: Bitcoin Core `script/script.h`,
 * CScriptNum.
 */

export const NUMBER_BYTES_MAX = 4
/** Lock times may need five bytes (BIP65, BIP112). */
export const LOCK_TIME_BYTES_MAX = 5

/**
 * Little-endian with the sign in the top bit; zero is the empty string. Five bytes fit a double
 * exactly.
 *
 * Undefined: too long, or not in its shortest form where `minimal` asks for it.
 */
export function readScriptNumber(
  bytes: Uint8Array,
  { minimal, bytesMax }: { readonly minimal: boolean; readonly bytesMax: number },
): number | undefined {
  const last = bytes.at(-1)
  if (last === undefined) return 0
  if (bytes.length > bytesMax || (minimal && !isMinimalNumber(bytes))) return undefined
  const below = bytes.subarray(0, -1).reduceRight((value, byte) => value * 256 + byte, 0)
  const magnitude = below + (last & 0x7f) * 256 ** (bytes.length - 1)
  return (last & 0x80) === 0 ? magnitude : -magnitude
}

function isMinimalNumber(bytes: Uint8Array): boolean {
  if (((bytes.at(-1) ?? 0) & 0x7f) !== 0) return true
  // A top byte that carries only the sign is needed when the byte below uses its top bit.
  return ((bytes.at(-2) ?? 0) & 0x80) !== 0
}

/** False is zero in any length, negative zero too. */
export const isTrue = (item: Uint8Array): boolean =>
  item.some((byte, i) => byte !== 0 && !(i === item.length - 1 && byte === 0x80))

export const TRUE = Uint8Array.of(1)
export const FALSE = new Uint8Array(0)
