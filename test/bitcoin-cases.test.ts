/**
 * Goal: every case of `docs/spec/bitcoin.md` §13 is provoked by a test that says its number.
 * Method: a title that says `bitcoin §13.9` claims case 9; the claims are collected and held
 * against the numbers of the section.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const folder = fileURLToPath(new URL('.', import.meta.url))
const specification = readFileSync(`${folder}../docs/spec/bitcoin.md`, 'utf8')

/** The numbers that begin a line between the heading of the cases and the next heading. */
const cases: readonly number[] = [
  ...(/^## 13\. [\s\S]*?^## /m.exec(specification)?.[0] ?? '').matchAll(/^(\d+)\. Given /gm),
].map(([, number]) => Number(number))

/** The cases that titles, and first words of rows that titles are made of, claim. */
function claimsOf(text: string): readonly number[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')
  return [...code.matchAll(/[[(,]\s*(['"`])bitcoin §13\.(\d+): (?=[^\s'"`])/g)].map(
    ([, , number]) => Number(number),
  )
}

const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(?:test|sim)\.ts$/.test(name) && !name.includes('node_modules'))
  .filter((name) => name !== 'bitcoin-cases.test.ts')
  .map((name) => ({ name, claims: claimsOf(readFileSync(`${folder}${name}`, 'utf8')) }))
const claimed = new Set(files.flatMap(({ claims }) => claims))

describe('the cases of Bitcoin', () => {
  test('count from one without a gap', () => {
    expect(cases).toEqual(Array.from({ length: 70 }, (_, index) => index + 1))
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
    ['in a comment', "// test('bitcoin §13.7: x'\n/* test('bitcoin §13.8: x' */", []],
    ['of something else', "const a = 'bitcoin §13.7: x'", []],
    ['without a fact', "test('bitcoin §13.7: ', () => {})", []],
  ])('%s claims what it should', (_, code, claims) => {
    expect(claimsOf(code)).toEqual(claims)
  })
})
