/**
 * What others ask the Bitcoin canister: the outputs of an address. Implements `docs/spec/bitcoin.md`
 * §9.2 (`bitcoin_get_utxos_query`).
 */
import type { BlockHash } from '../base/bytes.ts'
import { hash32 } from '../base/bytes.ts'
import type { Codec } from '../ic/candid.ts'
import { blob, mapped, nat32, opt, query, text, vec } from '../ic/candid.ts'
import { enumeration, named, record, variant } from '../ic/candid-records.ts'
import { utxoCodec } from './interface-events.ts'
import type { BitcoinNetwork, Utxo } from './types.ts'

export type GetUtxosRequest = {
  readonly network: BitcoinNetwork
  readonly address: string
  readonly filter?:
    | { readonly type: 'minConfirmations'; readonly count: number }
    | { readonly type: 'page'; readonly page: Uint8Array }
    | undefined
}

export type GetUtxosResponse = {
  readonly utxos: readonly Utxo[]
  readonly tipBlockHash: BlockHash
  readonly tipHeight: number
  /** Names the rest of a long answer. */
  readonly nextPage?: Uint8Array | undefined
}

const blockHash: Codec<BlockHash> = mapped(blob, hash32, (hash): Uint8Array => hash)

const request: Codec<GetUtxosRequest> = record({
  network: enumeration('mainnet', 'testnet', 'regtest'),
  address: text,
  filter: opt(variant({ min_confirmations: named('count', nat32), page: named('page', blob) })),
})

const response: Codec<GetUtxosResponse> = record({
  utxos: vec(utxoCodec),
  tip_block_hash: blockHash,
  tip_height: nat32,
  next_page: opt(blob),
})

export const bitcoinQueries = { bitcoin_get_utxos_query: query([request], response) }
