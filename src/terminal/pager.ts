/** Long answers through `$PAGER`, on a terminal only. Implements `docs/spec/cli.md` §3.5. */
import type { Terminal } from './terminal.ts'

export type PagerFacts = {
  /** `PAGER` of the environment; without it nothing is paged. */
  readonly pager: string | undefined
  /** False by `--no-pager`. */
  readonly wanted: boolean
  /** Rows of the terminal; undefined where standard output is none. */
  readonly rows: number | undefined
}

/** Prints the lines, through the pager if they do not fit the screen. */
export async function printPaged(
  terminal: Terminal,
  lines: readonly string[],
  { pager, wanted, rows }: PagerFacts,
): Promise<void> {
  const { json, plain, quiet } = terminal.settings
  const pages = wanted && !json && !plain && !quiet && lines.length >= (rows ?? Infinity)
  if (pager !== undefined && pager.trim() !== '' && pages)
    if (await pageThrough(pager, `${lines.join('\n')}\n`)) return
  for (const line of lines) terminal.answer(line)
}

/** Whether the pager could be run; `PAGER` is a line for the shell. */
async function pageThrough(pager: string, text: string): Promise<boolean> {
  const { spawn } = await import('node:child_process')
  const shell = process.platform === 'win32' ? true : '/bin/sh'
  return new Promise((resolve) => {
    const child = spawn(pager, { shell, stdio: ['pipe', 'inherit', 'inherit'] })
    child.stdin.on('error', () => {}) // Whoever has read enough closes the pipe.
    child.stdin.end(text)
    child.on('error', () => resolve(false))
    // The shell says 126 and 127 for what it cannot run.
    child.on('close', (status) => resolve(status !== 126 && status !== 127))
  })
}
