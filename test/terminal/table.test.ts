/** Goal: tables align for people and split for programs. Method: cli §3.5. */
import { expect, test } from 'vitest'
import { canAsk, consent } from '../../src/terminal/prompt.ts'
import { printPairs, printTable } from '../../src/terminal/table.ts'
import { recordingTerminal } from '../support/recording-terminal.ts'

const columns = [{ title: 'NAME' }, { title: 'SUM', align: 'right' }] as const

test('a table is aligned under its header', async () => {
  const { terminal, written } = await recordingTerminal({})
  printTable(terminal, columns, [
    ['dev0', '5'],
    ['a longer one', '12345'],
  ])
  expect(written.out).toBe('NAME            SUM\ndev0              5\na longer one  12345\n')
})

test('with --plain it is rows of tabs, and nothing in a cell can break one', async () => {
  const { terminal, written } = await recordingTerminal({ plain: true })
  printTable(terminal, columns, [['a\tb\nc\u001b[31m', '5']])
  printPairs(terminal, [['Fee', '10 sat']])
  expect(written.out).toBe('name\tsum\na b c [31m\t5\nfee\t10 sat\n')
})

test('consent needs somebody to ask, or --yes', async () => {
  const facts = { environment: {}, input: true }
  expect(canAsk({ ...facts, input: false })).toBe(false)
  await consent('Send it?', { facts, yes: true })
  await expect(
    consent('Send it?', { facts: { environment: { CI: '1' }, input: true }, yes: false }),
  ).rejects.toMatchObject({ code: 'CONSENT_REQUIRED' })
  const answer = async () => false
  await expect(consent('Send it?', { facts, yes: false, answer })).rejects.toMatchObject({
    code: 'CONSENT_DECLINED',
  })
})
