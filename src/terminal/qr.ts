/** QR codes in a terminal: dark modules on a light quiet zone, in any colour scheme. cli §5.2. */
import type { Terminal } from './terminal.ts'

/** Light modules around the code, on each side. */
const QUIET_ZONE = 2

/**
 * Prints the code on standard error where escape sequences are allowed and it fits; says whether it
 * did. `columns` overrides the width of the terminal.
 */
export async function printQr(
  { note, spins, errorWidth }: Terminal,
  text: string,
  columns: number | undefined = spins ? errorWidth : undefined,
): Promise<boolean> {
  if (columns === undefined) return false
  const rows = await qrRows(text)
  if ((rows[0]?.length ?? 0) > columns) return false
  // White on black, whatever the terminal has: the blocks are the light modules.
  for (const row of rows) note(`\u001b[97;40m${row}\u001b[0m`)
  return true
}

/** Two rows of modules a line; a block stands for a light module. */
export async function qrRows(text: string): Promise<readonly string[]> {
  const { renderUnicodeCompact } = await import('uqr')
  return renderUnicodeCompact(text, { border: QUIET_ZONE }).split('\n')
}
