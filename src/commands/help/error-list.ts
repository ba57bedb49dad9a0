/**
 * `ckbtc help errors [code]`: the rows of `docs/errors.md`, which ships with the program. Implements
 * `docs/spec/cli.md` §6.
 */
import { readFileSync } from 'node:fs'
import { errorCatalogue, Problem } from '../../core/base/errors.ts'
import { nearest } from '../../core/base/nearest.ts'
import { filled } from './fill.ts'

export type ErrorEntry = {
  readonly code: string
  readonly exit: number
  readonly retry: string
  readonly when: string
  readonly whatToDo: string
}

const page = new URL('../../../docs/errors.md', import.meta.url)

/** Sorted by exit status, as they stand on the page. */
export function errorEntries(): readonly ErrorEntry[] {
  const rows = readFileSync(page, 'utf8').matchAll(
    /^\| `([A-Z_]+)` \| (\d+)[^|]* \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm,
  )
  return [...rows].map(([, code = '', exit, retry = '', when = '', whatToDo = '']) => ({
    code,
    exit: Number(exit),
    retry,
    when: withoutMarks(when),
    whatToDo: withoutMarks(whatToDo),
  }))
}

const withoutMarks = (text: string): string => text.replaceAll('`', '').trim()

export function errorList(): string {
  const entries = errorEntries()
  const width = Math.max(...entries.map(({ code }) => code.length))
  return [
    'Errors',
    '',
    'Every failure ends with its code. One is explained by ckbtc help errors <code>.',
    '',
    ...entries.map(({ code, exit, retry }) => `  ${code.padEnd(width)}  exit ${exit}, ${retry}`),
    '',
    'What a script may do: fix-input change the command; safe run it again; resume',
    'run ckbtc resume <op>; check-first run ckbtc status <op>; never nothing.',
  ].join('\n')
}

/** The entry of a code, which may be in small letters. Throws `USAGE_INVALID`. */
export function errorEntry(word: string): ErrorEntry {
  const code = word.toUpperCase().replaceAll('-', '_')
  const found = errorEntries().find((entry) => entry.code === code)
  if (found !== undefined) return found
  const close = nearest(code, Object.keys(errorCatalogue))
  throw new Problem('USAGE_INVALID', `there is no error "${word}"`, {
    fix: close === undefined ? 'the errors are listed by' : `the nearest one is ${close}`,
    command: close === undefined ? 'ckbtc help errors' : `ckbtc help errors ${close}`,
  })
}

export function errorText({ code, exit, retry, when, whatToDo }: ErrorEntry): string {
  return [
    code,
    '',
    ...paragraph('When', when),
    ...paragraph('What to do', whatToDo),
    ...paragraph('Exit status', `${exit}`),
    ...paragraph('In a script', `${retry}: ${meanings[retry] ?? ''}`),
    '',
    'For example:',
    `  ckbtc: error: … (${code})`,
    `  {…,"ok":false,…,"error":{"code":"${code}","exit":${exit},…}}`,
  ].join('\n')
}

const meanings: Readonly<Record<string, string>> = {
  'fix-input': 'change the command',
  safe: 'run the same command again',
  resume: 'run ckbtc resume <op>',
  'check-first': 'run ckbtc status <op> and look',
  never: 'do not repeat it',
}

const LABEL_WIDTH = 13
const TEXT_WIDTH = 65

/** A label, and text beside it in lines of its own. */
const paragraph = (label: string, text: string): readonly string[] =>
  filled(text.split(' '), TEXT_WIDTH).map(
    (row, index) => (index === 0 ? label : '').padEnd(LABEL_WIDTH) + row,
  )
