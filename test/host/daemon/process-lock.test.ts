import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockHolder, takeLock } from '../../../src/host/daemon/process-lock.ts'

/** A process id that was in use a moment ago and is not any more. */
const deadPid = (): number => spawnSync(process.execPath, ['-e', '']).pid

describe('the lock of the state', () => {
  let folder = ''
  let path = ''

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ckbtc-lock-'))
    path = join(folder, 'lock')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('is free after it was released, and leaves no file', async () => {
    const lock = await takeLock(path, 'tests')
    expect(lockHolder(path)).toMatchObject({ pid: process.pid, what: 'tests' })
    lock?.release()
    expect(lockHolder(path)).toBeUndefined()
    expect(readdirSync(folder)).toEqual([])
  })

  it('bitcoin §13.68: has one holder, and says who it is', async () => {
    const lock = await takeLock(path, 'tests')
    await expect(takeLock(path, 'tests too')).rejects.toMatchObject({
      code: 'HOST_STATE_LOCKED',
      exit: 11,
      message: `process ${process.pid} tests and holds the state`,
      details: { pid: process.pid },
    })
    lock?.release()
    expect(readdirSync(folder)).toEqual([])
  }, 10_000)

  it('goes to who waits for it', async () => {
    const first = await takeLock(path, 'tests')
    const second = takeLock(path, 'waits', () => {
      first?.release()
      return false
    })
    expect(await second).toBeDefined()
    expect(lockHolder(path)?.what).toBe('waits')
  })

  it('is not waited for any longer when it is not needed', async () => {
    await takeLock(path, 'tests')
    expect(await takeLock(path, 'waits', () => true)).toBeUndefined()
    expect(lockHolder(path)?.what).toBe('tests')
  })

  it('of a dead process is taken over', async () => {
    const dead = JSON.stringify({ pid: deadPid(), born: 'once', what: 'is dead' })
    writeFileSync(path, dead)
    expect(lockHolder(path)).toBeUndefined()
    expect(await takeLock(path, 'tests')).toBeDefined()
    expect(readdirSync(folder)).toEqual(['lock'])
  })

  it.runIf(process.platform === 'linux')(
    'of a dead process is taken over when another one has its id now',
    async () => {
      writeFileSync(path, JSON.stringify({ pid: process.pid, born: 'earlier', what: 'is dead' }))
      expect(await takeLock(path, 'tests')).toBeDefined()
    },
  )

  it.each(['', '{', 'null', '{"pid":1}', '{"pid":-1,"born":"","what":""}'])(
    'that holds %j is damaged, and is taken over',
    async (content) => {
      writeFileSync(path, content)
      expect(await takeLock(path, 'tests')).toBeDefined()
      expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ what: 'tests' })
    },
  )

  it('that somebody else has taken meanwhile is not removed by a release', async () => {
    const lock = await takeLock(path, 'tests')
    writeFileSync(path, JSON.stringify({ pid: process.pid, born: '', what: 'another' }))
    lock?.release()
    expect(readFileSync(path, 'utf8')).toContain('another')
  })
})
