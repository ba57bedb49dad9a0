/** The interface of the Bitcoin canister. Source: `docs/spec/bitcoin.md` §9. */
import type { Codec, ValueOf } from '../ic/candid.ts'
import {
  blob,
  bool,
  mapped,
  nat,
  nat8,
  nat32,
  nat64,
  nothing,
  opt,
  principalCodec,
  query,
  text,
  update,
  vec,
} from '../ic/candid.ts'
import { enumeration, named, record, variant } from '../ic/candid-records.ts'
import type { Principal } from '../ic/principal.ts'
import {
  bitcoinGetUtxos,
  bitcoinNetworkCodec,
  bitcoinQueries,
  blockHashCodec,
} from '../minter/interface/bitcoin-interface.ts'

const network = bitcoinNetworkCodec

const flag: Codec<boolean> = mapped(
  enumeration('enabled', 'disabled'),
  (name) => name === 'enabled',
  (isEnabled) => (isEnabled ? 'enabled' : 'disabled'),
)

const fees = record({
  get_utxos_base: nat,
  get_utxos_cycles_per_ten_instructions: nat,
  get_utxos_maximum: nat,
  get_balance: nat,
  get_balance_maximum: nat,
  get_current_fee_percentiles: nat,
  get_current_fee_percentiles_maximum: nat,
  send_transaction_base: nat,
  send_transaction_per_byte: nat,
  get_block_headers_base: nat,
  get_block_headers_cycles_per_ten_instructions: nat,
  get_block_headers_maximum: nat,
})
/** Cycles that the methods cost (§9.8). */
export type BitcoinFees = ValueOf<typeof fees>

/** To set it to none is another thing than to leave it. */
type Watchdog = { readonly id?: Principal | undefined }
const watchdogChange: Codec<Watchdog> = mapped(
  opt(principalCodec),
  (id): Watchdog => ({ id }),
  ({ id }) => id,
)

const flags = {
  syncing: flag,
  api_access: flag,
  disable_api_if_not_fully_synced: flag,
  burn_cycles: flag,
  lazily_evaluate_fee_percentiles: flag,
}
const flagChanges = {
  syncing: opt(flag),
  api_access: opt(flag),
  disable_api_if_not_fully_synced: opt(flag),
  burn_cycles: opt(flag),
  lazily_evaluate_fee_percentiles: opt(flag),
}

const config = record({
  ...flags,
  stability_threshold: nat,
  network,
  blocks_source: principalCodec,
  fees,
  watchdog_canister: opt(principalCodec),
})
export type BitcoinConfig = ValueOf<typeof config>

const configChange = record({
  ...flagChanges,
  stability_threshold: opt(nat),
  fees: opt(fees),
  watchdog_canister: opt(watchdogChange),
})
export type BitcoinConfigChange = ValueOf<typeof configChange>

const balanceRequest = record({ network, address: text, min_confirmations: opt(nat32) })
export type GetBalanceRequest = ValueOf<typeof balanceRequest>

const headersRequest = record({ start_height: nat32, end_height: opt(nat32), network })
export type GetBlockHeadersRequest = ValueOf<typeof headersRequest>
const headersResponse = record({ tip_height: nat32, block_headers: vec(blob) })
export type GetBlockHeadersResponse = ValueOf<typeof headersResponse>

const blockchainInfo = record({
  height: nat32,
  block_hash: blockHashCodec,
  timestamp: nat32,
  difficulty: nat,
  utxos_length: nat64,
})
export type BlockchainInfo = ValueOf<typeof blockchainInfo>

const answersChange = record({ utxos_per_page: opt(nat32), strict_confirmations: opt(bool) })
export type AnswersChange = ValueOf<typeof answersChange>

/** Methods that canisters also reach through the management canister. */
export const bitcoinCalls = {
  bitcoin_get_balance: update([balanceRequest], nat64),
  bitcoin_get_utxos: bitcoinGetUtxos,
  bitcoin_get_current_fee_percentiles: update([record({ network })], vec(nat64)),
  bitcoin_get_block_headers: update([headersRequest], headersResponse),
  bitcoin_send_transaction: update([record({ network, transaction: blob })], nothing),
}

const successorsRequest = variant({
  initial: record({
    network,
    anchor: blockHashCodec,
    processed_block_hashes: vec(blockHashCodec),
  }),
  follow_up: named('page', nat8),
})
export type GetSuccessorsRequest = ValueOf<typeof successorsRequest>
const successorsResponse = variant({
  complete: record({ blocks: vec(blob), next: vec(blob) }),
  partial: record({ partial_block: blob, next: vec(blob), remaining_follow_ups: nat8 }),
  follow_up: named('bytes', blob),
})
export type GetSuccessorsResponse = ValueOf<typeof successorsResponse>

/** Of the management canister alone: how a Bitcoin canister gets its blocks (§9.9). */
export const successorCalls = {
  bitcoin_get_successors: update([successorsRequest], successorsResponse),
}

export const isBitcoinCall = (name: string): boolean =>
  Object.hasOwn(bitcoinCalls, name) || Object.hasOwn(successorCalls, name)

/** What is published of the deployed canister. */
export const bitcoinApiInterface = {
  ...bitcoinCalls,
  ...bitcoinQueries,
  bitcoin_get_balance_query: query([balanceRequest], nat64),
  get_config: query([], config),
  set_config: update([configChange], nothing),
  get_blockchain_info: query([], blockchainInfo),
}

export const bitcoinInterface = {
  /** Of the operator: the fee level that estimates see, or none (FEE-5). */
  x_set_fee_level: update([record({ rate_msat_per_vb: opt(nat64) })], bool),
  /** Of the operator: how long a page of outputs is (D4), and what balances count (D6). */
  x_set_answers: update([answersChange], bool),
  /** The block that ends the main chain. */
  x_tip: query([], record({ height: nat32, block_hash: blob })),
  ...bitcoinApiInterface,
}
