/**
 * The command tree: parses the command line and runs what it names. A command's own code is loaded
 * when it is called. Implements `docs/spec/cli.md` §§4, 9.
 */
import { Argument, Command, CommanderError, Option } from 'commander'
import type { Directories } from '../core/base/directories.ts'
import { CkbtcError, UnknownCommand, UnknownOption, UsageInvalid } from '../core/base/errors.ts'
import type { ColorWish, Settings } from '../terminal/terminal.ts'
import type { Configuration } from '../wallet/config.ts'
import type { Context, Environment, Globals } from './context.ts'
import type { CommandDefinition, GroupDefinition, OptionDefinition } from './definitions/command.ts'
import { isGroup, Options } from './definitions/command.ts'
import { sections } from './definitions/sections.ts'
import type { HelpWish } from './help.ts'
import { globalOptions, groupHelp, tokenOption, usageOf, welcome } from './help-text.ts'
import { requireTokenFits } from './token-rule.ts'

export type Program = {
  readonly version: string
  readonly environment: Environment
  readonly directories: Directories
  /** Where the search for a project's settings begins. */
  readonly workingFolder: string | undefined
  /** Makes terminal and signal once the global options are known. */
  readonly open: (
    settings: Settings,
  ) => Promise<Pick<Context, 'terminal' | 'signal' | 'whenStopped'>>
}

/** Terminal and signal by the global options; by the configuration, too, once it has been read. */
type Open = (configuration?: Configuration) => ReturnType<Program['open']>

const HELP_FLAGS: readonly string[] = ['-h', '--help']

/** Parses `words`, the command line after `ckbtc`, and runs what it names. */
export async function runCommandLine(words: readonly string[], program: Program): Promise<void> {
  const end = words.indexOf('--')
  const own = tokenBehind(joinUnits(end < 0 ? words : words.slice(0, end)))
  const rest = end < 0 ? [] : words.slice(end + 1)
  // A parse that stops early has not seen every word, and `--json` decides the form of its error.
  const open: Open = (configuration) => program.open(settingsOf(root, own, configuration))
  const root: Command = commandTree(program, rest, open)
  const help = helpWish(own)
  if (help !== undefined) {
    const { answerHelp } = await import('./help.ts')
    return answerHelp(help, (await open()).terminal, program.environment)
  }
  try {
    await root.parseAsync([...own], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    const { terminal } = await open()
    if (error.code === 'commander.version') return terminal.answer(program.version)
    if (error.code !== 'commander.help' || terminal.settings.json) throw usageError(error, own)
    const group = definitions.find(({ name }) => name === namesIn(own)[0])
    terminal.answer(group !== undefined && isGroup(group) ? groupHelp(group) : welcome())
  }
}

/** An amount may have its unit in the next word: `0.001 ckbtc` (cli §3.1). */
function joinUnits(words: readonly string[]): readonly string[] {
  const symbol = symbolIn(words)
  const isUnit = (word = ''): boolean =>
    /^(?:sats?|(?:ck)?btc)$/i.test(word) || word.toLowerCase() === symbol
  const isNumber = (word = ''): boolean => /^\d[\d_.]*$/.test(word)
  return words.flatMap((word, place) => {
    if (isUnit(word) && isNumber(words[place - 1])) return []
    return isNumber(word) && isUnit(words[place + 1]) ? [`${word}${words[place + 1]}`] : [word]
  })
}

const isTokenFlag = (word: string): boolean => /^--token(?:=|$)/.test(word)

/** Files of tokens to be founded, not the symbol of one: `subnet start` means them by it. */
const hasOwnToken = ({ options = [] }: CommandDefinition): boolean =>
  options.some(({ flags }) => flags.startsWith('--token '))

/** What `--token` names, in small letters. */
function symbolIn(words: readonly string[]): string | undefined {
  const place = words.findIndex(isTokenFlag)
  const word = words[place]
  return (word === '--token' ? words[place + 1] : word?.slice('--token='.length))?.toLowerCase()
}

/** Before the command it means the same as behind it, where the command knows what that is. */
function tokenBehind(words: readonly string[]): readonly string[] {
  const [command] = namesIn(words)
  const place = words.findIndex(isTokenFlag)
  if (place < 0 || command === undefined || place > words.indexOf(command)) return words
  const size = words[place] === '--token' ? 2 : 1
  const token = words.slice(place, place + size)
  return [...words.slice(0, place), ...words.slice(place + size), ...token]
}

/** Flags of every command that are followed by a value. */
const valueFlags = [...globalOptions, tokenOption]
  .filter(({ flags }) => flags.includes('<'))
  .flatMap(({ flags }) => flags.replace(/ <.*/, '').split(', '))

/** The words that may name a command: neither flags nor the values of common ones. */
const namesIn = (words: readonly string[]): readonly string[] =>
  words.filter(
    (word, place) => !word.startsWith('-') && !valueFlags.includes(words[place - 1] ?? ''),
  )

const definitions = sections.flatMap(({ commands }) => commands)

/** What help was asked for, by a flag anywhere or by the first word. */
function helpWish(words: readonly string[]): HelpWish | undefined {
  const names = namesIn(words)
  const byWord = names[0] === 'help'
  if (!byWord && !words.some((word) => HELP_FLAGS.includes(word))) return undefined
  const ownHelp =
    words.length > 1 && names.length === 1 && words.some((word) => HELP_FLAGS.includes(word))
  return {
    names: byWord && !ownHelp ? names.slice(1) : names,
    byWord,
    pager: !words.includes('--no-pager'),
  }
}

function commandTree(program: Program, rest: readonly string[], open: Open): Command {
  const root = new Command('ckbtc')
    .version(program.version, '-V, --version')
    .helpOption(false)
    .helpCommand(false)
  silence(root)
  for (const option of globalOptions) root.addOption(optionOf(option))
  const act = (command: CommandDefinition) => async (values: unknown, args: readonly string[]) => {
    const configuration = await configurationOf(root, program, { command, open })
    const options = new Options(Object(values))
    const opened = { configuration, ...(await open(configuration)) }
    const token = hasOwnToken(command) ? undefined : options.text('token')
    const context = contextOf(root, program, opened, token)
    requireTokenFits(context.globals, command)
    const run = await command.run()
    await run({ args, options, program: rest }, context)
    if (command.showsOperations === true) return
    const { tellOpenOperations } = await import('./operations-line.ts')
    await tellOpenOperations(context)
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
  if (!hasOwnToken(definition)) command.addOption(optionOf(tokenOption))
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

/** What stands in the files, the environment and the options; the defaults if that is enough. */
async function configurationOf(
  root: Command,
  { environment, directories, workingFolder }: Program,
  { command, open }: { readonly command: CommandDefinition; readonly open: Open },
): Promise<Configuration> {
  const { configPath, loadConfiguration } = await import('../wallet/config.ts')
  const options = new Options(root.opts())
  const named = options.text('config')
  const path = named ?? configPath(directories)
  const facts = {
    path,
    isNamed: named !== undefined,
    workingFolder,
    environment,
    options: {
      network: options.text('network'),
      unit: options.text('unit'),
      timeout: options.text('timeout'),
    },
  }
  try {
    return loadConfiguration(facts)
  } catch (error) {
    await open() // An error is shown the way the options say.
    const isBroken = error instanceof CkbtcError && error.code === 'CONFIG_INVALID'
    if (isBroken && command.needsNoConfiguration === true)
      return loadConfiguration({ ...facts, withoutFiles: true })
    throw error
  }
}

function contextOf(
  root: Command,
  { environment, directories, version }: Program,
  opened: Pick<Context, 'terminal' | 'signal' | 'whenStopped' | 'configuration'>,
  token: string | undefined,
): Context {
  const options = new Options(root.opts())
  const { configuration } = opened
  const globals: Globals = {
    network: configuration.get('network'),
    key: options.text('key'),
    yes: options.isOn('yes'),
    input: options.isOn('input'),
    unit: configuration.get('unit'),
    timeout: configuration.get('timeout'),
    config: options.text('config'),
    passphraseFile: options.text('passphraseFile'),
    token,
  }
  return { ...opened, globals, environment, directories, version }
}

function settingsOf(
  root: Command,
  words: readonly string[],
  configuration: Configuration | undefined,
): Settings {
  const values: Readonly<Record<string, unknown>> = root.opts()
  const { color, verbose, network, progress } = values
  const given = typeof network === 'string' ? network : undefined
  return {
    json: words.includes('--json'),
    plain: words.includes('--plain'),
    quiet: words.includes('--quiet') || words.includes('-q'),
    verbose: typeof verbose === 'number' ? verbose : 0,
    color: color === false ? 'never' : colorWish(color),
    colorPreference: colorWish(configuration?.written('color')),
    progress: progress === 'json' ? 'json' : 'auto',
    network: configuration?.get('network') ?? given ?? 'local',
  }
}

const colorWish = (value: unknown): ColorWish =>
  value === 'always' || value === 'never' ? value : 'auto'

/** `mine` alone was meant for `bitcoin mine`. */
function innerNamed(name: string): string | undefined {
  const group = definitions.find(
    (one) => isGroup(one) && one.commands.some((inner) => inner.name === name),
  )
  return group && `${group.name} ${name}`
}

/** A refusal of the parser as one of our errors. The parser's text is pinned by console tests. */
function usageError({ code, message }: CommanderError, words: readonly string[]): Error {
  const [first, second] = namesIn(words)
  const found = definitions.find(({ name }) => name === first)
  const inner =
    found !== undefined && isGroup(found)
      ? found.commands.find(({ name }) => name === second)
      : undefined
  const path = [found?.name, inner?.name].filter((word) => word !== undefined).join(' ')
  const command = path === '' ? 'ckbtc' : `ckbtc ${path}`
  const [line = ''] = message.replace(/^error: /, '').split('\n')
  const closest = /\(Did you mean (?:one of )?([^,?]+)/.exec(message)?.[1]
  const quoted = /'([^']*)'/.exec(line)?.[1] ?? ''
  if (code === 'commander.unknownCommand')
    return found === undefined
      ? new UnknownCommand(quoted, innerNamed(quoted) ?? closest)
      : new UnknownCommand(`${found.name} ${quoted}`, closest && `${found.name} ${closest}`)
  if (code === 'commander.unknownOption')
    return new UnknownOption(quoted, { command, nearest: closest })
  const called = found !== undefined && isGroup(found) ? inner : found
  return new UsageInvalid(code === 'commander.help' ? 'no command was given' : line, {
    fix:
      called === undefined
        ? 'commands and options are listed by'
        : `usage: ${usageOf(path, called)}; the options are listed by`,
    command: `${command} --help`,
  })
}
