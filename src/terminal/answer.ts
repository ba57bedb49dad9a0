/** The answer of a command in the form that was asked for. Implements `docs/spec/cli.md` §§3.5, 3.6. */
import type { Answer } from './json.ts'
import { answerDocument } from './json.ts'
import type { PagerFacts } from './pager.ts'
import { printPaged } from './pager.ts'
import type { Terminal } from './terminal.ts'

export type PrintableAnswer = Answer & {
  /** What `--quiet` leaves. */
  readonly essential: string
  /** For people, and for `--plain`. */
  readonly print: (terminal: Terminal) => void
}

/** Warnings go into the document, or to standard error for people. */
export function printAnswer(terminal: Terminal, answer: PrintableAnswer): void {
  const { json, quiet } = terminal.settings
  const { essential, print } = answer
  for (const warning of answer.warnings) terminal.warning(warning)
  if (json) {
    terminal.answer(answerDocument({ ...answer, warnings: terminal.warnings }))
    return
  }
  if (!quiet) print(terminal)
  else if (essential !== '') terminal.answer(essential)
}

/** The same through `$PAGER`, where the answer is longer than the screen. */
export async function printPagedAnswer(
  terminal: Terminal,
  answer: PrintableAnswer,
  pager: Omit<PagerFacts, 'rows'>,
): Promise<void> {
  const lines: string[] = []
  printAnswer({ ...terminal, answer: (line) => void lines.push(line) }, answer)
  await printPaged(terminal, lines, { ...pager, rows: terminal.rows })
}
