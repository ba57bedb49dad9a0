/**
 * Runs every console script of this folder against the built program: commands and their exact
 * output.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { expectedOutput, parseConsole, runCommand } from '../support/console-script.ts'

const folder = new URL('./', import.meta.url)
const scripts = readdirSync(folder).filter((name) => name.endsWith('.console'))

describe.each(scripts)('%s', (name) => {
  const cases = parseConsole(readFileSync(new URL(name, folder), 'utf8'))
  it.each(cases)('$line: $command', async ({ command, out, err, exit }) => {
    const ran = await runCommand(command)
    expect(ran.err).toMatch(expectedOutput(err))
    expect(ran.out).toMatch(expectedOutput(out))
    expect(ran.exit).toBe(exit)
    expect(ran.left).toEqual([])
  })
})

describe('a console script', () => {
  it('is read into commands, streams and status', () => {
    const text = '# remark\n$ one\nout\n\nmore\n! bad\n!\n? 7\n\n$ two\n'
    expect(parseConsole(text)).toEqual([
      { command: 'one', line: 2, out: ['out', '', 'more'], err: ['bad', ''], exit: 7 },
      { command: 'two', line: 10, out: [], err: [], exit: 0 },
    ])
  })

  it('matches exactly but for its wildcards', () => {
    const pattern = expectedOutput(['took {number} s (x)', '{lines}', 'tx {hex}…'])
    expect('took 1.5 s (x)\ntx 0f…\n').toMatch(pattern)
    expect('took 12 s (x)\na\n\nb\ntx 0f…\n').toMatch(pattern)
    for (const wrong of [
      'took x s (x)\ntx 0f…\n',
      'took 1.5 s (x)\ntx 0f…',
      'took 1 s xx\ntx 0f…\n',
    ])
      expect(wrong).not.toMatch(pattern)
  })
})
