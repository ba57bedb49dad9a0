/** Who receives the fees, and how blocks say so. Implements `docs/spec/ledger.md` §§7, 17 (ICRC-107). */
import { present } from '../../base/errors.ts'
import type { View } from '../../base/view.ts'
import type { Account } from '../../ic/account.ts'
import type { Block } from '../blocks/block.ts'
import type { BlockIndex } from '../types.ts'

export type FeeCollection = {
  /** The block that names the collector now set; unknown until a block follows the setting. */
  namedIn: BlockIndex | undefined
  /** Every block that named a collector, so that later blocks can point to it. */
  readonly collectors: Map<BlockIndex, Account>
  /** What the newest block of ICRC-107 says; undefined before the first one. */
  set: { readonly collector: Account | undefined } | undefined
}

export const emptyFeeCollection = (): FeeCollection => ({
  namedIn: undefined,
  collectors: new Map(),
  set: undefined,
})

type CollectorKeys = Pick<Block, 'feeCollector' | 'feeCollectorBlock'>

/**
 * The two keys of the next block: the account once, then the index of the block that named it. Where
 * ICRC-107 has set anything, blocks bear neither.
 */
export function collectorKeys(
  { namedIn, set }: View<FeeCollection>,
  collector: Account | undefined,
): CollectorKeys {
  if (collector === undefined || set !== undefined) return {}
  return namedIn === undefined ? { feeCollector: collector } : { feeCollectorBlock: namedIn }
}

/** Keeps what a new block says about the collector. */
export function noteCollector(
  collection: FeeCollection,
  { feeCollector, transaction }: Block,
  index: BlockIndex,
): void {
  if (transaction.type === 'feeCollector') collection.set = { collector: transaction.feeCollector }
  if (feeCollector === undefined) return
  collection.namedIn = index
  collection.collectors.set(index, feeCollector)
}

/** Who receives the fee of a block; nobody means that it is burnt. */
export function collectorOf(collection: View<FeeCollection>, block: Block): Account | undefined {
  if (collection.set !== undefined) return collection.set.collector
  if (block.transaction.type === 'approve') return undefined // Burnt, by the older rules (§6.4).
  if (block.feeCollector !== undefined) return block.feeCollector
  if (block.feeCollectorBlock === undefined) return undefined
  return present(
    collection.collectors.get(block.feeCollectorBlock),
    'the block that a block points to names a fee collector',
  )
}
