/** Tables and pairs: aligned for people, tab-separated with `--plain`. Implements cli §3.5. */
import type { Terminal } from './terminal.ts'

export type Column = {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** Never shortened, however narrow the terminal is. What is aligned to the right never is. */
  readonly whole?: boolean
}

/** Columns are not made narrower than this to fit: identifiers are longer, words and times not. */
const COLUMN_MIN = 20
const GAP = '  '

/**
 * One header line, then the rows. On a terminal long cells lose their middle until the rows fit;
 * elsewhere nothing is cut.
 */
export function printTable(
  { answer, settings, paint, width, ellipsis }: Terminal,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): void {
  const cells = rows.map((row) => columns.map((_, place) => oneLine(row[place] ?? '')))
  if (settings.plain) {
    answer(columns.map(({ title }) => title.toLowerCase()).join('\t'))
    for (const row of cells) answer(row.join('\t'))
    return
  }
  const natural = columns.map(({ title }, place) =>
    Math.max(title.length, ...cells.map((row) => lengthOf(row[place] ?? ''))),
  )
  const widths = width === undefined ? natural : fitted(natural, columns, width)
  const line = (row: readonly string[]): string =>
    columns
      .map(({ align }, place) => {
        const size = widths[place] ?? 0
        const cell = shortened(row[place] ?? '', size, ellipsis)
        const space = ' '.repeat(size - Math.min(size, lengthOf(cell)))
        return align === 'right' ? space + cell : cell + space
      })
      .join(GAP)
      .trimEnd()
  answer(paint.faint(line(columns.map(({ title }) => title))))
  for (const row of cells) answer(line(row))
}

/** Takes from the widest columns first; gives up where all are as narrow as they may be. */
function fitted(
  natural: readonly number[],
  columns: readonly Column[],
  width: number,
): readonly number[] {
  const widths = [...natural]
  const mayShrink = (place: number): boolean =>
    columns[place]?.whole !== true &&
    columns[place]?.align !== 'right' &&
    (widths[place] ?? 0) > Math.max(COLUMN_MIN, columns[place]?.title.length ?? 0)
  const total = (): number =>
    widths.reduce((sum, size) => sum + size, 0) + GAP.length * (widths.length - 1)
  while (total() > width) {
    const places = widths.map((_, place) => place).filter(mayShrink)
    const [widest] = places.sort((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0))
    if (widest === undefined) break
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  return widths
}

/** Both ends of a text that is longer than `size`. */
export function shortened(text: string, size: number, ellipsis: string): string {
  const letters = [...text]
  if (letters.length <= size) return text
  const kept = Math.max(0, size - ellipsis.length)
  const head = Math.ceil(kept / 2)
  return (
    letters.slice(0, head).join('') +
    ellipsis +
    letters.slice(letters.length - (kept - head)).join('')
  )
}

const lengthOf = (text: string): number => [...text].length

/** Names and values, one a line. */
export function printPairs(
  { answer, settings }: Terminal,
  pairs: readonly (readonly [name: string, value: string])[],
): void {
  const width = Math.max(...pairs.map(([name]) => name.length))
  for (const [name, value] of pairs)
    answer(
      settings.plain
        ? `${name.toLowerCase()}\t${oneLine(value)}`
        : `${name.padEnd(width)}  ${oneLine(value)}`,
    )
}

/** What others have written must not break a row or move the cursor. */
export const oneLine = (text: string): string =>
  [...text].map((letter) => (isControl(letter) ? ' ' : letter)).join('')

/** C0 and C1 controls, separators of lines, and what turns the direction of text. */
const isControl = (letter: string): boolean => {
  const code = letter.codePointAt(0) ?? 0
  return (
    code < 0x20 ||
    (code >= 0x7f && code < 0xa0) ||
    code === 0x2028 ||
    code === 0x2029 ||
    (code >= 0x202a && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x2069)
  )
}
