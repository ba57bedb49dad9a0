/** What a cancelled withdrawal gets back. Source: minter §14.3, step 4. */
import type { View } from '../../base/view.ts'
import { distribute } from '../transactions/build-transaction.ts'
import type { WithdrawalFee } from '../types.ts'
import type { WithdrawalRequest } from './state.ts'

/** By request: its share of what the cancellation costs, and what it is owed after that. */
export function owedAfterCancellation(
  requests: readonly View<WithdrawalRequest>[],
  fee: WithdrawalFee | undefined,
): readonly { readonly amount: bigint; readonly share: bigint }[] {
  if (requests.length === 0) return []
  const fees = (fee?.bitcoinFee ?? 0n) + (fee?.minterFee ?? 0n)
  const shares = distribute(fees, requests.length)
  return requests.map(({ amount }, i) => {
    const share = shares[i] ?? 0n
    return { amount: amount > share ? amount - share : 0n, share }
  })
}
