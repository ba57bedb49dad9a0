import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { liveDescriptor, readDescriptor } from '../../../src/host/daemon/descriptor-file.ts'
import { LogFile, logFiles } from '../../../src/host/daemon/log-file.ts'
import { loadOperator } from '../../../src/host/daemon/operator.ts'
import { diskBytes, makePrivate, placesOf } from '../../../src/host/daemon/places.ts'
import { writeWholeFile } from '../../../src/host/daemon/whole-file.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ckbtc-files-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('the log', () => {
  const lines = (): readonly { readonly text: string }[] =>
    readFileSync(logFiles(folder).newer, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  const clock = (): (() => Date) => {
    let second = 0
    return () => new Date(1_000 * second++)
  }

  it('holds what is written, with time and node', () => {
    const log = new LogFile(folder, () => new Date(0))
    log.write('warn', 'node 2 is at fault', 3)
    log.write('info', 'ready')
    log.close()
    expect(lines()).toEqual([
      { at: '1970-01-01T00:00:00.000Z', level: 'warn', node: 3, text: 'node 2 is at fault' },
      { at: '1970-01-01T00:00:00.000Z', level: 'info', node: null, text: 'ready' },
    ])
    expect(statSync(logFiles(folder).newer).mode & 0o777).toBe(0o600)
  })

  it('goes on where it was', () => {
    for (const text of ['one', 'two']) {
      const log = new LogFile(folder, () => new Date(0))
      log.write('info', text)
      log.close()
    }
    expect(lines().map(({ text }) => text)).toEqual(['one', 'two'])
  })

  it('never grows beyond two files of four megabytes', () => {
    const log = new LogFile(folder, clock())
    for (let line = 0; line < 7_000; line++) log.write('info', 'x'.repeat(3_000))
    log.close()
    for (const path of Object.values(logFiles(folder)))
      expect(statSync(path).size).toBeLessThanOrEqual(4_000_000)
  })

  it('counts what comes too fast to be read', () => {
    let now = 0
    const log = new LogFile(folder, () => new Date(now))
    for (let line = 0; line < 500; line++) log.write('info', 'again')
    now = 2_000
    log.write('info', 'later')
    log.close()
    expect(lines()).toHaveLength(202)
    expect(lines().slice(-2)).toMatchObject([{ text: '300 lines left out' }, { text: 'later' }])
  })

  it('keeps one line one line', () => {
    const log = new LogFile(folder, () => new Date(0))
    log.write('info', 'two\nlines\u2028')
    log.close()
    expect(lines()).toHaveLength(1)
  })
})

describe('private places', () => {
  it('are closed to others, also when they were open', () => {
    const path = join(folder, 'open')
    mkdirSync(path)
    chmodSync(path, 0o777)
    makePrivate(path)
    expect(statSync(path).mode & 0o777).toBe(0o700)
  })

  it('are not files', () => {
    const path = join(folder, 'file')
    writeFileSync(path, '')
    expect(() => makePrivate(path)).toThrow()
  })

  it('hold a socket whose path the system takes, however deep they lie', () => {
    const runtime = join(folder, 'd'.repeat(200))
    const { control } = placesOf({ state: folder, runtime })
    expect(Buffer.byteLength(control)).toBeLessThanOrEqual(100)
    expect(control).not.toBe(placesOf({ state: folder, runtime: `${runtime}x` }).control)
  })

  it('are as large as their files', () => {
    mkdirSync(join(folder, 'deep'))
    writeFileSync(join(folder, 'deep', 'a'), 'xxx')
    writeFileSync(join(folder, 'b'), 'xx')
    expect(diskBytes(folder)).toBe(5)
    expect(diskBytes(join(folder, 'none'))).toBe(0)
  })
})

describe('the key of the operator', () => {
  it('is made once, for the owner alone', () => {
    const path = join(folder, 'operator.key')
    const { principal } = loadOperator(path)
    expect(loadOperator(path).principal).toEqual(principal)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it.each(['', 'zz', 'ab', `${'ab'.repeat(33)}`])(
    'is refused when its file holds %j',
    (content) => {
      const path = join(folder, 'operator.key')
      writeFileSync(path, content)
      expect(() => loadOperator(path)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    },
  )
})

describe('the descriptor file', () => {
  it('is none when it is missing, damaged or too large', () => {
    const path = join(folder, 'subnet.json')
    expect(readDescriptor(path)).toBeUndefined()
    for (const content of ['', '{}', 'x'.repeat(100_000)]) {
      writeWholeFile(path, content)
      expect(readDescriptor(path)).toBeUndefined()
    }
  })

  it('counts while somebody listens where it points to', async () => {
    const path = join(folder, 'subnet.json')
    const controlPath = join(folder, 'socket')
    const vector = readFileSync(
      new URL('../../vectors/subnet/descriptor.json', import.meta.url),
      'utf8',
    )
    writeWholeFile(path, vector.replace('/run/user/1000/ckbtc/control.sock', controlPath))
    expect(await liveDescriptor(path)).toBeUndefined()
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(controlPath, resolve))
    expect(await liveDescriptor(path)).toMatchObject({ controlPath })
    await new Promise((resolve) => server.close(resolve))
    expect(await liveDescriptor(path)).toBeUndefined()
  })
})
