/**
 * What others ask the Bitcoin canister: the outputs of an address. Implements `docs/spec/bitcoin.md`
 * §9.2 (`bitcoin_get_utxos_query`).
 */
import type { BlockHash } from '../../base/bytes.ts'
import { hash32 } from '../../base/bytes.ts'
import type { Codec } from '../../ic/candid.ts'
import { blob, mapped, nat32, opt, query, text, update, vec } from '../../ic/candid.ts'
import { enumeration, named, record, variant } from '../../ic/candid-records.ts'
import { utxoCodec } from '../events/interface-events.ts'
import type { BitcoinNetwork, Utxo } from '../types.ts'

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

export const blockHashCodec: Codec<BlockHash> = mapped(blob, hash32, (hash): Uint8Array => hash)

/** Shown and written as `shown`; read in more spellings than that. */
const lenient = <T>(shown: Codec<T>, read: Codec<T>): Codec<T> => ({
  ...shown,
  decode: read.decode,
})

const LABELS = ['mainnet', 'testnet', 'regtest'] as const

/** Lower case is published; programs that write `Mainnet` are served too. */
export const bitcoinNetworkCodec: Codec<BitcoinNetwork> = lenient(
  enumeration(...LABELS),
  enumeration(...LABELS, 'Mainnet', 'Testnet', 'Regtest'),
)

const count = named('count', nat32)
const page = named('page', blob)

const request: Codec<GetUtxosRequest> = record({
  network: bitcoinNetworkCodec,
  address: text,
  filter: opt(
    lenient(
      variant({ min_confirmations: count, page }),
      variant({ min_confirmations: count, page, MinConfirmations: count, Page: page }),
    ),
  ),
})

const response: Codec<GetUtxosResponse> = record({
  utxos: vec(utxoCodec),
  tip_block_hash: blockHashCodec,
  tip_height: nat32,
  next_page: opt(blob),
})

export const bitcoinQueries = { bitcoin_get_utxos_query: query([request], response) }
/** The same asked through the log. */
export const bitcoinGetUtxos = update([request], response)
