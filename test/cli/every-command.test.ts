/**
 * Goal: every command ends by itself where nobody can be asked, says one thing on each stream, and
 * means the same to people and programs (cli §§3.5–3.9, 12).
 * Method: each is run bare, in an empty home, without a terminal, as text and as JSON.
 */
import { describe, expect, it } from 'vitest'
import type { CommandDefinition } from '../../src/commands/definitions/command.ts'
import { isGroup } from '../../src/commands/definitions/command.ts'
import { sections } from '../../src/commands/definitions/sections.ts'
import { errorCatalogue } from '../../src/core/base/errors.ts'
import { runCommand } from '../support/console-script.ts'

/** They start a subnet; tests of their own run them. */
const long: readonly string[] = ['demo', 'subnet start']

const commands: readonly (readonly [string, CommandDefinition])[] = sections
  .flatMap((section) => section.commands)
  .flatMap((one) =>
    isGroup(one)
      ? one.commands.map((inner) => [`${one.name} ${inner.name}`, inner] as const)
      : [[one.name, one] as const],
  )

const ESCAPE = String.fromCharCode(27)

/** Words for the arguments that must be there, none of which exists. */
const argumentsOf = ({ args = [] }: CommandDefinition): string =>
  args
    .filter(({ name }) => name.startsWith('<'))
    .map(() => 'nothing')
    .join(' ')

describe.each(commands.filter(([path]) => !long.includes(path)))('ckbtc %s', (path, command) => {
  it('means the same as text and as a document', async () => {
    const line = `ckbtc ${path} ${argumentsOf(command)}`
    const [text, json] = [await runCommand(line), await runCommand(`${line} --json`)]
    expect(text.out + text.err + json.out + json.err).not.toContain(ESCAPE)
    expect(text.exit).toBe(json.exit)
    const documents = json.out.split('\n').filter((row) => row !== '')
    if (path === 'subnet logs') return // One document a line.
    expect(documents.length).toBe(1)
    const document = JSON.parse(documents[0] ?? '')
    expect(document).toMatchObject({ ok: json.exit === 0, warnings: expect.any(Array) })
    expect(document.schema).toMatch(/^ckbtc\.[a-z-]+\.v1$/)
    if (json.exit === 0) return
    const { code, exit, hint } = document.error
    expect(errorCatalogue).toHaveProperty(code)
    expect(exit).toBe(json.exit)
    expect(exit).not.toBe(70)
    expect(hint).not.toBe('')
    expect(text.out).toBe('')
    expect(text.err.split('\n').find((row) => row.startsWith('ckbtc: error: '))).toMatch(
      new RegExp(` \\(${code}\\)$`),
    )
  })
})
