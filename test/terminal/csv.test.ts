/**
 * Goal: what others wrote stays one cell, and is text for a spreadsheet.
 * Method: RFC 4180 §2, cli §5.7.
 */
import { expect, test } from 'vitest'
import { csvRow } from '../../src/terminal/csv.ts'

test('a row ends as the RFC says', () => {
  expect(csvRow(['a', '', 'ü'])).toBe('a,,ü\r\n')
})

test.each([
  ['a,b', '"a,b"'],
  ['say "no"', '"say ""no"""'],
  ['two\nlines', '"two\nlines"'],
  ['two\rlines', '"two\rlines"'],
])('%j is one cell', (text, cell) => {
  expect(csvRow([text])).toBe(`${cell}\r\n`)
})

test.each(['=1+1', '+1', '-1', '@SUM(1)', ' =1', '\u00a0=1', '＝1', '＋1', '－1', '＠a'])(
  '%j is no formula',
  (text) => {
    expect(csvRow([text])).toBe(`'${text}\r\n`)
  },
)

test.each(['\t=1', '\n=1', '\r=1', '=A1,B1', '\tx'])('%j is no formula in quotes', (text) => {
  expect(csvRow([text])).toMatch(/^"?'/)
})

test.each(['1-1', 'a=b', '0.5', 'x@y', ''])('%j stays as it is', (text) => {
  expect(csvRow([text])).toBe(`${text}\r\n`)
})
