/**
 * The command tree: names, options and help. A command's own code is loaded when it is called.
 * Implements `docs/spec/cli.md` §§4, 9.
 */
import { Command, CommanderError, Option } from 'commander'
import { UnknownCommand, UnknownOption, UsageInvalid } from '../core/base/errors.ts'
import type { Settings } from '../terminal/terminal.ts'
import type { Context } from './context.ts'
import type { DemoFlags } from './demo.ts'

type Program = {
  readonly version: string
  /** Makes terminal and signal once the global options are known. */
  readonly open: (settings: Settings) => Promise<Context>
}

const welcome = `ckbtc: bitcoin in, ckBTC out, bitcoin back, on this machine.

  ckbtc demo              the whole story on a subnet that disappears afterwards
  ckbtc demo --chaos      the same, and a node stops half way
  ckbtc demo --json       the same as one JSON document

More: ckbtc --help, ckbtc help demo`

/** Parses `words`, the command line after `ckbtc`, and runs what it names. */
export async function runCommandLine(words: readonly string[], program: Program): Promise<void> {
  const root = commandTree(program)
  // A parse that stops early has not seen every word, and `--json` decides the form of its error.
  const settings = (): Settings => readSettings(root.opts<GlobalOptions>(), words)
  try {
    await root.parseAsync(withoutHelp(root, words), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return
    const { terminal } = await program.open(settings())
    if (error.code !== 'commander.help' || terminal.settings.json) throw usageError(error, words)
    terminal.answer(welcome)
  }
}

const helpWords: readonly string[] = ['help', '-h', '--help']

/**
 * The parser answers an unknown command with help when help is asked for; so then it is not told.
 */
function withoutHelp(root: Command, words: readonly string[]): readonly string[] {
  const named = words[0] === 'help' ? words[1] : words[0]
  const known = ['help', ...root.commands.map((command) => command.name())]
  if (named === undefined || named.startsWith('-') || known.includes(named)) return words
  return words.filter((word) => !helpWords.includes(word))
}

function commandTree({ version, open }: Program): Command {
  const root = new Command('ckbtc')
    .summary('bitcoin in, ckBTC out, bitcoin back')
    .description('Bitcoin in, ckBTC out, bitcoin back: the whole chain-key system on your machine.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'help of a command')
    .option('--json', 'print one JSON document, also for errors')
    .option('-q, --quiet', 'print the essential value only')
    .option('-v, --verbose', 'print identifiers in full', (_, count: number) => count + 1, 0)
    .addOption(
      new Option('--color <when>', 'colours').choices(['auto', 'always', 'never']).default('auto'),
    )
    .option('--no-color', 'the same as --color never')
    .option('--no-input', 'never ask')
    .configureOutput({ writeErr: () => {}, outputError: () => {} })
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
  root
    .command('demo')
    .summary('the whole story on a subnet that disappears afterwards')
    .description(demoDescription)
    .option('--nodes <n>', 'nodes of the subnet, 1 to 40 (default: 4)')
    .option('--chaos', 'one node stops before the redemption; needs 4 nodes')
    .addHelpText('after', demoNotes)
    .action(async (flags: DemoFlags) => {
      const context = await open(readSettings(root.opts<GlobalOptions>(), []))
      const { demo } = await import('./demo.ts')
      await demo(flags, context)
    })
  return root
}

const demoDescription = `Starts a subnet in this process, deposits test bitcoin, mints ckBTC, transfers
some, redeems some, and proves the reserves. Needs no key and no network, keeps
nothing.

Examples:
  ckbtc demo                  four nodes, one of them may fail
  ckbtc demo --nodes 7        seven nodes, two may fail
  ckbtc demo --chaos          a node stops before the redemption
  ckbtc demo --json           one document on standard output`

const demoNotes = `
Exit status:
  0  the story ended and the reserves are backed      8  a check failed
  2  a bad option                                    11  this machine cannot run it

See also: docs/glossary.md, docs/errors.md`

type GlobalOptions = {
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose?: number
  /** False by `--no-color`. */
  readonly color?: 'auto' | 'always' | 'never' | false
}

function readSettings(options: GlobalOptions, words: readonly string[]): Settings {
  const { json = false, quiet = false, verbose = 0, color = 'auto' } = options
  return {
    json: json || words.includes('--json'),
    quiet,
    verbose,
    color: color === false ? 'never' : color,
  }
}

/** A refusal of the parser as one of our errors. The parser's text is pinned by console tests. */
function usageError({ code, message }: CommanderError, words: readonly string[]): Error {
  const command = words[0] === 'demo' ? 'ckbtc demo' : 'ckbtc'
  const [line = ''] = message.replace(/^error: /, '').split('\n')
  const nearest = /\(Did you mean (?:one of )?([^,?]+)/.exec(message)?.[1]
  const quoted = /'([^']*)'/.exec(line)?.[1] ?? ''
  if (code === 'commander.unknownCommand') return new UnknownCommand(quoted, nearest)
  if (code === 'commander.unknownOption') return new UnknownOption(quoted, { command, nearest })
  return new UsageInvalid(code === 'commander.help' ? 'no command was given' : line, {
    fix: 'commands and options are listed by',
    command: `${command} --help`,
  })
}
