/**
 * Goal: what a store said is on disk is there after SIGKILL at any moment, and nobody else writes
 * meanwhile.
 * Method: a process writes and acknowledges; it is killed in the middle of a line, twenty times.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { afterAll, expect, test } from 'vitest'
import { fromUtf8, u32be, utf8 } from '../../src/core/base/bytes.ts'
import { LmdbStore } from '../../src/host/store/lmdb-store.ts'

const root = mkdtempSync(join(tmpdir(), 'ckbtc-killed-'))
afterAll(() => rmSync(root, { recursive: true }))
const thread = new URL('../support/e2e-store-thread.mjs', import.meta.url)
const writer = fileURLToPath(new URL('../support/e2e-store-writer.mjs', import.meta.url))

/** Runs a writer until it has acknowledged `count` keys; kills it; the newest one it told of. */
async function writeAndKill(
  directory: string,
  { from, count, meanwhile }: { from: number; count: number; meanwhile?: () => void },
): Promise<number> {
  const child = spawn(process.execPath, [writer, directory, `${from}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  await new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    child.stdout.on('data', (chunk: Buffer) => {
      const before = said.split('\n').length
      said += chunk.toString()
      if (before === 1) meanwhile?.()
      if (said.split('\n').length > count) child.kill('SIGKILL')
    })
  })
  // What follows the last line end was cut off in the middle.
  return Number(said.split('\n').at(-2))
}

test('every acknowledged key is there after each of twenty kills', async () => {
  const directory = join(root, 'killed')
  let from = 0
  for (let round = 0; round < 20; round++) {
    const acknowledged = await writeAndKill(directory, { from, count: 5 + 7 * round })
    expect(acknowledged).toBeGreaterThan(from)
    const store = LmdbStore.open(directory)
    const entries = store.range({ prefix: utf8('0') })
    const newest = Number(fromUtf8(store.get(utf8('newest')) ?? utf8('-1')))
    store.close()
    // One that was written and not yet told may be there as well, whole.
    expect(newest).toBeGreaterThanOrEqual(acknowledged)
    expect(entries.map(({ key }) => Number(fromUtf8(key)))).toEqual(
      Array.from({ length: newest + 1 }, (_, i) => i),
    )
    from = newest + 1
  }
})

test('threads take turns with one store, and one that only reads sees what is on disk', async () => {
  const directory = join(root, 'threads')
  LmdbStore.open(directory).close()
  const reader = LmdbStore.open(directory, { readOnly: true })
  let from = 0
  for (let round = 0; round < 10; round++) {
    const worker = new Worker(thread, { workerData: { directory, from } })
    let acknowledged = -1
    worker.on('message', (i: number) => {
      acknowledged = i
      if (i === from + 10 + round) worker.postMessage('end')
    })
    await once(worker, 'exit')
    const count = reader.range({ prefix: utf8('0') }).length
    expect(count).toBe(acknowledged + 1)
    const store = LmdbStore.open(directory)
    store.transaction((transaction) => transaction.put(utf8('round'), u32be(round)))
    store.close()
    expect(reader.get(utf8('round'))).toEqual(u32be(round))
    from = count
  }
  reader.close()
})

test('ledger §20.143: a store that another process uses is refused with HOST_STATE_LOCKED until that ends', async () => {
  const directory = join(root, 'locked')
  await writeAndKill(directory, { from: 0, count: 1_000 })
  let refusal: unknown
  const meanwhile = (): void => {
    try {
      LmdbStore.open(directory).close()
    } catch (error) {
      refusal = error
    }
  }
  await writeAndKill(directory, { from: 1_000, count: 1, meanwhile })
  expect(refusal).toMatchObject({ code: 'HOST_STATE_LOCKED' })
  LmdbStore.open(directory).close()
})
