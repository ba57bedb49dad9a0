/**
 * The command tree: parses the command line and runs what it names. A command's own code is loaded
 * when it is called. Implements `docs/spec/cli.md` §§4, 9.
 */
import { Argument, Command, CommanderError, Option } from 'commander'
import type { Directories } from '../core/base/directories.ts'
import { UnknownCommand, UnknownOption, UsageInvalid } from '../core/base/errors.ts'
import { nearest } from '../core/base/nearest.ts'
import type { Settings } from '../terminal/terminal.ts'
import type { Context, Environment, Globals } from './context.ts'
import type { CommandDefinition, GroupDefinition, OptionDefinition } from './definitions/command.ts'
import { isGroup, Options } from './definitions/command.ts'
import { sections } from './definitions/sections.ts'
import { commandHelp, globalOptions, groupHelp, rootHelp, welcome } from './help-text.ts'

export type Program = {
  readonly version: string
  readonly environment: Environment
  readonly directories: Directories
  /** Makes terminal and signal once the global options are known. */
  readonly open: (
    settings: Settings,
  ) => Promise<Pick<Context, 'terminal' | 'signal' | 'whenStopped'>>
}

const HELP_WORDS: readonly string[] = ['help', '-h', '--help']

/** Parses `words`, the command line after `ckbtc`, and runs what it names. */
export async function runCommandLine(words: readonly string[], program: Program): Promise<void> {
  const end = words.indexOf('--')
  const own = end < 0 ? words : words.slice(0, end)
  const rest = end < 0 ? [] : words.slice(end + 1)
  // A parse that stops early has not seen every word, and `--json` decides the form of its error.
  const open = (): ReturnType<Program['open']> => program.open(settingsOf(root, own))
  const root: Command = commandTree(program, rest, open)
  const help = helpFor(own)
  if (help !== undefined) return (await open()).terminal.answer(help)
  try {
    await root.parseAsync([...own], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    const { terminal } = await open()
    if (error.code === 'commander.version') return terminal.answer(program.version)
    if (error.code !== 'commander.help' || terminal.settings.json) throw usageError(error, own)
    terminal.answer(welcome)
  }
}

/** Flags of every command that are followed by a value. */
const valueFlags = globalOptions
  .filter(({ flags }) => flags.includes('<'))
  .flatMap(({ flags }) => flags.replace(/ <.*/, '').split(', '))

/** The words that may name a command: neither flags nor the values of common ones. */
const namesIn = (words: readonly string[]): readonly string[] =>
  words.filter(
    (word, place) =>
      !word.startsWith('-') && word !== 'help' && !valueFlags.includes(words[place - 1] ?? ''),
  )

const definitions = sections.flatMap(({ commands }) => commands)

/** Help in every position: `help redeem`, `redeem --help`, `redeem -h`. Topics are a command. */
function helpFor(words: readonly string[]): string | undefined {
  if (!words.some((word) => HELP_WORDS.includes(word))) return undefined
  const asksByWord = words[0] === 'help'
  const [first, second] = namesIn(asksByWord ? words.slice(1) : words)
  if (first === undefined) return rootHelp()
  const found = definitions.find(({ name }) => name === first)
  if (found === undefined) return asksByWord && isTopic(first) ? undefined : unknown(first)
  if (!isGroup(found)) return commandHelp(found.name, found)
  const inner = found.commands.find(({ name }) => name === second)
  return inner === undefined ? groupHelp(found) : commandHelp(`${found.name} ${inner.name}`, inner)
}

function unknown(name: string): never {
  throw new UnknownCommand(
    name,
    nearest(
      name,
      definitions.map((one) => one.name),
    ),
  )
}

/** `ckbtc help <topic>` is answered by the command of that name, if there is one. */
const isTopic = (name: string): boolean =>
  definitions.some((one) => one.name === 'help') && /^[a-z-]+$/.test(name)

function commandTree(
  program: Program,
  rest: readonly string[],
  open: () => ReturnType<Program['open']>,
): Command {
  const root = new Command('ckbtc')
    .version(program.version, '-V, --version')
    .helpOption(false)
    .helpCommand(false)
  silence(root)
  for (const option of globalOptions) root.addOption(optionOf(option))
  const act = (command: CommandDefinition) => async (values: unknown, args: readonly string[]) => {
    const context = await contextOf(root, program, open)
    const run = await command.run()
    const options = new Options(Object(values))
    await run({ args, options, program: rest }, context)
  }
  for (const definition of definitions)
    if (isGroup(definition)) root.addCommand(groupOf(definition, act))
    else root.addCommand(commandOf(definition, act))
  return root
}

type Act = (
  command: CommandDefinition,
) => (values: unknown, args: readonly string[]) => Promise<void>

function groupOf({ name, commands }: GroupDefinition, act: Act): Command {
  const group = silence(new Command(name).helpOption(false).helpCommand(false))
  for (const command of commands) group.addCommand(commandOf(command, act))
  return group
}

function commandOf(definition: CommandDefinition, act: Act): Command {
  const command = silence(new Command(definition.name).helpOption(false))
  for (const { name, description } of definition.args ?? [])
    command.addArgument(new Argument(name, description))
  for (const option of definition.options ?? []) command.addOption(optionOf(option))
  const run = act(definition)
  return command.action(() => run(command.opts(), command.args))
}

/** Errors are ours to print. */
const silence = (command: Command): Command =>
  command.configureOutput({ writeOut: () => {}, writeErr: () => {} }).exitOverride()

function optionOf({ flags, description, choices, repeats = false }: OptionDefinition): Option {
  const option = new Option(flags, description)
  if (choices !== undefined) option.choices([...choices])
  if (flags.includes('--verbose'))
    option.argParser((_: string, count: number | undefined) => (count ?? 0) + 1)
  if (repeats)
    option.argParser((value: string, before: readonly string[] | undefined) => [
      ...(before ?? []),
      value,
    ])
  return option
}

async function contextOf(
  root: Command,
  { environment, directories, version }: Program,
  open: () => ReturnType<Program['open']>,
): Promise<Context> {
  const options = new Options(root.opts())
  const globals: Globals = {
    network: options.text('network'),
    key: options.text('key'),
    yes: options.isOn('yes'),
    input: options.isOn('input'),
    unit: options.text('unit'),
    timeout: options.text('timeout'),
    config: options.text('config'),
    passphraseFile: options.text('passphraseFile'),
  }
  return { ...(await open()), globals, environment, directories, version }
}

function settingsOf(root: Command, words: readonly string[]): Settings {
  const values: Readonly<Record<string, unknown>> = root.opts()
  const { color, verbose } = values
  return {
    json: words.includes('--json'),
    plain: words.includes('--plain'),
    quiet: words.includes('--quiet') || words.includes('-q'),
    verbose: typeof verbose === 'number' ? verbose : 0,
    color: color === 'always' || color === 'never' ? color : color === false ? 'never' : 'auto',
  }
}

/** `generate` in the group `key` is the command `key generate`. */
const inGroup = (group: { readonly name: string } | undefined, name: string): string =>
  group === undefined ? name : `${group.name} ${name}`

/** A refusal of the parser as one of our errors. The parser's text is pinned by console tests. */
function usageError({ code, message }: CommanderError, words: readonly string[]): Error {
  const [first, second] = namesIn(words)
  const found = definitions.find(({ name }) => name === first)
  const inner =
    found !== undefined && isGroup(found)
      ? found.commands.find(({ name }) => name === second)
      : undefined
  const command = ['ckbtc', found?.name, inner?.name].filter((word) => word !== undefined).join(' ')
  const [line = ''] = message.replace(/^error: /, '').split('\n')
  const closest = /\(Did you mean (?:one of )?([^,?]+)/.exec(message)?.[1]
  const quoted = /'([^']*)'/.exec(line)?.[1] ?? ''
  if (code === 'commander.unknownCommand')
    return new UnknownCommand(inGroup(found, quoted), closest && inGroup(found, closest))
  if (code === 'commander.unknownOption')
    return new UnknownOption(quoted, { command, nearest: closest })
  return new UsageInvalid(code === 'commander.help' ? 'no command was given' : line, {
    fix: 'commands and options are listed by',
    command: `${command} --help`,
  })
}
