/**
 * Goal: the mutants can be tried, and the list that people read is the list that is tried.
 * Method: each mutant is put into the text of its file, but not run; `npm run test:mutants` does that.
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { mutants } from './mutants/all.ts'
import { mutated } from './mutants/mutant.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8')
const all = Object.values(mutants).flat()

/** What the checker of the log must catch: the list of threshold §22.4, in its order. */
const mustBeCaught = [
  '2f + 1 for the echo quorum, at n = 5',
  '2f + 1 for n − f, at n = 6',
  '2f for n − f, at n = 4',
  'a value enters bin at f + 1',
  'no repeating of bval',
  'no repeating of bval in past rounds',
  'deciding on f term',
  'stopping on f + 1 term',
  'no conf',
  'input 0 before n − f ones',
  'votes are not recorded',
  'estimates are not recorded',
  'initial is not recorded',
  'no resend',
  'forgetting a slot at its delivery',
  'abstaining after a restart',
  'echoing without the bodies',
]

test('§22.4 checker: each change that it must catch is a mutant, noticed by a simulation', () => {
  const caught = all
    .filter(({ tests }) => tests.some((file) => file.startsWith('sim/')))
    .map(({ name }) => name)
  expect(mustBeCaught.filter((name) => !caught.includes(name))).toEqual([])
})

describe('every mutant', () => {
  test.each(all)('changes one place: $name', ({ file, ...change }) => {
    const text = read(`src/core/${file}`)
    const changed = mutated(text, change)
    expect(changed, `"${change.from}" stands once in ${file}`).toBeDefined()
    expect(changed).not.toBe(text)
  })

  test.each(all)('names tests that there are: $name', ({ tests }) => {
    expect(tests.length).toBeGreaterThan(0)
    expect(tests.filter((each) => !existsSync(`${root}test/${each.split('#')[0]}`))).toEqual([])
  })

  test('has a name of its own', () => {
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length)
  })

  test('stands in test/sim/mutants.md, and none that is not tried does', () => {
    const rows = [...read('test/sim/mutants.md').matchAll(/^\| `([^`]+)` \| (.+?) \| (.+?) \|$/gm)]
    const listed = rows.map(([, file, name, tests]) => `${file} ${name} ${tests}`)
    const due = all.map(
      ({ file, name, tests }) => `${file} ${name} ${tests.map((test) => `\`${test}\``).join(' ')}`,
    )
    expect(listed).toEqual(due)
  })
})
