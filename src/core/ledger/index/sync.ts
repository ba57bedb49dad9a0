/**
 * Blocks for the index from a ledger and its archives, in order. Implements `docs/spec/ledger.md`
 * §13.
 *
 * Whatever the source answers, one step asks a bounded number of blocks of it; an answer that
 * cannot be right stops the index where it is.
 */

import { equalBytes } from '../../base/bytes.ts'
import { attempt, BadEncoding } from '../../base/errors.ts'
import type { View } from '../../base/view.ts'
import type { Block } from '../blocks/block.ts'
import { blockOfValue, valueOfBlock } from '../blocks/block-value.ts'
import type { NumberedBlock, Range } from '../blocks/log-queries.ts'
import type { Value } from '../blocks/value.ts'
import { hashValue } from '../blocks/value.ts'
import type { GetBlocksResult } from '../interface/ledger-interface.ts'
import type { Chain } from '../state.ts'
import type { IndexState } from './account-index.ts'
import { stop, takeBlock } from './account-index.ts'

export type Callback = GetBlocksResult['archivedBlocks'][number]['callback']

/**
 * Whoever answers `icrc3_get_blocks`: undefined where there is no answer for now; `BadEncoding` is
 * thrown where the answer is none.
 */
export interface IndexSource {
  ledger(ranges: readonly Range[]): GetBlocksResult | undefined
  archive(callback: Callback, ranges: readonly Range[]): GetBlocksResult | undefined
}

/** Takes blocks that the ledger itself still holds, `countMax` at most. */
export function followLog(
  index: IndexState,
  { firstLocalIndex, blocks }: View<Chain>,
  countMax: number,
): void {
  const first = index.synced - Number(firstLocalIndex)
  for (let place = first; place < first + countMax && index.stopped === undefined; place++) {
    const block = blocks[place]
    if (block === undefined) return
    takeBlock(index, block)
  }
}

/** Takes at most `countMax` blocks; how many it took. */
export function syncBlocks(index: IndexState, source: IndexSource, countMax: number): number {
  const first = index.synced
  if (index.stopped !== undefined) return 0
  const asked = { start: BigInt(first), length: BigInt(countMax) }
  const answer = answerOf(index, () => source.ledger([asked]))
  if (answer === undefined) return 0
  const { logLength } = answer
  if (logLength < BigInt(first)) stop(index, `the log of the ledger ends at ${logLength}`)
  const reached = BigInt(first + countMax)
  const end = Number(logLength < reached ? logLength : reached)
  const part = { first, end }
  if (answer.blocks.length > 0) checkNumbers(index, answer.blocks, part)
  while (index.stopped === undefined && index.synced < end) {
    const before = index.synced
    takeNext(index, answer, { source, part })
    if (index.synced === before) break
  }
  return index.synced - first
}

function answerOf(
  index: IndexState,
  ask: () => GetBlocksResult | undefined,
): GetBlocksResult | undefined {
  const answer = attempt(ask)
  if (!(answer instanceof BadEncoding)) return answer
  stop(index, answer.message)
  return undefined
}

type Part = { readonly first: number; readonly end: number }

function takeNext(
  index: IndexState,
  { blocks, archivedBlocks }: GetBlocksResult,
  { source, part }: { readonly source: IndexSource; readonly part: Part },
): void {
  const next = BigInt(index.synced)
  const local = blocks[0] !== undefined && blocks[0].id <= next ? Number(next - blocks[0].id) : -1
  if (local >= 0 && local < blocks.length) {
    takeAll(index, blocks.slice(local))
    return
  }
  for (const { args, callback } of archivedBlocks) {
    const range = args.find(({ start, length }) => start <= next && next < start + length)
    if (range === undefined) continue
    takeArchived(index, { source, callback, end: endOf(range, part.end) })
    return
  }
  // What is missing behind the blocks of this answer is asked for in the next step.
  if (index.synced === part.first) stop(index, 'the ledger keeps it back')
}

const endOf = ({ start, length }: Range, end: number): number =>
  start + length < BigInt(end) ? Number(start + length) : end

function takeArchived(
  index: IndexState,
  {
    source,
    callback,
    end,
  }: { readonly source: IndexSource; readonly callback: Callback; readonly end: number },
): void {
  const first = index.synced
  const range = { start: BigInt(first), length: BigInt(end - first) }
  const answer = answerOf(index, () => source.archive(callback, [range]))
  if (answer === undefined) return
  if (answer.archivedBlocks.length > 0) stop(index, 'an archive names another archive')
  else if (answer.blocks.length === 0) stop(index, 'an archive keeps it back')
  else if (answer.blocks[0]?.id !== range.start)
    stop(index, `an archive gives block ${answer.blocks[0]?.id} in its place`)
  else checkNumbers(index, answer.blocks, { first, end })
  takeAll(index, answer.blocks)
}

/** Blocks are those that were asked for, one after the other. */
function checkNumbers(
  index: IndexState,
  blocks: readonly NumberedBlock[],
  { first, end }: Part,
): void {
  const from = blocks[0]?.id ?? 0n
  for (const [place, { id }] of blocks.entries())
    if (id !== from + BigInt(place)) stop(index, `block ${id} stands out of its order`)
    else if (id < BigInt(first) || id >= BigInt(end)) stop(index, `block ${id} was not asked for`)
}

function takeAll(index: IndexState, blocks: readonly NumberedBlock[]): void {
  for (const { block: value } of blocks) {
    if (index.stopped !== undefined) return
    const block = attempt(() => blockOfValue(value))
    if (block instanceof BadEncoding) stop(index, block.message)
    else if (!saysAll(value, block)) stop(index, 'a block with keys that are unknown here')
    else takeBlock(index, block)
  }
}

/** Whether nothing but the name of the kind is lost in reading: what is not known may move tokens. */
const saysAll = (value: Value, block: Block): boolean =>
  equalBytes(hashValue(unnamed(value)), hashValue(unnamed(valueOfBlock(block))))

/** Without what says the kind of a block, which has several forms (§9.1). */
function unnamed(value: Value): Value {
  if (value.type !== 'map') return value
  return {
    type: 'map',
    map: value.map
      .filter(([key]) => key !== 'btype')
      .map(([key, inner]) => [key, key === 'tx' ? withoutName(inner) : inner]),
  }
}

const withoutName = (tx: Value): Value =>
  tx.type === 'map'
    ? { type: 'map', map: tx.map.filter(([key]) => key !== 'op' && key !== 'mthd') }
    : tx
