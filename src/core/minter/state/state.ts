/** Everything the minter knows, as plain data. Source: minter §4. */
import type { Txid } from '../../base/bytes.ts'
import { toHex } from '../../base/bytes.ts'
import type { ExtendedKey } from '../../base/derivation.ts'
import type { Sat } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { Transaction } from '../../btc/transaction.ts'
import { outpointKey } from '../../btc/transaction.ts'
import type { Account } from '../../ic/account.ts'
import { accountKey } from '../../ic/account.ts'
import type { Principal } from '../../ic/principal.ts'
import type { SignatureRequest } from '../calls.ts'
import type { Config } from '../config.ts'
import type { UtxoCache } from '../deposits/utxo-cache.ts'
import type { CallRecord, ChangeOutput } from '../events/events.ts'
import type { Observed } from '../observed.ts'
import type {
  BitcoinAddress,
  InvalidTransaction,
  ReimbursementRequest,
  ReplacedReason,
  SuspendedReason,
  Utxo,
  WithdrawalFee,
  WithdrawalReimbursementReason,
} from '../types.ts'
import type { BurnPlace } from './burn-places.ts'
import type { CoinSet } from './coin-set.ts'
import type { ConsolidationFees } from './consolidation-fees.ts'

/** `outpointKey` of an output: txid in internal order, colon, index. */
export type OutpointKey = string
/** Txid in internal order, hexadecimal. */
export type TxidKey = string
/** `accountKey` of an account. */
export type AccountKey = string
/** Index of the ledger block that burned: the identity of a withdrawal. */
export type BurnIndex = bigint

export type WithdrawalRequest = {
  readonly amount: bigint
  readonly address: BitcoinAddress
  readonly blockIndex: BurnIndex
  readonly receivedAt: bigint
  readonly kytProvider: Principal | undefined
  readonly reimbursementAccount: Account | undefined
}

export type ConsolidationRequest = {
  readonly amount: bigint
  readonly address: BitcoinAddress
  readonly blockIndex: BurnIndex
  readonly receivedAt: bigint
}

/** What a transaction does for whom. */
export type Purpose =
  | { readonly type: 'toConfirm'; readonly requests: readonly WithdrawalRequest[] }
  | {
      readonly type: 'toCancel'
      readonly requests: readonly WithdrawalRequest[]
      readonly error: InvalidTransaction
    }
  | { readonly type: 'toConsolidate'; readonly request: ConsolidationRequest }

export type SubmittedTransaction = {
  readonly purpose: Purpose
  readonly txid: Txid
  readonly utxos: readonly Utxo[]
  readonly submittedAt: bigint
  readonly changeOutput: ChangeOutput | undefined
  readonly feeRate: bigint | undefined
  readonly withdrawalFee: WithdrawalFee | undefined
  readonly signedTransaction: Uint8Array | undefined
}

/**
 * What signatures are collected for: the purposes above, or a replacement (§14), whose requests
 * stay with the transaction that it replaces until it is complete.
 */
export type SigningPurpose =
  | Exclude<Purpose, { readonly type: 'toCancel' }>
  | { readonly type: 'toReplace'; readonly oldTxid: Txid; readonly reason: ReplacedReason }

export type SignedInput = { readonly publicKey: Uint8Array; readonly signature: Uint8Array }

/**
 * A transaction whose signatures are being collected; from here on only it may spend its inputs.
 */
export type SigningTransaction = {
  readonly purpose: SigningPurpose
  readonly txid: Txid
  readonly utxos: readonly Utxo[]
  readonly transaction: Transaction
  readonly changeOutput: ChangeOutput
  readonly withdrawalFee: WithdrawalFee
  /** By input: what was signed. */
  readonly signed: Map<number, SignedInput>
  readonly firstAttempt: number
  /** By input: requests that failed so far. */
  readonly failures: Map<number, number>
}

export type FinalizedRequest = {
  readonly request: WithdrawalRequest | ConsolidationRequest
  /** Absent: ended as AmountTooLow. */
  readonly txid: Txid | undefined
}

export type CheckedUtxo = {
  readonly utxo: Utxo
  readonly status: 'clean' | 'cleanButMintUnknown'
}

export type Suspension = { readonly utxo: Utxo; readonly reason: SuspendedReason }

/** Its transaction was cancelled for good; what is owed is scheduled next (§14.3). */
export type Cancelled = {
  readonly request: WithdrawalRequest
  readonly amount: bigint
  readonly error: InvalidTransaction
}

export type Reimbursement = {
  readonly account: Account
  readonly amount: bigint
  readonly reason: WithdrawalReimbursementReason
}

/** No mint index: the outcome of the mint is unknown. */
export type Reimbursed = Reimbursement & { readonly mintBlockIndex: bigint | undefined }

/** Terms of the reserve equation that only events can tell (§18.5, 11). */
export type Earnings = {
  checkFees: bigint
  minterFees: bigint
  reimbursementCharges: bigint
  amountsTooLow: bigint
  /** Coins given up for lost; coins that came otherwise than by a deposit or as change. */
  writtenOff: bigint
  adopted: bigint
}

/** The minter's root with what follows from it: set when the subnet has made the key. */
export type Root = {
  readonly key: ExtendedKey
  readonly mainScript: Uint8Array
  readonly feeCollectorScript: Uint8Array
}

export type Fees = {
  /** msat/vB, ascending. */
  rates: readonly bigint[]
  median: bigint
  /** Smallest withdrawal at the present median (§10.1). */
  withdrawalMin: bigint
  /** False until the first estimate. */
  known: boolean
  /** A median that jumped and waits for a second refresh to agree [H 13]. */
  jump: bigint | undefined
}

/** Why a transaction that is due for it is not replaced; it is tried again in every round. */
export type Delay = {
  readonly reason:
    | 'rateAboveMax'
    | 'noEstimate'
    | 'lostCoins'
    | 'notEnoughFunds'
    | 'tooManyInputs'
    | 'amountTooLow'
    | 'dustOutput'
    | 'unchanged'
  /** What the replacement would pay, msat/vB; 0 where it is not known. */
  readonly rate: bigint
}

export type Task = 'process' | 'refreshFees' | 'mintWatched' | 'consolidate'

export type Watched = { readonly account: Account; readonly script: Uint8Array }

/** What an upgrade drops. Procedures write here directly; all else changes by events alone. */
export type Volatile = {
  root: Root | undefined
  readonly updating: Set<AccountKey>
  readonly retrieving: Set<AccountKey>
  readonly fees: Fees
  /** Time of the last check of a suspended UTXO. */
  readonly lastChecked: Map<OutpointKey, bigint>
  readonly utxoCache: UtxoCache
  /** Since when a request has been passed over, for lack of funds or of room [H 8]. */
  readonly passedOverSince: Map<BurnIndex, bigint>
  /** Submitted transactions that the Bitcoin side has not taken yet. */
  readonly unsent: Set<TxidKey>
  /** When the Bitcoin side last took a submitted transaction. */
  readonly lastSent: Map<TxidKey, bigint>
  /** Stuck transactions that cannot be replaced now, and why: for the operator (§14.2). */
  readonly delayed: Map<TxidKey, Delay>
  /** Requests for signatures that are open now, by `txid:input`. */
  readonly open: Map<string, SignatureRequest>
  /** Inputs whose last request failed: asked again in the next round. */
  readonly resting: Set<string>
  /** Credited coins that the main chain does not have any more [H 15]. */
  readonly lost: Map<OutpointKey, Utxo>
  /** Blocks have left the chain, and whether coins went with them is not known yet. */
  mustLook: boolean
  /** Coins that the present look has found, or found missing. */
  readonly looked: Set<OutpointKey>
  /** Time of its last stretch. */
  lookedAt: bigint
  /** Invariants that an event broke: while there are any, nothing is minted, burned or signed. */
  readonly broken: string[]
  /** When a coin was lost last, and when what made those that are is sent again. */
  lostAt: bigint
  sendAgainAt: bigint
  readonly tasks: Map<Task, bigint>
  /** Accounts that asked for an address, the one not asked for longest first. */
  readonly watched: Map<AccountKey, Watched>
  /** Watched accounts that automatic minting has still to look at. */
  readonly toMint: Set<AccountKey>
  lastCreatedAt: bigint
  /** For metrics and the log for people: no decision rests on it. */
  readonly observed: Observed
}

export type State = {
  /** The minter's own principal. */
  readonly self: Principal
  config: Config
  /** Written by `addCoin` and `takeCoin` alone. */
  readonly coins: CoinSet
  /** The same by outpoint, to read. */
  readonly availableUtxos: ReadonlyMap<OutpointKey, Utxo>
  /** Coins that are being spent: the first transaction of the chain that spends each. */
  readonly spentBy: Map<OutpointKey, TxidKey>
  readonly outpointAccount: Map<OutpointKey, Account>
  /** Known and unspent, or spent by a transaction that is not final. */
  readonly accountUtxos: Map<AccountKey, Map<OutpointKey, Utxo>>
  /** Never shrinks [H 1]. */
  readonly mintedOutpoints: Set<OutpointKey>
  /** Second credits that the log of mainnet holds; reported, not available. */
  readonly doubleCredits: Set<OutpointKey>
  readonly donations: Map<OutpointKey, Utxo>
  /** Given up for lost; they may come back all the same. */
  readonly writtenOff: Map<OutpointKey, { readonly utxo: Utxo; readonly account: Account }>
  readonly checkedUtxos: Map<OutpointKey, CheckedUtxo>
  readonly suspendedUtxos: Map<AccountKey, Map<OutpointKey, Suspension>>
  /** In whose entry above an outpoint is: of one account at most, whatever a view says. */
  readonly suspendedFor: Map<OutpointKey, AccountKey>
  readonly legacySuspendedUtxos: Map<OutpointKey, Suspension>
  /** Ordered by `receivedAt`. */
  queue: WithdrawalRequest[]
  /** Where every burn stands that is not settled. */
  readonly burnPlaces: Map<BurnIndex, BurnPlace>
  /** Requests of the queue that wait for lower fees, since when [H 6]. */
  readonly held: Map<BurnIndex, bigint>
  readonly signing: Map<TxidKey, SigningTransaction>
  readonly submitted: Map<TxidKey, SubmittedTransaction>
  readonly stuck: Map<TxidKey, SubmittedTransaction>
  readonly replacedBy: Map<TxidKey, TxidKey>
  readonly replaces: Map<TxidKey, TxidKey>
  readonly finalized: Map<BurnIndex, FinalizedRequest>
  /** Burn indices of an account in order of acceptance. */
  readonly accountBurns: Map<AccountKey, BurnIndex[]>
  readonly depositReimbursements: Map<BurnIndex, ReimbursementRequest>
  readonly reimbursedDeposits: Map<
    BurnIndex,
    ReimbursementRequest & { readonly mintBlockIndex: bigint }
  >
  readonly cancelled: Map<BurnIndex, Cancelled>
  readonly reimbursements: Map<BurnIndex, Reimbursement>
  readonly reimbursed: Map<BurnIndex, Reimbursed>
  /** By `created_at_time`, oldest first. */
  readonly calls: Map<bigint, CallRecord>
  consolidation: ConsolidationRequest | undefined
  readonly consolidationFees: ConsolidationFees
  /** Above every attempt at a signature for a transaction that was given up. */
  nextAttempt: number
  lastConsolidationAt: bigint | undefined
  lastSubmissionAt: bigint | undefined
  /** As the deployed minter counts: change included. */
  tokensMinted: bigint
  tokensBurned: bigint
  mintedFromDeposits: bigint
  reimbursedTotal: bigint
  readonly earnings: Earnings
  /** Owed to KYT providers, by principal in hexadecimal (legacy). */
  readonly owedKyt: Map<string, bigint>
  readonly volatile: Volatile
}

export const keyOfUtxo = (utxo: Utxo): OutpointKey => outpointKey(utxo.outpoint)
export const keyOfTxid = (txid: Uint8Array): TxidKey => toHex(txid)
/** Names an input whose signature is asked for. */
export const signingKey = (txid: TxidKey, input: number): string => `${txid}:${input}`

/** The account that receives change (§3.1). */
export const mainAccount = ({ self }: { readonly self: Principal }): Account => ({ owner: self })

export const isMainAccount = (state: { readonly self: Principal }, account: Account): boolean =>
  accountKey(account) === accountKey(mainAccount(state))

export const sumOf = (utxos: Iterable<{ readonly value: Sat }>): bigint => {
  let total = 0n
  for (const { value } of utxos) total += value
  return total
}

/** The burns that a transaction of its own stands for. */
export const burnsOf = (
  purpose: View<Exclude<Purpose | SigningPurpose, { readonly type: 'toReplace' }>>,
): readonly BurnIndex[] =>
  purpose.type === 'toConsolidate'
    ? [purpose.request.blockIndex]
    : purpose.requests.map(({ blockIndex }) => blockIndex)

/** Withdrawals in batch order; those of a replacement stay with what it replaces. */
export const requestsOf = (purpose: Purpose | SigningPurpose): readonly WithdrawalRequest[] =>
  purpose.type === 'toConsolidate' || purpose.type === 'toReplace' ? [] : purpose.requests
