/** What every transaction goes through before its effect. Implements `docs/spec/ledger.md` §5. */
import type { Hash32 } from '../../base/bytes.ts'
import type { TimestampNs, Tokens } from '../../base/units.ts'
import { tokens } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import { someExpired } from '../accounts/allowances.ts'
import { collectorKeys } from '../accounts/fee-collector.ts'
import type { Block, Transaction } from '../blocks/block.ts'
import { hashTransaction } from '../blocks/block-hash.ts'
import type { Decision, Event, State } from '../state.ts'
import { logLength } from '../state.ts'
import type { CommonError, Trap } from '../types.ts'
import { isThrottled, purgeableCount, refuseByTime } from './deduplication.ts'

/** What the effect of a transaction meets at `now`: an error, a trap, or nothing in its way. */
export type Obstacle<E> = E | Trap | undefined

/**
 * Decides on a transaction whose arguments are in order: §5 steps 1 to 7.
 *
 * `obstacle` judges step 5. What steps 1 and 3 removed stays removed when a later step says no; a
 * trap undoes even that.
 */
export function decideTransaction<E extends { readonly type: string }>(
  state: View<State>,
  transaction: Transaction,
  now: TimestampNs,
  obstacle: () => Obstacle<E>,
): Decision<E | CommonError> {
  const { limits } = state.config
  const count = purgeableCount(state.deduplication, limits, now)
  if (count === 0 && isThrottled(state.deduplication, limits, now))
    return { events: [], reply: { type: 'err', error: { type: 'temporarilyUnavailable' } } }
  const housekeeping = cleaning(state, count, now)
  const transactionHash = hashTransaction(transaction)
  const refusal = refuseByCreation(state, transaction, transactionHash, now) ?? obstacle()
  if (refusal !== undefined)
    return isTrap(refusal)
      ? { events: [], reply: refusal }
      : { events: housekeeping, reply: { type: 'err', error: refusal } }
  const block = nextBlock(state, transaction, now)
  return {
    events: [...housekeeping, { type: 'appendedBlock', block, transactionHash }],
    reply: { type: 'ok', blockIndex: logLength(state) },
  }
}

const isTrap = <E extends { readonly type: string }>(refusal: E | Trap): refusal is Trap =>
  refusal.type === 'trap'

/** Steps 1 and 3. */
function cleaning(state: View<State>, purged: number, now: TimestampNs): readonly Event[] {
  const events: Event[] = []
  if (purged > 0) events.push({ type: 'purgedTransactions', count: purged, at: now })
  if (someExpired(state.allowances, now)) {
    const countMax = state.config.limits.allowancesToPruneMax
    events.push({ type: 'prunedAllowances', countMax, at: now })
  }
  return events
}

/** Step 4. What step 1 drops needs no second look: whatever it names is too old by now. */
function refuseByCreation(
  state: View<State>,
  { createdAtTime }: Transaction,
  hash: Hash32,
  now: TimestampNs,
): CommonError | undefined {
  if (createdAtTime === undefined) return undefined
  return refuseByTime(state.deduplication, { createdAtTime, hash }, state.config.limits, now)
}

/** Step 6. */
function nextBlock(state: View<State>, transaction: Transaction, now: TimestampNs): Block {
  return {
    parentHash: state.chain.tipHash,
    timestamp: now,
    transaction,
    fee: impliedFee(state, transaction),
    ...(transaction.type === 'feeCollector'
      ? {}
      : collectorKeys(state.feeCollection, state.config.feeCollector)),
  }
}

/** The fee the block states because its caller named none. */
function impliedFee(state: View<State>, transaction: Transaction): Tokens | undefined {
  if (transaction.type !== 'transfer' && transaction.type !== 'approve') return undefined
  return transaction.fee === undefined ? tokens(state.config.transferFee) : undefined
}
