/** Writes to a store in a worker thread, telling each key that is on disk, until it is told to end. */
import { setImmediate } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { LmdbStore } from '../../dist/host/store/lmdb-store.js'

const { directory, from } = workerData
const store = LmdbStore.open(directory)
let isWanted = true
parentPort.once('message', () => {
  isWanted = false
})
for (let i = from; isWanted; i++) {
  const key = new TextEncoder().encode(String(i).padStart(9, '0'))
  store.transaction((writer) => writer.put(key, new Uint8Array(i % 5 === 0 ? 10_000 : 50).fill(i)))
  parentPort.postMessage(i)
  await setImmediate()
}
store.close()
