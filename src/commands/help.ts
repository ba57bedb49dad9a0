/**
 * Help in every position: `help redeem`, `redeem --help`, `redeem -h`, and topics. Implements
 * `docs/spec/cli.md` §§5.19, 9.
 */
import type { CkbtcError } from '../core/base/errors.ts'
import { Problem, UnknownCommand, UsageInvalid } from '../core/base/errors.ts'
import { nearest } from '../core/base/nearest.ts'
import { answerDocument } from '../terminal/json.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { Environment } from './context.ts'
import { isGroup } from './definitions/command.ts'
import { sections } from './definitions/sections.ts'
import type { TopicName } from './definitions/setup.ts'
import { topicNames } from './definitions/setup.ts'
import { filledParagraphs } from './help/fill.ts'
import { commandHelp, groupHelp, rootHelp } from './help-text.ts'

export type HelpWish = {
  /** Names after `help`, or those of the command line that holds `--help`. */
  readonly names: readonly string[]
  /** It was asked for by the word `help`: topics count, and long texts are paged. */
  readonly byWord: boolean
  readonly pager: boolean
}

type HelpText = { readonly text: string; readonly data?: Readonly<Record<string, unknown>> }

const definitions = sections.flatMap(({ commands }) => commands)

export async function answerHelp(
  wish: HelpWish,
  terminal: Terminal,
  environment: Environment,
): Promise<void> {
  const { text, data = {} } = await helpText(wish)
  const { json, network } = terminal.settings
  if (json) {
    const answer = { schema: 'help', network, data: { text, ...data }, warnings: [] }
    return terminal.answer(answerDocument(answer))
  }
  const { PAGER: pager } = environment
  const { printPaged } = await import('../terminal/pager.ts')
  const wanted = wish.byWord && wish.pager
  const { rows } = terminal
  await printPaged(terminal, text.split('\n'), { pager, wanted, rows })
}

/** Throws `USAGE_UNKNOWN_COMMAND` and `USAGE_INVALID`. */
async function helpText({ names, byWord }: HelpWish): Promise<HelpText> {
  const [first, second] = names
  if (first === undefined) return { text: rootHelp() }
  const found = definitions.find(({ name }) => name === first)
  if (found === undefined) {
    const topic = topicNames.find((name) => name === first)
    if (byWord && topic !== undefined) return topicText(topic, second)
    throw unknown(first)
  }
  if (!isGroup(found)) return { text: commandHelp(found.name, found) }
  const inner = found.commands.find(({ name }) => name === second)
  if (inner !== undefined) return { text: commandHelp(`${found.name} ${inner.name}`, inner) }
  if (second === undefined || !byWord) return { text: groupHelp(found) }
  const close = nearest(
    second,
    found.commands.map(({ name }) => name),
  )
  throw new UnknownCommand(`${first} ${second}`, close && `${first} ${close}`)
}

async function topicText(topic: TopicName, word: string | undefined): Promise<HelpText> {
  if (topic !== 'errors') {
    if (word !== undefined)
      throw new UsageInvalid(`the topic ${topic} has no part "${word}"`, {
        fix: 'leave it out',
        command: `ckbtc help ${topic}`,
      })
    const { topics } = await import('./help/topics.ts')
    return { text: filledParagraphs(topics[topic]) }
  }
  const { errorEntries, errorEntry, errorList, errorText } = await import('./help/error-list.ts')
  if (word === undefined) return { text: errorList(), data: { errors: errorEntries() } }
  const entry = errorEntry(word)
  return { text: errorText(entry), data: { errors: [entry] } }
}

function unknown(name: string): CkbtcError {
  const commands = definitions.map((one) => one.name)
  const close = nearest(name, [...commands, ...topicNames])
  if (close === undefined || commands.includes(close)) return new UnknownCommand(name, close)
  return new Problem('USAGE_UNKNOWN_COMMAND', `there is no command "${name}"`, {
    fix: `the nearest topic is ${close}`,
    command: `ckbtc help ${close}`,
  })
}
