/** The minter's methods in Candid, as typed codecs. Implements `docs/spec/minter.md` §2. */
import type { Codec, Method } from '../../ic/candid.ts'
import {
  blob,
  mapped,
  nat32,
  nat64,
  opt,
  principalCodec,
  query,
  text,
  unit,
  update,
  vec,
} from '../../ic/candid.ts'
import {
  accountCodec,
  always,
  enumeration,
  named,
  record,
  subaccountCodec,
  variant,
} from '../../ic/candid-records.ts'
import { canisterStatusCodec } from '../../ic/canister-status.ts'
import type { Methods } from '../calls.ts'
import {
  eventCodec,
  initArgsCodec,
  outpointCodec,
  reimbursementReasonCodec,
  satCodec,
  suspendedReasonCodec,
  upgradeArgsCodec,
  utxoCodec,
  withdrawalFeeCodec,
} from '../events/interface-events.ts'
import type {
  AccountArgs,
  BurnMemo,
  DecodedMemo,
  DecodeMemoArgs,
  DecodeMemoResult,
  MinterArg,
  MinterInfo,
  MintMemo,
  PendingUtxo,
  ReimbursedDeposit,
  ReimbursementRequest,
  RetrieveBtcArgs,
  RetrieveBtcError,
  RetrieveBtcResult,
  RetrieveBtcStatus,
  RetrieveBtcStatusV2,
  RetrieveBtcWithApprovalArgs,
  RetrieveBtcWithApprovalError,
  RetrieveBtcWithApprovalResult,
  StatusOfBlock,
  SuspendedUtxo,
  UpdateBalanceError,
  UpdateBalanceResult,
  UtxoStatus,
} from '../types.ts'

export const minterArgCodec: Codec<MinterArg> = variant({
  Init: named('args', initArgsCodec),
  Upgrade: named('args', opt(upgradeArgsCodec)),
})

const accountArgs: Codec<AccountArgs> = record({
  owner: opt(principalCodec),
  subaccount: opt(subaccountCodec),
})

const genericError = record({
  error_message: named('message', text),
  error_code: named('code', nat64),
})
const temporarilyUnavailable = named('message', text)

const utxoStatus: Codec<UtxoStatus> = variant({
  ValueTooSmall: named('utxo', utxoCodec),
  Tainted: named('utxo', utxoCodec),
  Checked: named('utxo', utxoCodec),
  Minted: record({ block_index: nat64, minted_amount: nat64, utxo: utxoCodec }),
})

const pendingUtxo: Codec<PendingUtxo> = record({
  outpoint: outpointCodec,
  value: satCodec,
  confirmations: nat32,
})
const suspendedUtxo: Codec<SuspendedUtxo> = record({
  utxo: utxoCodec,
  reason: suspendedReasonCodec,
  earliest_retry: nat64,
})

/** `opt vec` of the interface: absent is the empty list here. */
const maybeList = <T>(element: Codec<T>): Codec<readonly T[]> =>
  mapped(
    opt(vec(element)),
    (list) => list ?? [],
    (list): readonly T[] | undefined => list,
  )

const updateBalanceError: Codec<UpdateBalanceError> = variant({
  NoNewUtxos: record({
    current_confirmations: opt(nat32),
    required_confirmations: nat32,
    pending_utxos: maybeList(pendingUtxo),
    suspended_utxos: maybeList(suspendedUtxo),
  }),
  AlreadyProcessing: unit,
  TemporarilyUnavailable: temporarilyUnavailable,
  GenericError: genericError,
})

const updateBalanceResult: Codec<UpdateBalanceResult> = variant({
  Ok: named('value', vec(utxoStatus)),
  Err: named('error', updateBalanceError),
})

const retrieveBtcArgs: Codec<RetrieveBtcArgs> = record({ address: text, amount: nat64 })
const retrieveBtcWithApprovalArgs: Codec<RetrieveBtcWithApprovalArgs> = record({
  address: text,
  amount: nat64,
  from_subaccount: opt(subaccountCodec),
})

const retrieveErrors = {
  MalformedAddress: named('message', text),
  AlreadyProcessing: unit,
  AmountTooLow: named('min', nat64),
  InsufficientFunds: record({ balance: nat64 }),
  TemporarilyUnavailable: temporarilyUnavailable,
  GenericError: genericError,
}
const retrieveBtcError: Codec<RetrieveBtcError> = variant(retrieveErrors)
const retrieveBtcWithApprovalError: Codec<RetrieveBtcWithApprovalError> = variant({
  ...retrieveErrors,
  InsufficientAllowance: record({ allowance: nat64 }),
})

const blockIndex = record({ block_index: nat64 })
const retrieveBtcResult: Codec<RetrieveBtcResult> = variant({
  Ok: named('value', blockIndex),
  Err: named('error', retrieveBtcError),
})
const retrieveBtcWithApprovalResult: Codec<RetrieveBtcWithApprovalResult> = variant({
  Ok: named('value', blockIndex),
  Err: named('error', retrieveBtcWithApprovalError),
})

const transaction = record({ txid: blob })
const statuses = {
  Unknown: unit,
  Pending: unit,
  Signing: unit,
  Sending: transaction,
  Submitted: transaction,
  AmountTooLow: unit,
  Confirmed: transaction,
}
const retrieveBtcStatus: Codec<RetrieveBtcStatus> = variant(statuses)

const reimbursedDeposit: Codec<ReimbursedDeposit> = record({
  account: accountCodec,
  mint_block_index: nat64,
  amount: nat64,
  reason: reimbursementReasonCodec,
})
const reimbursementRequest: Codec<ReimbursementRequest> = record({
  account: accountCodec,
  amount: nat64,
  reason: reimbursementReasonCodec,
})
export const retrieveBtcStatusV2Codec: Codec<RetrieveBtcStatusV2> = variant({
  ...statuses,
  Reimbursed: named('deposit', reimbursedDeposit),
  WillReimburse: named('request', reimbursementRequest),
})
const statusOfBlock: Codec<StatusOfBlock> = record({
  block_index: nat64,
  status_v2: named('status', opt(retrieveBtcStatusV2Codec)),
})

const minterInfo: Codec<MinterInfo> = record({
  min_confirmations: nat32,
  retrieve_btc_min_amount: named('retrieveMinAmount', nat64),
  kyt_fee: named('checkFee', nat64),
  deposit_btc_min_amount: named('depositMinAmount', opt(nat64)),
})

const memoStatus = enumeration('Accepted', 'Rejected', 'CallFailed')
const memoFee = named('fee', opt(nat64))

const mintMemo: Codec<MintMemo> = variant({
  Convert: record({ txid: opt(blob), vout: opt(nat32), kyt_fee: memoFee }),
  Kyt: unit,
  KytFail: record({
    kyt_fee: memoFee,
    status: opt(memoStatus),
    associated_burn_index: named('burnIndex', opt(nat64)),
  }),
  ReimburseWithdrawal: record({ withdrawal_id: nat64 }),
})
const burnMemo: Codec<BurnMemo> = variant({
  Convert: record({ address: opt(text), kyt_fee: memoFee, status: opt(memoStatus) }),
  Consolidate: record({ value: nat64, inputs: nat64 }),
})

const decodeMemoArgs: Codec<DecodeMemoArgs> = record({
  memo_type: enumeration('Burn', 'Mint'),
  encoded_memo: named('memo', blob),
})
const decodedMemo: Codec<DecodedMemo> = variant({
  Mint: named('memo', always(mintMemo)),
  Burn: named('memo', always(burnMemo)),
})
const decodeMemoResult: Codec<DecodeMemoResult> = variant({
  Ok: named('value', always(decodedMemo)),
  Err: named('error', always(variant({ InvalidMemo: named('message', text) }))),
})

/** Every method under its name: arguments, result, and whether a query may answer it. */
export const minterInterface = {
  get_btc_address: update([accountArgs], text),
  get_known_utxos: query([accountArgs], vec(utxoCodec)),
  update_balance: update([accountArgs], updateBalanceResult),
  estimate_withdrawal_fee: query([record({ amount: opt(nat64) })], withdrawalFeeCodec),
  get_deposit_fee: query([], nat64),
  get_withdrawal_account: update([], accountCodec),
  retrieve_btc: update([retrieveBtcArgs], retrieveBtcResult),
  retrieve_btc_with_approval: update([retrieveBtcWithApprovalArgs], retrieveBtcWithApprovalResult),
  retrieve_btc_status: query([blockIndex], retrieveBtcStatus),
  retrieve_btc_status_v2: query([blockIndex], retrieveBtcStatusV2Codec),
  retrieve_btc_status_v2_by_account: query([opt(accountCodec)], vec(statusOfBlock)),
  get_minter_info: query([], minterInfo),
  get_canister_status: update([], canisterStatusCodec),
  get_events: query([record({ start: nat64, length: nat64 })], vec(eventCodec)),
  decode_ledger_memo: query([decodeMemoArgs], decodeMemoResult),
} satisfies {
  readonly [M in keyof Methods]: Method<readonly Codec<unknown>[], Codec<Methods[M]['reply']>>
} & {
  readonly get_canister_status: Method
}
