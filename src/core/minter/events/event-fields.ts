/** How each kind of event is written. Source: minter §18.2 in CBOR. */
import type { Account } from '../../ic/account.ts'
import { SUBACCOUNT_BYTES } from '../../ic/account.ts'
import type {
  BitcoinAddress,
  InitArgs,
  InvalidTransaction,
  Mode,
  ReimbursementReason,
  ReplacedReason,
  UpgradeArgs,
  Utxo,
  WithdrawalFee,
} from '../types.ts'
import type {
  CallPurpose,
  ChangeOutput,
  Payload,
  Payloads,
  PayloadType,
  Replaces,
} from './events.ts'
import { EVENT_NAMES } from './events.ts'
import type { Cases, Codec } from './fields.ts'
import {
  blob,
  boolean,
  bytesOfSize,
  field,
  list,
  nat32,
  nat64,
  nothing,
  only,
  optional,
  principalBytes,
  record,
  satoshi,
  text,
  txidBytes,
  variant,
  word,
} from './fields.ts'

const PUBLIC_KEY_BYTES = 33
const SIGNATURE_BYTES = 64

const account: Codec<Account> = record<Account>({
  owner: field('owner', principalBytes),
  subaccount: optional('subaccount', bytesOfSize(SUBACCOUNT_BYTES)),
})

const utxo: Codec<Utxo> = record<Utxo>({
  outpoint: field(
    'outpoint',
    record<Utxo['outpoint']>({ txid: field('txid', txidBytes), vout: field('vout', nat32) }),
  ),
  value: field('value', satoshi),
  height: field('height', nat32),
})

const principals = only('principals', list(principalBytes))

const mode: Codec<Mode> = variant<Mode>({
  readOnly: { name: 'ReadOnly', codec: nothing },
  restrictedTo: { name: 'RestrictedTo', codec: principals },
  depositsRestrictedTo: { name: 'DepositsRestrictedTo', codec: principals },
  generalAvailability: { name: 'GeneralAvailability', codec: nothing },
})

const laterArgs = {
  depositMinAmount: optional('deposit_btc_min_amount', nat64),
  minConfirmations: optional('min_confirmations', nat32),
  checkFee: optional('check_fee', nat64),
  kytFee: optional('kyt_fee', nat64),
  checkerId: optional('btc_checker_principal', principalBytes),
  kytId: optional('kyt_principal', principalBytes),
  utxosCacheExpirationSeconds: optional('get_utxos_cache_expiration_seconds', nat64),
  consolidationThreshold: optional('utxo_consolidation_threshold', nat64),
  inputsMax: optional('max_num_inputs_in_transaction', nat64),
}

const initArgs: Codec<InitArgs> = record<InitArgs>({
  network: field(
    'btc_network',
    word({ mainnet: 'Mainnet', testnet: 'Testnet', regtest: 'Regtest' }),
  ),
  ledgerId: field('ledger_id', principalBytes),
  ecdsaKeyName: field('ecdsa_key_name', text),
  retrieveMinAmount: field('retrieve_btc_min_amount', nat64),
  maxTimeInQueueNs: field('max_time_in_queue_nanos', nat64),
  mode: field('mode', mode),
  ...laterArgs,
})

const upgradeArgs: Codec<UpgradeArgs> = record<UpgradeArgs>({
  retrieveMinAmount: optional('retrieve_btc_min_amount', nat64),
  maxTimeInQueueNs: optional('max_time_in_queue_nanos', nat64),
  mode: optional('mode', mode),
  ...laterArgs,
})

const HASH160_BYTES = 20
const PROGRAM_BYTES = 32

const address: Codec<BitcoinAddress> = variant<BitcoinAddress>({
  p2wpkhV0: { name: 'p2wpkh_v0', codec: only('bytes', bytesOfSize(HASH160_BYTES)) },
  p2wshV0: { name: 'p2wsh_v0', codec: only('bytes', bytesOfSize(PROGRAM_BYTES)) },
  p2trV1: { name: 'p2tr_v1', codec: only('bytes', bytesOfSize(PROGRAM_BYTES)) },
  p2pkh: { name: 'p2pkh', codec: only('bytes', bytesOfSize(HASH160_BYTES)) },
  p2sh: { name: 'p2sh', codec: only('bytes', bytesOfSize(HASH160_BYTES)) },
})

const changeOutput: Codec<ChangeOutput> = record<ChangeOutput>({
  vout: field('vout', nat32),
  value: field('value', nat64),
})

const withdrawalFee: Codec<WithdrawalFee> = record<WithdrawalFee>({
  minterFee: field('minter_fee', nat64),
  bitcoinFee: field('bitcoin_fee', nat64),
})

const invalidTransaction: Codec<InvalidTransaction> = variant<InvalidTransaction>({
  tooManyInputs: {
    name: 'too_many_inputs',
    codec: record<Omit<InvalidTransaction, 'type'>>({
      inputs: field('num_inputs', nat64),
      inputsMax: field('max_num_inputs', nat64),
    }),
  },
})

/** The one reason for which the table's events return a withdrawal. */
const withdrawalReason: Codec<InvalidTransaction> = (() => {
  type Reason = { readonly type: 'invalidTransaction'; readonly error: InvalidTransaction }
  const reason = variant<Reason>({
    invalidTransaction: { name: 'invalid_transaction', codec: only('error', invalidTransaction) },
  })
  return {
    encode: (error) => reason.encode({ type: 'invalidTransaction', error }),
    decode: (cbor) => reason.decode(cbor).error,
    form: reason.form,
  }
})()

const replacedReason: Codec<ReplacedReason> = variant<ReplacedReason>({
  toRetry: { name: 'to_retry', codec: nothing },
  toCancel: {
    name: 'to_cancel',
    codec: record<{ readonly error: InvalidTransaction }>({
      error: field('reason', withdrawalReason),
    }),
  },
})

const replaces: Codec<Replaces> = record<Replaces>({
  oldTxid: field('old_txid', txidBytes),
  reason: field('reason', replacedReason),
})

const reimbursementReason: Codec<ReimbursementReason> = variant<ReimbursementReason>({
  callFailed: { name: 'CallFailed', codec: nothing },
  taintedDestination: {
    name: 'TaintedDestination',
    codec: record<Omit<Extract<ReimbursementReason, { type: 'taintedDestination' }>, 'type'>>({
      kytFee: field('kyt_fee', nat64),
      kytProvider: field('kyt_provider', principalBytes),
    }),
  },
})

const callPurpose: Codec<CallPurpose> = variant<CallPurpose>({
  deposit: {
    name: 'deposit',
    codec: record<Omit<Extract<CallPurpose, { type: 'deposit' }>, 'type'>>({
      account: field('account', account),
      utxo: field('utxo', utxo),
    }),
  },
  withdrawal: {
    name: 'withdrawal',
    codec: record<Omit<Extract<CallPurpose, { type: 'withdrawal' }>, 'type'>>({
      account: field('account', account),
      address: field('address', address),
      from: field('from', account),
      byAllowance: field('by_allowance', boolean),
    }),
  },
  reimbursement: {
    name: 'reimbursement',
    codec: record<Omit<Extract<CallPurpose, { type: 'reimbursement' }>, 'type'>>({
      account: field('account', account),
      burnBlockIndex: field('burn_block_index', nat64),
    }),
  },
  consolidation: { name: 'consolidation', codec: nothing },
})

const suspendedReason = word({ valueTooSmall: 'ValueTooSmall', quarantined: 'Quarantined' })

type Fields<T extends keyof Payloads> = Payloads[T]

const indices = record<Fields<'reimbursedWithdrawal'>>({
  burnBlockIndex: field('burn_block_index', nat64),
  mintBlockIndex: field('mint_block_index', nat64),
})

const request = {
  amount: field('amount', nat64),
  address: field('address', address),
  blockIndex: field('block_index', nat64),
  receivedAt: field('received_at', nat64),
}

const checked: Codec<Fields<'checkedUtxoV2'>> = record<Fields<'checkedUtxoV2'>>({
  utxo: field('utxo', utxo),
  account: field('account', account),
})

/** Fields by kind; the names of the kinds are those of `EVENT_NAMES`. */
const fieldsOf: { readonly [T in keyof Payloads]: Codec<Fields<T>> } = {
  init: only('args', initArgs),
  upgrade: only('args', upgradeArgs),
  receivedUtxos: record<Fields<'receivedUtxos'>>({
    toAccount: field('to_account', account),
    mintTxid: optional('mint_txid', nat64),
    utxos: field('utxos', list(utxo)),
  }),
  acceptedRetrieveBtcRequest: record<Fields<'acceptedRetrieveBtcRequest'>>({
    ...request,
    kytProvider: optional('kyt_provider', principalBytes),
    reimbursementAccount: optional('reimbursement_account', account),
  }),
  createdConsolidateUtxosRequest: record<Fields<'createdConsolidateUtxosRequest'>>(request),
  removedRetrieveBtcRequest: record<Fields<'removedRetrieveBtcRequest'>>({
    blockIndex: field('block_index', nat64),
  }),
  sentTransaction: record<Fields<'sentTransaction'>>({
    requests: field('requests', list(nat64)),
    txid: field('txid', txidBytes),
    utxos: field('utxos', list(utxo)),
    changeOutput: optional('change_output', changeOutput),
    submittedAt: field('submitted_at', nat64),
    fee: optional('fee', nat64),
    withdrawalFee: optional('withdrawal_fee', withdrawalFee),
    signedTransaction: optional('signed_tx', blob),
  }),
  replacedTransaction: record<Fields<'replacedTransaction'>>({
    newTxid: field('new_txid', txidBytes),
    oldTxid: field('old_txid', txidBytes),
    changeOutput: field('change_output', changeOutput),
    submittedAt: field('submitted_at', nat64),
    fee: field('fee', nat64),
    withdrawalFee: optional('withdrawal_fee', withdrawalFee),
    reason: optional('reason', replacedReason),
    newUtxos: optional('new_utxos', list(utxo)),
  }),
  confirmedTransaction: record<Fields<'confirmedTransaction'>>({ txid: field('txid', txidBytes) }),
  checkedUtxo: record<Fields<'checkedUtxo'>>({
    utxo: field('utxo', utxo),
    uuid: field('uuid', text),
    clean: field('clean', boolean),
    kytProvider: optional('kyt_provider', principalBytes),
  }),
  checkedUtxoV2: checked,
  checkedUtxoMintUnknown: checked,
  ignoredUtxo: record<Fields<'ignoredUtxo'>>({ utxo: field('utxo', utxo) }),
  suspendedUtxo: record<Fields<'suspendedUtxo'>>({
    utxo: field('utxo', utxo),
    account: field('account', account),
    reason: field('reason', suspendedReason),
  }),
  distributedKytFee: record<Fields<'distributedKytFee'>>({
    kytProvider: field('kyt_provider', principalBytes),
    amount: field('amount', nat64),
    blockIndex: field('block_index', nat64),
  }),
  retrieveBtcKytFailed: record<Fields<'retrieveBtcKytFailed'>>({
    address: field('address', text),
    amount: field('amount', nat64),
    owner: field('owner', principalBytes),
    kytProvider: field('kyt_provider', principalBytes),
    uuid: field('uuid', text),
    blockIndex: field('block_index', nat64),
  }),
  scheduleDepositReimbursement: record<Fields<'scheduleDepositReimbursement'>>({
    account: field('account', account),
    burnBlockIndex: field('burn_block_index', nat64),
    amount: field('amount', nat64),
    reason: field('reason', reimbursementReason),
  }),
  reimbursedFailedDeposit: indices,
  scheduleWithdrawalReimbursement: record<Fields<'scheduleWithdrawalReimbursement'>>({
    account: field('account', account),
    burnBlockIndex: field('burn_block_index', nat64),
    amount: field('amount', nat64),
    error: field('reason', withdrawalReason),
  }),
  quarantinedWithdrawalReimbursement: record<Fields<'quarantinedWithdrawalReimbursement'>>({
    burnBlockIndex: field('burn_block_index', nat64),
  }),
  reimbursedWithdrawal: indices,
  xSigningStarted: record<Fields<'xSigningStarted'>>({
    requests: field('requests', list(nat64)),
    replaces: optional('replaces', replaces),
    unsignedTransaction: field('unsigned_tx', blob),
    utxos: field('utxos', list(utxo)),
    changeOutput: field('change_output', changeOutput),
    withdrawalFee: field('withdrawal_fee', withdrawalFee),
  }),
  xInputSigned: record<Fields<'xInputSigned'>>({
    txid: field('txid', txidBytes),
    input: field('input', nat32),
    publicKey: field('public_key', bytesOfSize(PUBLIC_KEY_BYTES)),
    signature: field('signature', bytesOfSize(SIGNATURE_BYTES)),
  }),
  xSignatureFailed: record<Fields<'xSignatureFailed'>>({
    txid: field('txid', txidBytes),
    input: field('input', nat32),
  }),
  xHeldRequest: record<Fields<'xHeldRequest'>>({
    blockIndex: field('block_index', nat64),
    heldSince: field('held_since', nat64),
  }),
  xScheduleReimbursement: record<Fields<'xScheduleReimbursement'>>({
    account: field('account', account),
    burnBlockIndex: field('burn_block_index', nat64),
    amount: field('amount', nat64),
  }),
  xLedgerCall: record<Fields<'xLedgerCall'>>({
    createdAtTime: field('created_at_time', nat64),
    amount: field('amount', nat64),
    memo: field('memo', blob),
    purpose: field('purpose', callPurpose),
  }),
  xLedgerCallEnded: record<Fields<'xLedgerCallEnded'>>({
    createdAtTime: field('created_at_time', nat64),
  }),
  xResolvedUnknown: record<Fields<'xResolvedUnknown'>>({
    burnBlockIndex: field('burn_block_index', nat64),
    mintBlockIndex: optional('mint_block_index', nat64),
  }),
  xConsolidationBurned: record<Fields<'xConsolidationBurned'>>({
    blockIndex: field('block_index', nat64),
    amount: field('amount', nat64),
  }),
  xAbortedConsolidation: record<Fields<'xAbortedConsolidation'>>({
    blockIndex: field('block_index', nat64),
  }),
  xWrittenOff: record<Fields<'xWrittenOff'>>({ utxos: field('utxos', list(utxo)) }),
  xAdoptedCoin: checked,
  xDonation: record<Fields<'xDonation'>>({ utxo: field('utxo', utxo) }),
}

/** The payload of an event: a one-entry map from its name to its fields. */
export const payloadCodec: Codec<Payload> = variant<Payload>(casesOfEvents())

function casesOfEvents(): Cases<Payload> {
  const cases = Object.entries(fieldsOf).map(([type, codec]) => [
    type,
    { name: EVENT_NAMES[type as PayloadType], codec },
  ])
  return Object.fromEntries(cases) as Cases<Payload>
}
