/**
 * The blocks of each account, newest first. Implements `docs/spec/ledger.md` §13.
 *
 * Each entry leads to the one before it and, so that a page deep in a long history is found in few
 * steps, to one further back (as in a skew-binary list: twice the logarithm of steps at most).
 */
import type { View } from '../../base/view.ts'
import type { Rows } from './rows.ts'
import { addRow, emptyRows, wordAt } from './rows.ts'

/** Row: block, entry before, entry further back, number of entries before. */
export type Histories = Rows

const [BLOCK, BEFORE, BACK, DEPTH] = [0, 1, 2, 3]

export const emptyHistories = (): Histories => emptyRows(4)

/** Number of the entry that puts a block on top of a history, or begins one. */
export function addEntry(histories: Histories, block: number, newest: number | undefined): number {
  const own = histories.count
  if (newest === undefined) return addRow(histories, [block, own, own, 0])
  return addRow(histories, [
    block,
    newest,
    furtherBack(histories, newest),
    wordAt(histories, newest, DEPTH) + 1,
  ])
}

/** Two leaps of the same length become one. */
function furtherBack(histories: View<Histories>, newest: number): number {
  const back = wordAt(histories, newest, BACK)
  const twice = wordAt(histories, back, BACK)
  const middle = wordAt(histories, back, DEPTH)
  const leap = wordAt(histories, newest, DEPTH) - middle
  return leap === middle - wordAt(histories, twice, DEPTH) ? twice : newest
}

export const blockOf = (histories: View<Histories>, entry: number): number =>
  wordAt(histories, entry, BLOCK)

/** Blocks of the history that ends in `newest`, below `before`, newest first. */
export function blocksBelow(
  histories: View<Histories>,
  newest: number,
  { before, countMax }: { readonly before: bigint; readonly countMax: number },
): readonly number[] {
  const blocks: number[] = []
  let entry = entryBelow(histories, newest, before)
  while (entry !== undefined && blocks.length < countMax) {
    blocks.push(blockOf(histories, entry))
    entry = entryBefore(histories, entry)
  }
  return blocks
}

function entryBelow(
  histories: View<Histories>,
  newest: number,
  before: bigint,
): number | undefined {
  let entry: number | undefined = newest
  while (entry !== undefined && blockOf(histories, entry) >= before) {
    const back = wordAt(histories, entry, BACK)
    const leaps: boolean = back !== entry && blockOf(histories, back) >= before
    entry = leaps ? back : entryBefore(histories, entry)
  }
  return entry
}

const entryBefore = (histories: View<Histories>, entry: number): number | undefined =>
  wordAt(histories, entry, DEPTH) === 0 ? undefined : wordAt(histories, entry, BEFORE)
