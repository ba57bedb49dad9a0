/**
 * Methods of the checker canister in Candid. Source: minter §6. The published ones are those of the
 * deployed checker; what starts with `x_` is the operator's.
 */
import type { ValueOf } from '../ic/candid.ts'
import { blob, bool, nat32, opt, query, text, unit, update, vec } from '../ic/candid.ts'
import { named, record, variant } from '../ic/candid-records.ts'

/** Why there is no answer yet, or none at all. */
const status = variant({
  NotEnoughCycles: unit,
  Retriable: named(
    'kind',
    variant({
      Pending: unit,
      HighLoad: unit,
      TransientInternalError: named('message', text),
    }),
  ),
  Error: named(
    'kind',
    variant({
      ResponseTooLarge: record({ txid: blob }),
      InvalidTransactionId: named('message', text),
      InvalidTransaction: named('message', text),
    }),
  ),
})

export type CheckStatus = ValueOf<typeof status>

const transactionResult = variant({
  Passed: unit,
  Failed: named('addresses', vec(text)),
  Unknown: named('status', status),
})

const mode = variant({
  AcceptAll: unit,
  RejectAll: unit,
  Normal: unit,
  /** Every call fails, as where the canister is stopped. */
  Unavailable: unit,
  /** Of transactions nothing is found out; addresses are checked as ever. */
  Unknown: named('status', status),
})

export type CheckMode = ValueOf<typeof mode>

export const checkerInterface = {
  check_address: query([record({ address: text })], variant({ Passed: unit, Failed: unit })),
  check_transaction: update([record({ txid: blob })], transactionResult),
  check_transaction_str: update([record({ txid: text })], transactionResult),
  check_transaction_query: query(
    [variant({ TxIdStr: named('txid', text), TxIdBin: named('txid', blob) })],
    variant({ Passed: unit, Failed: named('addresses', vec(text)), Unknown: unit }),
  ),
  /** Flags, or no longer, an address or a coin (`<txid>:<vout>`). */
  x_flag: update([record({ target: text, flagged: bool })], bool),
  /** For so many checks of the minter, then `Normal` again; for good where nothing is said. */
  x_set_mode: update([record({ mode, times: opt(nat32) })], bool),
}
