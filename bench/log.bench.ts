/** Benchmark D9: one slot of the log, all nodes in one process. Source: performance specification §7. */
import { utf8 } from '../src/core/base/bytes.ts'
import { nativeEd25519 } from '../src/native/ed25519.ts'
import { Counts, countingEd25519 } from './support/counting.ts'
import { floorOf } from './support/floor.ts'
import { LogLoop } from './support/logs.ts'
import { calibrate } from './support/noise.ts'
import type { Benchmark } from './support/task.ts'
import { task } from './support/task.ts'

const ITEMS = 8
const ITEM_SIZE = 100
/** What one message may cost, §7. */
const MESSAGE_US = 20

function itemsOf(call: number): readonly Uint8Array[] {
  return Array.from({ length: ITEMS }, (_, i) => {
    const item = new Uint8Array(ITEM_SIZE)
    item.set(utf8(`${call} ${i}`))
    return item
  })
}

function slotBench(n: number): Benchmark {
  return {
    id: 'D9',
    name: 'slot',
    group: null,
    n,
    prepare: () => {
      const ed25519 = new Counts()
      const loop = new LogLoop(n, countingEd25519(nativeEd25519, ed25519))
      let calls = 0
      const one = (): Uint8Array => utf8(String(loop.slot(itemsOf(calls++)).number))
      one()
      const before = { messages: loop.messages, bytes: loop.bytes }
      const counted = new Counts().plus(ed25519)
      one()
      const messages = loop.messages - before.messages
      const kilobytes = (loop.bytes - before.bytes) / 1_000
      return {
        own: task(one, (bytes) => bytes),
        floor: floorOf(ed25519.plus(counted, -1)) + (messages * MESSAGE_US) / calibrate(),
        gates: [{ of: 'overhead', relation: '<=', bound: 2.5 }],
        note: `${ITEMS} items; ${messages} messages, ${kilobytes.toFixed(0)} kB together, of at most ${8 * n * (n - 1)}`,
      }
    },
  }
}

export const logBenchmarks = (sizes: readonly number[]): readonly Benchmark[] =>
  sizes.map(slotBench)
