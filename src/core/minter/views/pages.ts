/** Pieces of long lists, so that no answer grows with the state. Source: minter [H 17]. */

/** Rows of one answer. */
export const ROWS_MAX = 100

export type PageArgs = { readonly start: bigint; readonly length: bigint }

/** What is asked, within bounds; a start beyond the end is one behind the last row. */
export function rangeOf(
  { start, length }: PageArgs,
  { total, rowsMax = ROWS_MAX }: { readonly total: number; readonly rowsMax?: number },
): { readonly from: number; readonly to: number } {
  const from = start > BigInt(total) ? total : Number(start)
  const count = length > BigInt(rowsMax) ? rowsMax : Number(length)
  return { from, to: Math.min(total, from + count) }
}

/** Rows `from` to before `to` of what is read one by one. */
export function slice<T>(rows: Iterable<T>, from: number, to: number): readonly T[] {
  const taken: T[] = []
  let position = 0
  for (const row of rows) {
    if (position >= to) break
    if (position++ >= from) taken.push(row)
  }
  return taken
}

/** Rows counted from the newest, of a list whose newest is the last. */
export const newestFirst = <T>(list: readonly T[], from: number, to: number): readonly T[] =>
  list.slice(list.length - to, list.length - from).toReversed()
