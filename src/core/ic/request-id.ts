/** Representation-independent hash and request id. Implements `docs/spec/ic-interface.md` §5.1. */
import type { Hash32 } from '../base/bytes.ts'
import { compareBytes, concat, concatAll, utf8 } from '../base/bytes.ts'
import { sha256 } from '../base/hash.ts'
import { leb128 } from './cursor.ts'

/** What can be hashed; a map's undefined values count as absent. */
export type Hashable = bigint | string | Uint8Array | readonly Hashable[] | HashableMap
export type HashableMap = { readonly [key: string]: Hashable | undefined }

export function structuredHash(value: Hashable): Hash32 {
  if (typeof value === 'bigint') return sha256(leb128(value))
  if (typeof value === 'string') return sha256(utf8(value))
  if (value instanceof Uint8Array) return sha256(value)
  if (isList(value)) return sha256(concatAll(value.map(structuredHash)))
  return mapHash(value)
}

const isList = (value: readonly Hashable[] | HashableMap): value is readonly Hashable[] =>
  Array.isArray(value)

/** Hash of the sorted pairs of key hash and value hash. Request id = hash of the content map. */
export function mapHash(map: HashableMap): Hash32 {
  const pairs = Object.entries(map).flatMap(([key, value]) =>
    value === undefined ? [] : [concat(sha256(utf8(key)), structuredHash(value))],
  )
  return sha256(concatAll(pairs.sort(compareBytes)))
}

/** Every signed or hashed message starts with its domain: one length byte, then ASCII (§4). */
export function separated(domain: string, ...message: readonly Uint8Array[]): Uint8Array {
  const label = utf8(domain)
  return concat(Uint8Array.of(label.length), label, ...message)
}
