/**
 * Hash functions under the names that the specifications use. All are pure; inputs are not kept.
 *
 * SHA-256 is that of the host once the host has handed one in (performance specification R13).
 */
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { ripemd160 } from '@noble/hashes/legacy.js'
import {
  sha224 as nobleSha224,
  sha256 as nobleSha256,
  sha512 as nobleSha512,
} from '@noble/hashes/sha2.js'
import type { Hash32 } from './bytes.ts'
import { concat, equalBytes, utf8 } from './bytes.ts'
import { assert } from './errors.ts'
import { SHORT_MAX, shortSha256 } from './short-sha256.ts'

/** Gives 32 bytes that nobody else holds. */
export type Sha256 = (data: Uint8Array) => Uint8Array

let engine: Sha256 = nobleSha256

/** Lengths around the ends of a block, where implementations differ if they do. */
const CHECKED_SIZES = [0, 1, 55, 56, 63, 64, 65, 1_000] as const

/**
 * For the start of a thread. The engine must agree with the library, so nobody sees which one is in
 * use.
 */
export function installSha256(faster: Sha256): void {
  for (const size of CHECKED_SIZES) {
    const data = Uint8Array.from({ length: size }, (_, i) => i & 0xff)
    assert(equalBytes(faster(data), nobleSha256(data)), `SHA-256 of ${size} bytes is right`)
  }
  engine = faster
}

/** What fits one block is not worth a call of the engine. */
export const sha256 = (data: Uint8Array): Hash32 =>
  (data.length <= SHORT_MAX ? shortSha256(data) : engine(data)) as Hash32
export const sha224 = (data: Uint8Array): Uint8Array => nobleSha224(data)
export const sha512 = (data: Uint8Array): Uint8Array => nobleSha512(data)

/** SHA-256 of SHA-256: txids, block hashes, checksums of Bitcoin. */
export const sha256d = (data: Uint8Array): Hash32 => sha256(sha256(data))

/** RIPEMD-160 of SHA-256, 20 bytes. */
export const hash160 = (data: Uint8Array): Uint8Array => ripemd160(sha256(data))

export const hmacSha512 = (key: Uint8Array, data: Uint8Array): Uint8Array =>
  hmac(nobleSha512, key, data)

/** RFC 5869 with SHA-512: extract from `keying` under the salt, expand to `size` bytes. */
export const hkdfSha512 = ({
  salt,
  keying,
  info,
  size,
}: {
  readonly salt: Uint8Array
  readonly keying: Uint8Array
  readonly info: string
  readonly size: number
}): Uint8Array => hkdf(nobleSha512, keying, salt, utf8(info), size)

/** BIP340 tagged hash: SHA-256(SHA-256(tag) ‖ SHA-256(tag) ‖ data). */
export function taggedHash(tag: string, data: Uint8Array): Hash32 {
  const tagHash = sha256(utf8(tag))
  return sha256(concat(tagHash, tagHash, data))
}
