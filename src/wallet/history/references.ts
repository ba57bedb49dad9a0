/**
 * What the user has called a payment: the idempotency key of the operation, which the journal of this
 * machine knows. Implements cli §5.7 (`reference`).
 */

import type { Account } from '../../core/ic/account.ts'
import { textOfAccount } from '../../core/ic/account.ts'
import type { Operation } from '../operations/operation.ts'
import { textFact } from '../operations/operation.ts'
import type { HistoryEntry } from './entry.ts'

export type ReferenceOf = (entry: HistoryEntry) => string | undefined

/** `operations`: those of the network and the token. */
export function referencesOf(operations: readonly Operation[], account: Account): ReferenceOf {
  const own = textOfAccount(account)
  const byCreation = new Map<string, string>()
  const byBurn = new Map<string, string>()
  for (const operation of operations) {
    const reference = textFact(operation, 'idempotencyKey')
    if (reference === undefined || operation.account !== own) continue
    const created = textFact(operation, 'createdAtNs')
    if (created !== undefined) byCreation.set(created, reference)
    const burn = textFact(operation, 'burnBlockIndex')
    if (burn !== undefined) byBurn.set(burnKey(burn, textFact(operation, 'amountSat')), reference)
  }
  // Numbers begin again where a local network does: the amount has to be the same, too.
  return ({ createdAtTime, type, blockIndex, amount }) =>
    type === 'redeem'
      ? byBurn.get(burnKey(String(blockIndex), String(-amount)))
      : createdAtTime && byCreation.get(String(createdAtTime))
}

const burnKey = (blockIndex: string, amount: string | undefined): string =>
  `${blockIndex} ${amount}`
