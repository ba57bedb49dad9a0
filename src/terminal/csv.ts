/** Rows of comma-separated values that open in a spreadsheet. Implements RFC 4180, cli §5.7. */

/** One record with its end. */
export const csvRow = (cells: readonly string[]): string => `${cells.map(cellOf).join(',')}\r\n`

/**
 * What a spreadsheet would take for a formula is text for it behind an apostrophe. Blanks and controls
 * before the sign do not hide it, and some programs take the wide forms of East Asian letters.
 */
const FORMULA = /^[\s\0]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n\0]/

function cellOf(text: string): string {
  const cell = FORMULA.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}
