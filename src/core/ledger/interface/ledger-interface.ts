/**
 * The ledger's methods in Candid, as typed codecs. Implements `docs/spec/ledger.md` §2 (ICRC-1, 2,
 * 3, 10, 21, 103, 106).
 */
import type { Codec } from '../../ic/candid.ts'
import {
  blob,
  bool,
  func,
  int,
  nat,
  nat8,
  opt,
  principalCodec,
  query,
  recursive,
  text,
  unit,
  update,
  vec,
} from '../../ic/candid.ts'
import {
  accountCodec,
  named,
  pair,
  record,
  subaccountCodec,
  timestampCodec,
  tokensCodec,
  variant,
} from '../../ic/candid-records.ts'
import { consentRequest, consentResult } from '../../ic/consent-interface.ts'
import type { Principal } from '../../ic/principal.ts'
import type { ListedAllowance, ListingArgs } from '../accounts/listing.ts'
import type { ArchiveRange, NumberedBlock, Range } from '../blocks/log-queries.ts'
import type { Value } from '../blocks/value.ts'
import type { MetadataEntry } from '../config.ts'
import type {
  Allowance,
  AllowanceArgs,
  ApproveArgs,
  ApproveError,
  BlockIndex,
  TransferArg,
  TransferError,
  TransferFromArgs,
  TransferFromError,
} from '../types.ts'
import { legacyInterface, range } from './legacy-interface.ts'
import type { BlockType, Standard } from './metadata.ts'

/** What the caller may say about any transaction; names as in the interface. */
const options = {
  fee: opt(nat),
  memo: opt(blob),
  created_at_time: opt(timestampCodec),
}

const transferArg: Codec<TransferArg> = record({
  from_subaccount: opt(subaccountCodec),
  to: accountCodec,
  amount: nat,
  ...options,
})

const transferFromArgs: Codec<TransferFromArgs> = record({
  spender_subaccount: opt(subaccountCodec),
  from: accountCodec,
  to: accountCodec,
  amount: nat,
  ...options,
})

const approveArgs: Codec<ApproveArgs> = record({
  from_subaccount: opt(subaccountCodec),
  spender: accountCodec,
  amount: nat,
  expected_allowance: opt(nat),
  expires_at: opt(timestampCodec),
  ...options,
})

const genericError = record({ error_code: nat, message: text })
const commonErrors = {
  BadFee: record({ expected_fee: nat }),
  InsufficientFunds: record({ balance: nat }),
  TooOld: unit,
  CreatedInFuture: record({ ledger_time: timestampCodec }),
  Duplicate: record({ duplicate_of: nat }),
  TemporarilyUnavailable: unit,
  GenericError: genericError,
}
const transferErrors = { ...commonErrors, BadBurn: record({ min_burn_amount: nat }) }

const transferError: Codec<TransferError> = variant(transferErrors)

const transferFromError: Codec<TransferFromError> = variant({
  ...transferErrors,
  InsufficientAllowance: record({ allowance: nat }),
})

const approveError: Codec<ApproveError> = variant({
  ...commonErrors,
  AllowanceChanged: record({ current_allowance: nat }),
  Expired: record({ ledger_time: timestampCodec }),
})

export type Result<E> =
  | { readonly type: 'ok'; readonly blockIndex: BlockIndex }
  | { readonly type: 'err'; readonly error: E }

const transferResult: Codec<Result<TransferError>> = variant({
  Ok: named('blockIndex', nat),
  Err: named('error', transferError),
})
const transferFromResult: Codec<Result<TransferFromError>> = variant({
  Ok: named('blockIndex', nat),
  Err: named('error', transferFromError),
})
const approveResult: Codec<Result<ApproveError>> = variant({
  Ok: named('blockIndex', nat),
  Err: named('error', approveError),
})

const allowanceArgs: Codec<AllowanceArgs> = record({ account: accountCodec, spender: accountCodec })
const allowance: Codec<Allowance> = record({
  allowance: tokensCodec,
  expires_at: opt(timestampCodec),
})

export const metadataCodec: Codec<readonly MetadataEntry[]> = vec(
  pair(
    text,
    variant({
      Nat: named('nat', nat),
      Int: named('int', int),
      Text: named('text', text),
      Blob: named('blob', blob),
    }),
  ),
)
const standards: Codec<readonly Standard[]> = vec(record({ name: text, url: text }))
const blockTypes: Codec<readonly BlockType[]> = vec(record({ block_type: text, url: text }))

/** ICRC-3 value. */
export const valueCodec: Codec<Value> = recursive(() =>
  variant({
    Blob: named('blob', blob),
    Text: named('text', text),
    Nat: named('nat', nat),
    Int: named('int', int),
    Array: named('array', vec(valueCodec)),
    Map: named('map', vec(pair(text, valueCodec))),
  }),
)

export type GetBlocksResult = {
  readonly logLength: BlockIndex
  readonly blocks: readonly NumberedBlock[]
  /** Where the asked-for blocks are that the ledger itself no longer holds. */
  readonly archivedBlocks: readonly {
    readonly args: readonly Range[]
    readonly callback: { readonly canisterId: Principal; readonly methodName: string }
  }[]
}

const getBlocksResult: Codec<GetBlocksResult> = recursive(() =>
  record({
    log_length: nat,
    blocks: vec(record({ id: nat, block: valueCodec })),
    archived_blocks: vec(
      record({ args: vec(range), callback: func([vec(range)], [getBlocksResult], 'query') }),
    ),
  }),
)

export type TipCertificate = { readonly certificate: Uint8Array; readonly hashTree: Uint8Array }
const tipCertificate: Codec<TipCertificate> = record({ certificate: blob, hash_tree: blob })

const archiveRange: Codec<ArchiveRange> = record({
  canister_id: principalCodec,
  start: nat,
  end: nat,
})

const listedAllowance: Codec<ListedAllowance> = record({
  from_account: accountCodec,
  to_spender: accountCodec,
  allowance: nat,
  expires_at: opt(timestampCodec),
})

const listingArgs: Codec<ListingArgs> = record({
  from_account: opt(accountCodec),
  prev_spender: opt(accountCodec),
  take: opt(nat),
})

/** Every method under its name: arguments, result, and whether a query may answer it. */
export const ledgerInterface = {
  ...legacyInterface,
  icrc1_name: query([], text),
  icrc1_symbol: query([], text),
  icrc1_decimals: query([], nat8),
  icrc1_fee: query([], nat),
  icrc1_total_supply: query([], tokensCodec),
  icrc1_metadata: query([], metadataCodec),
  icrc1_minting_account: query([], opt(accountCodec)),
  icrc1_balance_of: query([accountCodec], tokensCodec),
  icrc1_supported_standards: query([], standards),
  icrc1_transfer: update([transferArg], transferResult),
  icrc2_approve: update([approveArgs], approveResult),
  icrc2_allowance: query([allowanceArgs], allowance),
  icrc2_transfer_from: update([transferFromArgs], transferFromResult),
  icrc3_get_archives: query([record({ from: opt(principalCodec) })], vec(archiveRange)),
  icrc3_get_tip_certificate: query([], opt(tipCertificate)),
  icrc3_get_blocks: query([vec(range)], getBlocksResult),
  icrc3_supported_block_types: query([], blockTypes),
  icrc10_supported_standards: query([], standards),
  icrc21_canister_call_consent_message: update([consentRequest], consentResult),
  icrc103_get_allowances: query(
    [listingArgs],
    variant({
      Ok: named('allowances', vec(listedAllowance)),
      Err: named(
        'error',
        variant({ AccessDenied: record({ reason: text }), GenericError: genericError }),
      ),
    }),
  ),
  icrc106_get_index_principal: query(
    [],
    variant({
      Ok: named('principal', principalCodec),
      Err: named(
        'error',
        variant({
          IndexPrincipalNotSet: unit,
          GenericError: record({ error_code: nat, description: text }),
        }),
      ),
    }),
  ),
  is_ledger_ready: query([], bool),
}
