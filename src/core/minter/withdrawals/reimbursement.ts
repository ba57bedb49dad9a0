/** Giving back what was burned and will never be paid. Source: minter §15 [H 5, H 15]. */
import { callLedger, isInTransit } from '../call-journal.ts'
import type { Context } from '../context.ts'
import { isMintingHalted } from '../losses/lost-coins.ts'
import { encodeMintMemo } from '../memo.ts'
import { isBroken } from '../state/stopped.ts'

/**
 * Mints every scheduled reimbursement; one that the ledger refuses waits for the next round, and
 * all wait while coins are missing.
 */
export function reimburse(context: Context): void {
  if (isMintingHalted(context)) return
  for (const [burnBlockIndex, { account, amount }] of [...context.state.reimbursements]) {
    if (isBroken(context.volatile)) return // Since the one before (§18.5).
    if (amount === 0n) continue // Nothing is left after the charge (§15).
    const purpose = { type: 'reimbursement', account, burnBlockIndex } as const
    if (isInTransit(context, purpose)) continue
    const memo = encodeMintMemo({ type: 'reimburseWithdrawal', withdrawalId: burnBlockIndex })
    const minted = callLedger(context, { amount, memo, purpose }, (call) =>
      context.ports.ledger.mint({ ...call, to: account }),
    )
    if (minted.type === 'ok')
      context.record({
        type: 'reimbursedWithdrawal',
        burnBlockIndex,
        mintBlockIndex: minted.blockIndex,
      })
  }
}

/** Whether a round could mint any. */
export const isReimbursementDue = (context: Pick<Context, 'state' | 'volatile'>): boolean =>
  !isMintingHalted(context) &&
  [...context.state.reimbursements.values()].some(({ amount }) => amount > 0n)
