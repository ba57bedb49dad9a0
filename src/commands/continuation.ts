/** Going on with an operation: what is shown, and costs, now. Implements cli §§3.10, 3.12, 5.6. */

import type { Operation } from '../wallet/operations/operation.ts'
import { textFact } from '../wallet/operations/operation.ts'
import { amountFact } from '../wallet/operations/operation-token.ts'
import { requireArrival } from '../wallet/operations/redeem.ts'
import { smallText, tokenText } from '../wallet/token.ts'
import { stateWords } from './operation-words.ts'
import type { Proposal, Spender } from './spending.ts'

/** Fees are those of today: the journal has those of the first plan. */
export async function continuationOf(
  operation: Operation,
  { session: { client, token } }: Spender,
): Promise<Proposal> {
  const amount = amountFact(operation, 'amount') ?? 0n
  let fees = amountFact(operation, 'fee') ?? 0n
  if (operation.kind === 'redeem') {
    const { minterFee, bitcoinFee } = await client.minter.estimateFee(amount)
    requireArrival(amount, minterFee + bitcoinFee)
    fees = minterFee + bitcoinFee + (await client.ledger.fee())
  }
  return {
    same: { kind: operation.kind, facts: {} },
    amountSat: amount,
    feesSat: fees,
    summary: [
      ['  Go on with', `${operation.kind} ${operation.id} of ${operation.startedAt}`],
      ['  Amount', tokenText(amount, token)],
      ['  To', textFact(operation, 'to') ?? '-'],
      ['  Fees', `about ${smallText(fees, token)}`],
      ['  State', stateWords(operation)],
    ],
  }
}
