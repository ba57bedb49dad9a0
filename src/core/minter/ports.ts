/** What the minter knows of others, answered inside the slot. Source: minter §§5–7, 10, 12. */
import type { Txid } from '../base/bytes.ts'
import type { Sat, TimestampNs, Tokens } from '../base/units.ts'
import type { OutPoint } from '../btc/transaction.ts'
import type { Account } from '../ic/account.ts'
import type { TemporarilyUnavailable } from './types.ts'

/** Fields that the minter gives to each ledger call. */
export type LedgerCall = {
  readonly amount: Tokens
  readonly memo: Uint8Array
  readonly createdAtTime: TimestampNs
}

/** Nothing was written, and the call may be repeated. */
export type LedgerFailure =
  | TemporarilyUnavailable
  | { readonly type: 'genericError'; readonly code: bigint; readonly message: string }
  /**
   * An answer that cannot be (bad fee, bad burn, duplicate, too old, in the future): a trap for the
   * user.
   */
  | { readonly type: 'impossible'; readonly message: string }

export type LedgerOk = { readonly type: 'ok'; readonly blockIndex: bigint }

/** It may have been written: the call trapped after the ledger acted, or its answer is lost. */
export type UnknownOutcome = { readonly type: 'unknown' }

export type MintResult = LedgerOk | LedgerFailure | UnknownOutcome

export type BurnResult =
  | LedgerOk
  | LedgerFailure
  | UnknownOutcome
  | { readonly type: 'insufficientFunds'; readonly balance: bigint }

export type BurnFromResult =
  | BurnResult
  | { readonly type: 'insufficientAllowance'; readonly allowance: bigint }

export type BalanceResult =
  | { readonly type: 'balance'; readonly balance: bigint }
  | TemporarilyUnavailable

/** A block that one of our calls would have written: nothing else bears its time and memo. */
export type BlockSought = LedgerCall & {
  readonly operation: 'mint' | 'burn'
  /** Credited by the mint, debited by the burn. */
  readonly account: Account
  /** Of a burn: by `icrc2_transfer_from`. */
  readonly byAllowance: boolean
}

export type FindResult =
  | { readonly type: 'found'; readonly blockIndex: bigint }
  /** Not among the blocks up to this time of the ledger. */
  | { readonly type: 'absent'; readonly ledgerTime: TimestampNs }
  | TemporarilyUnavailable

/** The ckBTC ledger as its minting account sees it. */
export interface Ledger {
  /**
   * True where what it writes stands or falls with what the minter writes in the same step: no
   * crash falls between a call and its answer (§18.6).
   */
  readonly answersInStep: boolean
  /** Transfer from the minting account. */
  mint(call: LedgerCall & { readonly to: Account }): MintResult
  /** Transfer of one of the minter's own subaccounts to the minting account. */
  burn(call: LedgerCall & { readonly subaccount: Uint8Array }): BurnResult
  /** `icrc2_transfer_from` to the minting account, the minter being the spender (no subaccount). */
  burnFrom(call: LedgerCall & { readonly from: Account }): BurnFromResult
  balanceOf(account: Account): BalanceResult
  /** Of all tokens; undefined where it cannot be told now. */
  totalSupply(): bigint | undefined
  /** Looks a call up among the ledger's blocks. */
  find(sought: BlockSought): FindResult
}

export type BitcoinUtxo = {
  readonly outpoint: OutPoint
  readonly value: Sat
  readonly height: number
}

export type UtxosResult =
  | {
      readonly type: 'utxos'
      /** All pages, in any order. */
      readonly utxos: readonly BitcoinUtxo[]
      readonly tipHeight: number
    }
  | TemporarilyUnavailable
  /** The request itself was refused (address, network). */
  | { readonly type: 'rejected'; readonly message: string }

export type FeePercentiles =
  | {
      readonly type: 'percentiles'
      /** msat/vB, ascending; 100 or 101 of them, or fewer when nothing is known. */
      readonly rates: readonly bigint[]
      /** True while the operator has set a level (§10.1). */
      readonly isSet: boolean
    }
  | TemporarilyUnavailable

export type SendResult = { readonly type: 'ok' } | TemporarilyUnavailable

/** The Bitcoin canister. */
export interface Bitcoin {
  /** Outputs of a script, as `bitcoin_get_utxos` counts confirmations. */
  utxos(request: { readonly script: Uint8Array; readonly minConfirmations: number }): UtxosResult
  feePercentiles(): FeePercentiles
  /** Those that are not unspent on the main chain; undefined while the view is behind. */
  missing(outpoints: readonly OutPoint[]): readonly OutPoint[] | undefined
  /** How deep the block of a transaction is on the main chain; 0: it is in none. */
  confirmations(txid: Txid): number
  /** Puts the transaction into the list that every node announces from. Known already: ok. */
  send(rawTransaction: Uint8Array): SendResult
}

export type CheckAddressResult =
  | { readonly type: 'passed' }
  | { readonly type: 'failed' }
  | { readonly type: 'callFailed'; readonly message: string }

export type CheckTransactionResult =
  | { readonly type: 'passed' }
  | { readonly type: 'failed'; readonly addresses: readonly string[] }
  | { readonly type: 'notEnoughCycles' }
  | { readonly type: 'retriable'; readonly message: string }
  | { readonly type: 'error'; readonly message: string }
  | { readonly type: 'callFailed'; readonly message: string }

/** The checker (§6). */
export interface Checker {
  checkAddress(address: string): CheckAddressResult
  checkTransaction(txid: Uint8Array): CheckTransactionResult
}

export type Ports = {
  readonly ledger: Ledger
  readonly bitcoin: Bitcoin
  readonly checker: Checker
}

/** Lets everything through: the default of a regtest subnet without flagged coins. */
export const acceptAll: Checker = {
  checkAddress: () => ({ type: 'passed' }),
  checkTransaction: () => ({ type: 'passed' }),
}
