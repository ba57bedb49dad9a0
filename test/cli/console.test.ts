/**
 * Runs every console script of this folder against the built program: commands and their exact
 * output.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  expectedOutput,
  homeOf,
  parseConsole,
  runCommand,
  SharedHome,
} from '../support/console-script.ts'

const folder = new URL('./', import.meta.url)
const scripts = readdirSync(folder).filter((name) => name.endsWith('.console'))

describe.each(scripts)('%s', (name) => {
  const text = readFileSync(new URL(name, folder), 'utf8')
  const cases = parseConsole(text)
  const { shared, before } = homeOf(text)
  const home = shared ? new SharedHome() : undefined
  beforeAll(async () => {
    if (before === undefined) return
    const { exit, err } = await runCommand(before, home)
    expect({ exit, err: exit === 0 ? '' : err }).toEqual({ exit: 0, err: '' })
  })
  afterAll(() => home?.remove())

  it.each(cases)('$line: $command', async ({ command, out, err, exit }) => {
    const ran = await runCommand(command, home)
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

  it('may share a home, and have a subnet in it', () => {
    expect(homeOf('# remark\n$ one\n')).toEqual({ shared: false, before: undefined })
    expect(homeOf('# home: shared\n')).toEqual({ shared: true, before: undefined })
    expect(homeOf('# needs: subnet start --nodes 1\n')).toEqual({
      shared: true,
      before: 'ckbtc subnet start --nodes 1',
    })
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
