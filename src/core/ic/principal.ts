/** Principals, the names of users and canisters. Implements `docs/spec/ic-interface.md` §3. */
import { compareBytes, concat } from '../base/bytes.ts'
import { BadEncoding } from '../base/errors.ts'
import { sha224 } from '../base/hash.ts'
import { crc32, foldCase, fromBase32, toBase32 } from './base32.ts'

declare const brand: unique symbol

/** 0 to 29 bytes; made by `principal(bytes)`, which checks the length. */
export type Principal = Uint8Array & { readonly [brand]: 'principal' }

const PRINCIPAL_BYTES_MAX = 29
const TEXT_LENGTH_MAX = 63
const SELF_AUTHENTICATING = Uint8Array.of(2)
const ANONYMOUS = Uint8Array.of(4)

/** Brands at most 29 bytes; more is `BadEncoding`. */
export function principal(bytes: Uint8Array): Principal {
  if (bytes.length > PRINCIPAL_BYTES_MAX)
    throw new BadEncoding(`a principal of ${bytes.length} bytes, at most 29 allowed`)
  return bytes as Principal
}

export const managementCanister: Principal = principal(new Uint8Array())
export const anonymous: Principal = principal(ANONYMOUS)

/** The principal of whoever holds the secret of a DER public key: users, nodes, subnets. */
export function selfAuthenticating(publicKeyDer: Uint8Array): Principal {
  return principal(concat(sha224(publicKeyDer), SELF_AUTHENTICATING))
}

/** CRC-32 and bytes in base32, a dash after every five characters. */
export function textOfPrincipal(value: Principal): string {
  const characters = toBase32(concat(crc32(value), value))
  return (characters.match(/.{1,5}/g) ?? []).join('-')
}

/**
 * Reads the text form, upper case included; wrong checksum, length or grouping is `BadEncoding`.
 */
export function principalOfText(text: string): Principal {
  if (text.length > TEXT_LENGTH_MAX)
    throw new BadEncoding(`a principal of ${text.length} characters, at most 63 allowed`)
  const folded = foldCase(text)
  const decoded = fromBase32(folded.replaceAll('-', ''))
  if (decoded.length < 4) throw new BadEncoding(`"${text}" is too short for a principal`)
  const value = principal(decoded.slice(4))
  // Checksum, padding bits and the places of the dashes are all judged by encoding again.
  if (textOfPrincipal(value) !== folded)
    throw new BadEncoding(`"${text}" is not a principal: its checksum or grouping is wrong`)
  return value
}

/** Shorter first, then bytewise (ledger specification §3): canisters come before users. */
export function comparePrincipals(a: Principal, b: Principal): number {
  return a.length - b.length || compareBytes(a, b)
}
