/**
 * A store on disk: one LMDB environment a directory, every commit flushed before it returns.
 * Source: architecture §7, threshold §18.4.
 *
 * LMDB writes a transaction beside what it replaces and switches over by one page, so a torn tail
 * is a transaction that never was. Every value carries a checksum over itself and its key.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { RootDatabase } from 'lmdb'
import { open } from 'lmdb'
import {
  compareBytes,
  concat,
  equalBytes,
  fromBigEndian,
  u32be,
  utf8,
} from '../../core/base/bytes.ts'
import { Reader } from '../../core/base/codec.ts'
import { assert, attempt, BadEncoding } from '../../core/base/errors.ts'
import { flushDirectory } from '../../native/flush-directory.ts'
import { lmdbFileFlaw } from './lmdb-file.ts'
import { storeDamaged, storeFailure, storeLocked, storeOtherFormat } from './problem.ts'
import { isRunning, ownMark, readMark } from './process-mark.ts'
import type { Entry, KeyRange, Store, StoreWriter } from './store.ts'
import { Draft } from './store.ts'

/**
 * Raised by whatever an older program would misread, or what this one would misread of an older
 * one's. 1: no tape key.
 */
export const STORE_FORMAT = 2

const OWN = Uint8Array.of(0)
const USER = Uint8Array.of(1)
const FORMAT_KEY = concat(OWN, utf8('format'))
const CHECKSUM_SIZE = 8
const NUMBER_SIZE = 8

type Database = RootDatabase<Uint8Array, Uint8Array>

/** How LMDB is walked through, and what is made of each thing found. */
type Look<F, T> = {
  readonly found: (options: { start: Uint8Array; reverse: boolean }) => Iterable<F>
  readonly nameOf: (one: F) => Uint8Array
  readonly read: (one: F) => T
}

export type LmdbOptions = {
  /**
   * For another thread of the process that owns the store. Sees what was committed when it reads.
   */
  readonly readOnly?: boolean
}

export class LmdbStore implements Store {
  readonly name: string
  readonly #database: Database
  readonly #readOnly: boolean
  #busy = false

  private constructor(name: string, database: Database, readOnly: boolean) {
    this.name = name
    this.#database = database
    this.#readOnly = readOnly
  }

  /**
   * Makes the directory if need be. Throws a problem when the store is damaged, newer than this
   * program, in use by another process, or the system refuses.
   *
   * Threads of one process may open it in turn. A thread closes it before it is terminated: one that
   * is terminated while LMDB is locked never ends, as it waits for its own lock.
   */
  static open(directory: string, { readOnly = false }: LmdbOptions = {}): LmdbStore {
    const store = new LmdbStore(directory, openDatabase(directory, readOnly), readOnly)
    try {
      if (readOnly) store.#checkFormat()
      else store.#claim()
      return store
    } catch (error) {
      void store.#database.close()
      throw error
    }
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.#refresh()
    return this.#get(concat(USER, key))
  }

  has(key: Uint8Array): boolean {
    this.#refresh()
    return this.#guard(() => this.#database.doesExist(concat(USER, key)))
  }

  range(range: KeyRange): Entry[] {
    return this.#within(range, {
      found: (options) => this.#database.getRange(options),
      nameOf: ({ key }) => key,
      read: ({ key, value }) => ({ key: userKey(key), value: this.#checked(key, value) }),
    })
  }

  keys(range: KeyRange): readonly Uint8Array[] {
    return this.#within(range, {
      found: (options) => this.#database.getKeys(options),
      nameOf: (key) => key,
      read: userKey,
    })
  }

  #within<F, T>(
    { prefix, from, reverse = false, limit = Number.MAX_SAFE_INTEGER }: KeyRange,
    { found, nameOf, read }: Look<F, T>,
  ): T[] {
    this.#refresh()
    const start = concat(USER, prefix)
    const edge = from === undefined ? undefined : concat(USER, from)
    const nearest = reverse ? afterPrefix(start) : start
    const isInside = edge !== undefined && compareBytes(edge, nearest) * (reverse ? -1 : 1) > 0
    const results: T[] = []
    return this.#guard(() => {
      for (const one of found({ start: isInside ? edge : nearest, reverse })) {
        if (results.length >= limit) break
        const name = nameOf(one)
        if (hasPrefix(name, start)) results.push(read(one))
        // Before the first one in descending order lies at most the key behind the prefix.
        else if (!reverse || compareBytes(name, start) < 0) break
      }
      return results
    })
  }

  /** LMDB is locked only while it takes what the work has made: see `open`. */
  transaction<T>(work: (writer: StoreWriter) => T): T {
    assert(!this.#busy, 'a transaction holds no other')
    this.#busy = true
    try {
      const draft = new Draft(this)
      const result = work(draft)
      const changes = draft.changes.map(({ key, value }) => {
        const name = concat(USER, key)
        return { name, stored: value && withChecksum(name, value) }
      })
      this.#write(() => {
        for (const { name, stored } of changes)
          if (stored === undefined) this.#database.removeSync(name)
          else this.#database.putSync(name, stored)
      })
      return result
    } finally {
      this.#busy = false
    }
  }

  close(): void {
    assert(!this.#busy, 'no transaction is open')
    if (!this.#readOnly) rmSync(ownerFile(this.name), { force: true })
    void this.#database.close() // Nothing is pending, so it is closed when this returns.
  }

  /** One process at a time: LMDB runs writers one by one, so that the look and the mark are one. */
  #claim(): void {
    this.#write(() => {
      this.#checkFormat()
      checkOwner(this.name)
      writeFileSync(ownerFile(this.name), JSON.stringify(ownMark()))
    })
  }

  /** Marks a fresh store. */
  #checkFormat(): void {
    const format = this.#get(FORMAT_KEY)
    if (format === undefined) {
      const [anything] = this.#guard(() => [...this.#database.getRange({ limit: 1 })])
      if (anything !== undefined || this.#readOnly)
        throw storeDamaged(this.name, 'it does not say what it is')
      this.#database.putSync(FORMAT_KEY, withChecksum(FORMAT_KEY, u32be(STORE_FORMAT)))
      return
    }
    const found = attempt(() => {
      const reader = new Reader(format)
      return reader.end(reader.u32())
    })
    if (found instanceof BadEncoding) throw storeDamaged(this.name, found.message)
    if (found !== STORE_FORMAT) throw storeOtherFormat(this.name, { found, known: STORE_FORMAT })
  }

  /** LMDB drops what was written when `work` throws. */
  #write(work: () => void): void {
    assert(!this.#readOnly, 'a reader does not write')
    this.#guard(() => this.#database.transactionSync(work))
  }

  /** What another thread has committed is seen only by a fresh look. */
  #refresh(): void {
    if (this.#readOnly) this.#database.resetReadTxn()
  }

  #get(key: Uint8Array): Uint8Array | undefined {
    const value = this.#guard(() => this.#database.get(key))
    return value === undefined ? undefined : this.#checked(key, value)
  }

  #checked(key: Uint8Array, stored: Uint8Array): Uint8Array {
    const value = new Uint8Array(stored.subarray(CHECKSUM_SIZE))
    if (!equalBytes(checksum(key, value), stored.subarray(0, CHECKSUM_SIZE)))
      throw storeDamaged(this.name, `the value of ${printable(key)} does not have its checksum`)
    return value
  }

  #guard<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw storeFailure(this.name, error)
    }
  }
}

function openDatabase(directory: string, readOnly: boolean): Database {
  const file = join(directory, 'data.mdb')
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    // While another process writes, the file need not look sound.
    if (!readOnly) checkOwner(directory)
    const isNew = !existsSync(file)
    const flaw = isNew || readOnly ? undefined : lmdbFileFlaw(file)
    if (flaw !== undefined) throw storeDamaged(directory, flaw)
    // Threads share one environment, so that one opened for reading alone would bind them all.
    const options = {
      path: directory,
      encoding: 'binary',
      keyEncoding: 'binary',
      maxDbs: 1,
      overlappingSync: false,
      noSubdir: false,
      permissionsMode: 0o600,
    } as const
    const database: Database = open(options)
    if (isNew) for (const place of [directory, dirname(directory)]) flushDirectory(place)
    return database
  } catch (error) {
    throw storeFailure(directory, error)
  }
}

const ownerFile = (directory: string): string => join(directory, 'owner')

/** Threads of one process agree among themselves; another process must have ended. */
function checkOwner(directory: string): void {
  const owner = readMark(ownerFile(directory))
  if (owner !== undefined && owner.pid !== process.pid && isRunning(owner))
    throw storeLocked(directory, owner.pid)
}

/** Of a value under its key: a value that strayed to another key is found as well. */
const checksum = (key: Uint8Array, value: Uint8Array): Uint8Array =>
  new Uint8Array(
    createHash('sha256')
      .update(u32be(key.length))
      .update(key)
      .update(value)
      .digest()
      .subarray(0, CHECKSUM_SIZE),
  )

const withChecksum = (key: Uint8Array, value: Uint8Array): Uint8Array =>
  concat(checksum(key, value), value)

const userKey = (name: Uint8Array): Uint8Array => new Uint8Array(name.subarray(USER.length))

const hasPrefix = (key: Uint8Array, prefix: Uint8Array): boolean =>
  key.length >= prefix.length && equalBytes(key.subarray(0, prefix.length), prefix)

/** The least key above all that begin with a prefix; the first byte of a prefix is not 255. */
function afterPrefix(prefix: Uint8Array): Uint8Array {
  const next = prefix.slice(0, prefix.findLastIndex((byte) => byte !== 0xff) + 1)
  next[next.length - 1] = (next.at(-1) ?? 0) + 1
  return next
}

/** Names are text; what lies under a name and a number says the number, which begins with a zero. */
function printable(key: Uint8Array): string {
  const text = Buffer.from(key.subarray(USER.length)).toString('latin1')
  const [name = '', number = ''] = text.split(/(?<=\/)/, 2)
  const isNumbered = text.length === name.length + NUMBER_SIZE && number.charCodeAt(0) === 0
  return isNumbered ? `${name}${fromBigEndian(key.subarray(-NUMBER_SIZE))}` : JSON.stringify(text)
}
