/**
 * Benchmarks G1: rows of `bitcoin.md` §15 about outputs and the blocks that change them. Source:
 * performance specification §7.
 */
import { concatAll, hash32 } from '../src/core/base/bytes.ts'
import { assert } from '../src/core/base/errors.ts'
import { sat } from '../src/core/base/units.ts'
import type { Block } from '../src/core/btc/block.ts'
import { checkBlock, decodeBlock, encodeBlock, txidsOf } from '../src/core/btc/block.ts'
import { checkSpends } from '../src/core/btc/block-spends.ts'
import { utxosOfScript } from '../src/core/btc/chain-queries.ts'
import { newState } from '../src/core/btc/chain-state.ts'
import { genesisBlock } from '../src/core/btc/genesis.ts'
import { merkleRoot } from '../src/core/btc/merkle.ts'
import { regtest } from '../src/core/btc/network.ts'
import { heightPush, p2wpkhScript } from '../src/core/btc/script.ts'
import type { Transaction } from '../src/core/btc/transaction.ts'
import { NULL_VOUT, outpointKey, transactionFromParts } from '../src/core/btc/transaction.ts'
import { pageOf } from '../src/core/btc/utxo-page.ts'
import type { Utxo } from '../src/core/btc/utxo-set.ts'
import { applyChanges, indexChanges } from '../src/core/btc/utxo-set.ts'
import { benchSeed } from './support/inputs.ts'
import type { Benchmark } from './support/task.ts'
import { task } from './support/task.ts'

const OUTPUTS = 10_000
/** One page within 50 ms (§15); a gate fails at twice that. */
const PAGES_PER_S = 20
/** With 82 bytes each, about a megabyte. */
const PAYMENTS = 12_000
const HEIGHT = 200

const seeded = benchSeed('outputs').generator()

const outputOf = (script: Uint8Array): Utxo => ({
  outpoint: { txid: hash32(seeded.bytes(32)), vout: 0 },
  value: sat(546n),
  script,
  height: 1 + (seeded.bytes(1)[0] ?? 0),
  coinbase: false,
})

const keyed = (utxos: readonly Utxo[]): ReadonlyMap<string, Utxo> =>
  new Map(utxos.map((utxo) => [outpointKey(utxo.outpoint), utxo]))

const pageBench: Benchmark = {
  id: 'G1',
  name: 'utxos-page',
  group: null,
  n: null,
  prepare: () => {
    const script = p2wpkhScript(seeded.bytes(20))
    const state = newState({ network: regtest, stabilityThreshold: 144 })
    const created = keyed(Array.from({ length: OUTPUTS }, () => outputOf(script)))
    applyChanges(state.utxos, indexChanges({ created, spent: new Map(), passing: new Set() }))
    return {
      own: task(
        () => {
          const found = utxosOfScript(state, script, 0)
          assert(found.type === 'utxos', 'no confirmations are asked for')
          return pageOf(found, undefined)
        },
        ({ utxos, nextPage }) =>
          concatAll([...utxos.map(({ outpoint }) => outpoint.txid), nextPage ?? script]),
      ),
      rate: { perCall: 1, unit: ' pages/s' },
      gates: [{ of: 'rate', relation: '>=', bound: PAGES_PER_S / 2 }],
      note: `a page of a script with ${OUTPUTS} outputs`,
    }
  },
}

/** A coinbase, and payments of one input and one output each. */
function paymentsBlock(spent: readonly Utxo[]): Block {
  const coinbase: Transaction = transactionFromParts({
    inputs: [
      {
        outpoint: { txid: hash32(new Uint8Array(32)), vout: NULL_VOUT },
        scriptSig: concatAll([heightPush(HEIGHT), new Uint8Array(4)]),
      },
    ],
    outputs: [{ value: sat(0n), script: p2wpkhScript(seeded.bytes(20)) }],
  })
  const payments = spent.map(({ outpoint }) =>
    transactionFromParts({
      inputs: [{ outpoint }],
      outputs: [{ value: sat(500n), script: p2wpkhScript(seeded.bytes(20)) }],
    }),
  )
  const transactions = [coinbase, ...payments]
  const { header } = genesisBlock(regtest)
  const root = merkleRoot(txidsOf({ header, transactions })).root
  return { header: { ...header, merkleRoot: root }, transactions }
}

const blockBench: Benchmark = {
  id: 'G1',
  name: 'block-validation',
  group: null,
  n: null,
  prepare: () => {
    const outputs = Array.from({ length: PAYMENTS }, () => outputOf(p2wpkhScript(seeded.bytes(20))))
    const unspent = keyed(outputs)
    const bytes = encodeBlock(paymentsBlock(outputs))
    return {
      own: task(
        () => {
          const block = decodeBlock(bytes)
          const context = { network: regtest, height: HEIGHT, txids: txidsOf(block) }
          assert(checkBlock(block, context) === undefined, 'the block keeps the rules')
          const verdict = checkSpends(block, {
            ...context,
            output: (key) => unspent.get(key),
            medianTime: () => 0,
          })
          assert(verdict.type === 'valid', 'the block spends what is there')
          return verdict.changes.created.size
        },
        (count) => Uint8Array.of(count & 0xff, count >> 8),
      ),
      rate: { perCall: bytes.length / 1e6, unit: ' MB/s' },
      note: `a block of ${bytes.length} bytes: decoded, every rule, what it changes; no scripts`,
    }
  },
}

export const chainBenchmarks: readonly Benchmark[] = [pageBench, blockBench]
