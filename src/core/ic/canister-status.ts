/**
 * `canister_status` of the management canister, which some canisters answer about themselves
 * (minter §2).
 */
import type { ValueOf } from './candid.ts'
import { blob, bool, nat, nat64, opt, principalCodec, text, unit, vec } from './candid.ts'
import { enumeration, named, record, variant } from './candid-records.ts'

export const canisterStatusCodec = record({
  status: enumeration('running', 'stopping', 'stopped'),
  ready_for_migration: bool,
  version: nat64,
  memory_size: nat,
  cycles: nat,
  settings: record({
    controllers: vec(principalCodec),
    compute_allocation: nat,
    memory_allocation: nat,
    freezing_threshold: nat,
    reserved_cycles_limit: nat,
    log_visibility: variant({
      controllers: unit,
      public: unit,
      allowed_viewers: named('principals', vec(principalCodec)),
    }),
    wasm_memory_limit: nat,
    wasm_memory_threshold: nat,
    environment_variables: vec(record({ name: text, value: text })),
  }),
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
})

export type CanisterStatus = ValueOf<typeof canisterStatusCodec>
