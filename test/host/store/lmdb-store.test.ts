/**
 * Goal: a store that is not what was written is refused by name, and never believed.
 * Method: a store of every kind of page is damaged in one place at a time: cut, flipped, swapped.
 */
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { concat, equalBytes, fromBigEndian, u32be, utf8 } from '../../../src/core/base/bytes.ts'
import { CkbtcError } from '../../../src/core/base/errors.ts'
import { LmdbStore, STORE_FORMAT } from '../../../src/host/store/lmdb-store.ts'
import { storeFailure } from '../../../src/host/store/problem.ts'
import type { Entry, Store } from '../../../src/host/store/store.ts'

const root = mkdtempSync(join(tmpdir(), 'ckbtc-lmdb-'))
afterAll(() => rmSync(root, { recursive: true }))

let made = 0
const fresh = (): string => join(root, `${made++}`)
const key = (i: number): Uint8Array => concat(utf8('key/'), u32be(i))
const everything = { prefix: new Uint8Array() }

/** Small values, and every seventh one large enough for pages of its own. */
const value = (i: number): Uint8Array => new Uint8Array(i % 7 === 0 ? 9_000 : 60 + i).fill(i)

/** Several hundred keys, some removed: branch, leaf, overflow and free pages. */
function fill(store: Store): void {
  for (let i = 0; i < 300; i++)
    store.transaction((writer) => {
      writer.put(key(i), value(i))
      if (i % 5 === 0 && i >= 20) writer.remove(key(i - 20))
    })
}

/** The problem of opening and reading all, or undefined. */
function problemOf(work: () => void): CkbtcError | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    if (error instanceof CkbtcError) return error
    throw error
  }
}

describe('a store on disk', () => {
  test('is there when it is opened again', () => {
    const directory = fresh()
    const first = LmdbStore.open(directory)
    first.transaction((writer) => writer.put(key(1), value(1)))
    first.close()
    const second = LmdbStore.open(directory)
    expect(second.get(key(1))).toEqual(value(1))
    second.close()
  })

  test('shows a reader of the same process what is committed when it reads', () => {
    const directory = fresh()
    const writer = LmdbStore.open(directory)
    const reader = LmdbStore.open(directory, { readOnly: true })
    for (const i of [1, 2, 3]) {
      writer.transaction((transaction) => transaction.put(key(i), value(i)))
      expect(reader.get(key(i))).toEqual(value(i))
      expect(reader.range(everything)).toHaveLength(i)
    }
    expect(() => reader.transaction(() => undefined)).toThrow('a reader does not write')
    reader.close()
    writer.transaction((transaction) => transaction.put(key(4), value(4)))
    expect(writer.get(key(4))).toEqual(value(4))
    writer.close()
  })

  test('grows by far more than it began with', () => {
    const store = LmdbStore.open(fresh())
    const large = new Uint8Array(2_000_000)
    for (let i = 0; i < 20; i++) store.transaction((writer) => writer.put(key(i), large.fill(i)))
    for (let i = 0; i < 20; i++)
      expect(equalBytes(store.get(key(i)) ?? large, large.fill(i))).toBe(true)
    store.close()
  })

  test.each([
    ['a newer', STORE_FORMAT + 1, 'or a newer one'],
    ['an older', STORE_FORMAT - 1, 'start anew'],
  ])('of %s format is refused with CONFIG_INVALID, and left as it is', (_, found, fix) => {
    const directory = fresh()
    LmdbStore.open(directory).close()
    const name = concat(Uint8Array.of(0), utf8('format'))
    const format = u32be(found)
    const sum = createHash('sha256')
      .update(concat(u32be(name.length), name, format))
      .digest()
    const raw = open({ path: directory, encoding: 'binary', keyEncoding: 'binary' })
    raw.putSync(name, concat(sum.subarray(0, 8), format))
    void raw.close()
    const problem = problemOf(() => LmdbStore.open(directory))
    expect(problem?.code).toBe('CONFIG_INVALID')
    expect(problem?.message).toContain(directory)
    expect(problem?.details).toMatchObject({ format: found, formatKnown: STORE_FORMAT })
    expect(problem?.fix).toContain(fix)
  })

  test('of another program is refused', () => {
    const directory = fresh()
    mkdirSync(directory)
    const raw = open({ path: directory, encoding: 'binary', keyEncoding: 'binary' })
    raw.putSync(utf8('theirs'), utf8('something'))
    void raw.close()
    expect(problemOf(() => LmdbStore.open(directory))?.code).toBe('HOST_DISK')
  })

  test('where no directory can be is refused with the reason', () => {
    const file = fresh()
    writeFileSync(file, '')
    const problem = problemOf(() => LmdbStore.open(join(file, 'below')))
    expect(problem?.code).toBe('HOST_DISK')
    expect(problem?.message).toContain(file)
  })
})

describe('a damaged store', () => {
  const original = fresh()
  let whole: Buffer
  let size = 0
  beforeAll(() => {
    const store = LmdbStore.open(original)
    fill(store)
    size = store.range(everything).length
    store.close()
    whole = readFileSync(join(original, 'data.mdb'))
  })

  /** Whether opening and reading refuse the file; what they accept must be all that was written. */
  function isRefused(damage: (file: string) => void): boolean {
    const directory = fresh()
    cpSync(original, directory, { recursive: true })
    damage(join(directory, 'data.mdb'))
    const problem = problemOf(() => {
      const store = LmdbStore.open(directory)
      const problem = problemOf(() => {
        const entries = store.range(everything)
        expect(entries).toHaveLength(size)
        const isRight = (entry: Entry): boolean =>
          equalBytes(entry.value, value(Number(fromBigEndian(entry.key.subarray(-4)))))
        expect(entries.every(isRight)).toBe(true)
      })
      store.close()
      if (problem !== undefined) throw problem
    })
    rmSync(directory, { recursive: true })
    if (problem === undefined) return false
    expect(problem.code).toBe('HOST_DISK')
    expect(problem.message).toContain(directory)
    expect(problem.command).toBe('ckbtc subnet reset')
    return true
  }
  const rewrite = (change: (bytes: Buffer) => void) => (file: string) => {
    const bytes = Buffer.from(whole)
    change(bytes)
    writeFileSync(file, bytes)
  }

  test('is refused nowhere when nothing is damaged', () => {
    expect(existsSync(join(original, 'data.mdb'))).toBe(true)
    expect(isRefused(() => undefined)).toBe(false)
  })

  test.each([1, 100, 4_096, 5_000, 8_192, 20_000, 100_000])('is refused when cut to %i', (cut) => {
    expect(isRefused((file) => truncateSync(file, cut))).toBe(true)
  })

  test('is refused when its last pages are missing', () => {
    expect(isRefused((file) => truncateSync(file, whole.length - 4_096 * 8))).toBe(true)
  })

  test('is refused when it is something else', () => {
    expect(isRefused((file) => writeFileSync(file, 'text'.repeat(10_000)))).toBe(true)
  })

  test('is refused when its newest commit is undone', () => {
    const undo = (bytes: Buffer): void => {
      const newest = bytes.readUInt32LE(24 + 128) > bytes.readUInt32LE(4_096 + 24 + 128) ? 0 : 4_096
      bytes.writeUInt32LE(1, newest + 24 + 128)
    }
    expect(isRefused(rewrite(undo))).toBe(true)
  })

  /** A fixed walk over the file: every page in turn, heads and tables more often than the rest. */
  const places = Array.from({ length: 160 }, (_, i) => {
    const page = (i * 37) % 120
    const inside = i % 2 === 0 ? (i * 11) % 200 : (i * 1_031) % 4_096
    return [page * 4_096 + inside, 1 << (i % 8)] as const
  })
  test('gives back all that was written or is refused, whichever bit is flipped', () => {
    const refused = places.filter(([place, bit]) =>
      isRefused(rewrite((bytes) => bytes.writeUInt8((bytes[place] ?? 0) ^ bit, place))),
    )
    expect(refused.length).toBeGreaterThan(places.length / 3)
  })

  test('gives back all that was written or is refused, whichever page lies elsewhere', () => {
    const refused = Array.from({ length: 30 }, (_, i) => 2 + i * 3).filter((page) =>
      isRefused(
        rewrite((bytes) => bytes.copy(bytes, page * 4_096, (page + 1) * 4_096, (page + 2) * 4_096)),
      ),
    )
    expect(refused.length).toBeGreaterThan(10)
  })
})

test('what the system or LMDB lacks is not held for damage', () => {
  const lacking = (code: number): Error =>
    storeFailure('store', Object.assign(new Error('words of LMDB'), { code }))
  expect(lacking(28)).toMatchObject({
    code: 'HOST_DISK',
    message: 'cannot write store: no space left',
  })
  expect(lacking(-30_792).message).toContain('the store is full')
  expect(lacking(12).message).toContain('no memory left')
  expect(lacking(-30_796).message).toContain('is damaged: words of LMDB')
})
