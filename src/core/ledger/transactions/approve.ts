/** Approvals. Implements `docs/spec/ledger.md` §6.4 (ICRC-2). */
import { equalBytes } from '../../base/bytes.ts'
import type { TimestampNs } from '../../base/units.ts'
import { tokens } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import { sameAccount } from '../../ic/account.ts'
import type { Principal } from '../../ic/principal.ts'
import { allowanceOf } from '../accounts/allowances.ts'
import { shortBalance } from '../accounts/balances.ts'
import type { Transaction } from '../blocks/block.ts'
import { tokensMax } from '../config.ts'
import type { Decision, State } from '../state.ts'
import { ledgerTime } from '../state.ts'
import type { ApproveArgs, ApproveError, Trap } from '../types.ts'
import type { Obstacle } from './admission.ts'
import { decideTransaction } from './admission.ts'
import { NO_MINTER_APPROVALS, NO_SELF_APPROVAL, refuseFee, refuseMemo } from './refusals.ts'

type Approval = Extract<Transaction, { readonly type: 'approve' }>

/** `icrc2_approve`. */
export function decideApprove(
  state: View<State>,
  caller: Principal,
  args: ApproveArgs,
  now: TimestampNs,
): Decision<ApproveError> {
  const time = ledgerTime(state, now)
  const from = { owner: caller, subaccount: args.fromSubaccount }
  const trap = refuseDelegation(state, caller, args)
  if (trap !== undefined) return { events: [], reply: trap }
  const max = tokensMax(state.config)
  const { spender, amount, expectedAllowance, expiresAt, fee, memo, createdAtTime } = args
  const approval: Approval = {
    type: 'approve',
    from,
    spender,
    amount: amount > max ? max : tokens(amount), // More than there can be is everything (step 5).
    fee: fee === undefined ? undefined : tokens(fee),
    expectedAllowance: expectedAllowance === undefined ? undefined : tokens(expectedAllowance),
    expiresAt,
    memo,
    createdAtTime,
  }
  const error =
    (expectedAllowance !== undefined && expectedAllowance > max
      ? refuseExpectation(state, approval, time)
      : undefined) ?? refuseFee(fee, state.config.transferFee)
  if (error !== undefined) return { events: [], reply: { type: 'err', error } }
  return decideTransaction(state, approval, time, () => obstacle(state, approval, time))
}

/** Steps 2 to 4. */
function refuseDelegation(
  { config }: View<State>,
  caller: Principal,
  { fromSubaccount, spender, memo }: ApproveArgs,
): Trap | undefined {
  if (equalBytes(spender.owner, caller)) return NO_SELF_APPROVAL
  const from = { owner: caller, subaccount: fromSubaccount }
  if (sameAccount(from, config.mintingAccount)) return NO_MINTER_APPROVALS
  return refuseMemo(config, memo)
}

/** Step 8: the fee comes first, so who cannot pay it learns nothing else. */
function obstacle(
  state: View<State>,
  approval: Approval,
  now: TimestampNs,
): Obstacle<ApproveError> {
  const balance = shortBalance(state.balances, approval.from, state.config.transferFee)
  if (balance !== undefined) return { type: 'insufficientFunds', balance }
  if (approval.expiresAt !== undefined && approval.expiresAt <= now)
    return { type: 'expired', ledgerTime: now }
  return refuseExpectation(state, approval, now)
}

/** An expectation that cannot be stored differs from every allowance. */
function refuseExpectation(
  state: View<State>,
  approval: Approval,
  now: TimestampNs,
): ApproveError | undefined {
  const { expectedAllowance } = approval
  if (expectedAllowance === undefined) return undefined
  const { allowance } = allowanceOf(state.allowances, approval, now)
  return allowance === expectedAllowance
    ? undefined
    : { type: 'allowanceChanged', currentAllowance: allowance }
}
