/** Reading the log, in ICRC-3 form and before. Implements `docs/spec/ledger.md` §§9.3, 11. */
import type { View } from '../../base/view.ts'
import type { Principal } from '../../ic/principal.ts'
import { comparePrincipals } from '../../ic/principal.ts'
import { archivesInUse } from '../archive/archiving-state.ts'
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

/** Blocks of some ranges that lie in an archive. */
export type ArchivedPart = { readonly canisterId: Principal; readonly ranges: readonly Range[] }

/** Of blocks in one answer, so that with what surrounds them it fits into a reply (§11.1). */
export const ANSWER_BYTES_MAX = 1024 * 1024

/** Ranges that one answer sends to archives: more would not fit into a reply. */
const ARCHIVED_RANGES_MAX = 100_000

export type Blocks = {
  readonly type: 'blocks'
  readonly logLength: BlockIndex
  readonly blocks: readonly NumberedBlock[]
  /** One for each archive that holds something, in the order of their ids. */
  readonly archived: readonly ArchivedPart[]
}

/** `icrc3_get_blocks`: each range as asked, until the limit of one answer is reached. */
export function getBlocks(state: View<State>, ranges: readonly Range[]): Blocks | Trap {
  const { blocksPerResponseMax } = state.config.limits
  const blocks: NumberedBlock[] = []
  const archives = archivesInUse(state).map(({ start, end, canisterId }) => {
    return { start, end, canisterId, ranges: [] as Range[] }
  })
  let archivedCount = 0
  let bytesMax = ANSWER_BYTES_MAX
  for (const range of ranges) {
    const room = BigInt(blocksPerResponseMax - blocks.length)
    if (room === 0n) break
    const trap = refuseRange(range)
    if (trap !== undefined) return trap
    // Cut before it is split: what is in archives comes first, and takes its share (§11.1 step 3).
    const cut = { start: range.start, length: range.length < room ? range.length : room }
    const local = localPart(state, cut)
    const served = fitting(local.blocks, bytesMax)
    for (const [offset, block] of served.entries()) {
      blocks.push({ id: local.firstIndex + BigInt(offset), block: valueOfBlock(block) })
      bytesMax -= memoBytes(block)
    }
    for (const { place, ...part } of archivedParts(archives, cut)) {
      archives[place]?.ranges.push(part)
      archivedCount++
    }
    if (archivedCount > ARCHIVED_RANGES_MAX)
      return { type: 'trap', message: `more than ${ARCHIVED_RANGES_MAX} ranges in archives` }
    // A reader of ranges that follow one another goes on where the answer ends.
    if (served.length < local.blocks.length) break
  }
  const archived = archives
    .filter(({ ranges: parts }) => parts.length > 0)
    .sort((a, b) => comparePrincipals(a.canisterId, b.canisterId))
    .map(({ canisterId, ranges: parts }) => ({ canisterId, ranges: parts }))
  return { type: 'blocks', logLength: logLength(state), blocks, archived }
}

/** The first blocks whose memos have room in an answer: nothing else in a block is long. */
function fitting(blocks: readonly Block[], bytesMax: number): readonly Block[] {
  let left = bytesMax
  const end = blocks.findIndex((block) => {
    left -= memoBytes(block)
    return left < 0
  })
  return end < 0 ? blocks : blocks.slice(0, end)
}

export const memoBytes = ({ transaction }: Block): number =>
  'memo' in transaction ? (transaction.memo?.length ?? 0) : 0

type Span = { readonly start: BlockIndex; readonly end: BlockIndex }

/** What each of the spans, which follow one another, holds of a range. */
function archivedParts(
  spans: readonly Span[],
  { start, length }: Range,
): readonly (Range & { readonly place: number })[] {
  const parts: (Range & { readonly place: number })[] = []
  const behind = start + length
  for (let place = firstEndingAfter(spans, start); ; place++) {
    const span = spans[place]
    if (span === undefined || span.start >= behind) return parts
    const from = start > span.start ? start : span.start
    const to = behind < span.end ? behind : span.end
    if (from < to) parts.push({ place, start: from, length: to - from })
  }
}

function firstEndingAfter(spans: readonly Span[], index: BlockIndex): number {
  let [low, high] = [0, spans.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((spans[middle]?.end ?? 0n) <= index) low = middle + 1
    else high = middle
  }
  return low
}

/** Blocks of one range that lie in an archive. */
export type LegacyArchived = Range & { readonly canisterId: Principal }

export type LegacyBlocks = {
  readonly type: 'blocks'
  readonly firstIndex: BlockIndex
  readonly chainLength: BlockIndex
  /** In the legacy form the wire writes numbers below 2^64 as `Nat64`. */
  readonly blocks: readonly Value[]
  readonly archived: readonly LegacyArchived[]
}

/** `get_blocks`. */
export function getLegacyBlocks(state: View<State>, range: Range): LegacyBlocks | Trap {
  const part = legacyPart(state, range)
  if ('type' in part) return part
  const { firstIndex, archived } = part
  const blocks = part.blocks.map(valueOfBlock)
  return { type: 'blocks', firstIndex, chainLength: logLength(state), blocks, archived }
}

export type Transactions = {
  readonly type: 'transactions'
  readonly firstIndex: BlockIndex
  readonly logLength: BlockIndex
  readonly transactions: readonly TimedTransaction[]
  readonly archived: readonly LegacyArchived[]
}

/** A block without its links; `fee` is what was paid, whoever named it. */
export type TimedTransaction = Transaction & Pick<Block, 'timestamp' | 'fee'>
export type TimedMovement = Movement & Pick<Block, 'timestamp' | 'fee'>

/** `get_transactions`. */
export function getTransactions(state: View<State>, range: Range): Transactions | Trap {
  const part = legacyPart(state, range)
  if ('type' in part) return part
  const { firstIndex, archived } = part
  const transactions = part.blocks.map(timedTransaction)
  return { type: 'transactions', firstIndex, logLength: logLength(state), transactions, archived }
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
type LegacyPart = LocalPart & { readonly archived: readonly LegacyArchived[] }

/**
 * Older methods serve one range, its local part cut at its end; missing all, they name the first
 * local block.
 */
function legacyPart(state: View<State>, range: Range): LegacyPart | Trap {
  const trap = refuseRange(range)
  if (trap !== undefined) return trap
  const { firstIndex, blocks } = localPart(state, range)
  const archives = archivesInUse(state)
  const archived = archivedParts(archives, range).flatMap(({ place, start, length }) => {
    const archive = archives[place]
    return archive === undefined ? [] : [{ start, length, canisterId: archive.canisterId }]
  })
  const served = blocks.slice(0, state.config.limits.transactionsPerRequestMax)
  return { firstIndex, blocks: fitting(served, ANSWER_BYTES_MAX), archived }
}

/** `archives` and `icrc3_get_archives`: both ends inclusive, in the order of creation. */
export type ArchiveRange = {
  readonly canisterId: Principal
  readonly start: BlockIndex
  readonly end: BlockIndex
}

/** The archives that hold blocks; `from`: only those whose id is greater. */
export const archiveRanges = (state: View<State>, from?: Principal): readonly ArchiveRange[] =>
  archivesInUse(state)
    .filter(({ canisterId }) => from === undefined || comparePrincipals(canisterId, from) > 0)
    .map(({ canisterId, start, end }) => ({ canisterId, start, end: end - 1n }))

/** What no index and no length can be. */
export function refuseRange({ start, length }: Range): Trap | undefined {
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
