/**
 * A growing table of 32-bit words, as plain data that a snapshot copies in one piece. Of the index
 * (`docs/spec/ledger.md` §13).
 *
 * Rows lie in chunks, so that a table of millions grows without copying what it holds.
 */
import { assert } from '../../base/errors.ts'
import type { View } from '../../base/view.ts'

export type Rows = { readonly width: number; count: number; readonly chunks: Uint32Array[] }

const CHUNK_BITS = 12
const CHUNK_ROWS = 1 << CHUNK_BITS
/** A table begins small: most ledgers of tests have a handful of accounts. */
const FIRST_ROWS = 16
/** Half of the numbers of 32 bits, so that a reference to a row has room for a mark. */
const ROWS_MAX = 2 ** 31

export const emptyRows = (width: number): Rows => ({ width, count: 0, chunks: [] })

export const hasRoom = ({ count }: View<Rows>, more: number): boolean => count + more <= ROWS_MAX

/** Number of the new row. The words that are not given are zero. */
export function addRow(rows: Rows, words: ArrayLike<number>): number {
  const row = rows.count
  assert(row < ROWS_MAX, 'a table of the index has room')
  const place = row & (CHUNK_ROWS - 1)
  const last = row >>> CHUNK_BITS
  const chunk = rows.chunks[last]
  if (chunk === undefined || place * rows.width >= chunk.length)
    rows.chunks[last] = grown(chunk, last === 0 ? FIRST_ROWS : CHUNK_ROWS, rows.width)
  rows.count += 1
  rows.chunks[last]?.set(words, place * rows.width)
  return row
}

function grown(chunk: Uint32Array | undefined, rowsMin: number, width: number): Uint32Array {
  if (chunk === undefined) return new Uint32Array(rowsMin * width)
  const larger = new Uint32Array(2 * chunk.length)
  larger.set(chunk)
  return larger
}

export function wordAt(rows: View<Rows>, row: number, word: number): number {
  return rows.chunks[row >>> CHUNK_BITS]?.[(row & (CHUNK_ROWS - 1)) * rows.width + word] ?? 0
}

export function setWord(rows: Rows, row: number, { word, value }: Written): void {
  const chunk = rows.chunks[row >>> CHUNK_BITS]
  if (chunk !== undefined) chunk[(row & (CHUNK_ROWS - 1)) * rows.width + word] = value
}
type Written = { readonly word: number; readonly value: number }
