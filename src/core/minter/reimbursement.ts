/** Giving back what was burned and will never be paid. Source: minter §15. */
import type { Context } from './context.ts'
import { ledgerCall } from './context.ts'
import { encodeMintMemo } from './memo.ts'

/** Mints every scheduled reimbursement; one that the ledger refuses waits for the next round. */
export function reimburse(context: Context): void {
  const { state, ports, record } = context
  for (const [burnBlockIndex, { account, amount }] of [...state.reimbursements]) {
    if (amount === 0n) continue // Nothing is left after the charge (§15).
    const memo = encodeMintMemo({ type: 'reimburseWithdrawal', withdrawalId: burnBlockIndex })
    const minted = ports.ledger.mint({ ...ledgerCall(context, amount, memo), to: account })
    if (minted.type !== 'ok') continue
    record({ type: 'reimbursedWithdrawal', burnBlockIndex, mintBlockIndex: minted.blockIndex })
  }
}
