/** Candid of what the views answer. Implements `docs/spec/minter.md` §20.6. */
import type { Codec } from '../../ic/candid.ts'
import {
  blob,
  bool,
  int,
  nat32,
  nat64,
  opt,
  principalCodec,
  query,
  text,
  unit,
  vec,
} from '../../ic/candid.ts'
import {
  accountCodec,
  enumeration,
  named,
  record,
  subaccountCodec,
  variant,
} from '../../ic/candid-records.ts'
import {
  initArgsCodec,
  outpointCodec,
  suspendedReasonCodec,
  txidCodec,
  utxoCodec,
  withdrawalFeeCodec,
} from '../events/interface-events.ts'
import { retrieveBtcStatusV2Codec } from '../interface/interface.ts'
import { settingsChangeCodec } from '../settings-change.ts'
import type { AccountArgs } from '../types.ts'
import type { CoinKind, CoinsPage } from './coins.ts'
import type { DepositState, DepositsPage } from './deposits.ts'
import type { FeesView } from './fees.ts'
import type { Alert, Counts, Info } from './info.ts'
import type { PageArgs } from './pages.ts'
import type { Wait } from './waits.ts'
import type { Withdrawal, WithdrawalsPage } from './withdrawals.ts'

const page = { start: nat64, length: nat64 }

/** `owner` absent: the caller. Rows `start` to before `start + length`, at most 100. */
const accountPage: Codec<AccountArgs & PageArgs> = record({
  owner: opt(principalCodec),
  subaccount: opt(subaccountCodec),
  ...page,
})

const depthFields = { have: nat32, required: nat32 }
const depth = record(depthFields)
const delay = enumeration(
  'RateAboveMax',
  'NoEstimate',
  'LostCoins',
  'NotEnoughFunds',
  'TooManyInputs',
  'AmountTooLow',
  'DustOutput',
  'Unchanged',
)
const wait: Codec<Wait> = variant({
  Stopped: unit,
  Key: unit,
  View: unit,
  Queue: record({ until: nat64, ahead: nat32 }),
  Funds: record({ available: nat64, passed_over_since: opt(nat64) }),
  Fees: record({ since: nat64, until: nat64 }),
  LostCoins: record({ amount: nat64 }),
  Signatures: record({ signed: nat32, inputs: nat32, failed: nat32 }),
  Announcement: unit,
  Confirmations: record({ ...depthFields, replaced_at: opt(nat64), delay: opt(delay) }),
  Cancellation: depth,
  Return: unit,
  UnknownReturn: unit,
})

const withdrawal: Codec<Withdrawal> = record({
  block_index: nat64,
  amount: nat64,
  address: text,
  account: opt(accountCodec),
  received_at: nat64,
  status: retrieveBtcStatusV2Codec,
  wait: opt(wait),
  since: opt(nat64),
  next_step_at: opt(nat64),
  required_confirmations: nat32,
  transactions: vec(
    record({
      txid: txidCodec,
      submitted_at: nat64,
      fee_rate: opt(nat64),
      withdrawal_fee: opt(withdrawalFeeCodec),
      receives: opt(nat64),
      is_cancellation: bool,
      confirmations: nat32,
    }),
  ),
})
const withdrawalsPage: Codec<WithdrawalsPage> = record({
  total: nat64,
  withdrawals: vec(withdrawal),
})

const depositState: Codec<DepositState> = variant({
  Confirming: record({ confirmations: nat32, required: nat32 }),
  Due: record({ confirmations: nat32 }),
  Suspended: record({ reason: suspendedReasonCodec, earliest_retry: opt(nat64), min: nat64 }),
  Checked: unit,
  MintUnknown: unit,
  Minted: record({ block_index: nat64, amount: nat64, at: opt(nat64) }),
})
const depositsPage: Codec<DepositsPage> = record({
  total: nat64,
  required_confirmations: nat32,
  tip_height: opt(nat32),
  deposits: vec(
    record({ outpoint: outpointCodec, value: nat64, height: nat32, state: depositState }),
  ),
})

const coinKind: Codec<CoinKind> = enumeration(
  'Available',
  'Reserved',
  'InFlight',
  'Lost',
  'Quarantined',
  'TooSmall',
  'Unminted',
  'Donation',
)
const coinsPage: Codec<CoinsPage> = record({
  total: nat64,
  coins: vec(record({ utxo: utxoCodec, account: opt(accountCodec), spent_by: opt(blob) })),
})

const counts: Codec<Counts> = record({
  queued: nat32,
  held: nat32,
  signing: nat32,
  submitted: nat32,
  stuck: nat32,
  finalized: nat32,
  to_reimburse: nat32,
  quarantined_reimbursements: nat32,
  available: nat32,
  donations: nat32,
  lost: nat32,
  unminted: nat32,
  watched: nat32,
  accounts: nat32,
  events: nat32,
})
const consolidation = record({
  balance: opt(nat64),
  expected_cost: opt(nat64),
  last_at: opt(nat64),
})
const reserve = record({
  coins: int,
  supply: int,
  pending: int,
  reimbursements: int,
  quarantined: int,
  mints_in_transit: int,
  burns_in_transit: int,
  surplus: int,
  check_fees: int,
  minter_fees: int,
  reimbursement_charges: int,
  amounts_too_low: int,
  adopted: int,
  written_off: int,
  consolidation_fees: int,
  ledger_fees: int,
  balanced: bool,
  covered: bool,
})
const alert: Codec<Alert> = record({ code: text, message: text })
const info: Codec<Info> = record({
  config: initArgsCodec,
  settings: named('settings', settingsChangeCodec),
  main_address: opt(text),
  median_fee: opt(nat64),
  withdrawal_min: nat64,
  counts,
  available_total: nat64,
  consolidation,
  reserve: opt(reserve),
  alerts: vec(alert),
})

const fees: Codec<FeesView> = record({
  percentiles: vec(nat64),
  median: opt(nat64),
  jump: opt(nat64),
  withdrawal_min: nat64,
  consolidation_rate: opt(nat64),
})

export const viewMethods = {
  /** Of an account, newest first, with why each waits and what was sent for it. */
  x_withdrawals: query([accountPage], withdrawalsPage),
  /** One of them by its burn. */
  x_withdrawal: query([record({ block_index: nat64 })], opt(withdrawal)),
  /** Of an account: what is not minted, then what was, newest first. */
  x_deposits: query([accountPage], depositsPage),
  /** Coins of one kind. */
  x_utxos: query([record({ kind: coinKind, ...page })], coinsPage),
  /** What is in force, what there is, what needs attention. */
  x_info: query([], info),
  /** The rates that it reckons with, msat/vB. */
  x_fees: query([], fees),
}
