/**
 * Benchmarks G1: rows of `bitcoin.md` §15 and RN-23 about the embedded regtest node. Source:
 * performance specification §7.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { concatAll } from '../src/core/base/bytes.ts'
import { assert } from '../src/core/base/errors.ts'
import { RegtestNode } from '../src/core/btc/regtest/node.ts'
import type { Benchmark, Prepared } from './support/task.ts'
import { task } from './support/task.ts'

const NOW = 1_700_000_000
const SCRIPT = Uint8Array.of(0x51)
const MANY = 1_000
/** Budgets; a gate fails at twice the time. */
const COLD_MS = 1_000
const COLD_BYTES = 120_000_000
const BLOCKS_PER_S = 100
const BLOCKS_IN_A_ROW_PER_S = 200
const RESTORES_PER_S = 1

const bench = (name: string, prepare: () => Prepared): Benchmark => ({
  id: 'G1',
  name,
  group: null,
  n: null,
  prepare,
})

/** Time and memory of a process from nothing to a P2P listener with 101 blocks, and its end. */
function startCold(): number {
  const script = fileURLToPath(new URL('./support/cold-node.js', import.meta.url))
  const began = performance.now()
  const { status, stdout } = spawnSync(process.execPath, [script], { encoding: 'utf8' })
  const tookMs = performance.now() - began
  const bytes = Number(stdout)
  assert(status === 0 && bytes > 0, 'the node starts and ends')
  // Rates count the time of this process, which only waits: so the budgets are held here.
  assert(tookMs <= 2 * COLD_MS, `a cold start took ${tookMs} ms`)
  assert(bytes <= 2 * COLD_BYTES, `a cold start took ${bytes} bytes of memory`)
  return bytes
}

const coldStart = bench('regtest-cold-start', () => {
  const megabytes = startCold() / 1e6
  return {
    own: task(startCold, () => new Uint8Array(1)),
    note: `a process from nothing to a P2P listener with 101 blocks, ${megabytes.toFixed(0)} MB`,
  }
})

const oneBlock = bench('regtest-block', () => {
  const node = new RegtestNode()
  return {
    own: task(
      () => node.mine(1, SCRIPT, NOW),
      (hashes) => concatAll(hashes),
    ),
    rate: { perCall: 1, unit: ' blocks/s' },
    gates: [{ of: 'rate', relation: '>=', bound: BLOCKS_PER_S / 2 }],
    note: 'an empty block, mined and judged',
  }
})

const manyBlocks = bench('regtest-thousand-blocks', () => ({
  own: task(
    () => {
      const node = new RegtestNode()
      node.mine(MANY, SCRIPT, NOW)
      return node.tip().hash
    },
    (hash) => hash,
  ),
  rate: { perCall: MANY, unit: ' blocks/s' },
  gates: [{ of: 'rate', relation: '>=', bound: BLOCKS_IN_A_ROW_PER_S / 2 }],
  note: 'a new chain of 1,000 empty blocks',
}))

const snapshot = bench('regtest-restore', () => {
  const node = new RegtestNode()
  node.mine(MANY, SCRIPT, NOW)
  return {
    own: task(
      () => RegtestNode.restore(node.snapshot()).tip().hash,
      (hash) => hash,
    ),
    rate: { perCall: 1, unit: ' chains/s' },
    gates: [{ of: 'rate', relation: '>=', bound: RESTORES_PER_S / 2 }],
    note: '1,000 blocks to a snapshot and back, every rule but the scripts',
  }
})

export const regtestBenchmarks: readonly Benchmark[] = [coldStart, oneBlock, manyBlocks, snapshot]
