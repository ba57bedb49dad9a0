/** Arguments, errors and replies. Implements `docs/spec/ledger.md` §2 (ICRC-1, ICRC-2). */
import type { TimestampNs, Tokens } from '../base/units.ts'
import type { Account } from '../ic/account.ts'
import type { Principal } from '../ic/principal.ts'

/** Position of a block in the log, from 0, below 2^64. */
export type BlockIndex = bigint

/** `amount` and `fee` are any natural number: the ledger refuses what is too large. */
export type TransferArg = {
  readonly fromSubaccount?: Uint8Array | undefined
  readonly to: Account
  readonly amount: bigint
  readonly fee?: bigint | undefined
  readonly memo?: Uint8Array | undefined
  readonly createdAtTime?: TimestampNs | undefined
}

export type ApproveArgs = {
  readonly fromSubaccount?: Uint8Array | undefined
  readonly spender: Account
  readonly amount: bigint
  readonly expectedAllowance?: bigint | undefined
  readonly expiresAt?: TimestampNs | undefined
  readonly fee?: bigint | undefined
  readonly memo?: Uint8Array | undefined
  readonly createdAtTime?: TimestampNs | undefined
}

export type TransferFromArgs = {
  readonly spenderSubaccount?: Uint8Array | undefined
  readonly from: Account
  readonly to: Account
  readonly amount: bigint
  readonly fee?: bigint | undefined
  readonly memo?: Uint8Array | undefined
  readonly createdAtTime?: TimestampNs | undefined
}

export type AllowanceArgs = { readonly account: Account; readonly spender: Account }

/** Refusals that every call knows; `genericError` is part of the interface but never produced. */
export type CommonError =
  | { readonly type: 'badFee'; readonly expectedFee: bigint }
  | { readonly type: 'insufficientFunds'; readonly balance: bigint }
  | { readonly type: 'tooOld' }
  | { readonly type: 'createdInFuture'; readonly ledgerTime: TimestampNs }
  | { readonly type: 'duplicate'; readonly duplicateOf: BlockIndex }
  | { readonly type: 'temporarilyUnavailable' }
  | { readonly type: 'genericError'; readonly errorCode: bigint; readonly message: string }

export type TransferError =
  | CommonError
  | { readonly type: 'badBurn'; readonly minBurnAmount: bigint }

export type TransferFromError =
  | TransferError
  | { readonly type: 'insufficientAllowance'; readonly allowance: bigint }

export type ApproveError =
  | CommonError
  | { readonly type: 'allowanceChanged'; readonly currentAllowance: bigint }
  | { readonly type: 'expired'; readonly ledgerTime: TimestampNs }

/** ICRC-107; `feeCollector` undefined: fees are burnt. */
export type SetFeeCollectorArgs = {
  readonly feeCollector?: Account | undefined
  readonly createdAtTime: TimestampNs
}

export type SetFeeCollectorError =
  | { readonly type: 'accessDenied'; readonly reason: string }
  | { readonly type: 'invalidAccount'; readonly reason: string }
  | Extract<CommonError, { readonly type: 'duplicate' | 'genericError' }>

/** A trap rejects the call (reject code 5, `IC0503`) and changes nothing at all. */
export type Trap = { readonly type: 'trap'; readonly message: string }

export type Reply<E = TransferFromError | ApproveError> =
  | { readonly type: 'ok'; readonly blockIndex: BlockIndex }
  | { readonly type: 'err'; readonly error: E }
  | Trap

export type Call =
  | { readonly type: 'icrc1_transfer'; readonly arg: TransferArg }
  | { readonly type: 'icrc2_approve'; readonly arg: ApproveArgs }
  | { readonly type: 'icrc2_transfer_from'; readonly arg: TransferFromArgs }

export type Request = { readonly caller: Principal; readonly call: Call }

/** An allowance that expired or never was reads as zero without expiry. */
export type Allowance = {
  readonly allowance: Tokens
  readonly expiresAt?: TimestampNs | undefined
}
