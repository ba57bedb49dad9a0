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
