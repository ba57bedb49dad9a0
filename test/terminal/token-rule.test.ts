/**
 * Goal: a command either knows every token or says at once that it does not, and what there is instead.
 * Method: cli §4 (`--token`); every command of the tree.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { isGroup } from '../../src/commands/definitions/command.ts'
import { sections } from '../../src/commands/definitions/sections.ts'
import { commandHelp } from '../../src/commands/help-text.ts'
import { requireTokenFits } from '../../src/commands/token-rule.ts'
import { runCommandLine } from '../../src/commands/tree.ts'
import { directoriesOf } from '../../src/core/base/directories.ts'
import { recordingTerminal } from '../support/recording-terminal.ts'

const all = sections
  .flatMap(({ commands }) => commands)
  .flatMap((one) =>
    isGroup(one)
      ? one.commands.map((command) => [`${one.name} ${command.name}`, command] as const)
      : [[one.name, one] as const],
  )
const anyToken = [
  ...[
    'balance',
    'transfer',
    'status',
    'resume',
    'history',
    'export',
    'fees',
    'approve',
    'allowance',
  ],
  ...['principal', 'info'],
]

test('commands that know tokens are those of the specification', () => {
  expect(all.filter(([, one]) => one.anyToken === true).map(([name]) => name)).toEqual(anyToken)
})

describe.each(all)('%s', (name, command) => {
  const knows = anyToken.includes(name)
  const check = (token: string | undefined) => () => requireTokenFits({ token }, command)

  test('takes what the networks call their own', () => {
    for (const token of [undefined, 'ckBTC', 'CKBTC', 'ckTESTBTC'])
      expect(check(token)).not.toThrow()
  })

  test(
    knows ? 'takes others, and its help says so' : 'refuses others, with the next command',
    () => {
      expect(commandHelp(name, command).includes('--token <symbol>')).toBe(knows)
      if (knows) return expect(check('XYZ')).not.toThrow()
      expect(check('XYZ')).toThrow(
        expect.objectContaining({
          code: 'USAGE_INVALID',
          command: expect.stringMatching(/^ckbtc [a-z].* --token XYZ$/),
        }),
      )
    },
  )
})

describe('on the command line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ckbtc-token-'))
  const environment = { CKBTC_HOME: folder }
  afterAll(() => rmSync(folder, { recursive: true }))

  const run = async (line: string) => {
    const { terminal } = await recordingTerminal()
    return runCommandLine(line.split(' '), {
      version: '0.0.0',
      environment,
      directories: directoriesOf({ environment, home: folder, platform: 'linux' }),
      workingFolder: undefined,
      open: async () => ({
        terminal,
        signal: new AbortController().signal,
        whenStopped: () => undefined,
      }),
    })
  }

  test.each([
    [
      'redeem 1btc --to x --token XYZ',
      'USAGE_INVALID',
      'this command knows ckBTC alone, not "XYZ"',
    ],
    [
      '--token XYZ redeem 1btc --to x',
      'USAGE_INVALID',
      'this command knows ckBTC alone, not "XYZ"',
    ],
    ['--token=XYZ key list', 'USAGE_INVALID', 'this command knows ckBTC alone, not "XYZ"'],
    ['--token XYZ balance', 'SUBNET_DOWN', 'no local subnet is running'],
    ['balance --token XYZ', 'SUBNET_DOWN', 'no local subnet is running'],
    ['transfer 1.5 xyz --to dev1 --token XYZ --max-fee 1 XYZ', 'SUBNET_DOWN', 'no local subnet'],
    ['transfer 1.5big --to dev1', 'AMOUNT_NO_UNIT', '"1.5big" has no unit that is known'],
    // There it names a file of a token to be founded.
    ['subnet start --token /none.json', 'CONFIG_INVALID', '/none.json'],
    ['--token /none.json subnet start', 'CONFIG_INVALID', '/none.json'],
  ])('ckbtc %s', async (line, code, message) => {
    await expect(run(line)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    })
  })
})
