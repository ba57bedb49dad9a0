/** The words of the command line for what the checker answers. Source: minter §6, cli §5.17. */
import type { CheckMode, CheckStatus } from '../../core/subnet/checker-interface.ts'
import { checkerInterface } from '../../core/subnet/checker-interface.ts'
import type { CheckerModeName } from '../control/checker-modes.ts'
import type { LocalSubnet } from '../local-subnet.ts'
import { callAsOperator } from './operator.ts'

const SET = 'set by the operator'
const retriable = (kind: Extract<CheckStatus, { type: 'retriable' }>['kind']): CheckMode => ({
  type: 'unknown',
  status: { type: 'retriable', kind },
})
const failing = (kind: Extract<CheckStatus, { type: 'error' }>['kind']): CheckMode => ({
  type: 'unknown',
  status: { type: 'error', kind },
})

export const checkModes: Readonly<Record<CheckerModeName, CheckMode>> = {
  normal: { type: 'normal' },
  'accept-all': { type: 'acceptAll' },
  'reject-all': { type: 'rejectAll' },
  unavailable: { type: 'unavailable' },
  'not-enough-cycles': { type: 'unknown', status: { type: 'notEnoughCycles' } },
  pending: retriable({ type: 'pending' }),
  'high-load': retriable({ type: 'highLoad' }),
  'transient-error': retriable({ type: 'transientInternalError', message: SET }),
  'too-large': failing({ type: 'responseTooLarge', txid: new Uint8Array(32) }),
  'invalid-id': failing({ type: 'invalidTransactionId', message: SET }),
  'invalid-transaction': failing({ type: 'invalidTransaction', message: SET }),
}

export async function setCheckerMode(
  caller: Parameters<typeof callAsOperator>[0],
  { ids }: Pick<LocalSubnet, 'ids'>,
  { mode, times }: { readonly mode: CheckerModeName; readonly times: number | undefined },
): Promise<void> {
  const target = {
    canisterId: ids.checker,
    methodName: 'x_set_mode',
    method: checkerInterface.x_set_mode,
  }
  await callAsOperator(caller, target, [{ mode: checkModes[mode], times }])
}
