/** What a ledger is installed with: token, accounts, limits. Implements `docs/spec/ledger.md` §§1, 14. */
import type { Tokens } from '../base/units.ts'
import { NS_PER_SECOND, tokens } from '../base/units.ts'
import type { Account } from '../ic/account.ts'
import { sameAccount } from '../ic/account.ts'
import type { Principal } from '../ic/principal.ts'

/** ICRC-1 metadata value: no arrays, no maps. */
export type MetadataValue =
  | { readonly type: 'nat'; readonly nat: bigint }
  | { readonly type: 'int'; readonly int: bigint }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'blob'; readonly blob: Uint8Array }

export type MetadataEntry = readonly [key: string, value: MetadataValue]

/** Every constant of §1, so that tests can shrink them. Durations are nanoseconds. */
export type Limits = {
  readonly transactionWindowNs: bigint
  readonly permittedDriftNs: bigint
  readonly transactionsInWindowMax: number
  /** Entries that one call drops from the deduplication queue. */
  readonly transactionsToPurgeMax: number
  /** Entries of the expiry queue that one call looks at. */
  readonly allowancesToPruneMax: number
  /** Blocks of one legacy answer. */
  readonly transactionsPerRequestMax: bigint
  /** Blocks of one `icrc3_get_blocks` answer. */
  readonly blocksPerResponseMax: bigint
  readonly takeAllowancesMax: bigint
  readonly consentMessageArgBytesMax: number
  readonly blocksToArchiveMax: number
  readonly archiveMessageBytesMax: number
}

export const DEFAULT_LIMITS: Limits = {
  transactionWindowNs: 86_400n * NS_PER_SECOND,
  permittedDriftNs: 60n * NS_PER_SECOND,
  transactionsInWindowMax: 3_000_000,
  transactionsToPurgeMax: 100_000,
  allowancesToPruneMax: 100,
  transactionsPerRequestMax: 2_000n,
  blocksPerResponseMax: 100n,
  takeAllowancesMax: 500n,
  consentMessageArgBytesMax: 500,
  blocksToArchiveMax: 18_000,
  archiveMessageBytesMax: 1024 * 1024,
}

export const DEFAULT_DECIMALS = 8
export const DEFAULT_MEMO_LENGTH_MAX = 32

export type ArchiveOptions = {
  readonly triggerThreshold: bigint
  readonly numBlocksToArchive: bigint
  readonly nodeMaxMemorySizeBytes: bigint
  readonly maxMessageSizeBytes: bigint
  readonly maxTransactionsPerResponse: bigint
  readonly cyclesForArchiveCreation: bigint
  readonly controllerId: Principal
  readonly moreControllerIds: readonly Principal[]
}

export type Config = {
  readonly tokenName: string
  readonly tokenSymbol: string
  readonly decimals: number
  readonly transferFee: bigint
  /** Bytes. */
  readonly memoLengthMax: number
  /** Custom entries; the ledger adds its own behind them. */
  readonly metadata: readonly MetadataEntry[]
  readonly mintingAccount: Account
  readonly feeCollector?: Account | undefined
  readonly initialBalances: readonly InitialBalance[]
  readonly indexPrincipal?: Principal | undefined
  /** Bits of an amount. */
  readonly tokenWidth: 64 | 256
  readonly archiveOptions: ArchiveOptions
  readonly limits: Limits
}

export type InitialBalance = { readonly account: Account; readonly amount: bigint }
