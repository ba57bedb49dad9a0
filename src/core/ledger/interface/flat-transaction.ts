/**
 * A transaction in the form before ICRC-3, which archives and index still use, as typed codec.
 * Implements `docs/spec/ledger.md` §9.3.
 */
import type { ValueOf } from '../../ic/candid.ts'
import { blob, opt, principalCodec, text } from '../../ic/candid.ts'
import { accountCodec, record, timestampCodec, tokensCodec } from '../../ic/candid-records.ts'
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
