/** Arguments and answers of the minter's methods as typed values. Source: minter §2. */

import type { Sat } from '../base/units.ts'
import type { OutPoint } from '../btc/transaction.ts'
import type { Account } from '../ic/account.ts'
import type { Principal } from '../ic/principal.ts'

// nat64 is bigint, nat32 is number. Amounts are satoshi. An `opt` field is optional and may hold
// undefined.

export type BitcoinNetwork = 'mainnet' | 'testnet' | 'regtest'

export type Mode =
  | { readonly type: 'readOnly' }
  | { readonly type: 'restrictedTo'; readonly principals: readonly Principal[] }
  | { readonly type: 'depositsRestrictedTo'; readonly principals: readonly Principal[] }
  | { readonly type: 'generalAvailability' }

export type InitArgs = {
  readonly network: BitcoinNetwork
  readonly ledgerId: Principal
  readonly ecdsaKeyName: string
  readonly depositMinAmount?: bigint | undefined
  readonly retrieveMinAmount: bigint
  readonly maxTimeInQueueNs: bigint
  readonly minConfirmations?: number | undefined
  readonly mode: Mode
  readonly checkFee?: bigint | undefined
  readonly kytFee?: bigint | undefined
  readonly checkerId?: Principal | undefined
  readonly kytId?: Principal | undefined
  readonly utxosCacheExpirationSeconds?: bigint | undefined
  readonly consolidationThreshold?: bigint | undefined
  readonly inputsMax?: bigint | undefined
}

export type UpgradeArgs = {
  readonly depositMinAmount?: bigint | undefined
  readonly retrieveMinAmount?: bigint | undefined
  readonly maxTimeInQueueNs?: bigint | undefined
  readonly minConfirmations?: number | undefined
  readonly mode?: Mode | undefined
  readonly checkFee?: bigint | undefined
  readonly kytFee?: bigint | undefined
  readonly checkerId?: Principal | undefined
  readonly kytId?: Principal | undefined
  readonly utxosCacheExpirationSeconds?: bigint | undefined
  readonly consolidationThreshold?: bigint | undefined
  readonly inputsMax?: bigint | undefined
}

export type MinterArg =
  | { readonly type: 'init'; readonly args: InitArgs }
  | { readonly type: 'upgrade'; readonly args?: UpgradeArgs | undefined }

export type Utxo = {
  readonly outpoint: OutPoint
  readonly value: Sat
  readonly height: number
}

/** `owner` absent: the caller. */
export type AccountArgs = {
  readonly owner?: Principal | undefined
  readonly subaccount?: Uint8Array | undefined
}

export type UtxoStatus =
  | { readonly type: 'valueTooSmall'; readonly utxo: Utxo }
  | { readonly type: 'tainted'; readonly utxo: Utxo }
  | { readonly type: 'checked'; readonly utxo: Utxo }
  | {
      readonly type: 'minted'
      readonly blockIndex: bigint
      readonly mintedAmount: bigint
      readonly utxo: Utxo
    }

export type PendingUtxo = {
  readonly outpoint: OutPoint
  readonly value: Sat
  readonly confirmations: number
}

export type SuspendedReason = 'valueTooSmall' | 'quarantined'

export type SuspendedUtxo = {
  readonly utxo: Utxo
  readonly reason: SuspendedReason
  readonly earliestRetry: bigint
}

export type GenericError = {
  readonly type: 'genericError'
  readonly code: bigint
  readonly message: string
}

export type TemporarilyUnavailable = {
  readonly type: 'temporarilyUnavailable'
  readonly message: string
}

export type UpdateBalanceError =
  | {
      readonly type: 'noNewUtxos'
      readonly currentConfirmations?: number | undefined
      readonly requiredConfirmations: number
      readonly pendingUtxos: readonly PendingUtxo[]
      readonly suspendedUtxos: readonly SuspendedUtxo[]
    }
  | { readonly type: 'alreadyProcessing' }
  | TemporarilyUnavailable
  | GenericError

export type Result<T, E> =
  | { readonly type: 'ok'; readonly value: T }
  | { readonly type: 'err'; readonly error: E }

export type UpdateBalanceResult = Result<readonly UtxoStatus[], UpdateBalanceError>

export type RetrieveBtcArgs = { readonly address: string; readonly amount: bigint }

export type RetrieveBtcWithApprovalArgs = RetrieveBtcArgs & {
  readonly fromSubaccount?: Uint8Array | undefined
}

export type RetrieveBtcError =
  | { readonly type: 'malformedAddress'; readonly message: string }
  | { readonly type: 'alreadyProcessing' }
  | { readonly type: 'amountTooLow'; readonly min: bigint }
  | { readonly type: 'insufficientFunds'; readonly balance: bigint }
  | TemporarilyUnavailable
  | GenericError

export type RetrieveBtcWithApprovalError =
  | RetrieveBtcError
  | { readonly type: 'insufficientAllowance'; readonly allowance: bigint }

export type RetrieveBtcOk = { readonly blockIndex: bigint }
export type RetrieveBtcResult = Result<RetrieveBtcOk, RetrieveBtcError>
export type RetrieveBtcWithApprovalResult = Result<RetrieveBtcOk, RetrieveBtcWithApprovalError>

/**
 * Reasons of the legacy kind of reimbursement; `callFailed` also stands for the newer kind (§7.3).
 */
export type ReimbursementReason =
  | { readonly type: 'callFailed' }
  | {
      readonly type: 'taintedDestination'
      readonly kytFee: bigint
      readonly kytProvider: Principal
    }

export type ReimbursementRequest = {
  readonly account: Account
  readonly amount: bigint
  readonly reason: ReimbursementReason
}

export type ReimbursedDeposit = ReimbursementRequest & { readonly mintBlockIndex: bigint }

export type RetrieveBtcStatus =
  | { readonly type: 'unknown' }
  | { readonly type: 'pending' }
  | { readonly type: 'signing' }
  | { readonly type: 'sending'; readonly txid: Uint8Array }
  | { readonly type: 'submitted'; readonly txid: Uint8Array }
  | { readonly type: 'amountTooLow' }
  | { readonly type: 'confirmed'; readonly txid: Uint8Array }

export type RetrieveBtcStatusV2 =
  | RetrieveBtcStatus
  | { readonly type: 'reimbursed'; readonly deposit: ReimbursedDeposit }
  | { readonly type: 'willReimburse'; readonly request: ReimbursementRequest }

export type StatusOfBlock = {
  readonly blockIndex: bigint
  readonly status?: RetrieveBtcStatusV2 | undefined
}

export type MinterInfo = {
  readonly minConfirmations: number
  readonly retrieveMinAmount: bigint
  /** The check fee; its name in Candid is `kyt_fee`. */
  readonly checkFee: bigint
  readonly depositMinAmount?: bigint | undefined
}

export type WithdrawalFee = { readonly minterFee: bigint; readonly bitcoinFee: bigint }

/** Destination of a withdrawal; the tags are those of Candid in camelCase. */
export type BitcoinAddress = {
  readonly type: 'p2wpkhV0' | 'p2wshV0' | 'p2trV1' | 'p2pkh' | 'p2sh'
  readonly bytes: Uint8Array
}

export type InvalidTransaction = {
  readonly type: 'tooManyInputs'
  readonly inputs: bigint
  readonly inputsMax: bigint
}

/** `feesTooHigh` is ours [H 6]; the event of the table knows only `invalidTransaction`. */
export type WithdrawalReimbursementReason =
  | { readonly type: 'invalidTransaction'; readonly error: InvalidTransaction }
  | { readonly type: 'feesTooHigh' }

export type ReplacedReason =
  | { readonly type: 'toRetry' }
  | { readonly type: 'toCancel'; readonly error: InvalidTransaction }

export type MemoStatus = 'accepted' | 'rejected' | 'callFailed'

export type MintMemo =
  | {
      readonly type: 'convert'
      readonly txid?: Uint8Array | undefined
      readonly vout?: number | undefined
      readonly fee?: bigint | undefined
    }
  | { readonly type: 'kyt' }
  | {
      readonly type: 'kytFail'
      readonly fee?: bigint | undefined
      readonly status?: MemoStatus | undefined
      readonly burnIndex?: bigint | undefined
    }
  | { readonly type: 'reimburseWithdrawal'; readonly withdrawalId: bigint }

export type BurnMemo =
  | {
      readonly type: 'convert'
      readonly address?: string | undefined
      readonly fee?: bigint | undefined
      readonly status?: MemoStatus | undefined
    }
  | { readonly type: 'consolidate'; readonly value: bigint; readonly inputs: bigint }

export type DecodeMemoArgs = { readonly memoType: 'burn' | 'mint'; readonly memo: Uint8Array }

export type DecodedMemo =
  | { readonly type: 'mint'; readonly memo: MintMemo }
  | { readonly type: 'burn'; readonly memo: BurnMemo }

export type DecodeMemoResult = Result<
  DecodedMemo,
  { readonly type: 'invalidMemo'; readonly message: string }
>

/** A trap is a rejected call, not an error value (§2.1). */
export type Answer<T> =
  | { readonly type: 'reply'; readonly value: T }
  | { readonly type: 'trap'; readonly message: string }
