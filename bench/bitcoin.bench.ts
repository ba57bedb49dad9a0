/**
 * Benchmarks G1: rows of `bitcoin.md` §15 that need no network. Source: performance specification
 * §7.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Block as OtherBlock } from 'bitcoinjs-lib'
import { concatAll, hash32 } from '../src/core/base/bytes.ts'
import { assert, present } from '../src/core/base/errors.ts'
import { sha256d } from '../src/core/base/hash.ts'
import { sat } from '../src/core/base/units.ts'
import type { BlockHeader } from '../src/core/btc/block.ts'
import {
  commitmentScript,
  decodeBlock,
  decodeHeader,
  encodeBlock,
  encodeHeader,
  headerHash,
  witnessCommitment,
  witnessRoot,
} from '../src/core/btc/block.ts'
import {
  decodeFilter,
  encodeFilter,
  filterHash,
  matchFilter,
} from '../src/core/btc/compact-filter.ts'
import { genesisBlock } from '../src/core/btc/genesis.ts'
import { hashMeetsTarget } from '../src/core/btc/header.ts'
import { addHeader, judgeHeader, newHeaderTree } from '../src/core/btc/header-tree.ts'
import { merkleRoot } from '../src/core/btc/merkle.ts'
import { regtest } from '../src/core/btc/network.ts'
import { PackedStrings } from '../src/core/btc/siphash.ts'
import { hasWitness, NULL_VOUT, transactionFromParts, txid } from '../src/core/btc/transaction.ts'
import { benchSeed } from './support/inputs.ts'
import type { Benchmark, Task } from './support/task.ts'
import { peer, task } from './support/task.ts'

const HEADERS = 2_000
const BUILT_TRANSACTIONS = 1_500
/** Budgets of §15; a gate fails at half of them. */
const DECODE_MB_PER_S = 15
const HEADERS_PER_S = 50_000
/** Of the time of a header, what its hash alone takes. */
const BARE_HASH_SHARE = 0.16
const FILTERS_PER_S = 250
const WATCHED_SCRIPTS = 10_000
/** Elements of the filter of a busy block of mainnet. */
const FILTER_ELEMENTS = 8_000
const P2WPKH_BYTES = 22

type Sample = { readonly bytes: Uint8Array; readonly source: string }

/** A real block from the public vectors; undefined where they are not. */
function realBlock(): Sample | undefined {
  const { CKBTC_VECTORS } = process.env
  const folder = CKBTC_VECTORS ?? join(process.cwd(), '..', 'shared', 'vectors')
  const file = join(folder, 'bitcoin-blocks', 'block928828.raw')
  if (!existsSync(file)) return undefined
  return { bytes: new Uint8Array(readFileSync(file)), source: 'block 928828 of testnet3' }
}

/**
 * Transactions of two inputs with witnesses and two outputs, behind a coinbase that commits to
 * them.
 */
function builtBlock(): Sample {
  const generator = benchSeed('block').generator()
  const reserved = new Uint8Array(32)
  const payments = Array.from({ length: BUILT_TRANSACTIONS }, () =>
    transactionFromParts({
      inputs: [0, 1].map((vout) => ({
        outpoint: { txid: hash32(generator.bytes(32)), vout },
        witness: [generator.bytes(72), generator.bytes(33)],
      })),
      outputs: [0, 1].map(() => ({ value: sat(1_000n), script: generator.bytes(22) })),
    }),
  )
  const coinbaseInput = {
    outpoint: { txid: hash32(new Uint8Array(32)), vout: NULL_VOUT },
    scriptSig: new Uint8Array(4),
    witness: [reserved],
  }
  const bare = transactionFromParts({ inputs: [coinbaseInput], outputs: [] })
  const script = commitmentScript(witnessCommitment([bare, ...payments], reserved))
  const coinbase = { ...bare, outputs: [{ value: sat(0n), script }] }
  const { header } = genesisBlock(regtest)
  const bytes = encodeBlock({ header, transactions: [coinbase, ...payments] })
  return { bytes, source: 'built here, every input with a witness' }
}

/**
 * Decodes, hashes every transaction, and builds both trees; the second as the commitment to it,
 * where there is one.
 */
function ownRoots(bytes: Uint8Array): readonly [root: Uint8Array, witnesses: Uint8Array] {
  const { transactions } = decodeBlock(bytes)
  const txids = transactions.map(txid)
  const reserved = transactions[0]?.inputs[0]?.witness[0]
  const { root } = merkleRoot(txids)
  return reserved === undefined
    ? [root, witnessRoot(transactions, txids)]
    : [root, witnessCommitment(transactions, reserved, txids)]
}

/**
 * The library knows the second root as a commitment only, and none of a block without witnesses.
 */
function otherRoots(buffer: Buffer, witnesses: boolean): readonly Uint8Array[] {
  const transactions = OtherBlock.fromBuffer(buffer).transactions ?? []
  const root = OtherBlock.calculateMerkleRoot(transactions)
  return witnesses ? [root, OtherBlock.calculateMerkleRoot(transactions, true)] : [root]
}

function decodeBench(name: string, sample: () => Sample): Benchmark {
  return {
    id: 'G1',
    name,
    group: null,
    n: null,
    prepare: () => {
      const { bytes, source } = sample()
      const buffer = Buffer.from(bytes)
      const witnesses = decodeBlock(bytes).transactions.some(hasWitness)
      return {
        own: task(
          () => ownRoots(bytes),
          (roots) => concatAll(witnesses ? roots : roots.slice(0, 1)),
        ),
        peers: {
          'bitcoinjs-lib': peer.same(task(() => otherRoots(buffer, witnesses), concatAll)),
        },
        rate: { perCall: bytes.length / 1e6, unit: ' MB/s' },
        gates: [{ of: 'rate', relation: '>=', bound: DECODE_MB_PER_S / 2 }],
        note: `${source}, ${bytes.length} bytes${witnesses ? '' : ', no witness data'}`,
      }
    },
  }
}

function decodeBenches(): readonly Benchmark[] {
  const real = realBlock()
  const built = decodeBench('block-decode-built', builtBlock)
  return real === undefined ? [built] : [decodeBench('block-decode-real', () => real), built]
}

/** A chain of headers with work, of the easiest kind. */
function minedHeaders(): readonly Uint8Array[] {
  const headers: Uint8Array[] = []
  let parent = genesisBlock(regtest).header
  while (headers.length < HEADERS) {
    parent = mined(parent)
    headers.push(encodeHeader(parent))
  }
  return headers
}

function mined(parent: BlockHeader): BlockHeader {
  const previous = headerHash(parent)
  for (let nonce = 0; ; nonce++) {
    const header = { ...parent, version: 0x2000_0000, previous, time: parent.time + 600, nonce }
    if (hashMeetsTarget(headerHash(header), regtest.powLimit)) return header
  }
}

/** Decodes, judges and adds one header; starts again on a new tree after the last. */
function validation(headers: readonly Uint8Array[]): Task {
  let tree = newHeaderTree(regtest)
  let height = 0
  return task(
    () => {
      if (height === headers.length) [tree, height] = [newHeaderTree(regtest), 0]
      const header = decodeHeader(present(headers[height], 'below the last header'))
      height++
      const verdict = judgeHeader(tree, header, header.time)
      assert(verdict.type === 'valid', 'a mined header is valid')
      addHeader(tree, verdict.node)
      return verdict.node.hash
    },
    (hash) => hash,
  )
}

function headerBench(): Benchmark {
  return {
    id: 'G1',
    name: 'header-validation',
    group: null,
    n: null,
    prepare: () => {
      const headers = minedHeaders()
      const header = (i: number): Uint8Array =>
        present(headers[i % headers.length], 'an index of a header')
      const buffers = headers.map((bytes) => Buffer.from(bytes))
      return {
        own: validation(headers),
        peers: {
          'bitcoinjs-lib': peer.yardstick(
            task(
              (i) => {
                const block = OtherBlock.fromBuffer(
                  present(buffers[i % buffers.length], 'an index of a header'),
                )
                assert(block.checkProofOfWork(), 'a mined header has work')
                return block.prevHash
              },
              (hash) => hash ?? new Uint8Array(0),
            ),
          ),
          'bare hash': peer.yardstick(
            task(
              (i) => sha256d(header(i)),
              (hash) => hash,
            ),
          ),
        },
        rate: { perCall: 1, unit: '/s' },
        gates: [
          { of: 'rate', relation: '>=', bound: HEADERS_PER_S / 2 },
          { of: 'bare hash', relation: '>=', bound: BARE_HASH_SHARE / 2 },
        ],
        note: 'all rules and the tree; one peer decodes and checks the work alone, one hashes',
      }
    },
  }
}

/** One filter of a busy block: hashed, decoded and searched for every watched script. */
function filterBench(): Benchmark {
  return {
    id: 'G1',
    name: 'filter-matching',
    group: null,
    n: null,
    prepare: () => {
      const generator = benchSeed('filter').generator()
      const scripts = (count: number): readonly Uint8Array[] =>
        Array.from({ length: count }, () => generator.bytes(P2WPKH_BYTES))
      const block = hash32(generator.bytes(32))
      const filter = encodeFilter(block, scripts(FILTER_ELEMENTS))
      const watched = new PackedStrings(scripts(WATCHED_SCRIPTS))
      return {
        own: task(
          () => [filterHash(filter), matchFilter(decodeFilter(filter), block, watched)] as const,
          ([hash, found]) => concatAll([hash, Uint8Array.of(found.length)]),
        ),
        rate: { perCall: 1, unit: ' filters/s' },
        gates: [{ of: 'rate', relation: '>=', bound: FILTERS_PER_S / 2 }],
        note: `${WATCHED_SCRIPTS} scripts against ${FILTER_ELEMENTS} elements, ${filter.length} bytes`,
      }
    },
  }
}

export const bitcoinBenchmarks: readonly Benchmark[] = [
  ...decodeBenches(),
  headerBench(),
  filterBench(),
]
