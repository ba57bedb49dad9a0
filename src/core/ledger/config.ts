/** What a ledger is installed with: token, limits. Implements `docs/spec/ledger.md` §§1, 14. */
import type { Tokens } from '../base/units.ts'
import { NS_PER_SECOND, tokens } from '../base/units.ts'
import type { Account } from '../ic/account.ts'
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
  readonly transactionsPerRequestMax: number
  /** Blocks of one `icrc3_get_blocks` answer. */
  readonly blocksPerResponseMax: number
  readonly takeAllowancesMax: number
  readonly consentMessageArgBytesMax: number
  readonly blocksToArchiveMax: number
  readonly archiveMessageBytesMax: number
  /**
   * Bytes of the blocks of one message, unless a single one is larger: archiving takes turns with
   * calls, and holds up no slot for more than a few milliseconds [P].
   */
  readonly archiveStepBytesMax: number
}

export const DEFAULT_LIMITS: Limits = {
  transactionWindowNs: 86_400n * NS_PER_SECOND,
  permittedDriftNs: 60n * NS_PER_SECOND,
  transactionsInWindowMax: 3_000_000,
  transactionsToPurgeMax: 100_000,
  allowancesToPruneMax: 100,
  transactionsPerRequestMax: 2_000,
  blocksPerResponseMax: 100,
  takeAllowancesMax: 500,
  consentMessageArgBytesMax: 500,
  blocksToArchiveMax: 18_000,
  archiveMessageBytesMax: 1024 * 1024,
  archiveStepBytesMax: 32 * 1024,
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

/** Of what an installation need not say (§1). */
export const DEFAULT_ARCHIVE_OPTIONS = {
  nodeMaxMemorySizeBytes: 1024n ** 3n,
  maxMessageSizeBytes: 2n * 1024n ** 2n,
  maxTransactionsPerResponse: 2_000n,
  cyclesForArchiveCreation: 10_000_000_000_000n,
  moreControllerIds: [],
} as const satisfies Partial<ArchiveOptions>

export type InitialBalance = { readonly account: Account; readonly amount: bigint }

/** Standards that the reference release does not have (§17); none is on unless told. */
export type Extension = 'ICRC-107'

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
  readonly extensions?: readonly Extension[] | undefined
}

export const hasExtension = ({ extensions }: Config, extension: Extension): boolean =>
  extensions?.includes(extension) === true

/** What an upgrade may change; what is absent stays as it is. */
export type Settings = {
  readonly tokenName?: string | undefined
  readonly tokenSymbol?: string | undefined
  readonly transferFee?: bigint | undefined
  readonly memoLengthMax?: number | undefined
  readonly metadata?: readonly MetadataEntry[] | undefined
  readonly feeCollector?: FeeCollectorChange | undefined
  readonly indexPrincipal?: Principal | undefined
  readonly archiveOptions?: Partial<ArchiveOptions> | undefined
}

export type FeeCollectorChange =
  | { readonly type: 'unset' }
  | { readonly type: 'setTo'; readonly account: Account }

/** The largest amount and the largest supply. */
export function tokensMax(config: Pick<Config, 'tokenWidth'>): Tokens {
  return config.tokenWidth === 64 ? TOKENS_MAX_64 : TOKENS_MAX_256
}

const TOKENS_MAX_64 = tokens(2n ** 64n - 1n)
const TOKENS_MAX_256 = tokens(2n ** 256n - 1n)

/** The profile of ckBTC as deployed (§14.1), for a minter of any subnet. */
export function ckbtcConfig(principals: {
  readonly minter: Principal
  readonly archiveController: Principal
  readonly index?: Principal | undefined
}): Config {
  return {
    tokenName: 'ckBTC',
    tokenSymbol: 'ckBTC',
    decimals: DEFAULT_DECIMALS,
    transferFee: 10n,
    memoLengthMax: 80,
    metadata: [],
    mintingAccount: { owner: principals.minter },
    feeCollector: { owner: principals.minter, subaccount: feeCollectorSubaccount() },
    initialBalances: [],
    indexPrincipal: principals.index,
    tokenWidth: 64,
    archiveOptions: {
      triggerThreshold: 2000n,
      numBlocksToArchive: 1000n,
      nodeMaxMemorySizeBytes: 3_221_225_472n,
      maxMessageSizeBytes: 2n * 1024n * 1024n,
      maxTransactionsPerResponse: 2000n,
      cyclesForArchiveCreation: 0n, // The embedded canisters are charged no cycles.
      controllerId: principals.archiveController,
      moreControllerIds: [],
    },
    limits: DEFAULT_LIMITS,
  }
}

/** `…0fee`, where ckBTC collects its fees. */
function feeCollectorSubaccount(): Uint8Array {
  const subaccount = new Uint8Array(32)
  subaccount.set([0x0f, 0xee], 30)
  return subaccount
}
