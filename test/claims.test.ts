/**
 * Goal: every property of `docs/spec/threshold-signatures.md` §22 and every case of its table of
 * refusals, §21, is said by a test in its name.
 * Method: `support/claims.ts` names the claims in the words of the specification, which leaves no
 * word of the two sections out. A test names a claim by beginning with it: `§22.3 move: …`,
 * `§21 support: twice`; the names are collected and held against the claims.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { properties, rows } from './support/claims.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))
/** Without marks of emphasis and code, every run of white space one space. */
const plain = (text: string): string => text.replace(/[`*]/g, '').replace(/\s+/g, ' ')
const specification = readFileSync(`${folder}../docs/spec/threshold-signatures.md`, 'utf8')

const textUnder = (heading: string): string =>
  specification.split(`\n${heading} `)[1]?.split(/\n##/)[0]?.replace(/^.*\n/, '') ?? ''

/** The first cells of the table of refusals. */
const cells: readonly string[] = textUnder('## 21.')
  .split('\n')
  .flatMap((line) => /^\| (.+?) \|/.exec(line)?.[1] ?? [])
  .slice(2)
  .map(plain)

/** What is left between the quotations, each searched behind the one before. */
function between(text: string, quotations: readonly string[]): readonly string[] {
  const gaps: string[] = []
  let from = 0
  for (const quotation of quotations) {
    const at = text.indexOf(quotation, from)
    if (at < 0) return [`does not say: ${quotation}`]
    gaps.push(text.slice(from, at))
    from = at + quotation.length
  }
  return [...gaps, text.slice(from)]
}

/** Gaps with more in them than punctuation and words that join. */
const unsaid = (gaps: readonly string[]): readonly string[] =>
  gaps.filter((gap) => !/^[\s.,;:]*(?:(?:and|or)[\s.,;:]*)?$/.test(gap))

const propertyLabels = properties.map(({ section, name }) => `§${section} ${name}`)
const rowLabels = rows.flatMap(({ name, cases }) => cases.map((text) => `§21 ${name}: ${text}`))
const labels = [...propertyLabels, ...rowLabels]

/** The claim that a title begins with; the title itself when it is none. */
function claimOf(title: string): string {
  if (!title.startsWith('§21 ')) return /^[^:]*/.exec(title)?.[0] ?? title
  const [longest] = rowLabels
    .filter((label) => title === label || title.startsWith(`${label},`))
    .toSorted((a, b) => b.length - a.length)
  return longest ?? title
}

/** Titles of tests, and first words of rows that titles are made of, that begin with a claim. */
function titlesIn(text: string): readonly string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')
  return [...code.matchAll(/[[(,]\s*(['"`])(§2[12][ .](?:(?!\1).)+)\1/g)].map(
    ([, , title = '']) => title,
  )
}

const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(?:test|sim)\.ts$/.test(name) && !name.includes('node_modules'))
  .filter((name) => name !== 'claims.test.ts')
  .map((name) => ({ name, text: readFileSync(`${folder}${name}`, 'utf8') }))
const said = new Set(files.flatMap(({ text }) => titlesIn(text).map(claimOf)))

describe('the claims', () => {
  test.each([...new Set(properties.map(({ section }) => section))])(
    'of §%s are all that the section says',
    (section) => {
      const text = plain(textUnder(`### ${section}`)).replace(/(^| )- /g, ' ')
      const words = properties.flatMap((one) => (one.section === section ? one.words : []))
      const ordered = words.toSorted((a, b) => text.indexOf(a) - text.indexOf(b))
      expect(unsaid(between(text, ordered))).toEqual([])
    },
  )

  test('are about all sections of §22', () => {
    const sections = [...specification.matchAll(/^### (22\.\d+) /gm)].map(([, section]) => section)
    expect([...new Set(properties.map(({ section }) => section))]).toEqual(sections)
  })

  test.each(rows.map((row, place) => [row.name, row, cells[place] ?? ''] as const))(
    'of the row "%s" are all that it says',
    (_, { subject, cases }, cell) => {
      expect(unsaid(between(cell, subject === '' ? cases : [subject, ...cases]))).toEqual([])
    },
  )

  test('are about all rows of §21', () => {
    expect(cells).toHaveLength(rows.length)
  })

  test('have names of their own', () => {
    expect(new Set(labels).size).toBe(labels.length)
  })
})

describe('every claim', () => {
  test(`is said by a test: all ${labels.length}`, () => {
    expect(labels.filter((label) => !said.has(label))).toEqual([])
  })

  test('that a test says is one', () => {
    expect([...said].filter((label) => !labels.includes(label))).toEqual([])
  })

  test('is said by tests that run', () => {
    const idle = files.filter(
      ({ text }) => titlesIn(text).length > 0 && /\.(?:skip|todo|only)\(/.test(text),
    )
    expect(idle.map(({ name }) => name)).toEqual([])
  })
})

describe('a title', () => {
  test.each<[string, string, readonly string[]]>([
    ['of a test', "test('§22.3 move: keeps X', () => {})", ['§22.3 move']],
    ['of a row', "test.each([\n  ['§21 support: twice', 1],\n])", ['§21 support: twice']],
    ['with a remark', "test('§21 support: twice, by two', f)", ['§21 support: twice']],
    [
      'of a row about shares',
      'a(\n"§21 proof: over another dealer\'s share"',
      ["§21 proof: over another dealer's share"],
    ],
    [
      'that says more than a claim',
      "test('§21 support: twice or so', f)",
      ['§21 support: twice or so'],
    ],
    ['in a comment', "// test('§22.3 move: x'\n/* test('§22.3 move: x' */", []],
    ['of something else', "const a = '§22.3 move: x'", []],
  ])('%s names what it should', (_, code, claims) => {
    expect(titlesIn(code).map(claimOf)).toEqual(claims)
  })
})
