/**
 * Loaded with `node --import`: of the threads and processes of nodes the one that takes away the
 * file CKBTC_TEST_BREAK names does what stands in it.
 */
import { readFileSync, unlinkSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const LOOK_MS = 20
const PIECE = 1_000_000
const path = process.env.CKBTC_TEST_BREAK
const isNode = !isMainThread || process.argv[1]?.endsWith('process.js')

const ways = {
  throw: () => {
    throw new TypeError('broken on purpose')
  },
  reject: () => void Promise.reject(new RangeError('far away')),
  exit: () => process.exit(0),
  memory: () => {
    const held = []
    for (;;) held.push(new Array(PIECE).fill({}))
  },
}

/** Whoever takes the file away is the one. */
function taken() {
  try {
    const way = readFileSync(path, 'utf8')
    unlinkSync(path)
    return way
  } catch {
    return undefined
  }
}

if (isNode && path !== undefined)
  setInterval(() => {
    const way = taken()
    if (way !== undefined) setImmediate(ways[way])
  }, LOOK_MS).unref()
