/**
 * Benchmarks G2: transfers that are on disk before they are answered, in the node's own store.
 * Source: performance specification §7.
 *
 * The peer is a ledger in SQLite that waits for the same disk (WAL, FULL); it runs in a process of
 * its own, which measures itself.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { concatAll, u32be, u64be } from '../src/core/base/bytes.ts'
import { assert } from '../src/core/base/errors.ts'
import { encodeBlock } from '../src/core/ledger/blocks/block-codec.ts'
import { LmdbStore } from '../src/host/store/lmdb-store.ts'
import { freshLedger, transfer } from './support/ledger-load.ts'
import type { Benchmark, Gate, Peer, Task } from './support/task.ts'
import { peer, task } from './support/task.ts'

const PYTHON = 'python3'
const SQLITE_PEER = join('bench', 'support', 'sqlite-peer.py')
/** Transactions that one run of the peer is the mean of. */
const PEER_TRANSACTIONS = 30
const PAGE_BYTES = 4_096
/** Budget of batches; a gate fails at half of the rate. */
const TRANSFERS_PER_S = 20_000
const BATCH = 100
/**
 * One by one it is the disk that decides: 2,000 a second where a flush takes an eighth of a
 * millisecond. So the gates are against what waits for the same disk: LMDB flushes pages and then
 * the root, where SQLite flushes its log, and a bare flush is the least there is.
 */
const SHARE_OF_SQLITE = 0.3
const SHARE_OF_FLUSH = 0.15

type Row = { readonly name: string; readonly batch: number; readonly gates: readonly Gate[] }

/** Where all rows and peers write: it is one disk that they wait for. */
let home: string | undefined

function directory(): string {
  if (home !== undefined) return home
  const made = mkdtempSync(join(tmpdir(), 'ckbtc-bench-ledger-'))
  process.on('exit', () => rmSync(made, { recursive: true, force: true }))
  home = made
  return made
}

/** Decided, applied, and their blocks one record of a transaction that survives a loss of power. */
function journaled({ name, batch }: Row): Task {
  const state = freshLedger()
  const store = LmdbStore.open(join(directory(), name))
  process.on('exit', () => store.close())
  return task(
    (index) => {
      const parts: Uint8Array[] = []
      for (let i = 0; i < batch; i++) {
        const bytes = encodeBlock(transfer(state, batch * index + i))
        parts.push(u32be(bytes.length), bytes)
      }
      const record = concatAll(parts)
      store.transaction((writer) => writer.put(u64be(BigInt(index)), record))
      return record
    },
    (record) => record,
  )
}

/** Microseconds of a transaction of so many transfers; undefined where Python or SQLite is absent. */
function sqliteUs(batch: number): number | undefined {
  const args = [SQLITE_PEER, directory(), `${PEER_TRANSACTIONS}`, `${batch}`]
  const { status, stdout } = spawnSync(PYTHON, args, { encoding: 'utf8' })
  return status === 0 ? Number(stdout) : undefined
}

function sqlite(batch: number): Peer {
  let us = 0
  const run: Task = {
    call: () => {
      const measured = sqliteUs(batch)
      assert(measured !== undefined, 'a peer that ran once runs again')
      us = measured
    },
    elapsedUs: () => us,
    result: () => Uint8Array.of(1),
  }
  return peer.yardstick(run)
}

/** A page appended to a file and flushed: what any durable answer waits for once at least. */
function flush(): Peer {
  const file = openSync(join(directory(), 'flushed'), 'a')
  process.on('exit', () => closeSync(file))
  const page = new Uint8Array(PAGE_BYTES)
  const run = task(
    () => {
      writeSync(file, page)
      fdatasyncSync(file)
      return page
    },
    (bytes) => bytes,
  )
  return peer.yardstick(run)
}

const durable = (row: Row): Benchmark => ({
  id: 'G2',
  name: row.name,
  group: null,
  n: null,
  prepare: () => {
    const isPeerThere = sqliteUs(row.batch) !== undefined
    return {
      own: journaled(row),
      peers: { ...(isPeerThere ? { sqlite: sqlite(row.batch) } : {}), flush: flush() },
      clock: 'wall',
      rate: { perCall: row.batch, unit: '/s' },
      gates: row.gates,
      note: isPeerThere
        ? 'wall time; peers: SQLite (WAL, FULL) on the same disk, one flush of a page'
        : 'wall time; no SQLite here to compare with: python3 is absent',
    }
  },
})

export const durableBenchmarks: readonly Benchmark[] = [
  durable({
    name: 'ledger-batch-100',
    batch: BATCH,
    gates: [{ of: 'rate', relation: '>=', bound: TRANSFERS_PER_S / 2 }],
  }),
  durable({
    name: 'ledger-durable',
    batch: 1,
    gates: [
      { of: 'sqlite', relation: '>=', bound: SHARE_OF_SQLITE },
      { of: 'flush', relation: '>=', bound: SHARE_OF_FLUSH },
    ],
  }),
]
