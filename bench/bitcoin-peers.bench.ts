/**
 * Benchmarks G1: rows of `bitcoin.md` §15 between the regtest node and who follows it. Both speak in
 * bytes in this process; the sockets of loopback would add a fraction of a millisecond. Source:
 * performance specification §7.
 */
import { assert, present } from '../src/core/base/errors.ts'
import { sha256 } from '../src/core/base/hash.ts'
import { Seed } from '../src/core/base/seed.ts'
import { sat, timestampNs } from '../src/core/base/units.ts'
import { BitcoinAdapter } from '../src/core/btc/adapter.ts'
import type { AdapterInput, AdapterOutput } from '../src/core/btc/adapter-port.ts'
import { missingBlocks, outgoing, tip, utxosOfScript } from '../src/core/btc/chain-queries.ts'
import type { Request } from '../src/core/btc/chain-state.ts'
import { newState } from '../src/core/btc/chain-state.ts'
import { execute } from '../src/core/btc/chain-view.ts'
import { regtest } from '../src/core/btc/network.ts'
import { RegtestNode } from '../src/core/btc/regtest/node.ts'
import type { PeersInput } from '../src/core/btc/regtest/node-peers.ts'
import { NodePeers } from '../src/core/btc/regtest/node-peers.ts'
import { p2wshScript } from '../src/core/btc/script.ts'
import type { Transaction } from '../src/core/btc/transaction.ts'
import { encodeTransaction, transactionFromParts, txid } from '../src/core/btc/transaction.ts'
import type { Benchmark, Prepared } from './support/task.ts'
import { task } from './support/task.ts'

const NOW_S = 1_700_000_000
const NOW = timestampNs(BigInt(NOW_S) * 1_000_000_000n)
/** Anyone may spend it: the witness script is OP_TRUE. */
const TRUE_SCRIPT = Uint8Array.of(0x51)
const ANYONE = p2wshScript(sha256(TRUE_SCRIPT))
const OTHER = p2wshScript(sha256(Uint8Array.of(0x52)))
const HEADERS = 450
/** Of §15; a gate fails at twice that. */
const HANDSHAKE_MS = 100
const SUBMIT_MS = 100
const SEEN_MS = 250
const PEER = 1

/** The Bitcoin side of a node of the subnet, connected to a regtest node. */
class Pair {
  readonly node: RegtestNode
  readonly state = newState({ network: regtest, stabilityThreshold: 144 })
  readonly #peers: NodePeers
  readonly #adapter: BitcoinAdapter
  readonly #toNode: PeersInput[] = []
  readonly #toAdapter: AdapterInput[] = []
  readonly #keepsBlocks: boolean

  constructor(node: RegtestNode, { keepsBlocks = true } = {}) {
    this.node = node
    this.#keepsBlocks = keepsBlocks
    this.#peers = new NodePeers(node)
    this.#adapter = new BitcoinAdapter({
      network: regtest,
      peers: [{ host: '127.0.0.1', port: 18_444 }],
      seed: Seed.fromBytes(new Uint8Array(32).fill(5)),
      userAgent: '/bench/',
      push: true,
    })
    node.subscribe((event) => this.#toNode.push({ type: 'event', event }))
    this.#toNode.push({ type: 'connected', peer: PEER, nonce: 1n, isOutbound: false })
    this.#toAdapter.push({ type: 'start' }, { type: 'connected', peer: 0 })
    this.settle()
  }

  /** Until nothing is on its way. */
  settle(): void {
    for (;;) {
      const toNode = this.#toNode.shift()
      const toAdapter = toNode === undefined ? this.#toAdapter.shift() : undefined
      if (toNode === undefined && toAdapter === undefined) return
      if (toNode !== undefined) this.#stepNode(toNode)
      if (toAdapter !== undefined)
        for (const output of this.#adapter.step(toAdapter, NOW)) this.#perform(output)
    }
  }

  #stepNode(input: PeersInput): void {
    for (const output of this.#peers.step(input, NOW_S * 1_000))
      if (output.type === 'send')
        this.#toAdapter.push({ type: 'bytes', peer: 0, bytes: output.bytes })
    if (this.#peers.link(PEER)?.waiting === true) this.#toNode.push({ type: 'drained', peer: PEER })
  }

  #perform(output: AdapterOutput): void {
    assert(output.type !== 'disconnect', 'both are honest')
    if (output.type === 'send')
      this.#toNode.push({ type: 'bytes', peer: PEER, bytes: output.bytes })
    if (output.type === 'headers')
      for (const header of output.headers) this.run({ type: 'header', header })
    if (output.type === 'block') this.run({ type: 'block', block: output.block })
  }

  run(request: Request): void {
    execute(this.state, request, NOW)
    if (!this.#keepsBlocks) return
    this.#toAdapter.push({ type: 'want', hashes: missingBlocks(this.state) })
    this.#toAdapter.push({ type: 'announce', transactions: outgoing(this.state) })
  }

  get bestHeight(): number {
    return this.#adapter.bestHeight
  }
}

const bench = (name: string, prepare: () => Prepared): Benchmark => ({
  id: 'G1',
  name,
  group: null,
  n: null,
  prepare,
})

const within = (ms: number, note: string): Pick<Prepared, 'rate' | 'gates' | 'note'> => ({
  rate: { perCall: 1, unit: ' /s' },
  gates: [{ of: 'rate', relation: '>=', bound: 1_000 / ms / 2 }],
  note: `budget ${ms} ms; ${note}`,
})

const handshake = bench('handshake-450-headers', () => {
  const node = new RegtestNode()
  node.mine(HEADERS, ANYONE, NOW_S)
  return {
    own: task(
      () => new Pair(node, { keepsBlocks: false }).bestHeight,
      (height) => {
        assert(height === HEADERS, 'the adapter has every header')
        return Uint8Array.of(height & 0xff)
      },
    ),
    ...within(HANDSHAKE_MS, 'both ends in one thread, no sockets'),
  }
})

/** A chain whose view is there, with coins to spend. */
function grown(): Pair {
  const node = new RegtestNode()
  node.mine(HEADERS, ANYONE, NOW_S)
  const pair = new Pair(node)
  assert(tip(pair.state).height === HEADERS, 'the view has the chain')
  return pair
}

function payment(pair: Pair, height: number): Transaction {
  const coinbase = present(pair.node.blockAt(height)?.transactions[0], 'a coinbase')
  return transactionFromParts({
    inputs: [{ outpoint: { txid: txid(coinbase), vout: 0 }, witness: [TRUE_SCRIPT] }],
    outputs: [{ value: sat(2_000_000_000n), script: OTHER }],
  })
}

const submit = bench('submit-to-mempool', () => {
  const pair = grown()
  let bytes: Uint8Array = new Uint8Array()
  return {
    own: {
      // Every call spends a coin of its own, and mines one for another call.
      before: (index) => {
        pair.node.mine(1, ANYONE, NOW_S)
        pair.settle()
        bytes = encodeTransaction(payment(pair, 1 + index))
      },
      call: () => {
        pair.run({ type: 'sendTransaction', bytes, keep: true })
        pair.settle()
      },
      result: () => {
        assert(pair.node.mempool().length === 1, 'the node has the transaction')
        return Uint8Array.of(1)
      },
    },
    ...within(SUBMIT_MS, 'from the request of a canister, through P2P'),
  }
})

const seen = bench('mined-to-utxos', () => {
  const pair = grown()
  let before = 0
  const found = (): number => {
    const utxos = utxosOfScript(pair.state, OTHER, 1)
    return utxos.type === 'utxos' ? utxos.utxos.length : 0
  }
  return {
    own: {
      before: (index) => {
        before = found()
        pair.node.submit(payment(pair, 1 + index), NOW_S)
      },
      call: () => {
        pair.node.mine(1, ANYONE, NOW_S)
        pair.settle()
        assert(found() === before + 1, 'the output is there with the block')
      },
      result: () => Uint8Array.of(1),
    },
    ...within(SEEN_MS, 'mined, announced, fetched, judged, asked for; without the log'),
  }
})

export const peerBenchmarks: readonly Benchmark[] = [handshake, submit, seen]
