/** What every command gets beside its own options. */
import type { Directories } from '../core/base/directories.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { Configuration } from '../wallet/config.ts'

/** Options that every command takes. Implements `docs/spec/cli.md` §4. */
export type Globals = {
  /** The first that is set: option, variable, project file, configuration, `local`. */
  readonly network: string | undefined
  /** Of the option alone: a key has further sources (cli §3.13). */
  readonly key: string | undefined
  readonly yes: boolean
  /** False by `--no-input`. */
  readonly input: boolean
  /** `btc` or `sat`, from the same sources as the network. */
  readonly unit: string | undefined
  /** A duration, as typed, from the same sources. */
  readonly timeout: string | undefined
  /** File in place of the user's configuration. */
  readonly config: string | undefined
  readonly passphraseFile: string | undefined
  /** Symbol of the token it is about; the network's own unless it is there. */
  readonly token: string | undefined
}

export type Environment = Readonly<Record<string, string | undefined>>

/** What happens when the system or the user asks a command to end. */
export type StopManner = {
  /** Told at once; nothing when empty. */
  readonly line: string
  /** How long the command may take to clean up. */
  readonly patienceMs: number
  /** It prints its own answer then, in the place of an error. */
  readonly answers?: boolean
}

export type Context = {
  readonly terminal: Terminal
  /** Aborted by Ctrl-C, with the error that ends the command as its reason. */
  readonly signal: AbortSignal
  /** For commands that mean something else by it than that nothing is kept. */
  readonly whenStopped: (manner: Partial<StopManner>) => void
  readonly globals: Globals
  /** Variables of the process. */
  readonly environment: Environment
  readonly directories: Directories
  /** Every setting, and where it is from. */
  readonly configuration: Configuration
  /** Of the program. */
  readonly version: string
}
