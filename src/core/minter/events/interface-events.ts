/** The minter's event log in Candid, as `get_events` shows it. Implements `docs/spec/minter.md` §§2, 18.2. */
import type { Txid } from '../../base/bytes.ts'
import { hash32 } from '../../base/bytes.ts'
import { BadEncoding } from '../../base/errors.ts'
import type { Sat } from '../../base/units.ts'
import { MONEY_MAX, sat } from '../../base/units.ts'
import type { Codec } from '../../ic/candid.ts'
import {
  blob,
  bool,
  mapped,
  nat32,
  nat64,
  opt,
  principalCodec,
  text,
  unit,
  vec,
} from '../../ic/candid.ts'
import {
  accountCodec,
  enumeration,
  named,
  record,
  timestampCodec,
  variant,
} from '../../ic/candid-records.ts'
import type {
  BitcoinAddress,
  InitArgs,
  InvalidTransaction,
  Mode,
  ReimbursementReason,
  ReplacedReason,
  SuspendedReason,
  UpgradeArgs,
  Utxo,
  WithdrawalFee,
} from '../types.ts'
import type { ChangeOutput, Event, Payload } from './events.ts'

/** 32 bytes in internal order. */
export const txidCodec: Codec<Txid> = mapped(
  blob,
  (bytes): Txid => hash32(bytes),
  (txid) => txid,
)

export const satCodec: Codec<Sat> = mapped(
  nat64,
  (value) => {
    if (value > MONEY_MAX) throw new BadEncoding(`${value} satoshi are more than there are`)
    return sat(value)
  },
  (value) => value,
)

export const outpointCodec: Codec<Utxo['outpoint']> = record({ txid: txidCodec, vout: nat32 })
export const utxoCodec: Codec<Utxo> = record({
  outpoint: outpointCodec,
  value: satCodec,
  height: nat32,
})

const principals = named('principals', vec(principalCodec))
const mode: Codec<Mode> = variant({
  ReadOnly: unit,
  RestrictedTo: principals,
  DepositsRestrictedTo: principals,
  GeneralAvailability: unit,
})

/** Fields that installation and upgrade share. */
const settings = {
  deposit_btc_min_amount: named('depositMinAmount', opt(nat64)),
  min_confirmations: opt(nat32),
  check_fee: opt(nat64),
  kyt_fee: opt(nat64),
  btc_checker_principal: named('checkerId', opt(principalCodec)),
  kyt_principal: named('kytId', opt(principalCodec)),
  get_utxos_cache_expiration_seconds: named('utxosCacheExpirationSeconds', opt(nat64)),
  utxo_consolidation_threshold: named('consolidationThreshold', opt(nat64)),
  max_num_inputs_in_transaction: named('inputsMax', opt(nat64)),
}

export const initArgsCodec: Codec<InitArgs> = record({
  ...settings,
  btc_network: named('network', enumeration('Mainnet', 'Testnet', 'Regtest')),
  ledger_id: principalCodec,
  ecdsa_key_name: text,
  retrieve_btc_min_amount: named('retrieveMinAmount', nat64),
  max_time_in_queue_nanos: named('maxTimeInQueueNs', nat64),
  mode,
})

export const upgradeArgsCodec: Codec<UpgradeArgs> = record({
  ...settings,
  retrieve_btc_min_amount: named('retrieveMinAmount', opt(nat64)),
  max_time_in_queue_nanos: named('maxTimeInQueueNs', opt(nat64)),
  mode: opt(mode),
})

const address: Codec<BitcoinAddress> = variant({
  p2wpkh_v0: named('bytes', blob),
  p2wsh_v0: named('bytes', blob),
  p2tr_v1: named('bytes', blob),
  p2pkh: named('bytes', blob),
  p2sh: named('bytes', blob),
})

const changeOutput: Codec<ChangeOutput> = record({ vout: nat32, value: nat64 })
export const withdrawalFeeCodec: Codec<WithdrawalFee> = record({
  minter_fee: nat64,
  bitcoin_fee: nat64,
})

export const suspendedReasonCodec: Codec<SuspendedReason> = enumeration(
  'ValueTooSmall',
  'Quarantined',
)

export const reimbursementReasonCodec: Codec<ReimbursementReason> = variant({
  CallFailed: unit,
  TaintedDestination: record({ kyt_fee: nat64, kyt_provider: principalCodec }),
})

const invalidTransaction: Codec<InvalidTransaction> = variant({
  too_many_inputs: record({
    num_inputs: named('inputs', nat64),
    max_num_inputs: named('inputsMax', nat64),
  }),
})

/** A variant of one case: the case itself is what the events hold. */
const withdrawalReason: Codec<InvalidTransaction> = mapped(
  variant({ invalid_transaction: named('error', invalidTransaction) }),
  ({ error }) => error,
  (error) => ({ type: 'invalidTransaction' as const, error }),
)

const replacedReason: Codec<ReplacedReason> = variant({
  to_retry: unit,
  to_cancel: record({ reason: named('error', withdrawalReason) }),
})

const request = { amount: nat64, address, block_index: nat64, received_at: nat64 }
const indices = record({ burn_block_index: nat64, mint_block_index: nat64 })
const checked = record({ utxo: utxoCodec, account: accountCodec })

/** The kinds of the published interface; ours (`x_…`) have no form here. */
export const payloadCodec: Codec<Payload> = variant({
  init: named('args', initArgsCodec),
  upgrade: named('args', upgradeArgsCodec),
  received_utxos: record({
    to_account: accountCodec,
    mint_txid: opt(nat64),
    utxos: vec(utxoCodec),
  }),
  accepted_retrieve_btc_request: record({
    ...request,
    kyt_provider: opt(principalCodec),
    reimbursement_account: opt(accountCodec),
  }),
  created_consolidate_utxos_request: record(request),
  distributed_kyt_fee: record({ kyt_provider: principalCodec, amount: nat64, block_index: nat64 }),
  removed_retrieve_btc_request: record({ block_index: nat64 }),
  sent_transaction: record({
    requests: vec(nat64),
    txid: txidCodec,
    utxos: vec(utxoCodec),
    change_output: opt(changeOutput),
    submitted_at: nat64,
    fee: opt(nat64),
    withdrawal_fee: opt(withdrawalFeeCodec),
    signed_tx: named('signedTransaction', opt(blob)),
  }),
  replaced_transaction: record({
    new_txid: txidCodec,
    old_txid: txidCodec,
    change_output: changeOutput,
    submitted_at: nat64,
    fee: nat64,
    withdrawal_fee: opt(withdrawalFeeCodec),
    reason: opt(replacedReason),
    new_utxos: opt(vec(utxoCodec)),
  }),
  confirmed_transaction: record({ txid: txidCodec }),
  checked_utxo: record({
    utxo: utxoCodec,
    uuid: text,
    clean: bool,
    kyt_provider: opt(principalCodec),
  }),
  checked_utxo_v2: checked,
  checked_utxo_mint_unknown: checked,
  ignored_utxo: record({ utxo: utxoCodec }),
  suspended_utxo: record({
    utxo: utxoCodec,
    account: accountCodec,
    reason: suspendedReasonCodec,
  }),
  retrieve_btc_kyt_failed: record({
    address: text,
    amount: nat64,
    owner: principalCodec,
    kyt_provider: principalCodec,
    uuid: text,
    block_index: nat64,
  }),
  schedule_deposit_reimbursement: record({
    account: accountCodec,
    burn_block_index: nat64,
    amount: nat64,
    reason: reimbursementReasonCodec,
  }),
  reimbursed_failed_deposit: indices,
  schedule_withdrawal_reimbursement: record({
    account: accountCodec,
    burn_block_index: nat64,
    amount: nat64,
    reason: named('error', withdrawalReason),
  }),
  quarantined_withdrawal_reimbursement: record({ burn_block_index: nat64 }),
  reimbursed_withdrawal: indices,
})

export const eventCodec: Codec<Event> = record({
  timestamp: opt(timestampCodec),
  payload: payloadCodec,
})
