/**
 * Goal: a private file is old or new, never half; and one writer at a time works on it.
 * Method: docs/spec/cli.md §§3.13, 3.14, on a real folder.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../src/core/base/bytes.ts'
import { BadEncoding } from '../../src/core/base/errors.ts'
import { withLock } from '../../src/wallet/file-lock.ts'
import {
  makePrivateFolder,
  narrowPermissions,
  readBounded,
  systemCode,
  widePermissions,
  writePrivate,
} from '../../src/wallet/private-files.ts'
import { codeOf, temporaryFolder } from '../support/key-world.ts'

describe('a private file', () => {
  test('replaces the one before it, whole, and leaves nothing else behind', () => {
    const folder = temporaryFolder()
    const path = join(folder, 'file')
    writePrivate(path, 'one')
    chmodSync(path, 0o644)
    writePrivate(path, utf8('two'))
    expect(readFileSync(path, 'utf8')).toBe('two')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['file'])
  })

  test('that must be new replaces none', () => {
    const folder = temporaryFolder()
    const path = join(folder, 'file')
    writePrivate(path, 'one', { exclusive: true })
    let code: string | undefined
    try {
      writePrivate(path, 'two', { exclusive: true })
    } catch (error) {
      code = systemCode(error)
    }
    expect([code, readFileSync(path, 'utf8'), readdirSync(folder)]).toEqual([
      'EEXIST',
      'one',
      ['file'],
    ])
  })

  test('that cannot be written is a failure of the disk, which names it', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'file'), '')
    const inside = join(folder, 'file', 'inside')
    expect(await codeOf(() => writePrivate(inside, 'x'))).toBe('HOST_DISK')
    expect(await codeOf(() => makePrivateFolder(inside))).toBe('HOST_DISK')
    expect(await codeOf(() => readBounded(folder, 10))).toBe('HOST_DISK')
  })

  test('is read up to its bound, and not at all beyond it', () => {
    const folder = temporaryFolder()
    const path = join(folder, 'file')
    const content = new Uint8Array(200_000).fill(7)
    writePrivate(path, content)
    expect(readBounded(path, 200_000)).toEqual(content)
    expect(() => readBounded(path, 199_999)).toThrow(BadEncoding)
    expect(() => readBounded('/dev/zero', 1_000)).toThrow(BadEncoding)
    expect(readBounded(join(folder, 'none'), 10)).toBeUndefined()
    expect(readBounded(join(path, 'none'), 10)).toBeUndefined()
  })

  test.skipIf(process.platform === 'win32')('with wider rights is found and narrowed', () => {
    const folder = join(temporaryFolder(), 'a')
    mkdirSync(folder, { mode: 0o755 })
    const wide = widePermissions(folder)
    expect(wide).toEqual({ path: folder, mode: 0o755, wanted: 0o700 })
    if (wide !== undefined) narrowPermissions(wide)
    expect(widePermissions(folder)).toBeUndefined()
    expect(widePermissions(join(folder, 'none'))).toBeUndefined()
  })
})

describe('a lock', () => {
  test('lets one at a time through, also over what a dead process left', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'lock')
    writeFileSync(path, JSON.stringify({ pid: 4_194_305, host: hostname(), nonce: '00' }))
    let inside = 0
    let most = 0
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside)
      await new Promise((resolve) => setImmediate(resolve))
      inside -= 1
    }
    await Promise.all(Array.from({ length: 8 }, () => withLock(path, work)))
    expect([most, inside, readdirSync(folder)]).toEqual([1, 0, []])
  })

  test.each(['', 'held', '{}', '{"pid":0,"host":"x","nonce":""}', 'x'.repeat(2_000)])(
    'whose content is %j belongs to somebody',
    async (content) => {
      const path = join(temporaryFolder(), 'lock')
      writeFileSync(path, content)
      expect(await codeOf(() => withLock(path, () => 1, { waitMs: 0 }))).toBe('HOST_STATE_LOCKED')
      expect(readFileSync(path, 'utf8')).toBe(content)
    },
  )

  test('gives what the work gives, and is free afterwards', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'deep', 'lock')
    expect(await withLock(path, async () => 5)).toBe(5)
    await expect(withLock(path, () => Promise.reject(new RangeError('no')))).rejects.toThrow('no')
    expect(readdirSync(join(folder, 'deep'))).toEqual([])
  })
})
