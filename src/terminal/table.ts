/** Tables and pairs: aligned for people, tab-separated with `--plain`. Implements cli §3.5. */
import type { Terminal } from './terminal.ts'

export type Column = { readonly title: string; readonly align?: 'left' | 'right' }

/** One header line, then the rows. */
export function printTable(
  { answer, settings, paint }: Terminal,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): void {
  if (settings.plain) {
    answer(columns.map(({ title }) => title.toLowerCase()).join('\t'))
    for (const row of rows) answer(row.map(oneLine).join('\t'))
    return
  }
  const widths = columns.map(({ title }, place) =>
    Math.max(title.length, ...rows.map((row) => row[place]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ align }, place) => {
        const cell = cells[place] ?? ''
        const width = widths[place] ?? 0
        return align === 'right' ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  answer(paint.faint(line(columns.map(({ title }) => title))))
  for (const row of rows) answer(line(row.map(oneLine)))
}

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
        : `${name.padEnd(width)}  ${value}`,
    )
}

/** What others have written must not break a row or move the cursor. */
export const oneLine = (text: string): string =>
  [...text].map((letter) => (isControl(letter) ? ' ' : letter)).join('')

const isControl = (letter: string): boolean => {
  const code = letter.codePointAt(0) ?? 0
  return code < 0x20 || (code >= 0x7f && code < 0xa0)
}
