/** Long answers go through the pager on a terminal, and nowhere else: `docs/spec/cli.md` §3.5. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import type { PagerFacts } from '../../src/terminal/pager.ts'
import { printPaged } from '../../src/terminal/pager.ts'
import type { Settings } from '../../src/terminal/terminal.ts'
import { recordingTerminal } from '../support/recording-terminal.ts'

const folder = mkdtempSync(join(tmpdir(), 'ckbtc-pager-'))
afterAll(() => rmSync(folder, { recursive: true }))
const lines = ['one', 'two', 'three']
const page = join(folder, 'page')

async function printed(facts: Partial<PagerFacts>, settings: Partial<Settings> = {}) {
  rmSync(page, { force: true })
  const { terminal, written } = await recordingTerminal(settings)
  await printPaged(terminal, lines, { pager: `cat > '${page}'`, wanted: true, rows: 3, ...facts })
  return written.out
}

it('what does not fit the screen goes to the pager', async () => {
  expect(await printed({})).toBe('')
  expect(readFileSync(page, 'utf8')).toBe('one\ntwo\nthree\n')
})

it.each<[string, Partial<PagerFacts>, Partial<Settings>]>([
  ['fits the screen', { rows: 4 }, {}],
  ['does not go to a terminal', { rows: undefined }, {}],
  ['has no pager', { pager: undefined }, {}],
  ['has an empty pager', { pager: ' ' }, {}],
  ['has a pager that cannot be run', { pager: `${folder}/gone` }, {}],
  ['is not to be paged', { wanted: false }, {}],
  ['is for a program', {}, { plain: true }],
])('what %s is printed', async (_, facts, settings) => {
  expect(await printed(facts, settings)).toBe('one\ntwo\nthree\n')
})
