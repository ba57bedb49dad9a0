/** The words of help. Implements `docs/spec/cli.md` §9: examples first, then options. */
import type { CommandDefinition, GroupDefinition, OptionDefinition } from './definitions/command.ts'
import { isGroup } from './definitions/command.ts'
import { sections } from './definitions/sections.ts'
import type { Row } from './help/fill.ts'
import { filled, filledParagraphs, LINE_WIDTH, twoColumns } from './help/fill.ts'

/** What stands under every command. */
export const globalOptions: readonly OptionDefinition[] = [
  { flags: '-n, --network <name>', description: 'local (default), testnet4, ic, or one added' },
  { flags: '-k, --key <name>', description: 'key that signs; the default key otherwise' },
  { flags: '--json', description: 'print one JSON document, also for errors' },
  { flags: '--plain', description: 'tables as tab-separated rows' },
  { flags: '-q, --quiet', description: 'print the essential value only' },
  { flags: '-v, --verbose', description: 'print identifiers in full; twice: every call' },
  { flags: '-y, --yes', description: 'answer the question for consent' },
  { flags: '--no-input', description: 'never ask' },
  { flags: '--unit <unit>', description: 'of amounts in tables', choices: ['btc', 'sat'] },
  { flags: '--timeout <d>', description: 'end a wait after 30s, 10m, 2h; the work goes on' },
  {
    flags: '--progress <form>',
    description: 'signs of life; json: lines on stderr',
    choices: ['auto', 'json'],
  },
  { flags: '--color <when>', description: 'colours', choices: ['auto', 'always', 'never'] },
  { flags: '--no-color', description: 'the same as --color never' },
  { flags: '--config <file>', description: 'in place of the configuration file' },
  { flags: '--passphrase-file <file>', description: 'holds the passphrase of the key; - is stdin' },
  { flags: '--debug', description: 'write a full trace to a file, without secrets' },
]

/** Of the commands that know further tokens. */
export const tokenOption: OptionDefinition = {
  flags: '--token <symbol>',
  description: 'a further token of the local subnet (default: ckBTC)',
}

/** What `ckbtc` alone says. */
export const welcome = (): string =>
  `ckbtc: bitcoin in, ckBTC out, bitcoin back.

  ckbtc demo                       the whole story in one go
  ckbtc subnet start               a ckBTC on this machine
  ckbtc deposit --faucet 0.5btc    test bitcoin becomes ckBTC
  ckbtc redeem 0.2btc --to <addr>  and bitcoin again

${filled(groupWords().split(' '), LINE_WIDTH).join('\n')}
More: ckbtc --help, ckbtc help <command>, ckbtc help <topic>`

const groupWords = (): string => {
  const titles = sections.filter(({ commands }) => commands.length > 0).map(({ title }) => title)
  return `Commands for: ${titles.slice(1).join(', ').toLowerCase()}.`
}

/** The grouped list; short enough for 24 lines. */
export function rootHelp(): string {
  const width = Math.max(...sections.map(({ title }) => title.length))
  const lines = sections
    .filter(({ commands }) => commands.length > 0)
    .flatMap(({ title, commands }) => {
      const names = commands.filter((one) => isGroup(one) || one.hidden !== true)
      const rows = filled(
        names.map(({ name }) => name),
        LINE_WIDTH - width - 4,
      )
      return rows.map((row, index) => `  ${(index === 0 ? title : '').padEnd(width)}  ${row}`)
    })
  return [
    'Usage: ckbtc <command> [options]',
    '',
    'Bitcoin in, ckBTC out, bitcoin back: the whole chain-key system on your',
    'machine, and the wallet for it.',
    '',
    ...lines,
    '',
    'Help of a command and its options: ckbtc <command> --help',
    'Topics (ckbtc help <topic>): amounts accounts waiting json exit-codes errors',
    '  environment networks keys trust scripting',
    'Options of every command: -n -k --json --plain -q -v -y --no-input --unit -h -V',
    '  --timeout --progress --color --no-color --config --passphrase-file --debug',
  ].join('\n')
}

export const groupHelp = ({ name, description, commands }: GroupDefinition): string =>
  [
    `Usage: ckbtc ${name} <command> [options]`,
    '',
    filledParagraphs(description),
    '',
    'Commands:',
    ...twoColumns(
      commands
        .filter(({ hidden }) => hidden !== true)
        .map(({ name: own, summary }) => [own, summary]),
    ),
    '',
    `Help of one: ckbtc ${name} <command> --help`,
  ].join('\n')

/** `ckbtc key use <name> [options]`. */
export function usageOf(path: string, { args = [], takesProgram }: CommandDefinition): string {
  const words = ['ckbtc', path, ...args.map(({ name }) => name), '[options]']
  return words.join(' ') + (takesProgram === true ? ' -- <command>...' : '')
}

/** `path`: the words that name it, `subnet start`. */
export function commandHelp(path: string, command: CommandDefinition): string {
  const { args = [], exits = [], seeAlso, description, examples } = command
  const options = [...(command.options ?? []), ...(command.anyToken === true ? [tokenOption] : [])]
  return [
    `Usage: ${usageOf(path, command)}`,
    '',
    filledParagraphs(description),
    '',
    'Examples:',
    ...twoColumns(examples),
    ...(args.length === 0 ? [] : ['', 'Arguments:', ...twoColumns(args.map(argumentRow))]),
    ...(options.length === 0 ? [] : ['', 'Options:', ...twoColumns(options.map(optionRow))]),
    '',
    'Options of every command:',
    ...twoColumns(globalOptions.map(optionRow)),
    ...(exits.length === 0
      ? []
      : [
          '',
          'Exit status:',
          ...twoColumns(
            exits.toSorted(([a], [b]) => a - b).map(([status, meaning]) => [`${status}`, meaning]),
          ),
        ]),
    ...(seeAlso === undefined ? [] : ['', `See also: ${seeAlso}`]),
  ].join('\n')
}

const argumentRow = ({ name, description }: { name: string; description: string }): Row => [
  name,
  description,
]

const optionRow = ({ flags, description, choices }: OptionDefinition): Row => [
  flags,
  choices === undefined ? description : `${description}: ${choices.join(', ')}`,
]
