/** Every durable change of the minter as data. Source: minter §18.1, §18.2. */
import type { Txid } from '../../base/bytes.ts'
import type { TimestampNs } from '../../base/units.ts'
import type { Account } from '../../ic/account.ts'
import type { Principal } from '../../ic/principal.ts'
import type {
  BitcoinAddress,
  InitArgs,
  InvalidTransaction,
  ReimbursementReason,
  ReplacedReason,
  SuspendedReason,
  UpgradeArgs,
  Utxo,
  WithdrawalFee,
} from '../types.ts'

/** What a ledger call is for, and so which event its outcome becomes (§18.6). */
export type CallPurpose =
  | { readonly type: 'deposit'; readonly account: Account; readonly utxo: Utxo }
  | {
      readonly type: 'withdrawal'
      /** Whom a reimbursement would go to: has one such call at a time. */
      readonly account: Account
      readonly address: BitcoinAddress
      /** What is burned from. */
      readonly from: Account
      readonly byAllowance: boolean
    }
  | { readonly type: 'reimbursement'; readonly account: Account; readonly burnBlockIndex: bigint }
  | { readonly type: 'consolidation' }

export type ChangeOutput = { readonly vout: number; readonly value: bigint }

/** A submitted transaction that another shall replace, and why (§14). */
export type Replaces = { readonly oldTxid: Txid; readonly reason: ReplacedReason }

/** Kinds of the deployed minter that ours reads as well. */
type SharedPayloads = {
  readonly init: { readonly args: InitArgs }
  readonly upgrade: { readonly args: UpgradeArgs }
  readonly receivedUtxos: {
    readonly toAccount: Account
    readonly mintTxid?: bigint | undefined
    readonly utxos: readonly Utxo[]
  }
  readonly acceptedRetrieveBtcRequest: {
    readonly amount: bigint
    readonly address: BitcoinAddress
    readonly blockIndex: bigint
    readonly receivedAt: bigint
    readonly kytProvider?: Principal | undefined
    readonly reimbursementAccount?: Account | undefined
  }
  readonly createdConsolidateUtxosRequest: {
    readonly amount: bigint
    readonly address: BitcoinAddress
    readonly blockIndex: bigint
    readonly receivedAt: bigint
  }
  readonly removedRetrieveBtcRequest: { readonly blockIndex: bigint }
  readonly sentTransaction: {
    /** Burn indices in batch order. */
    readonly requests: readonly bigint[]
    readonly txid: Txid
    readonly utxos: readonly Utxo[]
    readonly changeOutput?: ChangeOutput | undefined
    readonly submittedAt: bigint
    /** Effective rate, msat/vB. */
    readonly fee?: bigint | undefined
    readonly withdrawalFee?: WithdrawalFee | undefined
    readonly signedTransaction?: Uint8Array | undefined
  }
  readonly replacedTransaction: {
    readonly oldTxid: Txid
    readonly newTxid: Txid
    readonly changeOutput: ChangeOutput
    readonly submittedAt: bigint
    readonly fee: bigint
    readonly withdrawalFee?: WithdrawalFee | undefined
    readonly reason?: ReplacedReason | undefined
    readonly newUtxos?: readonly Utxo[] | undefined
  }
  readonly confirmedTransaction: { readonly txid: Txid }
  readonly checkedUtxoV2: { readonly utxo: Utxo; readonly account: Account }
  readonly checkedUtxoMintUnknown: { readonly utxo: Utxo; readonly account: Account }
  readonly suspendedUtxo: {
    readonly utxo: Utxo
    readonly account: Account
    readonly reason: SuspendedReason
  }
  readonly scheduleWithdrawalReimbursement: {
    readonly account: Account
    readonly burnBlockIndex: bigint
    readonly amount: bigint
    readonly error: InvalidTransaction
  }
  readonly quarantinedWithdrawalReimbursement: { readonly burnBlockIndex: bigint }
  readonly reimbursedWithdrawal: {
    readonly burnBlockIndex: bigint
    readonly mintBlockIndex: bigint
  }
}

/**
 * Kinds that §18.2 marks legacy: read from old logs of the deployed minter, never written by ours.
 */
type LegacyPayloads = {
  readonly checkedUtxo: {
    readonly utxo: Utxo
    readonly uuid: string
    readonly clean: boolean
    readonly kytProvider?: Principal | undefined
  }
  readonly ignoredUtxo: { readonly utxo: Utxo }
  readonly distributedKytFee: {
    readonly kytProvider: Principal
    readonly amount: bigint
    readonly blockIndex: bigint
  }
  readonly retrieveBtcKytFailed: {
    readonly address: string
    readonly amount: bigint
    readonly owner: Principal
    readonly kytProvider: Principal
    readonly uuid: string
    readonly blockIndex: bigint
  }
  readonly scheduleDepositReimbursement: {
    readonly account: Account
    readonly burnBlockIndex: bigint
    readonly amount: bigint
    readonly reason: ReimbursementReason
  }
  readonly reimbursedFailedDeposit: {
    readonly burnBlockIndex: bigint
    readonly mintBlockIndex: bigint
  }
}

/** Ours; their names start with `x_` and `get_events` leaves them out. */
type ExtensionPayloads = {
  /**
   * Signatures are asked for: a batch left the queue and its inputs the available set, or the
   * current consolidation its inputs, or a submitted transaction is to be replaced [H 2].
   */
  readonly xSigningStarted: {
    /** Burn indices in batch order; the current consolidation's alone; none of a replacement. */
    readonly requests: readonly bigint[]
    readonly replaces?: Replaces | undefined
    /** Without witnesses; its txid is already final. */
    readonly unsignedTransaction: Uint8Array
    readonly utxos: readonly Utxo[]
    readonly changeOutput: ChangeOutput
    readonly withdrawalFee: WithdrawalFee
  }
  readonly xInputSigned: {
    readonly txid: Txid
    readonly input: number
    /** 33 bytes: the derived key of the input's account. */
    readonly publicKey: Uint8Array
    /** r ‖ s, s low. */
    readonly signature: Uint8Array
  }
  /** Refused, expired or dropped: the next request for this input is another attempt. */
  readonly xSignatureFailed: { readonly txid: Txid; readonly input: number }
  /** Fees would eat the request: it waits in the queue for better times [H 6]. */
  readonly xHeldRequest: { readonly blockIndex: bigint; readonly heldSince: bigint }
  /** A hold ended without better times [H 6]. */
  readonly xScheduleReimbursement: {
    readonly account: Account
    readonly burnBlockIndex: bigint
    readonly amount: bigint
  }
  /** A ledger call is made, or was and its answer is lost: until its outcome is on record [H 7]. */
  readonly xLedgerCall: {
    /** Names the call: no two bear the same. */
    readonly createdAtTime: bigint
    readonly amount: bigint
    readonly memo: Uint8Array
    readonly purpose: CallPurpose
  }
  /** That call wrote nothing, and never will. */
  readonly xLedgerCallEnded: { readonly createdAtTime: bigint }
  /**
   * What became of a quarantined reimbursement: minted in this block, or not at all, so that it is
   * due again [H 5].
   */
  readonly xResolvedUnknown: {
    readonly burnBlockIndex: bigint
    readonly mintBlockIndex?: bigint | undefined
  }
  /** The collector paid for a consolidation; one that is given up leaves it to the next [H 11]. */
  readonly xConsolidationBurned: { readonly blockIndex: bigint; readonly amount: bigint }
  /** It was never complete: its coins are available again. */
  readonly xAbortedConsolidation: { readonly blockIndex: bigint }
  /** The operator gave them up for lost: what spends one of them is undone. */
  readonly xWrittenOff: { readonly utxos: readonly Utxo[] }
  /** The operator took in a donation, or a coin that was written off and is there again. */
  readonly xAdoptedCoin: { readonly utxo: Utxo; readonly account: Account }
  /** Someone else paid the main address [H 10]. */
  readonly xDonation: { readonly utxo: Utxo }
}

export type Payloads = SharedPayloads & LegacyPayloads & ExtensionPayloads
export type PayloadType = keyof Payloads

/** A ledger call whose outcome is no event yet (§18.6). */
export type CallRecord = Payloads['xLedgerCall']

/** One change; `Payload<'sentTransaction'>` is one kind of it. */
export type Payload<T extends PayloadType = PayloadType> = {
  readonly [K in T]: { readonly type: K } & Payloads[K]
}[T]

/** `timestamp` is absent only on events of old logs. */
export type Event = {
  readonly timestamp?: TimestampNs | undefined
  readonly payload: Payload
}

/** Serialised names: Candid, CBOR and JSON agree on them. */
export const EVENT_NAMES = {
  init: 'init',
  upgrade: 'upgrade',
  receivedUtxos: 'received_utxos',
  acceptedRetrieveBtcRequest: 'accepted_retrieve_btc_request',
  createdConsolidateUtxosRequest: 'created_consolidate_utxos_request',
  removedRetrieveBtcRequest: 'removed_retrieve_btc_request',
  sentTransaction: 'sent_transaction',
  replacedTransaction: 'replaced_transaction',
  confirmedTransaction: 'confirmed_transaction',
  checkedUtxo: 'checked_utxo',
  checkedUtxoV2: 'checked_utxo_v2',
  checkedUtxoMintUnknown: 'checked_utxo_mint_unknown',
  ignoredUtxo: 'ignored_utxo',
  suspendedUtxo: 'suspended_utxo',
  distributedKytFee: 'distributed_kyt_fee',
  retrieveBtcKytFailed: 'retrieve_btc_kyt_failed',
  scheduleDepositReimbursement: 'schedule_deposit_reimbursement',
  reimbursedFailedDeposit: 'reimbursed_failed_deposit',
  scheduleWithdrawalReimbursement: 'schedule_withdrawal_reimbursement',
  quarantinedWithdrawalReimbursement: 'quarantined_withdrawal_reimbursement',
  reimbursedWithdrawal: 'reimbursed_withdrawal',
  xSigningStarted: 'x_signing_started',
  xInputSigned: 'x_input_signed',
  xSignatureFailed: 'x_signature_failed',
  xHeldRequest: 'x_held_request',
  xScheduleReimbursement: 'x_schedule_reimbursement',
  xLedgerCall: 'x_ledger_call',
  xLedgerCallEnded: 'x_ledger_call_ended',
  xResolvedUnknown: 'x_resolved_unknown',
  xConsolidationBurned: 'x_consolidation_burned',
  xAbortedConsolidation: 'x_aborted_consolidation',
  xWrittenOff: 'x_written_off',
  xAdoptedCoin: 'x_adopted_coin',
  xDonation: 'x_donation',
} as const satisfies Record<PayloadType, string>

/** True for the kinds that the deployed minter does not know. */
export const isExtension = (type: PayloadType): boolean => EVENT_NAMES[type].startsWith('x_')
