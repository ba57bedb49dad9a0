/**
 * Goal: whatever a loss of power leaves of the last write, and whichever bit of an earlier one is
 * flipped, a start goes on from what was whole, or refuses and says where.
 * Method: a real log on a real store. The file around its last transaction is put together again,
 * byte by byte in the order in which LMDB writes, and opened; records are changed one at a time.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { concat, fromBigEndian, toHex, u64be, utf8 } from '../../../src/core/base/bytes.ts'
import { CkbtcError, present } from '../../../src/core/base/errors.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import { encodeGenesis } from '../../../src/core/tecdsa/membership.ts'
import { LogScrub, SCRUB_SLOTS } from '../../../src/host/disks/log-scrub.ts'
import { NodeDisk } from '../../../src/host/disks/node-disk.ts'
import { LmdbStore } from '../../../src/host/store/lmdb-store.ts'
import { MemoryStore } from '../../../src/host/store/store.ts'
import type { TornWrite } from '../../support/ledger-crashes/torn-file.ts'
import { tornWrite } from '../../support/ledger-crashes/torn-file.ts'
import { Random } from '../../support/random.ts'
import { genesis } from './disks.ts'

const SLOTS = 40
/** `all`: no byte is passed over. */
const { PLACES } = process.env
const root = mkdtempSync(join(tmpdir(), 'ckbtc-torn-'))
afterAll(() => rmSync(root, { recursive: true }))
const directory = join(root, 'log')
const file = join(directory, 'data.mdb')

/** As a slot with calls is written: the slot, a record, the root that it led to. */
function append(disk: NodeDisk, size: number): void {
  const number = disk.log.position.next
  disk.commit({
    slot: {
      number,
      time: timestampNs(1_000n + number * 10n),
      proposers: [],
      items: [new Uint8Array(size).fill(Number(number) + 1), utf8(`item ${number}`)],
    },
    records: [{ key: `record ${number % 3n}`, value: utf8(`value ${number}`) }],
    past: number % 4n === 0n ? [{ slot: number, calls: utf8('calls') }] : [],
    root: { slot: number, root: new Uint8Array(32).fill(Number(number)) },
  })
}

/** All that a disk says, in one hash. */
function told(disk: NodeDisk): string {
  const { position, starts } = disk.log
  const entries = [...disk.log.entries(0n)].map((entry) =>
    entry.type === 'slot' ? entry.slot.items.map(toHex) : `${entry.record.incarnation}`,
  )
  const past = [...disk.signerPast(0n, position.next)].map(({ slot }) => `${slot}`)
  const records = [...disk.records()].map(([key, value]) => [key, toHex(value)])
  const { slot, root: named } = present(disk.root, 'a root was named')
  const { seed } = disk
  const end = [`${position.next}`, toHex(position.previous), starts.length]
  const all = [entries, past, records, `${slot}`, toHex(named), end, toHex(present(seed, 'a seed'))]
  return toHex(sha256(utf8(JSON.stringify(all))))
}

/** What a start finds, or the problem it refuses with. */
function found(path = directory): string {
  let store: LmdbStore | undefined
  try {
    store = LmdbStore.open(path)
    return told(new NodeDisk(store))
  } catch (error) {
    if (!(error instanceof CkbtcError)) throw error
    return `${error.code}: ${error.message}`
  } finally {
    store?.close()
  }
}

let [before, after] = [Buffer.alloc(0), Buffer.alloc(0)]
let [toldBefore, toldAfter] = ['', '']
beforeAll(() => {
  const disk = new NodeDisk(LmdbStore.open(directory))
  disk.writeSeed(utf8('secret'))
  disk.found(encodeGenesis(genesis))
  for (let i = 0; i < SLOTS; i++) append(disk, i % 7 === 0 ? 9_000 : 40 + i)
  toldBefore = told(disk)
  before = readFileSync(file)
  append(disk, 5_000)
  toldAfter = told(disk)
  after = readFileSync(file)
  disk.close()
})

describe('the last write', () => {
  const foundIn = (torn: Buffer): string => {
    writeFileSync(file, torn)
    const said = found()
    return said === toldBefore ? 'before' : said === toldAfter ? 'after' : said
  }
  const torn = (): TornWrite => tornWrite(before, after)
  /** Every byte of what marks a page, and of the heads; of what fills one, every 97th. */
  const places = ({ body, head }: TornWrite): readonly number[] => [
    ...body.filter((place, i) => PLACES === 'all' || place % 4_096 < 32 || i % 97 === 0),
    ...head,
  ]

  test('ledger §20.139: cut at any byte, it was whole or it never was', () => {
    const { body, head, file: fileOf } = torn()
    const order = [...body, ...head]
    const rank = new Map(order.map((place, i) => [place, i]))
    const said = places(torn()).map((place) => {
      const cut = rank.get(place) ?? 0
      return foundIn(fileOf((other) => (rank.get(other) ?? 0) < cut))
    })
    expect(new Set(said)).toEqual(new Set(['before']))
    expect(said.length).toBeGreaterThan(100)
    expect(foundIn(fileOf(() => true))).toBe('after')
  })

  test('ledger §20.139: of its pages any may be missing while its head is', () => {
    const random = new Random('torn pages')
    const { head, file: fileOf } = torn()
    const heads = new Set(head)
    for (let i = 0; i < 40; i++) {
      const salt = random.word()
      const isThere = (page: number): boolean => ((page * 2_654_435_761 + salt) >>> 9) % 2 === 0
      const left = fileOf((place) => !heads.has(place) && isThere(Math.floor(place / 512)))
      expect(foundIn(left)).toBe('before')
    }
  })

  test('ledger §20.139: a file that did not grow yet is as it was', () => {
    expect(foundIn(before)).toBe('before')
  })

  test('goes on where it was cut', () => {
    const { head, file: fileOf } = torn()
    const heads = new Set(head)
    writeFileSync(
      file,
      fileOf((place) => !heads.has(place)),
    )
    const disk = new NodeDisk(LmdbStore.open(directory))
    append(disk, 5_000)
    expect(told(disk)).toBe(toldAfter)
    disk.close()
  })
})

describe('a record that is there', () => {
  /** The records as they are written, in a store without checksums of its own. */
  function memory(): MemoryStore {
    const store = new MemoryStore()
    const whole = LmdbStore.open(directory)
    store.transaction((writer) => {
      for (const { key, value } of whole.range({ prefix: new Uint8Array() })) writer.put(key, value)
    })
    whole.close()
    return store
  }
  beforeAll(() => writeFileSync(file, after))

  test('ledger §20.139: the last slot, cut at any byte, is damage: the start refuses, with its number', () => {
    const store = memory()
    const key = concat(utf8('slot/'), u64be(BigInt(SLOTS)))
    const value = present(store.get(key), 'the last slot')
    // Every byte of hash and head; of 5,000 equal ones every seventh.
    const cuts = Array.from({ length: value.length }, (_, size) => size)
    for (const size of cuts.filter((cut) => cut < 200 || cut % 7 === 0)) {
      store.transaction((writer) => writer.put(key, value.subarray(0, size)))
      expect(() => new NodeDisk(store)).toThrow(`damaged: slot ${SLOTS} `)
    }
    store.transaction((writer) => writer.put(key, value))
    expect(told(new NodeDisk(store))).toBe(toldAfter)
  })

  /** Every one of the store, as its key has it, under its name in the file. */
  const records = (): readonly Uint8Array[] => {
    const whole = LmdbStore.open(directory)
    const keys = whole.keys({ prefix: new Uint8Array() })
    whole.close()
    return keys
  }
  const nameOf = (key: Uint8Array): string => {
    const text = Buffer.from(key).toString('latin1')
    const isNumbered = /^(slot|start|signer)\//.test(text)
    return isNumbered ? `${text.split('/')[0]}/${fromBigEndian(key.subarray(-8))}` : text
  }

  test('ledger §20.140: with one bit flipped, whichever it is, is refused by its number', () => {
    const random = new Random('flipped bits')
    const copy = join(root, 'flipped')
    for (const key of records()) {
      cpSync(directory, copy, { recursive: true })
      const raw = open({ path: copy, encoding: 'binary', keyEncoding: 'binary' })
      const name = concat(Uint8Array.of(1), key)
      const value = Buffer.from(present<Buffer>(raw.get(name), 'a key has a value'))
      const at = random.below(value.length)
      value[at] = (value[at] ?? 0) ^ (1 << random.below(8))
      raw.putSync(name, value)
      void raw.close()
      expect(found(copy)).toContain('HOST_DISK')
      expect(found(copy)).toContain(nameOf(key))
    }
    expect(found()).toBe(toldAfter)
  })

  test('ledger §20.140: with one bit flipped under a checksum that fits, is refused by its number', () => {
    const random = new Random('flipped bits with checksums')
    const store = memory()
    for (let slot = 0n; slot <= BigInt(SLOTS); slot++) {
      const key = concat(utf8('slot/'), u64be(slot))
      const value = present(store.get(key), 'a slot')
      const flipped = value.slice()
      const at = random.below(value.length)
      flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8))
      store.transaction((writer) => writer.put(key, flipped))
      // A slot whose own hash was changed is found by the slot that follows it, too.
      expect(() => told(new NodeDisk(store))).toThrow(new RegExp(`slot (${slot}|${slot + 1n}) `))
      store.transaction((writer) => writer.put(key, value))
    }
    expect(told(new NodeDisk(store))).toBe(toldAfter)
  })

  test('ledger §20.140: with one bit flipped before the snapshot, is found by reading on after the start', () => {
    const store = memory()
    const key = concat(utf8('slot/'), u64be(7n))
    const value = present(store.get(key), 'a slot')
    const pieces = (): number => {
      const scrub = new LogScrub(new NodeDisk(store).log)
      let count = 1
      while (scrub.step()) count += 1
      return count
    }
    expect(pieces()).toBe(Math.ceil((SLOTS + 1) / Number(SCRUB_SLOTS)))
    const flipped = value.map((byte, i) => (i === 50 ? byte ^ 4 : byte))
    store.transaction((writer) => writer.put(key, flipped))
    expect(pieces).toThrow('slot 7 does not have its hash')
  })

  test('ledger §20.140: a bit of the file is refused, or was of nothing', () => {
    const random = new Random('flipped bits of the file')
    const copy = join(root, 'flipped-file')
    cpSync(directory, copy, { recursive: true })
    let refused = 0
    for (let i = 0; i < 120; i++) {
      const bytes = Buffer.from(after)
      // Half of them among what pages begin with, and the heads.
      const page = random.below(after.length / 4_096)
      const place = page * 4_096 + random.below(random.oneIn(2) ? 200 : 4_096)
      bytes[place] = (bytes[place] ?? 0) ^ (1 << random.below(8))
      writeFileSync(join(copy, 'data.mdb'), bytes)
      const said = found(copy)
      if (said !== toldAfter) expect(said).toMatch(/^HOST_DISK: the store .* is damaged/)
      if (said !== toldAfter) refused += 1
    }
    expect(refused).toBeGreaterThan(20)
  })
})
