/** A block by its transaction, without reading the log from its start. Source: ledger §§5, 9. */
import { equalBytes } from '../../base/bytes.ts'
import { present } from '../../base/errors.ts'
import type { TimestampNs } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { Archive } from '../archive/archive.ts'
import type { WholeLog } from '../archive/whole-log.ts'
import { archivedWhere, blockAt } from '../archive/whole-log.ts'
import type { State } from '../state.ts'
import { logLength } from '../state.ts'
import { indexOf } from '../transactions/remembered.ts'
import type { BlockIndex } from '../types.ts'
import type { Block, Transaction } from './block.ts'
import { createdAt } from './block-codec.ts'
import { hashTransaction } from './block-hash.ts'

type Dated = Transaction & { readonly createdAtTime: TimestampNs }

/**
 * The block of exactly this transaction; undefined where the log has none.
 *
 * Within the window the deduplication knows it. After that it is looked for among the blocks of the
 * time at which the ledger takes such a call, in archives too: millions, and a few nanoseconds each.
 */
export function findBlock(
  ledger: View<State>,
  archives: readonly View<Archive>[],
  transaction: Dated,
): BlockIndex | undefined {
  const hash = hashTransaction(transaction)
  const known = indexOf(ledger.deduplication, hash)
  if (known !== undefined) return known
  const log = { ledger, archives }
  const { transactionWindowNs, permittedDriftNs } = ledger.config.limits
  const { createdAtTime } = transaction
  const start = firstSince(log, createdAtTime - permittedDriftNs)
  const end = firstSince(log, createdAtTime + transactionWindowNs + 1n)
  for (const index of createdThen(log, { start, end }, createdAtTime))
    if (equalBytes(hashTransaction(heldBlock(log, index).transaction), hash)) return index
  return undefined
}

/** Blocks of a range that were created at that time, all others passed over undecoded. */
function* createdThen(
  log: WholeLog,
  range: { readonly start: BlockIndex; readonly end: BlockIndex },
  createdAtTime: TimestampNs,
): Generator<BlockIndex> {
  const { firstLocalIndex, blocks } = log.ledger.chain
  yield* archivedWhere(log, range, createdAt(createdAtTime))
  const first = Number(range.start - firstLocalIndex)
  for (let place = Math.max(0, first); place < Number(range.end - firstLocalIndex); place++)
    if (blocks[place]?.transaction.createdAtTime === createdAtTime)
      yield firstLocalIndex + BigInt(place)
}

/** Who took a block out of reach for none would have something paid for twice. */
const heldBlock = (log: WholeLog, index: BlockIndex): View<Block> =>
  present(blockAt(log, index), 'every block of the log is in the ledger or in its archive')

/** Index of the first block that is not older; their times never go back. */
function firstSince(log: WholeLog, time: bigint): BlockIndex {
  let [low, high] = [0n, logLength(log.ledger)]
  while (low < high) {
    const middle = (low + high) >> 1n
    if (heldBlock(log, middle).timestamp < time) low = middle + 1n
    else high = middle
  }
  return low
}
