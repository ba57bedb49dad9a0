/** A block by its transaction, without reading the log from its start. Source: ledger §§5, 9. */
import { equalBytes } from '../../base/bytes.ts'
import type { TimestampNs } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { State } from '../state.ts'
import { indexOf } from '../transactions/remembered.ts'
import type { BlockIndex } from '../types.ts'
import type { Transaction } from './block.ts'
import { hashTransaction } from './block-hash.ts'

type Dated = Transaction & { readonly createdAtTime: TimestampNs }

/**
 * The block of exactly this transaction; undefined where the log has none.
 *
 * Within the window the deduplication knows it. After that it is looked for among the blocks of the
 * time at which the ledger takes such a call.
 */
export function findBlock(state: View<State>, transaction: Dated): BlockIndex | undefined {
  const hash = hashTransaction(transaction)
  const known = indexOf(state.deduplication, hash)
  if (known !== undefined) return known
  const { chain, config } = state
  const { transactionWindowNs, permittedDriftNs } = config.limits
  const { createdAtTime } = transaction
  for (let i = firstSince(state, createdAtTime - permittedDriftNs); ; i++) {
    const block = chain.blocks[i]
    if (block === undefined || block.timestamp > createdAtTime + transactionWindowNs)
      return undefined
    if (block.transaction.createdAtTime !== createdAtTime) continue
    if (equalBytes(hashTransaction(block.transaction), hash))
      return chain.firstLocalIndex + BigInt(i)
  }
}

/** Place of the first block that is not older; their times never go back. */
function firstSince({ chain }: View<State>, time: bigint): number {
  let [low, high] = [0, chain.blocks.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const block = chain.blocks[middle]
    if (block !== undefined && block.timestamp < time) low = middle + 1
    else high = middle
  }
  return low
}
