/** Reading the log, in ICRC-3 form and before. Implements `docs/spec/ledger.md` §§9.3, 11. */
import type { View } from '../../base/view.ts'
import type { State } from '../state.ts'
import { logLength } from '../state.ts'
import type { BlockIndex, Trap } from '../types.ts'
import type { Block, Movement, Transaction } from './block.ts'
import { valueOfBlock } from './block-value.ts'
import type { Value } from './value.ts'

/** `start` and `length` are any natural number; from 2^64 up the call traps. */
export type Range = { readonly start: bigint; readonly length: bigint }

const INDEX_MAX = 2n ** 64n - 1n

export type NumberedBlock = { readonly id: BlockIndex; readonly block: Value }

export type Blocks = {
  readonly type: 'blocks'
  readonly logLength: BlockIndex
  readonly blocks: readonly NumberedBlock[]
}

/** `icrc3_get_blocks`: each range as asked, until the limit of one answer is reached. */
export function getBlocks(state: View<State>, ranges: readonly Range[]): Blocks | Trap {
  const { blocksPerResponseMax } = state.config.limits
  const blocks: NumberedBlock[] = []
  for (const range of ranges) {
    const room = BigInt(blocksPerResponseMax - blocks.length)
    if (room === 0n) break
    const trap = refuseRange(range)
    if (trap !== undefined) return trap
    const length = range.length < room ? range.length : room
    const local = localPart(state, { start: range.start, length })
    local.blocks.forEach((block, offset) => {
      blocks.push({ id: local.firstIndex + BigInt(offset), block: valueOfBlock(block) })
    })
  }
  return { type: 'blocks', logLength: logLength(state), blocks }
}

export type LegacyBlocks = {
  readonly type: 'blocks'
  readonly firstIndex: BlockIndex
  readonly chainLength: BlockIndex
  /** In the legacy form the wire writes numbers below 2^64 as `Nat64`. */
  readonly blocks: readonly Value[]
}

/** `get_blocks`. */
export function getLegacyBlocks(state: View<State>, range: Range): LegacyBlocks | Trap {
  const local = legacyPart(state, range)
  if ('type' in local) return local
  const blocks = local.blocks.map(valueOfBlock)
  return { type: 'blocks', firstIndex: local.firstIndex, chainLength: logLength(state), blocks }
}

export type Transactions = {
  readonly type: 'transactions'
  readonly firstIndex: BlockIndex
  readonly logLength: BlockIndex
  readonly transactions: readonly TimedTransaction[]
}

/** A block without its links; `fee` is what was paid, whoever named it. */
export type TimedTransaction = Transaction & Pick<Block, 'timestamp' | 'fee'>
export type TimedMovement = Movement & Pick<Block, 'timestamp' | 'fee'>

/** `get_transactions`. */
export function getTransactions(state: View<State>, range: Range): Transactions | Trap {
  const local = legacyPart(state, range)
  if ('type' in local) return local
  return {
    type: 'transactions',
    firstIndex: local.firstIndex,
    logLength: logLength(state),
    transactions: local.blocks.map(timedTransaction),
  }
}

/** The same of what moves tokens or allows it; undefined for a setting. */
export function timedMovement(block: Block): TimedMovement | undefined {
  const timed = timedTransaction(block)
  return timed.type === 'feeCollector' ? undefined : timed
}

/** §9.3: the fee stands in the transaction if the caller named it, else beside it. */
export function timedTransaction({ transaction, timestamp, fee }: Block): TimedTransaction {
  const given = 'fee' in transaction ? transaction.fee : undefined
  return { ...transaction, timestamp, fee: given ?? fee }
}

type LocalPart = { readonly firstIndex: BlockIndex; readonly blocks: readonly Block[] }

/** Older methods serve one range, cut at its end; missing all, they name the first local block. */
function legacyPart(state: View<State>, range: Range): LocalPart | Trap {
  const trap = refuseRange(range)
  if (trap !== undefined) return trap
  const { firstIndex, blocks } = localPart(state, range)
  return { firstIndex, blocks: blocks.slice(0, state.config.limits.transactionsPerRequestMax) }
}

function refuseRange({ start, length }: Range): Trap | undefined {
  if (start > INDEX_MAX) return { type: 'trap', message: `the index ${start} is too large` }
  if (length > INDEX_MAX) return { type: 'trap', message: `the length ${length} is too large` }
  return undefined
}

/** The local blocks of a range; one that only touches the end of the log is empty at that end. */
function localPart(state: View<State>, { start, length }: Range): LocalPart {
  const { firstLocalIndex, blocks } = state.chain
  const firstIndex = start > firstLocalIndex ? start : firstLocalIndex
  const end = start + length
  if (firstIndex > end || firstIndex > logLength(state))
    return { firstIndex: firstLocalIndex, blocks: [] }
  const place = (index: BlockIndex): number => Number(index - firstLocalIndex)
  return { firstIndex, blocks: blocks.slice(place(firstIndex), place(end)) }
}
