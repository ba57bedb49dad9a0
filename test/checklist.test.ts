/**
 * Goal: every line of the checklist in `docs/spec/ic-interface.md` §26 is provoked by a test that says
 * its number.
 * Method: a file whose opening comment names §26 of the IC interface labels its tests `9: …` or
 * `9, 10: …`; the labels are collected and held against the numbers of the section.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const folder = fileURLToPath(new URL('.', import.meta.url))
const specification = readFileSync(`${folder}../docs/spec/ic-interface.md`, 'utf8')

/** The numbers that begin a line between the heading of the checklist and the next heading. */
function numbersOf(text: string): readonly number[] {
  const section = /^## 26\. Checklist$([\s\S]*?)^## /m.exec(text)?.[1] ?? ''
  return [...section.matchAll(/^(\d+)\. \S/gm)].map(([, number]) => Number(number))
}

/** Whether the comment that a test file begins with says that it goes through the checklist. */
function isAbout(text: string): boolean {
  const opening = /^\/\*\*[\s\S]*?\*\//.exec(text)?.[0] ?? ''
  return /\bIC interface §§?[^;:]{0,40}\b26\b/.test(opening.replace(/\s+\*?\s*/g, ' '))
}

/** The numbers in the labels: titles, and the first words of rows that titles are made of. */
function labelsOf(text: string): readonly number[] {
  if (!isAbout(text)) return []
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')
  return [...code.matchAll(/[[(,]\s*['"`]((?:\d+, )*\d+): (?=[^\s'"`])/g)].flatMap(
    ([, numbers = '']) => numbers.split(', ').map(Number),
  )
}

const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts') && !name.includes('node_modules'))
  .map((name) => ({ name, text: readFileSync(`${folder}${name}`, 'utf8') }))
const wanted = numbersOf(specification)
const said = new Set(files.flatMap(({ text }) => labelsOf(text)))

describe('the checklist of the IC interface', () => {
  test('counts from one without a gap', () => {
    expect(wanted.length).toBeGreaterThan(100)
    expect(wanted).toEqual(wanted.map((_, place) => place + 1))
  })

  test('is said by tests, number by number', () => {
    expect(wanted.filter((number) => !said.has(number))).toEqual([])
  })

  test('has every number that a test says', () => {
    expect([...said].filter((number) => !wanted.includes(number))).toEqual([])
  })

  test('is gone through by tests that run', () => {
    const idle = files.filter(
      ({ text }) => labelsOf(text).length > 0 && /\.(?:skip|todo|only)\(/.test(text),
    )
    expect(idle.map(({ name }) => name)).toEqual([])
  })
})

describe('a label', () => {
  const about = '/** Method: IC interface §7 and §26, items 1 to 9. */\n'
  test.each<[string, string, readonly number[]]>([
    ['of a test', "test('7: x', () => {})", [7]],
    ['of a row', "test.each([\n  ['7: x', 1],\n  ['8: y', 2],\n])", [7, 8]],
    ['of several lines', "test('7, 8: x', () => {})", [7, 8]],
    ['in a comment', "// test('7: x'\n/* test('8: x' */\nconst a = 1 // ('9: x'", []],
    ['of something else', "const a = '7: x'", []],
    ['without a fact', "test('7: ', () => {})", []],
  ])('%s counts as it should', (_, code, numbers) => {
    expect(labelsOf(about + code)).toEqual(numbers)
    expect(labelsOf(`/** Method: bitcoin specification §26. */\n${code}`)).toEqual([])
  })
})
