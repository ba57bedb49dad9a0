/** The index canister's methods in Candid, as typed codecs. Implements `docs/spec/ledger.md` §13. */
import type { ValueOf } from '../../ic/candid.ts'
import { blob, nat, opt, principalCodec, query, text, vec } from '../../ic/candid.ts'
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
import { FEE_COLLECTOR_BLOCK } from '../blocks/block-value.ts'
import type { TimedTransaction } from '../blocks/log-queries.ts'

const common = {
  amount: tokensCodec,
  memo: opt(blob),
  created_at_time: opt(timestampCodec),
}

/**
 * A transaction as the index and older readers of the log see it: one of the records is there,
 * `kind` names it (§9.3).
 */
export const flatTransaction = record({
  kind: text,
  timestamp: timestampCodec,
  mint: opt(record({ ...common, to: accountCodec, fee: opt(tokensCodec) })),
  burn: opt(
    record({
      ...common,
      from: accountCodec,
      spender: opt(accountCodec),
      fee: opt(tokensCodec),
    }),
  ),
  transfer: opt(
    record({
      ...common,
      from: accountCodec,
      to: accountCodec,
      spender: opt(accountCodec),
      fee: opt(tokensCodec),
    }),
  ),
  approve: opt(
    record({
      ...common,
      from: accountCodec,
      spender: accountCodec,
      fee: opt(tokensCodec),
      expected_allowance: opt(tokensCodec),
      expires_at: opt(timestampCodec),
    }),
  ),
  fee_collector: opt(
    record({
      caller: opt(principalCodec),
      fee_collector: opt(accountCodec),
      ts: opt(timestampCodec),
      mthd: opt(text),
    }),
  ),
})

export function flattened(timed: TimedTransaction): ValueOf<typeof flatTransaction> {
  if (timed.type === 'feeCollector') {
    const { timestamp, feeCollector, caller, createdAtTime: ts, method: mthd } = timed
    return {
      kind: FEE_COLLECTOR_BLOCK,
      timestamp,
      feeCollector: { feeCollector, caller, ts, mthd },
    }
  }
  const { timestamp, type: kind, ...rest } = timed
  return { kind, timestamp, [kind]: rest } as ValueOf<typeof flatTransaction>
}

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
