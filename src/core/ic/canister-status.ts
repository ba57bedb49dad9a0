/**
 * `canister_status` of the management canister (IC interface §18), which some canisters answer about
 * themselves in the form of the day they were built (minter §2).
 */
import type { ValueOf } from './candid.ts'
import { blob, bool, nat, nat64, opt, principalCodec, text, unit, vec } from './candid.ts'
import { enumeration, named, record, variant } from './candid-records.ts'

const visibility = variant({
  controllers: unit,
  public: unit,
  allowed_viewers: named('principals', vec(principalCodec)),
})

const settings = {
  controllers: vec(principalCodec),
  compute_allocation: nat,
  memory_allocation: nat,
  freezing_threshold: nat,
  reserved_cycles_limit: nat,
  log_visibility: visibility,
  wasm_memory_limit: nat,
  wasm_memory_threshold: nat,
  environment_variables: vec(record({ name: text, value: text })),
}

const status = {
  status: enumeration('running', 'stopping', 'stopped'),
  ready_for_migration: bool,
  version: nat64,
  memory_size: nat,
  cycles: nat,
  idle_cycles_burned_per_day: nat,
  module_hash: opt(blob),
  query_stats: record({
    num_calls_total: nat,
    num_instructions_total: nat,
    request_payload_bytes_total: nat,
    response_payload_bytes_total: nat,
  }),
  reserved_cycles: nat,
  memory_metrics: record({
    wasm_memory_size: nat,
    stable_memory_size: nat,
    global_memory_size: nat,
    wasm_binary_size: nat,
    custom_sections_size: nat,
    canister_history_size: nat,
    wasm_chunk_store_size: nat,
    snapshots_size: nat,
  }),
}

/** As the minter publishes it. */
export const canisterStatusCodec = record({ ...status, settings: record(settings) })

/** As the management canister publishes it. */
export const managementStatusCodec = record({
  ...status,
  settings: record({ ...settings, snapshot_visibility: visibility }),
})

export type CanisterStatus = ValueOf<typeof managementStatusCodec>
