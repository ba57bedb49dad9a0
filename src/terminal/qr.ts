/** QR codes in a terminal: dark modules on a light quiet zone, in any colour scheme. cli §5.2. */
import type { Terminal } from './terminal.ts'

/** Prints the code, if it fits into `columns`; says whether it did. */
export async function printQr({ note }: Terminal, text: string, columns: number): Promise<boolean> {
  const { renderUnicodeCompact } = await import('uqr')
  const rows = renderUnicodeCompact(text, { border: 2 }).split('\n')
  if ((rows[0]?.length ?? 0) > columns) return false
  // Black on white, whatever the terminal has.
  for (const row of rows) note(`\u001b[30;107m${row}\u001b[0m`)
  return true
}
