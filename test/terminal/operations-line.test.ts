/** Whoever leaves operations open is told so at the end of every command: cli §3.10. */
import { expect, it } from 'vitest'
import type { Context } from '../../src/commands/context.ts'
import { tellOpenOperations } from '../../src/commands/operations-line.ts'
import { KeyDesk } from '../support/key-commands.ts'
import { recordingTerminal } from '../support/recording-terminal.ts'

async function told(count: number, settings = {}): Promise<string> {
  const { terminal, written } = await recordingTerminal(settings)
  const context: Context = { ...(await new KeyDesk().context({})), terminal }
  await tellOpenOperations(context, () => count)
  return written.out + written.err
}

it.each([
  [0, ''],
  [1, '1 operation is open: ckbtc status\n'],
  [3, '3 operations are open: ckbtc status\n'],
])('%i of them', async (count, line) => {
  expect(await told(count)).toBe(line)
})

it('programs are not told', async () => {
  expect(await told(2, { json: true })).toBe('')
  expect(await told(2, { quiet: true })).toBe('')
})
