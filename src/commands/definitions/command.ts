/**
 * A command as data: names, options, help, and where its code is. Implements `docs/spec/cli.md` §9.
 *
 * A command is added by one definition in the file of its group, and one file that exports the
 * function which runs it. Definitions import nothing heavy; `run` loads the rest when it is called.
 */
import type { Context } from '../context.ts'

export type OptionDefinition = {
  /** `--amount <a>`, `-k, --key <name>`, `--no-wait`. */
  readonly flags: string
  /** With the default and the unit. */
  readonly description: string
  readonly choices?: readonly string[]
  /** May be given several times. */
  readonly repeats?: boolean
}

export type CommandDefinition = {
  readonly name: string
  /** `<amount>`, `[account]`, `[words...]`; in order. */
  readonly args?: readonly { readonly name: string; readonly description: string }[]
  readonly summary: string
  /** One paragraph, lines of at most 79 columns. */
  readonly description: string
  /** Two to four, on the local network, so that trying them is harmless. */
  readonly examples: readonly (readonly [command: string, meaning: string])[]
  readonly options?: readonly OptionDefinition[]
  /** Those beyond 0, 1, 2, 70 and 130 that matter. */
  readonly exits?: readonly (readonly [status: number, meaning: string])[]
  readonly seeAlso?: string
  /** Everything after `--` belongs to another program. */
  readonly takesProgram?: boolean
  /** Runs with the defaults where the configuration cannot be read. */
  readonly needsNoConfiguration?: boolean
  readonly hidden?: boolean
  /** Takes `--token`. */
  readonly anyToken?: boolean
  /** Of one that does not: what a user of another token may have wanted, without `--token`. */
  readonly insteadForToken?: string
  /** Tells of open operations itself; others end with a line about them. */
  readonly showsOperations?: boolean
  readonly run: () => Promise<Run>
}

export type GroupDefinition = {
  readonly name: string
  readonly summary: string
  readonly description: string
  readonly commands: readonly CommandDefinition[]
}

export type Section = {
  readonly title: string
  readonly commands: readonly (CommandDefinition | GroupDefinition)[]
}

/** What stood on the command line. */
export type Invocation = {
  /** Positional words, as typed; of a list, all the rest. */
  readonly args: readonly string[]
  readonly options: Options
  /** After `--`, for commands that take a program. */
  readonly program: readonly string[]
}

export type Run = (invocation: Invocation, context: Context) => Promise<void>

/** Options of one command by their long name in camel case: `--no-wait` is `wait`. */
export class Options {
  readonly #values: Readonly<Record<string, unknown>>

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values
  }

  text(name: string): string | undefined {
    const value = this.#values[name]
    return typeof value === 'string' ? value : undefined
  }

  /** Whether a switch is on. A `--no-…` is on unless it was given. */
  isOn(name: string): boolean {
    return this.#values[name] === true
  }

  list(name: string): readonly string[] {
    const value = this.#values[name]
    return Array.isArray(value) ? value.map(String) : []
  }
}

export const isGroup = (
  definition: CommandDefinition | GroupDefinition,
): definition is GroupDefinition => 'commands' in definition
