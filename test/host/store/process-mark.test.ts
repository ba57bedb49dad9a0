/** A process that left its mark is known as running only while it is that very process. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { platform, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { isRunning, ownMark, readMark } from '../../../src/host/store/process-mark.ts'

const root = mkdtempSync(join(tmpdir(), 'ckbtc-mark-'))
afterAll(() => rmSync(root, { recursive: true }))

test('this process runs', () => {
  expect(isRunning(ownMark())).toBe(true)
})

test('one that has ended does not', () => {
  const { pid } = spawnSync(process.execPath, ['-e', ''])
  expect(isRunning({ pid, born: ownMark().born })).toBe(false)
})

test.skipIf(platform() !== 'linux')('another that was given its number is not it', () => {
  expect(isRunning({ ...ownMark(), born: 'some other boot 12345' })).toBe(false)
})

test('a mark is read as it was written, and nothing else is one', () => {
  const file = join(root, 'owner')
  expect(readMark(file)).toBeUndefined()
  writeFileSync(file, JSON.stringify(ownMark()))
  expect(readMark(file)).toEqual(ownMark())
  for (const text of [
    '',
    '{',
    '7',
    'null',
    '{"pid":7}',
    '{"pid":"7","born":""}',
    '{"pid":0,"born":""}',
  ]) {
    writeFileSync(file, text)
    expect(readMark(file)).toBeUndefined()
  }
})
