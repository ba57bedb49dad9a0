/**
 * What a ledger is installed and upgraded with, in Candid, and what the operator sees of it.
 * Implements `docs/spec/ledger.md` §14.
 */

import type { View } from '../../base/view.ts'
import type { Codec } from '../../ic/candid.ts'
import {
  bool,
  nat,
  nat8,
  nat16,
  nat64,
  opt,
  principalCodec,
  query,
  text,
  unit,
  update,
  vec,
} from '../../ic/candid.ts'
import type { RecordOf } from '../../ic/candid-records.ts'
import { accountCodec, named, pair, record, variant } from '../../ic/candid-records.ts'
import type { ArchiveOptions, Config, Settings } from '../config.ts'
import {
  DEFAULT_ARCHIVE_OPTIONS,
  DEFAULT_DECIMALS,
  DEFAULT_LIMITS,
  DEFAULT_MEMO_LENGTH_MAX,
} from '../config.ts'
import type { Trap } from '../types.ts'
import { metadataCodec } from './ledger-interface.ts'

const features = record({ icrc2: bool })

const archiveOptions = record({
  num_blocks_to_archive: nat64,
  max_transactions_per_response: opt(nat64),
  trigger_threshold: nat64,
  max_message_size_bytes: opt(nat64),
  cycles_for_archive_creation: opt(nat64),
  node_max_memory_size_bytes: opt(nat64),
  controller_id: principalCodec,
  more_controller_ids: opt(vec(principalCodec)),
})

const initFields = {
  minting_account: accountCodec,
  fee_collector_account: opt(accountCodec),
  transfer_fee: nat,
  decimals: opt(nat8),
  max_memo_length: opt(nat16),
  token_symbol: text,
  token_name: text,
  metadata: metadataCodec,
  initial_balances: vec(pair(accountCodec, nat)),
  feature_flags: opt(features),
  archive_options: archiveOptions,
  index_principal: opt(principalCodec),
}

/** Every field may be absent: it then stays as it is. */
const archiveChange = record({
  num_blocks_to_archive: opt(nat64),
  max_transactions_per_response: opt(nat64),
  trigger_threshold: opt(nat64),
  max_message_size_bytes: opt(nat64),
  cycles_for_archive_creation: opt(nat64),
  node_max_memory_size_bytes: opt(nat64),
  controller_id: opt(principalCodec),
  more_controller_ids: opt(vec(principalCodec)),
})

const upgradeFields = {
  metadata: opt(metadataCodec),
  token_symbol: opt(text),
  token_name: opt(text),
  transfer_fee: opt(nat),
  change_fee_collector: opt(variant({ Unset: unit, SetTo: named('account', accountCodec) })),
  max_memo_length: opt(nat16),
  feature_flags: opt(features),
  change_archive_options: opt(archiveChange),
  index_principal: opt(principalCodec),
}

export type InitArgs = RecordOf<typeof initFields>
export type UpgradeArgs = RecordOf<typeof upgradeFields>
export type LedgerArg =
  | { readonly type: 'init'; readonly args: InitArgs }
  | { readonly type: 'upgrade'; readonly args?: UpgradeArgs | undefined }

export const ledgerArgCodec: Codec<LedgerArg> = variant({
  Init: named('args', record(initFields)),
  Upgrade: named('args', opt(record(upgradeFields))),
})

/** What our ledger answers beyond the published interface. */
export const ledgerExtension = {
  /** Of the operator: an upgrade through the log (§14). */
  x_upgrade: update([opt(ledgerArgCodec)], variant({ Ok: unit, Err: named('reason', text) })),
  /** What an upgrade may change, as it is in force. */
  x_settings: query(
    [],
    record({
      token_name: text,
      token_symbol: text,
      transfer_fee: nat,
      max_memo_length: nat16,
      fee_collector_account: opt(accountCodec),
      index_principal: opt(principalCodec),
      archive_options: archiveChange,
    }),
  ),
}

/** The ledger that `args` ask for; what they cannot ask for is a matter of `configProblem`. */
export function configOf(
  arg: LedgerArg,
  { tokenWidth }: Pick<Config, 'tokenWidth'>,
): Config | Trap {
  if (arg.type === 'upgrade')
    return { type: 'trap', message: 'a ledger is not installed with an upgrade argument' }
  const { args } = arg
  return {
    tokenName: args.tokenName,
    tokenSymbol: args.tokenSymbol,
    decimals: args.decimals ?? DEFAULT_DECIMALS,
    transferFee: args.transferFee,
    memoLengthMax: args.maxMemoLength ?? DEFAULT_MEMO_LENGTH_MAX,
    metadata: args.metadata,
    mintingAccount: args.mintingAccount,
    feeCollector: args.feeCollectorAccount,
    initialBalances: args.initialBalances.map(([account, amount]) => ({ account, amount })),
    indexPrincipal: args.indexPrincipal,
    tokenWidth,
    archiveOptions: { ...DEFAULT_ARCHIVE_OPTIONS, ...args.archiveOptions } as ArchiveOptions,
    limits: DEFAULT_LIMITS,
  }
}

/** What the argument of an upgrade changes: nothing without one. */
export function settingsOf(arg: LedgerArg | undefined): Settings | Trap {
  if (arg?.type === 'init')
    return { type: 'trap', message: 'a ledger is not upgraded with an init argument' }
  const { args = {} } = arg ?? {}
  return {
    tokenName: args.tokenName,
    tokenSymbol: args.tokenSymbol,
    transferFee: args.transferFee,
    memoLengthMax: args.maxMemoLength,
    metadata: args.metadata,
    feeCollector: args.changeFeeCollector,
    indexPrincipal: args.indexPrincipal,
    archiveOptions: args.changeArchiveOptions as Partial<ArchiveOptions> | undefined,
  }
}

/** What `x_settings` answers. */
export const shownSettings = (config: View<Config>) => ({
  tokenName: config.tokenName,
  tokenSymbol: config.tokenSymbol,
  transferFee: config.transferFee,
  maxMemoLength: config.memoLengthMax,
  feeCollectorAccount: config.feeCollector,
  indexPrincipal: config.indexPrincipal,
  archiveOptions: config.archiveOptions,
})
