/**
 * The log in the forms before ICRC-3, as typed codecs. Implements `docs/spec/ledger.md` §§2, 9.3,
 * 11.2, 11.3.
 */
import type { Codec } from '../../ic/candid.ts'
import {
  blob,
  func,
  int,
  nat,
  nat64,
  opt,
  principalCodec,
  query,
  recursive,
  text,
  vec,
} from '../../ic/candid.ts'
import { named, pair, record, variant } from '../../ic/candid-records.ts'
import type { Range } from '../blocks/log-queries.ts'
import type { Value } from '../blocks/value.ts'
import { flatTransaction } from './flat-transaction.ts'

/** A value in which numbers of 64 bits have a type of their own. */
export type LegacyValue =
  | { readonly type: 'blob'; readonly blob: Uint8Array }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'nat'; readonly nat: bigint }
  | { readonly type: 'nat64'; readonly nat64: bigint }
  | { readonly type: 'int'; readonly int: bigint }
  | { readonly type: 'array'; readonly array: readonly LegacyValue[] }
  | { readonly type: 'map'; readonly map: readonly (readonly [string, LegacyValue])[] }

const NAT64_MAX = 2n ** 64n - 1n

/** §9.2: every number that fits is a `Nat64`. */
export function legacyValue(value: Value): LegacyValue {
  switch (value.type) {
    case 'nat':
      return value.nat <= NAT64_MAX ? { type: 'nat64', nat64: value.nat } : value
    case 'array':
      return { type: 'array', array: value.array.map(legacyValue) }
    case 'map':
      return { type: 'map', map: value.map.map(([key, inner]) => [key, legacyValue(inner)]) }
    case 'blob':
    case 'text':
    case 'int':
      return value
  }
}

export const legacyValueCodec: Codec<LegacyValue> = recursive(() =>
  variant({
    Blob: named('blob', blob),
    Text: named('text', text),
    Nat: named('nat', nat),
    Nat64: named('nat64', nat64),
    Int: named('int', int),
    Array: named('array', vec(legacyValueCodec)),
    Map: named('map', vec(pair(text, legacyValueCodec))),
  }),
)

export const range: Codec<Range> = record({ start: nat, length: nat })

const transactions = vec(flatTransaction)
const blocks = vec(legacyValueCodec)
/** What an archive answers, too. */
export const legacyTransactions = record({ transactions })
export const legacyBlocks = record({ blocks })

/** Where the rest is: an archive and its method. */
const archived = (result: Codec<unknown>) =>
  vec(record({ start: nat, length: nat, callback: func([range], [result], 'query') }))

export const legacyInterface = {
  get_transactions: query(
    [range],
    record({
      log_length: nat,
      first_index: nat,
      transactions,
      archived_transactions: archived(legacyTransactions),
    }),
  ),
  get_blocks: query(
    [range],
    record({
      first_index: nat,
      chain_length: nat64,
      certificate: opt(blob),
      blocks,
      archived_blocks: archived(legacyBlocks),
    }),
  ),
  get_data_certificate: query([], record({ certificate: opt(blob), hash_tree: blob })),
  archives: query(
    [],
    vec(record({ canister_id: principalCodec, block_range_start: nat, block_range_end: nat })),
  ),
}
