/** Methods of ICRC-107 in Candid, as typed codecs. Implements `docs/spec/ledger.md` §17. */
import type { Codec } from '../../ic/candid.ts'
import { nat, opt, query, text, update } from '../../ic/candid.ts'
import { accountCodec, named, record, timestampCodec, variant } from '../../ic/candid-records.ts'
import type { SetFeeCollectorArgs, SetFeeCollectorError } from '../types.ts'
import type { Result } from './ledger-interface.ts'

const genericError = record({ error_code: nat, message: text })

const setArgs: Codec<SetFeeCollectorArgs> = record({
  fee_collector: opt(accountCodec),
  created_at_time: timestampCodec,
})
const setError: Codec<SetFeeCollectorError> = variant({
  AccessDenied: named('reason', text),
  InvalidAccount: named('reason', text),
  Duplicate: record({ duplicate_of: nat }),
  GenericError: genericError,
})
const setResult: Codec<Result<SetFeeCollectorError>> = variant({
  Ok: named('blockIndex', nat),
  Err: named('error', setError),
})

export const feeCollectorInterface = {
  icrc107_set_fee_collector: update([setArgs], setResult),
  icrc107_get_fee_collector: query(
    [],
    variant({ Ok: named('collector', opt(accountCodec)), Err: genericError }),
  ),
}
