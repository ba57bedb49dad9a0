/**
 * Goal: a start opens a new time line on whatever disks are left, and refuses with what to do when
 * too few are. Method: LMDB directories of four nodes, spoiled one way at a time.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { embeddedLedgers, embeddedMinter } from '../../../src/core/subnet/settings.ts'
import { encodeGenesis } from '../../../src/core/tecdsa/membership.ts'
import { encodeFounding, requireFounding } from '../../../src/host/disks/founding-settings.ts'
import { nodeDirectory, openDisk, restoreDisks } from '../../../src/host/disks/subnet-disks.ts'
import { LmdbStore } from '../../../src/host/store/lmdb-store.ts'
import { tokenOf } from '../../support/token-files.ts'
import { genesis, write } from './disks.ts'

const NODES = 4
const names = [0, 1, 2, 3]
const settings = {
  stockTarget: 1,
  creationMax: 1,
  minter: embeddedMinter,
  ids: 'own',
  operator: utf8('operator'),
} as const
let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ckbtc-disks-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** What was written to the disk of each node before the start. */
function found(letters: readonly (string | undefined)[]): void {
  for (const [name, log] of letters.entries()) {
    const disk = openDisk(nodeDirectory(directory, name))
    disk.writeSeed(utf8(`secret ${name}`))
    if (log !== undefined) {
      disk.found(encodeGenesis(genesis))
      write(disk, log)
    }
    disk.close()
  }
}

const spoil = (name: number): void =>
  writeFileSync(join(nodeDirectory(directory, name), 'data.mdb'), 'this is no database')

it('nothing was founded where there is nothing, nor where only secrets were drawn', () => {
  expect(restoreDisks(directory, NODES, settings)).toBeUndefined()
  found([undefined, undefined])
  expect(restoreDisks(directory, NODES, settings)).toBeUndefined()
})

it('the log goes on where f + 1 disks have it, in a time line of its own each time', () => {
  found(['abc', 'ab', 'abc', 'a'])
  const first = restoreDisks(directory, NODES, settings)
  const second = restoreDisks(directory, NODES, settings)
  for (const restored of [first, second]) {
    expect(restored).toMatchObject({ position: { next: 3n }, ready: names, problems: [] })
    expect(restored?.genesis.membership).toEqual(genesis.membership)
  }
  const incarnations = [genesis, first?.genesis, second?.genesis].map((one) => one?.incarnation)
  expect(new Set(incarnations).size).toBe(3)
})

it('a founding that was cut off is finished', () => {
  found([undefined, '', undefined, undefined])
  expect(restoreDisks(directory, NODES, settings)).toMatchObject({
    position: { next: 0n },
    ready: names,
  })
})

it('one damaged disk of four keeps its node down, and is named', () => {
  found(['abc', 'abc', 'abc', 'abc'])
  spoil(1)
  const restored = restoreDisks(directory, NODES, settings)
  expect(restored).toMatchObject({ position: { next: 3n }, ready: [0, 2, 3] })
  expect(restored?.problems).toEqual([
    expect.objectContaining({ code: 'HOST_DISK', message: expect.stringContaining('node-2') }),
  ])
})

it('one lost disk of four keeps its node down, and is named', () => {
  found(['abc', 'abc', 'abc', 'abc'])
  rmSync(nodeDirectory(directory, 3), { recursive: true })
  // It is as empty the next time.
  for (let start = 0; start < 2; start++) {
    const restored = restoreDisks(directory, NODES, settings)
    expect(restored?.ready).toEqual([0, 1, 2])
    expect(restored?.problems).toEqual([
      expect.objectContaining({ code: 'HOST_DISK', message: expect.stringContaining('node-4 is') }),
    ])
  }
})

it('two damaged disks of four refuse the start', () => {
  found(['abc', 'abc', 'abc', 'abc'])
  spoil(0)
  spoil(1)
  expect(() => restoreDisks(directory, NODES, settings)).toThrow(
    expect.objectContaining({ code: 'HOST_DISK', command: 'ckbtc subnet reset' }),
  )
})

it('a damaged disk is not founded over', () => {
  found([undefined, undefined, undefined, undefined])
  spoil(2)
  expect(() => restoreDisks(directory, NODES, settings)).toThrow(
    expect.objectContaining({ code: 'HOST_DISK', message: expect.stringContaining('node-3') }),
  )
})

it('another number of nodes than at the founding is refused', () => {
  found(['', '', '', ''])
  expect(() => restoreDisks(directory, 1, settings)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', command: 'ckbtc subnet reset' }),
  )
})

it('a refused start leaves every store closed', () => {
  found(['', '', '', ''])
  expect(() => restoreDisks(directory, 1, settings)).toThrow()
  for (const name of names) LmdbStore.open(nodeDirectory(directory, name)).close()
})

it('other settings than those it was made with are refused by name, and nothing is changed', () => {
  found(['abc', 'abc', 'abc', undefined])
  restoreDisks(directory, NODES, settings)
  const { init } = embeddedMinter
  for (const [changed, words] of [
    [{ operator: utf8('another') }, 'with another operator key'],
    [
      { minter: { ...embeddedMinter, init: { ...init, minConfirmations: 1 } } },
      'minConfirmations 6, not 1',
    ],
    [{ ids: 'mainnet' as const, stockTarget: 2 }, 'ids own, not mainnet; stockTarget 1, not 2'],
  ] as const) {
    expect(() => restoreDisks(directory, NODES, { ...settings, ...changed })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(words) }),
    )
  }
  const { genesis: begun } = present(restoreDisks(directory, NODES, settings), 'it is founded')
  for (const name of names) {
    const disk = openDisk(nodeDirectory(directory, name))
    // The start records of refused starts would lie between.
    expect(disk.log.starts.map(({ incarnation }) => incarnation)).toEqual([
      genesis.incarnation,
      begun.incarnation,
    ])
    disk.close()
  }
})

it('ledger §20.124: what was written with one width of amounts is not opened with another', () => {
  const of = (width: 64 | 256) => {
    const tokens = [tokenOf({ token_width: width, transfer_fee: '7' })]
    return { ...settings, ledgers: { ...embeddedLedgers, tokens } }
  }
  for (const [written, opened] of [
    [64, 256],
    [256, 64],
  ] as const) {
    const stored = encodeFounding(of(written))
    expect(() => requireFounding(stored, of(written))).not.toThrow()
    expect(() => requireFounding(stored, of(opened))).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining('the subnet was made with tokens XYZ'),
      }),
    )
  }
})

it('a disk of another subnet does not decide what is founded', () => {
  found(['abc', undefined, 'abc', 'abc'])
  rmSync(nodeDirectory(directory, 0), { recursive: true })
  const foreign = openDisk(nodeDirectory(directory, 0))
  foreign.writeSeed(utf8('secret'))
  foreign.found(encodeGenesis({ ...genesis, entropy: new Uint8Array(32) }))
  foreign.close()
  expect(restoreDisks(directory, NODES, settings)?.ready).toEqual([1, 2, 3])
})
