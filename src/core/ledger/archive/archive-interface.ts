/** An archive's methods in Candid, as typed codecs. Implements `docs/spec/ledger.md` §12. */
import { blob, nat64, nothing, opt, query, update, vec } from '../../ic/candid.ts'
import { flatTransaction } from '../interface/flat-transaction.ts'
import { ledgerInterface } from '../interface/ledger-interface.ts'
import { legacyBlocks, legacyTransactions, range } from '../interface/legacy-interface.ts'

const {
  icrc3_get_archives,
  icrc3_get_blocks,
  icrc3_get_tip_certificate,
  icrc3_supported_block_types,
} = ledgerInterface

export const archiveInterface = {
  append_blocks: update([vec(blob)], nothing),
  get_blocks: query([range], legacyBlocks),
  get_transaction: query([nat64], opt(flatTransaction)),
  get_transactions: query([range], legacyTransactions),
  remaining_capacity: query([], nat64),
  icrc3_get_archives,
  icrc3_get_blocks,
  icrc3_get_tip_certificate,
  icrc3_supported_block_types,
}
