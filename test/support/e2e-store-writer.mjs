/**
 * Writes to a store as fast as it can, and says on standard output which key is on disk. Ended by
 * whoever started it.
 */
import { writeSync } from 'node:fs'
import { LmdbStore } from '../../dist/host/store/lmdb-store.js'

const [directory, from] = process.argv.slice(2)
const store = LmdbStore.open(directory)
for (let i = Number(from); ; i++) {
  const key = new TextEncoder().encode(String(i).padStart(9, '0'))
  store.transaction((writer) => {
    writer.put(key, new Uint8Array(i % 5 === 0 ? 10_000 : 50).fill(i))
    // Beside it something that is written again and again: pages are freed and reused.
    writer.put(new TextEncoder().encode('newest'), key)
  })
  writeSync(1, `${i}\n`)
}
