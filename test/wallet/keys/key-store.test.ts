/**
 * Goal: keys are neither lost nor mixed up, whatever happens between two commands, and nobody else
 * on the machine can read them.
 * Method: docs/spec/cli.md §§3.13, 3.14, 5.11, on a real folder.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { keyOf } from '../../../src/wallet/keys/key-file.ts'
import { KeyStore } from '../../../src/wallet/keys/key-store.ts'
import { codeOf, failure, keyStore, materialOf, START_MS, words } from '../../support/key-world.ts'

const passphrase = words('correct horse battery')
const noneOpen = (): readonly string[] => []
const modeOf = (path: string): number => statSync(path).mode & 0o777

describe('a store of keys', () => {
  test('is empty before the first key, and reading makes no folder', () => {
    const { store, folder } = keyStore()
    expect([store.list(), store.names(), store.defaultName]).toEqual([
      { keys: [], broken: [] },
      [],
      undefined,
    ])
    expect(readdirSync(folder)).toEqual([])
  })

  test('makes the first key the default one, and no later one', async () => {
    const { store } = keyStore()
    const first = await store.create('savings', materialOf(1), passphrase)
    const second = await store.create('daily', materialOf(2), undefined)
    expect([first, second].map((key) => [key.name, key.protection, key.isDefault])).toEqual([
      ['savings', 'passphrase', true],
      ['daily', 'plaintext', false],
    ])
    expect(store.list().keys.map(({ name }) => name)).toEqual(['daily', 'savings'])
    expect((await store.setDefault('daily')).isDefault).toBe(true)
    expect(store.defaultName).toBe('daily')
  })

  test('opens what it was given', async () => {
    const { store } = keyStore()
    await store.create('savings', materialOf(1), passphrase)
    expect(keyOf(await store.open('savings', passphrase)).reveal()).toEqual(
      keyOf(materialOf(1)).reveal(),
    )
    expect(await codeOf(() => store.open('savings', words('something else')))).toBe(
      'KEY_WRONG_PASSPHRASE',
    )
  })

  test('is shared by two programs at once, and the second name of a pair is refused', async () => {
    const { store, folder } = keyStore()
    const other = new KeyStore({ folder, nowMs: () => START_MS, lockWaitMs: 5_000 })
    const outcomes = await Promise.allSettled([
      other.create('savings', materialOf(1), undefined),
      other.create('savings', materialOf(2), undefined),
    ])
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await codeOf(() => store.create('savings', materialOf(3), undefined))).toBe('KEY_EXISTS')
    expect(store.list().keys).toHaveLength(1)
    expect(readdirSync(folder).sort()).toEqual(['keys', 'keys.json'])
    expect(readdirSync(join(folder, 'keys'))).toEqual(['savings.json'])
  })

  test('renames a key, which stays the default one', async () => {
    const { store } = keyStore()
    await store.create('savings', materialOf(1), passphrase)
    await store.create('daily', materialOf(2), passphrase)
    await store.noteUse('savings')
    const { name, isDefault, usedAt } = await store.rename('savings', 'old', noneOpen)
    expect([name, isDefault, usedAt]).toEqual(['old', true, '2026-01-02T03:04:05.000Z'])
    expect(store.names()).toEqual(['daily', 'old'])
    expect(await codeOf(() => store.rename('old', 'daily', noneOpen))).toBe('KEY_EXISTS')
    expect(await codeOf(() => store.rename('gone', 'new', noneOpen))).toBe('KEY_NOT_FOUND')
    expect(keyOf(await store.open('old', passphrase)).principal).toEqual(
      keyOf(materialOf(1)).principal,
    )
  })

  test('removes a key for good, and then has no default', async () => {
    const { store } = keyStore()
    await store.create('savings', materialOf(1), passphrase)
    await store.remove('savings', noneOpen)
    expect([store.names(), store.defaultName]).toEqual([[], undefined])
    expect(await codeOf(() => store.remove('savings', noneOpen))).toBe('KEY_NOT_FOUND')
  })

  test('keeps a key whose operations are open under its name', async () => {
    const { store } = keyStore()
    await store.create('savings', materialOf(1), passphrase)
    const open = (name: string): readonly string[] => (name === 'savings' ? ['op_1', 'op_2'] : [])
    for (const action of [
      () => store.remove('savings', open),
      () => store.rename('savings', 'old', open),
    ]) {
      const error = await failure(action)
      expect([error.code, error.command]).toEqual(['OPERATION_OPEN', 'ckbtc status op_1 --wait'])
    }
    expect(store.names()).toEqual(['savings'])
  })

  test('changes, sets and takes away a passphrase', async () => {
    const { store } = keyStore()
    await store.create('savings', materialOf(1), undefined)
    const material = await store.open('savings', undefined)
    const next = words('another passphrase')
    expect((await store.changePassphrase('savings', material, next)).protection).toBe('passphrase')
    expect(await codeOf(() => store.open('savings', undefined))).toBe('KEY_LOCKED')
    await store.open('savings', next)
    expect((await store.changePassphrase('savings', material, undefined)).protection).toBe(
      'plaintext',
    )
    expect(await codeOf(() => store.changePassphrase('savings', materialOf(2), next))).toBe(
      'KEY_CORRUPT',
    )
  })

  test('notes when a key was used, once a minute at most', async () => {
    const clock = { ms: START_MS }
    const { store } = keyStore(clock)
    await store.create('savings', materialOf(1), undefined)
    const usedAt = async (): Promise<string | undefined> => {
      await store.noteUse('savings')
      return store.entry('savings').usedAt
    }
    expect(store.entry('savings').usedAt).toBeUndefined()
    const first = await usedAt()
    clock.ms += 59_000
    expect(await usedAt()).toBe(first)
    clock.ms += 1_000
    expect(await usedAt()).toBe('2026-01-02T03:05:05.000Z')
  })

  test('notes no use while another program writes, and goes on', async () => {
    const { store, folder } = keyStore()
    await store.create('savings', materialOf(1), undefined)
    writeFileSync(join(folder, 'keys.lock'), 'held')
    await store.noteUse('savings')
    expect(store.entry('savings').usedAt).toBeUndefined()
    const error = await failure(() => store.setDefault('savings'))
    expect(error.code).toBe('HOST_STATE_LOCKED')
  })
})

describe('names of keys', () => {
  test.each([
    '',
    'A',
    'a b',
    '../a',
    'a/b',
    '.a',
    '-a',
    'a-',
    'x'.repeat(33),
    'dev0',
    'dev12',
    'nul',
    'aaaaa-aa',
    '2vxsx-fae',
    'é',
  ])('%j is none', async (name) => {
    const { store, folder } = keyStore()
    expect(await codeOf(() => store.create(name, materialOf(1), undefined))).toBe('USAGE_INVALID')
    expect(readdirSync(folder)).toEqual([])
  })

  test.each(['a', '0', 'savings-2', 'a_b', 'x'.repeat(32)])('%j is one', async (name) => {
    const { store } = keyStore()
    expect((await store.create(name, materialOf(1), undefined)).name).toBe(name)
  })

  test('that are nearly right are told', async () => {
    const { store } = keyStore()
    await store.create('savings', materialOf(1), undefined)
    const error = await failure(() => store.entry('saving'))
    expect([error.code, error.fix]).toEqual(['KEY_NOT_FOUND', 'the nearest name is savings'])
    for (const name of ['dev9', '../keys', 'SAVINGS'])
      expect(await codeOf(() => store.entry(name))).toBe('KEY_NOT_FOUND')
  })
})

describe('what is not a key', () => {
  test('is listed beside the keys, with the reason', async () => {
    const { store, folder } = keyStore()
    await store.create('savings', materialOf(1), undefined)
    writeFileSync(join(folder, 'keys', 'broken.json'), '{}')
    writeFileSync(join(folder, 'keys', 'long.json'), ' '.repeat(20_000))
    writeFileSync(join(folder, 'keys', 'binary.json'), Uint8Array.of(0xff))
    writeFileSync(join(folder, 'keys', 'NOTES.txt'), 'notes')
    const { keys, broken } = store.list()
    expect(keys.map(({ name }) => name)).toEqual(['savings'])
    expect(broken.map(({ name, problem }) => [name, problem.code])).toEqual([
      ['binary', 'KEY_CORRUPT'],
      ['broken', 'KEY_CORRUPT'],
      ['long', 'KEY_CORRUPT'],
    ])
  })

  test('can be removed, and its name cannot be taken before', async () => {
    const { store, folder } = keyStore()
    mkdirSync(join(folder, 'keys'))
    writeFileSync(join(folder, 'keys', 'broken.json'), '{}')
    expect(await codeOf(() => store.create('broken', materialOf(1), undefined))).toBe('KEY_EXISTS')
    await store.remove('broken', noneOpen)
    expect(store.names()).toEqual([])
  })

  test.each(['', '{', '{"version":2}', '{"version":1,"default":3,"used_at":{}}'])(
    'the list of names holding %j stops every command, and says that it may be removed',
    async (content) => {
      const { store, folder } = keyStore()
      await store.create('savings', materialOf(1), undefined)
      writeFileSync(join(folder, 'keys.json'), content)
      const error = await failure(() => store.list())
      expect([error.code, error.fix]).toEqual(['KEY_CORRUPT', expect.stringMatching(/^remove it/)])
    },
  )
})

describe.skipIf(process.platform === 'win32')('rights to key files', () => {
  test("are the owner's alone", async () => {
    const { store, folder } = keyStore()
    await store.create('savings', materialOf(1), passphrase)
    await store.changePassphrase('savings', materialOf(1), undefined)
    expect(modeOf(join(folder, 'keys'))).toBe(0o700)
    expect(modeOf(join(folder, 'keys', 'savings.json'))).toBe(0o600)
    expect(modeOf(join(folder, 'keys.json'))).toBe(0o600)
    expect(store.widePermissions()).toEqual([])
  })

  test('are reported where they are wider, and taken away on demand', async () => {
    const { store, folder } = keyStore()
    const [keys, file] = [join(folder, 'keys'), join(folder, 'keys', 'savings.json')]
    await store.create('savings', materialOf(1), passphrase)
    chmodSync(keys, 0o755)
    chmodSync(file, 0o640)
    expect(store.widePermissions('savings')).toEqual([
      { path: keys, mode: 0o755, wanted: 0o700 },
      { path: file, mode: 0o640, wanted: 0o600 },
    ])
    expect(store.narrowPermissions()).toHaveLength(2)
    expect([modeOf(keys), modeOf(file), store.widePermissions()]).toEqual([0o700, 0o600, []])
  })
})

describe('a lock', () => {
  /** A process that has been and is no more: the highest id that Linux gives, plus one. */
  const dead = { pid: 4_194_305, host: hostname(), nonce: '00' }

  test('of a process that is gone is taken away', async () => {
    const { store, folder } = keyStore()
    writeFileSync(join(folder, 'keys.lock'), JSON.stringify(dead))
    await store.create('savings', materialOf(1), undefined)
    expect(existsSync(join(folder, 'keys.lock'))).toBe(false)
  })

  test.each([
    ['a living process', { ...dead, pid: process.pid }, `process ${process.pid} holds`],
    ['a process elsewhere', { ...dead, host: 'elsewhere' }, `process ${dead.pid} on elsewhere`],
  ])('of %s is respected, and its holder is named', async (_, holder, words) => {
    const { store, folder } = keyStore()
    writeFileSync(join(folder, 'keys.lock'), JSON.stringify(holder))
    const error = await failure(() => store.create('savings', materialOf(1), undefined))
    expect(error.code).toBe('HOST_STATE_LOCKED')
    expect(error.message).toContain(words)
    expect(store.names()).toEqual([])
  })

  test('of a dead process is left alone while another one is taking it away', async () => {
    const { store, folder } = keyStore()
    writeFileSync(join(folder, 'keys.lock'), JSON.stringify(dead))
    writeFileSync(join(folder, 'keys.lock.takeover'), JSON.stringify(dead))
    expect(await codeOf(() => store.setDefault('savings'))).toBe('HOST_STATE_LOCKED')
  })

  test('is given back when the work fails', async () => {
    const { store } = keyStore()
    expect(await codeOf(() => store.setDefault('savings'))).toBe('KEY_NOT_FOUND')
    expect((await store.create('savings', materialOf(1), undefined)).isDefault).toBe(true)
  })
})
