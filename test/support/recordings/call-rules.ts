/** Calls that a minter makes: which only one of the two makes, and why; memos of then and today. */
import { fromHex, toHex } from '../../../src/core/base/bytes.ts'
import { decodeMemo, encodeBurnMemo } from '../../../src/core/minter/memo.ts'
import type { Step } from './format.ts'
import { field } from './format.ts'
import type { OurCall } from './our-calls.ts'

/** Asked by the recorded release of others, by ours of nobody. */
export const NOT_OURS: ReadonlyMap<string, string> = new Map([
  ['ecdsa_public_key', 'the root key is told by the subnet'],
  ['sign_with_ecdsa', 'signatures are outstanding work'],
  ['bitcoin_get_current_fee_percentiles', 'read in the slot'],
])

/** How a ledger fills its archives is its own; where the blocks are then is compared. */
export const ARCHIVING: ReadonlySet<string> = new Set([
  ...['create_canister', 'install_code', 'install_chunked_code', 'update_settings'],
  ...['append_blocks', 'remaining_capacity', 'canister_status', 'deposit_cycles'],
])

/** Burn memos bear no KYT fee today. */
export function memoOfToday(hex: string): string {
  const decoded = decodeMemo({ memoType: 'burn', memo: fromHex(hex) })
  if (decoded.type === 'err' || decoded.value.type !== 'burn') return hex
  const { memo } = decoded.value
  if (memo.type !== 'convert' || memo.address === undefined) return hex
  const { fee: _, ...rest } = memo
  return toHex(encodeBurnMemo(rest))
}

/** The same burn memo with the fee that a withdrawal paid then. */
export function memoOfThen(hex: string, checkFee: bigint): string {
  const decoded = decodeMemo({ memoType: 'burn', memo: fromHex(hex) })
  if (decoded.type === 'err' || decoded.value.type !== 'burn') return hex
  const { memo } = decoded.value
  if (memo.type !== 'convert') return hex
  const full = toHex(encodeBurnMemo({ ...memo, fee: checkFee, status: 'accepted' }))
  // An absent status at the end was written, too.
  return memo.status === undefined ? full.replace(/00$/, 'f6') : full
}

const KYT_MEMO = '820180'
const KYT_FAIL_MEMO = /^8202/

function isRejectedBurn(hex: string): boolean {
  const decoded = decodeMemo({ memoType: 'burn', memo: fromHex(hex) })
  if (decoded.type === 'err' || decoded.value.type !== 'burn') return false
  const { memo } = decoded.value
  return memo.type === 'convert' && memo.status === 'rejected'
}

/** Why a recorded write of the ledger is none of ours; undefined: no reason is known. */
export function reasonOfMissingWrite(
  { m, in: call }: OurCall,
  isStepDifferent: boolean,
): string | undefined {
  const memo = String(field(call, 'memo'))
  if (memo === KYT_MEMO) return 'KYT fees are not distributed today'
  if (isRejectedBurn(memo)) return 'a tainted destination costs nothing today'
  if (KYT_FAIL_MEMO.test(memo)) return 'what was burned before its check is returned later'
  if (m === 'icrc2_transfer_from' || isStepDifferent) return 'burned first, then checked'
  return undefined
}

/** Why ours asks where the recorded minter did not; undefined: no reason is known. */
export function reasonOfMoreCalls(step: Step, m: string): string | undefined {
  if (m === 'fetch_withdrawal_alerts') return 'a destination is checked before the burn today'
  if (step.op === 'together' && step.calls === undefined) return 'the calls were not kept'
  return undefined
}
