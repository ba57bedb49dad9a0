/** Which methods the minter has, and what each takes and answers. Source: minter §2 (service). */
import type { Txid } from '../base/bytes.ts'
import type { ExtendedKey } from '../base/derivation.ts'
import type { Account } from '../ic/account.ts'
import type { Principal } from '../ic/principal.ts'
import type { Event } from './events/events.ts'
import type {
  AccountArgs,
  Answer,
  DecodeMemoArgs,
  DecodeMemoResult,
  MinterInfo,
  RetrieveBtcArgs,
  RetrieveBtcResult,
  RetrieveBtcStatus,
  RetrieveBtcStatusV2,
  RetrieveBtcWithApprovalArgs,
  RetrieveBtcWithApprovalResult,
  StatusOfBlock,
  UpdateBalanceResult,
  Utxo,
  WithdrawalFee,
} from './types.ts'

/**
 * Argument and reply of every method under its Candid name; `get_canister_status` is the subnet's
 * to answer.
 */
export type Methods = {
  get_btc_address: { args: AccountArgs; reply: string }
  get_known_utxos: { args: AccountArgs; reply: readonly Utxo[] }
  update_balance: { args: AccountArgs; reply: UpdateBalanceResult }
  estimate_withdrawal_fee: { args: { readonly amount?: bigint | undefined }; reply: WithdrawalFee }
  get_deposit_fee: { args: undefined; reply: bigint }
  get_withdrawal_account: { args: undefined; reply: Account }
  retrieve_btc: { args: RetrieveBtcArgs; reply: RetrieveBtcResult }
  retrieve_btc_with_approval: {
    args: RetrieveBtcWithApprovalArgs
    reply: RetrieveBtcWithApprovalResult
  }
  retrieve_btc_status: { args: { readonly blockIndex: bigint }; reply: RetrieveBtcStatus }
  retrieve_btc_status_v2: { args: { readonly blockIndex: bigint }; reply: RetrieveBtcStatusV2 }
  retrieve_btc_status_v2_by_account: { args: Account | undefined; reply: readonly StatusOfBlock[] }
  get_minter_info: { args: undefined; reply: MinterInfo }
  get_events: {
    args: { readonly start: bigint; readonly length: bigint }
    reply: readonly Event[]
  }
  decode_ledger_memo: { args: DecodeMemoArgs; reply: DecodeMemoResult }
}

export type Method = keyof Methods

/** One call, its arguments decoded. */
export type Call<M extends Method = Method> = {
  readonly [K in M]: {
    readonly method: K
    readonly caller: Principal
    readonly args: Methods[K]['args']
  }
}[M]

export type Reply<M extends Method> = Answer<Methods[M]['reply']>

/** Methods that Candid marks `query`. All of them may be called as updates too. */
export const QUERY_METHODS: ReadonlySet<Method> = new Set<Method>([
  'get_known_utxos',
  'estimate_withdrawal_fee',
  'get_deposit_fee',
  'retrieve_btc_status',
  'retrieve_btc_status_v2',
  'retrieve_btc_status_v2_by_account',
  'get_minter_info',
  'get_events',
  'decode_ledger_memo',
])

/** Names one request for a signature for ever (§12). */
export type SignatureKey = {
  readonly txid: Txid
  readonly input: number
  readonly attempt: number
}

/** Outstanding work: sign `digest` (32 bytes) with the minter's key, derived along `path`. */
export type SignatureRequest = {
  readonly key: SignatureKey
  /** Below the minter's root: schema byte, owner, subaccount (§3.1). */
  readonly path: readonly Uint8Array[]
  readonly digest: Uint8Array
}

/** What the subnet tells the minter, apart from calls. */
export type Notice =
  /** The minter's root: the subnet's master key derived by the minter's canister id. */
  | { readonly type: 'rootKey'; readonly key: ExtendedKey }
  /** `signature` is r ‖ s, 64 bytes. */
  | {
      readonly type: 'signatureReady'
      readonly key: SignatureKey
      readonly signature: Uint8Array
    }
  /** Refused, expired, or dropped by a restore. */
  | { readonly type: 'signatureFailed'; readonly key: SignatureKey }
  /** Blocks have left the main chain in this slot, and `bitcoinChanged` will follow at its end. */
  | { readonly type: 'blocksLeft' }
  /** The main chain ends elsewhere; `isReorganised`: blocks have left it. */
  | { readonly type: 'bitcoinChanged'; readonly isReorganised: boolean }
