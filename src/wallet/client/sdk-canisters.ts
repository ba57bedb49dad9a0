/**
 * The SDK's clients of ledger and minter, with the types of what is used of them.
 *
 * Its declarations name files without their endings, which the module resolution of Node does not
 * follow; so the types stand here, as in the interface files of the package.
 */
import { IcrcLedgerCanister } from '@dfinity/ledger-icrc'
import { CkBtcMinterCanister } from '@icp-sdk/canisters/ckbtc'
import type { Agent } from '@icp-sdk/core/agent'
import type { Principal as SdkPrincipal } from '@icp-sdk/core/principal'
import type { Account } from '../../core/ic/account.ts'
import type { Principal } from '../../core/ic/principal.ts'
import { sdkPrincipal } from './sdk-identity.ts'

type Certified = { readonly certified: boolean }
type Opt<T> = readonly [] | readonly [T]

export type SdkAccount = {
  readonly owner: SdkPrincipal
  readonly subaccount: Opt<Uint8Array>
}

type Options = {
  readonly from_subaccount?: Uint8Array
  readonly fee?: bigint
  readonly memo?: Uint8Array
  readonly created_at_time?: bigint
}

export type SdkMetadata = readonly (readonly [
  string,
  (
    | { readonly Text: string }
    | { readonly Nat: bigint }
    | { readonly Int: bigint }
    | { readonly Blob: Uint8Array }
  ),
])[]

export interface SdkLedger {
  balance(
    params: Certified & { readonly owner: SdkPrincipal; readonly subaccount?: Uint8Array },
  ): Promise<bigint>
  metadata(params: Certified): Promise<SdkMetadata>
  transactionFee(params: Certified): Promise<bigint>
  totalTokensSupply(params: Certified): Promise<bigint>
  getMintingAccount(params: Certified): Promise<Opt<SdkAccount>>
  allowance(
    params: Certified & { readonly account: SdkAccount; readonly spender: SdkAccount },
  ): Promise<{ readonly allowance: bigint; readonly expires_at: Opt<bigint> }>
  transfer(params: Options & { readonly to: SdkAccount; readonly amount: bigint }): Promise<bigint>
  approve(
    params: Options & {
      readonly spender: SdkAccount
      readonly amount: bigint
      readonly expected_allowance?: bigint
      readonly expires_at?: bigint
    },
  ): Promise<bigint>
}

type Owner = { readonly owner: SdkPrincipal; readonly subaccount?: Uint8Array }

export interface SdkMinter {
  getBtcAddress(params: Owner): Promise<string>
  getMinterInfo(params: Certified): Promise<{
    readonly min_confirmations: number
    readonly retrieve_btc_min_amount: bigint
    readonly kyt_fee: bigint
    readonly deposit_btc_min_amount: Opt<bigint>
  }>
  getKnownUtxos(params: Certified & Owner): Promise<
    readonly {
      readonly outpoint: { readonly txid: Uint8Array; readonly vout: number }
      readonly value: bigint
      readonly height: number
    }[]
  >
  estimateWithdrawalFee(
    params: Certified & { readonly amount: bigint | undefined },
  ): Promise<{ readonly minter_fee: bigint; readonly bitcoin_fee: bigint }>
}

export const sdkLedger = (agent: Agent, id: Principal): SdkLedger =>
  IcrcLedgerCanister.create({ agent, canisterId: sdkPrincipal(id) })

export const sdkMinter = (agent: Agent, id: Principal): SdkMinter =>
  CkBtcMinterCanister.create({ agent, canisterId: sdkPrincipal(id) })

export const sdkAccount = ({ owner, subaccount }: Account): SdkAccount => ({
  owner: sdkPrincipal(owner),
  subaccount: subaccount === undefined ? [] : [subaccount],
})

/** The variant that a ledger refused with, in the library's error; undefined for other errors. */
export const variantIn = (error: unknown): unknown =>
  error instanceof Error ? Object.getOwnPropertyDescriptor(error, 'errorType')?.value : undefined

/** An error of the library's decoder: plain, unlike everything else that it throws. */
export const isUndecodable = (error: unknown): error is Error =>
  error instanceof Error && !('code' in error)
