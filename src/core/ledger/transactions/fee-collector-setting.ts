/** Setting the fee collector by a call. Implements `docs/spec/ledger.md` §17 (ICRC-107). */
import { equalBytes } from '../../base/bytes.ts'
import type { TimestampNs } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { Account } from '../../ic/account.ts'
import { sameAccount } from '../../ic/account.ts'
import type { Principal } from '../../ic/principal.ts'
import { anonymous, textOfPrincipal } from '../../ic/principal.ts'
import type { Decision, State } from '../state.ts'
import { ledgerTime } from '../state.ts'
import type { CommonError, SetFeeCollectorArgs, SetFeeCollectorError } from '../types.ts'
import { decideTransaction } from './admission.ts'

const METHOD = '107set_fee_collector'

type Caller = { readonly caller: Principal; readonly controller: Principal | undefined }

/** `icrc107_set_fee_collector`. */
export function decideSetFeeCollector(
  state: View<State>,
  { caller, controller }: Caller,
  { feeCollector, createdAtTime }: SetFeeCollectorArgs,
  now: TimestampNs,
): Decision<SetFeeCollectorError> {
  if (controller === undefined || !equalBytes(caller, controller))
    return refused({
      type: 'accessDenied',
      reason: `${textOfPrincipal(caller)} does not control this ledger`,
    })
  const unfit = feeCollector && unfitReason(state, feeCollector)
  if (unfit !== undefined) return refused({ type: 'invalidAccount', reason: unfit })
  const setting = { type: 'feeCollector', feeCollector, caller, createdAtTime } as const
  const { events, reply } = decideTransaction<CommonError>(
    state,
    { ...setting, method: METHOD },
    ledgerTime(state, now),
    () => undefined,
  )
  return {
    events,
    reply: reply.type === 'err' ? { type: 'err', error: errorOf(reply.error) } : reply,
  }
}

const refused = (error: SetFeeCollectorError): Decision<SetFeeCollectorError> => ({
  events: [],
  reply: { type: 'err', error },
})

function unfitReason({ config }: View<State>, collector: Account): string | undefined {
  if (sameAccount(collector, config.mintingAccount))
    return 'the minting account cannot collect fees'
  return equalBytes(collector.owner, anonymous)
    ? "an account that is everybody's cannot collect fees"
    : undefined
}

/** The standard has no names of its own for what every transaction may meet (§5). */
const ERROR_CODES = { tooOld: 1n, createdInFuture: 2n, temporarilyUnavailable: 3n } as const

function errorOf(error: CommonError): SetFeeCollectorError {
  switch (error.type) {
    case 'duplicate':
    case 'genericError':
      return error
    case 'tooOld':
    case 'createdInFuture':
    case 'temporarilyUnavailable':
      return { type: 'genericError', errorCode: ERROR_CODES[error.type], message: error.type }
    case 'badFee':
    case 'insufficientFunds':
      return { type: 'genericError', errorCode: 0n, message: error.type } // It costs nothing.
  }
}
