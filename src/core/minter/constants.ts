/** Limits, delays and sizes of the minter, each with its name. Source: minter §1.1. */
import { NS_PER_SECOND } from '../base/units.ts'
import type { BitcoinNetwork, InitArgs } from './types.ts'

const HOUR_NS = 3_600n * NS_PER_SECOND
const DAY_NS = 24n * HOUR_NS

/** An output must be worth more than this once its share of the fees is taken out. */
export const DUST_LIMIT = 546n
/** Lower bound of the minter fee: the minter's own output is never dust (P2WPKH dust is 294). */
export const MINTER_OUTPUT_MIN = 300n
export const MINTER_FEE_PER_INPUT = 146n
export const MINTER_FEE_PER_OUTPUT = 4n
export const MINTER_FEE_BASE = 26n

/** Floor of every estimate, msat/vB. */
export const FEE_RATE_MIN: Readonly<Record<BitcoinNetwork, bigint>> = {
  mainnet: 1_500n,
  testnet: 1_000n,
  regtest: 0n,
}
/** Floor of a level that the operator sets, msat/vB: what nodes relay at all. */
export const SET_FEE_RATE_MIN = 1_000n
export const REGTEST_FEE_RATE = 5_000n
export const PERCENTILES_MIN = 100
export const MEDIAN_INDEX = 50
/** Nobody waits for a consolidation: it pays a low rate. */
export const CONSOLIDATION_INDEX = 25
/** A new median beyond this factor of the previous one, either way, must be seen twice [H 13]. */
export const FEE_JUMP_FACTOR = 4n

/**
 * How long after its `created_at_time` the ledger takes a call: one that is not there by then never
 * comes (ledger §5).
 */
export const LEDGER_WINDOW_NS = DAY_NS
/** Coins that the operator names in one call. */
export const OUTPOINTS_PER_CALL_MAX = 1_000
/** The ledger burns no less, unless it is all there is (ledger §6.3). */
export const LEDGER_BURN_MIN = 10n
/** Longest time between two looks for what became of a ledger call. */
export const LOOK_PAUSE_MAX_NS = HOUR_NS
/** Charge for a withdrawal that was never sent. */
export const REIMBURSEMENT_CHARGE = 10n
/** Calls of the checker for one UTXO that answered "not enough cycles". */
export const CHECK_TRANSACTION_TRIES_MAX = 10
export const EVENTS_PER_QUERY_MAX = 2_000n
export const MEMO_BYTES_MAX = 80
/** Requests for signatures that are open at once (§12). */
export const SIGNATURES_OPEN_MAX = 10
/** Step of a fee bump, msat/vB: what nodes ask for the relay of a replacement. */
export const RELAY_RATE_INCREASE_MIN = 1_000n
/** Rate above which nothing is replaced unless the operator says otherwise, msat/vB (§14.2). */
export const RESUBMISSION_RATE_MAX: Readonly<Record<BitcoinNetwork, bigint | undefined>> = {
  mainnet: 1_000_000n,
  testnet: 1_000_000n,
  regtest: undefined,
}
/** Size up to which nodes relay a transaction, vB. */
export const STANDARD_VSIZE_MAX = 100_000n
/** Replacements that are signed at once: the next ones are built at the rate of their time. */
export const REPLACEMENTS_OPEN_MAX = 10
/** Transactions that one round sends again. */
export const SENT_AGAIN_IN_ROUND_MAX = 20

export const DEFAULT_MIN_CONFIRMATIONS = 6
export const DEFAULT_CHECK_FEE = 1_000n
export const DEFAULT_INPUTS_MAX = 1_000n
export const DEFAULT_CONSOLIDATION_THRESHOLD = 10_000n

/** What an operator may set at the start; no replay depends on any of it. */
export type Settings = {
  /** Accounts that may be inside `update_balance` at once; withdrawals are counted apart. */
  readonly concurrentMax: number
  /** Incomplete withdrawals above which new ones are refused. */
  readonly pendingRequestsMax: number
  /** Queue length that triggers a batch at once. */
  readonly pendingRequestsMin: number
  readonly requestsPerBatchMax: number
  /** Available UTXOs above which extra inputs are added (§9.2). */
  readonly utxosCountThreshold: number
  /** Until a suspended UTXO is looked at again. */
  readonly suspensionNs: bigint
  /** How long a request waits for lower fees before it is returned [H 6]. */
  readonly holdNs: bigint
  /** How long a request may be passed over for lack of funds [H 8]. */
  readonly passedOverNs: bigint
  /** Deposits that one `update_balance`, or the automatic minting of one slot, works off. */
  readonly depositsPerCallMax: number
  /** Coins that one round looks for after blocks have left the chain [H 15]. */
  readonly coinsLookedMax: number
  /** Until a transaction that does not confirm is replaced (§14.1). */
  readonly resubmissionDelayNs: bigint
  /** Rate above which it waits instead, msat/vB; 0: the network's (§14.2). */
  readonly resubmissionRateMax: bigint
  /** Between two sendings of what does not confirm (§14.2). */
  readonly resendPeriodNs: bigint
  readonly processPeriodNs: bigint
  readonly refreshFeesPeriodNs: bigint
  /** From one look at whether to consolidate to the next. */
  readonly consolidationPeriodNs: bigint
  /** From the creation of one consolidation to that of the next. */
  readonly consolidationIntervalNs: bigint
  /** Watches deposit addresses and mints without being asked (§22). */
  readonly autoMint: boolean
  readonly watchedAccountsMax: number
}

export const DEFAULT_SETTINGS: Settings = {
  concurrentMax: 100,
  pendingRequestsMax: 5_000,
  pendingRequestsMin: 20,
  requestsPerBatchMax: 100,
  utxosCountThreshold: 1_000,
  suspensionNs: DAY_NS,
  holdNs: 72n * HOUR_NS,
  passedOverNs: DAY_NS,
  depositsPerCallMax: 500,
  coinsLookedMax: 2_000,
  resubmissionDelayNs: DAY_NS,
  resubmissionRateMax: 0n,
  resendPeriodNs: HOUR_NS,
  processPeriodNs: 5n * NS_PER_SECOND,
  refreshFeesPeriodNs: HOUR_NS,
  consolidationPeriodNs: HOUR_NS,
  consolidationIntervalNs: DAY_NS,
  autoMint: true,
  watchedAccountsMax: 10_000,
}

/** Init arguments of the embedded minter; the subnet adds the two canister ids (§1.2). */
export const EMBEDDED_INIT = {
  network: 'regtest',
  ecdsaKeyName: 'dfx_test_key',
  depositMinAmount: 300n,
  retrieveMinAmount: 50_000n,
  maxTimeInQueueNs: 10n * NS_PER_SECOND,
  minConfirmations: 6,
  mode: { type: 'generalAvailability' },
  checkFee: 100n,
} as const satisfies Omit<InitArgs, 'ledgerId'>
