/**
 * A ledger as the ICRC-1 suite sees it: one funded account, fresh principals, and the methods of
 * ICRC-1 and ICRC-2 through the agent, with everything verified.
 */
import { IcrcLedgerCanister } from '@dfinity/ledger-icrc'
import type { Identity } from '@icp-sdk/core/agent'
import { HttpAgent } from '@icp-sdk/core/agent'
import { Ed25519KeyIdentity } from '@icp-sdk/core/identity'
import type { Principal } from '@icp-sdk/core/principal'

export type Opt<T> = [] | [T]
export type Account = { readonly owner: Principal; readonly subaccount: Opt<Uint8Array> }
/** What a call that moves tokens answers. */
export type Result = { readonly Ok: bigint } | { readonly Err: Readonly<Record<string, unknown>> }
export type Allowance = { readonly allowance: bigint; readonly expires_at: Opt<bigint> }
export type MetadataValue =
  | { readonly Nat: bigint }
  | { readonly Int: bigint }
  | { readonly Text: string }
  | { readonly Blob: Uint8Array }

type Common = {
  readonly amount: bigint
  readonly fee: Opt<bigint>
  readonly memo: Opt<Uint8Array>
  readonly created_at_time: Opt<bigint>
}
export type TransferArg = Common & {
  readonly to: Account
  readonly from_subaccount: Opt<Uint8Array>
}
export type ApproveArgs = Common & {
  readonly spender: Account
  readonly from_subaccount: Opt<Uint8Array>
  readonly expected_allowance: Opt<bigint>
  readonly expires_at: Opt<bigint>
}
export type TransferFromArgs = Common & {
  readonly from: Account
  readonly to: Account
  readonly spender_subaccount: Opt<Uint8Array>
}

/** The methods that the suite calls, in the standards' own names. */
export type Methods = {
  icrc1_name(): Promise<string>
  icrc1_symbol(): Promise<string>
  icrc1_decimals(): Promise<number>
  icrc1_fee(): Promise<bigint>
  icrc1_metadata(): Promise<readonly (readonly [string, MetadataValue])[]>
  icrc1_minting_account(): Promise<Opt<Account>>
  icrc1_supported_standards(): Promise<readonly { readonly name: string }[]>
  icrc1_balance_of(account: Account): Promise<bigint>
  icrc1_transfer(arg: TransferArg): Promise<Result>
  icrc2_allowance(args: {
    readonly account: Account
    readonly spender: Account
  }): Promise<Allowance>
  icrc2_approve(args: ApproveArgs): Promise<Result>
  icrc2_transfer_from(args: TransferFromArgs): Promise<Result>
}

export type LedgerOptions = {
  readonly url: string
  readonly canisterId: Principal
  /** Whose account pays for everything. */
  readonly identity: Identity
  /** DER of the key that certifies; that of the Internet Computer unless told. */
  readonly rootKey?: Uint8Array | undefined
  /** The replica is asked for its root key, and believed: for networks of one's own. */
  readonly fetchRootKey?: boolean | undefined
  /** Quicker, where no node answers that lags behind. */
  readonly readsAreQueries?: boolean | undefined
  /** For a network in this process. */
  readonly fetch?: typeof fetch | undefined
}

export const some = <T>(value: T): [T] => [value]
export const none = [] as []
const nothing = { fee: none, memo: none, created_at_time: none }

/** Somebody who calls the ledger. */
export class Party {
  readonly owner: Principal
  /** Balances and allowances: as calls, unless queries are trusted to see what was just done. */
  readonly reads: Methods
  /** What are queries as queries. */
  readonly queries: Methods

  constructor(owner: Principal, ledger: IcrcLedgerCanister, readsAreQueries: boolean) {
    this.owner = owner
    this.queries = Reflect.get(ledger, 'service')
    this.reads = readsAreQueries ? this.queries : Reflect.get(ledger, 'certifiedService')
  }

  get account(): Account {
    return { owner: this.owner, subaccount: none }
  }

  /** The same owner's account of the subaccount that is `byte` 32 times. */
  subaccount(byte: number): Account {
    return { owner: this.owner, subaccount: [new Uint8Array(32).fill(byte)] }
  }

  transfer(arg: Pick<TransferArg, 'to' | 'amount'> & Partial<TransferArg>): Promise<Result> {
    return this.queries.icrc1_transfer({ ...nothing, from_subaccount: none, ...arg })
  }

  approve(args: Pick<ApproveArgs, 'spender' | 'amount'> & Partial<ApproveArgs>): Promise<Result> {
    const defaults = { from_subaccount: none, expected_allowance: none, expires_at: none }
    return this.queries.icrc2_approve({ ...nothing, ...defaults, ...args })
  }

  transferFrom(
    args: Pick<TransferFromArgs, 'from' | 'to' | 'amount'> & Partial<TransferFromArgs>,
  ): Promise<Result> {
    return this.queries.icrc2_transfer_from({ ...nothing, spender_subaccount: none, ...args })
  }
}

export class LedgerUnderSuite {
  readonly #options: LedgerOptions
  #rootKey: Uint8Array | undefined

  private constructor(options: LedgerOptions) {
    this.#options = options
    this.#rootKey = options.rootKey
  }

  /** Asks for the root key where it is to be asked for. */
  static async open(options: LedgerOptions): Promise<LedgerUnderSuite> {
    const ledger = new LedgerUnderSuite(options)
    if (options.fetchRootKey === true)
      ledger.#rootKey = await (await ledger.#agent(options.identity)).fetchRootKey()
    return ledger
  }

  #agent(identity: Identity): Promise<HttpAgent> {
    const { url: host, fetch } = this.#options
    return HttpAgent.create({
      host,
      identity,
      ...(this.#rootKey && { rootKey: this.#rootKey }),
      ...(fetch && { fetch }),
    })
  }

  async #party(identity: Identity): Promise<Party> {
    const { canisterId } = this.#options
    const agent = await this.#agent(identity)
    const client = IcrcLedgerCanister.create({ agent, canisterId })
    return new Party(identity.getPrincipal(), client, this.#options.readsAreQueries === true)
  }

  funded(): Promise<Party> {
    return this.#party(this.#options.identity)
  }

  /** Somebody of whom the ledger has never heard. */
  fresh(): Promise<Party> {
    return this.#party(Ed25519KeyIdentity.generate(crypto.getRandomValues(new Uint8Array(32))))
  }

  get canisterId(): Principal {
    return this.#options.canisterId
  }
}
