/**
 * Goal: what the README and the page on threshold signatures show is what happens.
 * Method: the commands of each run in its order, in one home that is empty at first; every line that
 * it shows is printed, but for ids and times; the programs it shows lie where they run.
 */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand, SharedHome } from '../support/console-script.ts'
import { lasting, shownCommands, shownFiles } from '../support/readme.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const documents = [
  ['the README', readme],
  ['the page on threshold signatures', readFileSync(join(root, 'docs/threshold.md'), 'utf8')],
] as const

describe.each(documents)('%s', (_, document) => {
  const home = new SharedHome()
  const place = join(home.path, 'place')

  beforeAll(() => {
    mkdirSync(place)
    symlinkSync(join(root, 'node_modules'), join(place, 'node_modules'))
    for (const { name, text } of shownFiles(document)) writeFileSync(join(place, name), text)
  })
  afterAll(() => home.remove())

  it.each(shownCommands(document))('$line: $command', async ({ command, output }) => {
    const { out, err, exit } = await runCommand(`cd ${place} && ${command}`, home)
    expect({ exit, err: exit === 0 ? '' : err }).toEqual({ exit: 0, err: '' })
    const printed = new Set(`${out}${err}`.split('\n').map(lasting))
    expect(output.map(lasting).filter((line) => !printed.has(line))).toEqual([])
  })
})

describe('the README', () => {
  it('names no command that does not exist', async () => {
    const named = [...readme.matchAll(/`ckbtc ([a-z-]+)/g)].map(([, name = '']) => name)
    for (const name of new Set(named)) {
      const { exit } = await runCommand(`ckbtc ${name} --help`)
      expect([name, exit]).toEqual([name, 0])
    }
  })
})

describe('a document', () => {
  it('is read into commands, what they print, and files', () => {
    const text = [
      '```console\n$ one\na\n  …\nb\n\n$ two\n```\nprose\n$ no\n```js\n// f.mjs\nx()\n```\n',
    ].join('\n')
    expect(shownCommands(text)).toEqual([
      { command: 'one', line: 2, output: ['a', 'b'] },
      { command: 'two', line: 7, output: [] },
    ])
    expect(shownFiles(text)).toEqual([{ name: 'f.mjs', text: 'x()\n' }])
  })

  it('is compared without ids and times, and with amounts', () => {
    expect(lasting('✓ Sent 0.1 ckBTC  op_0123456789  1.8 s')).toBe(
      '✓ Sent 0.1 ckBTC  <operation>  <seconds>',
    )
    expect(lasting('tx 4cce75f8…0ca9be4d at bcrt1qw508d')).toBe('tx <transaction> at <address>')
  })
})
