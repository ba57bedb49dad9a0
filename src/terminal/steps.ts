/**
 * The rows of a story told in steps: number, mark, label, text, time. Layout of `docs/spec/cli.md`
 * §5.1.
 */
import { LABEL_WIDTH } from './progress.ts'
import type { Terminal } from './terminal.ts'

export type StepRow = {
  readonly number: number
  readonly ok: boolean
  readonly label: string
  readonly text: string
  /** Shown at the right edge when given. */
  readonly ms: number | undefined
  /** Further lines under the text. */
  readonly below: readonly string[]
}

/** Column where the text begins, and the width that text and time share. */
const TEXT_COLUMN = 5 + LABEL_WIDTH
const ROW_WIDTH = 60

export function printStep({ answer, paint }: Terminal, row: StepRow): void {
  const mark = row.ok ? paint.good('✓') : paint.bad('✗')
  const time = row.ms === undefined ? '' : formatSeconds(row.ms)
  const text = time === '' ? row.text : row.text.padEnd(ROW_WIDTH - time.length - 2).concat('  ')
  const number = String(row.number).padStart(2)
  answer(`${number} ${mark} ${row.label.padEnd(LABEL_WIDTH)}${text}${paint.faint(time)}`)
  for (const line of row.below) answer(' '.repeat(TEXT_COLUMN) + line)
}

/** `3.1 s`: one decimal, rounded. */
export const formatSeconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

/** The two ends of a long identifier, `03b1…e42c`; a short one stays whole. */
export function shorten(identifier: string, shown = 4): string {
  if (identifier.length <= 2 * shown + 1) return identifier
  return `${identifier.slice(0, shown)}…${identifier.slice(-shown)}`
}
