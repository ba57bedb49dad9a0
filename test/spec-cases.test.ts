/**
 * Goal: every numbered case of a specification is provoked by a test that says its number.
 * Method: a title that says `bitcoin §13.9` claims case 9; the claims are collected and held
 * against the numbers of the section.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** Specification, section with its cases, how many there are. */
const sections: readonly (readonly [string, number, number])[] = [
  ['bitcoin', 13, 70],
  ['minter', 23, 115],
  ['ledger', 20, 148],
]

/** The numbers that begin a line between the heading of the section and the next such heading. */
function casesOf(name: string, section: number): readonly number[] {
  const specification = readFileSync(`${folder}../docs/spec/${name}.md`, 'utf8')
  const text = new RegExp(`^## ${section}\\. [\\s\\S]*?^## `, 'm').exec(specification)?.[0] ?? ''
  return [...text.matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number))
}

/** The cases that titles, and first words of rows that titles are made of, claim. */
function claimsOf(text: string, name: string, section: number): readonly number[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')
  const claim = new RegExp(`[[(,]\\s*(['"\`])${name} §${section}\\.(\\d+): (?=[^\\s'"\`])`, 'g')
  return [...code.matchAll(claim)].map(([, , number]) => Number(number))
}

const texts = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(?:test|sim)\.ts$/.test(name) && !name.includes('node_modules'))
  .filter((name) => name !== 'spec-cases.test.ts')
  .map((name) => readFileSync(`${folder}${name}`, 'utf8'))

describe.each(sections)('the cases of %s §%i', (name, section, count) => {
  const cases = casesOf(name, section)
  const claimed = new Set(texts.flatMap((text) => claimsOf(text, name, section)))

  test('count from one without a gap', () => {
    expect(cases).toEqual(Array.from({ length: count }, (_, index) => index + 1))
  })

  test('are claimed by tests, number by number', () => {
    expect(cases.filter((number) => !claimed.has(number))).toEqual([])
  })

  test('are all that tests claim', () => {
    expect([...claimed].filter((number) => !cases.includes(number))).toEqual([])
  })
})

describe('a title', () => {
  test.each<[string, string, readonly number[]]>([
    ['of a test', "test('bitcoin §13.7: x', () => {})", [7]],
    [
      'of a row',
      "test.each([\n  ['bitcoin §13.7: x', 1],\n  ['bitcoin §13.70: y', 2],\n])",
      [7, 70],
    ],
    ['of another section', "test('bitcoin §12.7: x', () => {})", []],
    ['of another text', "test('minter §13.7: x', () => {})", []],
    ['in a comment', "// test('bitcoin §13.7: x'\n/* test('bitcoin §13.8: x' */", []],
    ['of something else', "const a = 'bitcoin §13.7: x'", []],
    ['without a fact', "test('bitcoin §13.7: ', () => {})", []],
  ])('%s claims what it should', (_, code, claims) => {
    expect(claimsOf(code, 'bitcoin', 13)).toEqual(claims)
  })
})
