/** Tables and pairs: aligned for people, tab-separated with `--plain`. Implements cli §3.5. */
import type { Terminal } from './terminal.ts'

export type Column = {
  readonly title: string
  /** In its place where the terminal is too narrow for the table. */
  readonly shortTitle?: string
  /** What it may be made as narrow as, if that is not what most identifiers need. */
  readonly widthMin?: number
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
  const naturalOf = (titles: readonly string[]): readonly number[] =>
    titles.map((title, place) =>
      Math.max(title.length, ...cells.map((row) => lengthOf(row[place] ?? ''))),
    )
  const whole = columns.map(({ title }) => title)
  const isNarrow = width !== undefined && sumOf(naturalOf(whole)) > width
  const titles = isNarrow ? columns.map(({ title, shortTitle }) => shortTitle ?? title) : whole
  const natural = naturalOf(titles)
  const widths = isNarrow ? fitted(natural, columns, { titles, width }) : natural
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
  answer(paint.faint(line(titles)))
  for (const row of cells) answer(line(row))
}

/** Columns and the gaps between them. */
const sumOf = (widths: readonly number[]): number =>
  widths.reduce((sum, size) => sum + size, 0) + GAP.length * (widths.length - 1)

/** Takes from the widest columns first; gives up where all are as narrow as they may be. */
function fitted(
  natural: readonly number[],
  columns: readonly Column[],
  { titles, width }: { readonly titles: readonly string[]; readonly width: number },
): readonly number[] {
  const widths = [...natural]
  const mayShrink = (place: number): boolean => {
    const { whole, align, widthMin = COLUMN_MIN } = columns[place] ?? { title: '' }
    const least = Math.max(widthMin, titles[place]?.length ?? 0)
    return whole !== true && align !== 'right' && (widths[place] ?? 0) > least
  }
  while (sumOf(widths) > width) {
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
  const [start, end] = [letters.slice(0, head), letters.slice(letters.length - (kept - head))]
  // What was shortened before has its own mark already.
  return `${start.join('').replace(/…$/, '')}${ellipsis}${end.join('').replace(/^…/, '')}`
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
