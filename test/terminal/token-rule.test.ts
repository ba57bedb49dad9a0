/**
 * Goal: a command either knows every token or says at once that it does not, and what there is instead.
 * Method: cli §4 (`--token`); every command of the tree.
 */
import { describe, expect, test } from 'vitest'
import { isGroup } from '../../src/commands/definitions/command.ts'
import { sections } from '../../src/commands/definitions/sections.ts'
import { commandHelp } from '../../src/commands/help-text.ts'
import { requireTokenFits } from '../../src/commands/token-rule.ts'

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
