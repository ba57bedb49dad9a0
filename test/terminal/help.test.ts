/**
 * Goal: help fits the screen and is true (cli §9).
 * Method: every definition and topic is printed; every example and hint is held against the
 * definitions.
 */
import { describe, expect, it } from 'vitest'
import type { CommandDefinition } from '../../src/commands/definitions/command.ts'
import { isGroup } from '../../src/commands/definitions/command.ts'
import { sections } from '../../src/commands/definitions/sections.ts'
import { topicNames } from '../../src/commands/definitions/setup.ts'
import { errorEntries, errorEntry, errorText } from '../../src/commands/help/error-list.ts'
import { filledParagraphs } from '../../src/commands/help/fill.ts'
import { topics } from '../../src/commands/help/topics.ts'
import { answerHelp } from '../../src/commands/help.ts'
import {
  commandHelp,
  globalOptions,
  groupHelp,
  rootHelp,
  tokenOption,
  welcome,
} from '../../src/commands/help-text.ts'
import { errorCatalogue } from '../../src/core/base/errors.ts'
import { recordingTerminal } from '../support/recording-terminal.ts'

const definitions = sections.flatMap(({ commands }) => commands)
const groups = definitions.filter(isGroup)
const commands: readonly (readonly [path: string, command: CommandDefinition])[] =
  definitions.flatMap((one) =>
    isGroup(one)
      ? one.commands.map((inner) => [`${one.name} ${inner.name}`, inner] as const)
      : [[one.name, one] as const],
  )

const widest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length))

describe('help', () => {
  it.each([
    ['the first screen', welcome()],
    ['the list', rootHelp()],
  ])('fits 24 lines of 80 columns: %s', (_, text) => {
    expect(text.split('\n').length).toBeLessThanOrEqual(24)
    expect(widest(text)).toBeLessThanOrEqual(80)
  })

  it.each(commands)('of %s fits 80 columns and shows how it is used', (path, command) => {
    expect(widest(commandHelp(path, command))).toBeLessThanOrEqual(80)
    expect(command.examples.length).toBeGreaterThan(0)
    expect(command.summary).toMatch(/^[^A-Z.].*[^.]$/)
  })

  it.each(groups.map((group) => [group.name, group] as const))('of the group %s', (_, group) => {
    expect(widest(groupHelp(group))).toBeLessThanOrEqual(80)
  })

  it.each(Object.entries(topics))('on %s fits 80 columns', (_, text) => {
    expect(widest(filledParagraphs(text))).toBeLessThanOrEqual(80)
  })
})

/** Long flags that a command takes. */
function flagsOf({ options = [], anyToken }: CommandDefinition): readonly string[] {
  const all = [...options, ...globalOptions, ...(anyToken === true ? [tokenOption] : [])]
  const flags = all.flatMap((one) => one.flags.match(/--[a-z-]+/g) ?? [])
  return [...flags, '--help', '--version']
}

describe('an example', () => {
  it.each(
    commands.flatMap(([path, command]) =>
      command.examples.map(([line]) => [line, path, command] as const),
    ),
  )('%s is a command with options that exist', (line, path, command) => {
    const [own = ''] = line.split(' -- ')
    expect(own).toContain(`ckbtc ${path}`)
    const unknown = (own.match(/--[a-z-]+/g) ?? []).filter(
      (flag) => !flagsOf(command).includes(flag),
    )
    expect(unknown).toEqual([])
    expect(own).not.toMatch(/-n (?:ic|testnet4)/)
  })
})

describe('ckbtc help', () => {
  const help = async (...names: readonly string[]) => {
    const { terminal, written } = await recordingTerminal()
    await answerHelp({ names, byWord: true, pager: true }, terminal, {})
    return written.out
  }

  it.each(topicNames)('explains the topic %s', async (topic) => {
    expect(await help(topic)).not.toBe('')
  })

  it('lists every error, and explains each as the page does', async () => {
    const list = await help('errors')
    for (const code of Object.keys(errorCatalogue)) expect(list).toContain(code)
    for (const entry of errorEntries()) expect(widest(errorText(entry))).toBeLessThanOrEqual(80)
    expect(await help('errors', 'subnet-down')).toBe(`${errorText(errorEntry('SUBNET_DOWN'))}\n`)
  })

  it('names the nearest error, topic and command', async () => {
    await expect(help('errors', 'AMOUNT_NO_UNTI')).rejects.toMatchObject({
      code: 'USAGE_INVALID',
      command: 'ckbtc help errors AMOUNT_NO_UNIT',
    })
    await expect(help('amuonts')).rejects.toMatchObject({ fix: expect.stringContaining('amounts') })
    await expect(help('key', 'genrate')).rejects.toMatchObject({
      code: 'USAGE_UNKNOWN_COMMAND',
      command: 'ckbtc key generate --help',
    })
    await expect(help('json', 'x')).rejects.toMatchObject({ code: 'USAGE_INVALID' })
  })

  it('is one document with --json', async () => {
    const { terminal, written } = await recordingTerminal({ json: true })
    await answerHelp({ names: ['errors', 'BUG'], byWord: true, pager: true }, terminal, {})
    expect(JSON.parse(written.out)).toMatchObject({
      schema: 'ckbtc.help.v1',
      data: { errors: [{ code: 'BUG', exit: 70, retry: 'never' }] },
    })
  })
})

it.each(Object.entries(errorCatalogue))(
  'the page says of %s what scripts are told',
  (code, { exit, retry }) => {
    expect(errorEntry(code)).toMatchObject({ exit, retry })
  },
)
