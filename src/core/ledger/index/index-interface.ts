/** The index canister's methods in Candid, as typed codecs. Implements `docs/spec/ledger.md` §13. */
import { blob, nat, nat64, opt, principalCodec, query, text, vec } from '../../ic/candid.ts'
import {
  accountCodec,
  named,
  pair,
  record,
  subaccountCodec,
  tokensCodec,
  variant,
} from '../../ic/candid-records.ts'
import { flatTransaction } from '../interface/flat-transaction.ts'
import { legacyValueCodec, range } from '../interface/legacy-interface.ts'

export const indexInterface = {
  get_account_transactions: query(
    [record({ account: accountCodec, start: opt(nat), max_results: nat })],
    variant({
      Ok: named(
        'page',
        record({
          balance: tokensCodec,
          transactions: vec(record({ id: nat, transaction: flatTransaction })),
          oldest_tx_id: opt(nat),
        }),
      ),
      Err: record({ message: text }),
    }),
  ),
  get_blocks: query([range], record({ chain_length: nat64, blocks: vec(legacyValueCodec) })),
  get_fee_collectors_ranges: query(
    [],
    record({ ranges: vec(pair(accountCodec, vec(pair(nat, nat)))) }),
  ),
  icrc1_balance_of: query([accountCodec], tokensCodec),
  ledger_id: query([], principalCodec),
  list_subaccounts: query(
    [record({ owner: principalCodec, start: opt(subaccountCodec) })],
    vec(blob),
  ),
  status: query([], record({ num_blocks_synced: nat })),
}

/** What our index answers beyond the published interface. */
export const indexExtension = {
  /** How far it is, and why it goes no further if it has met a block that it cannot take. */
  x_sync_status: query([], record({ num_blocks_synced: nat, log_length: nat, stopped: opt(text) })),
}
