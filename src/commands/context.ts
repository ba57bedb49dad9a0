/** What every command gets beside its own options. */
import type { Terminal } from '../terminal/terminal.ts'

export type Context = {
  readonly terminal: Terminal
  /** Aborted by Ctrl-C, with the error that ends the command as its reason. */
  readonly signal: AbortSignal
}
