/** ICRC-3 values and their hash. Implements `docs/spec/ledger.md` §9.2. */
import type { Hash32 } from '../../base/bytes.ts'
import { compareBytes, concat, concatAll, utf8 } from '../../base/bytes.ts'
import { sha256 } from '../../base/hash.ts'
import { leb128, sleb128 } from '../../ic/cursor.ts'

export type Value =
  | { readonly type: 'blob'; readonly blob: Uint8Array }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'nat'; readonly nat: bigint }
  | { readonly type: 'int'; readonly int: bigint }
  | { readonly type: 'array'; readonly array: readonly Value[] }
  | { readonly type: 'map'; readonly map: readonly Entry[] }

/** Keys of one map are distinct; their order carries no meaning. */
export type Entry = readonly [key: string, value: Value]

/** Hash of a value; of two maps with the same entries in another order, the same hash. */
export function hashValue(value: Value): Hash32 {
  switch (value.type) {
    case 'blob':
      return sha256(value.blob)
    case 'text':
      return sha256(utf8(value.text))
    case 'nat':
      return sha256(leb128(value.nat))
    case 'int':
      return sha256(sleb128(value.int))
    case 'array':
      return sha256(concatAll(value.array.map(hashValue)))
    case 'map':
      return sha256(concatAll(value.map.map(hashEntry).sort(compareBytes)))
  }
}

const hashEntry = ([key, value]: Entry): Uint8Array => concat(sha256(utf8(key)), hashValue(value))
