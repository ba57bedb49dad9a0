/**
 * Goal: who follows the node through the adapter has the true chain in the end, whatever the node is
 * told to do wrong, as long as one peer is good (RN-12, RN-15, RN-18).
 * Method: the adapter of the subnet, its chain view, and two nodes with the same chain behind pipes;
 * the first node is the bad one.
 */
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../../src/core/base/bytes.ts'
import { present } from '../../../../src/core/base/errors.ts'
import { sat, timestampNs } from '../../../../src/core/base/units.ts'
import type { AdapterInput } from '../../../../src/core/btc/adapter-port.ts'
import type { Block } from '../../../../src/core/btc/block.ts'
import { missingBlocks, tip } from '../../../../src/core/btc/chain-queries.ts'
import { newState } from '../../../../src/core/btc/chain-state.ts'
import { execute } from '../../../../src/core/btc/chain-view.ts'
import { merkleRoot } from '../../../../src/core/btc/merkle.ts'
import { regtest } from '../../../../src/core/btc/network.ts'
import { RegtestNode } from '../../../../src/core/btc/regtest/node.ts'
import type { PeersInput } from '../../../../src/core/btc/regtest/node-peers.ts'
import { NodePeers } from '../../../../src/core/btc/regtest/node-peers.ts'
import { txid } from '../../../../src/core/btc/transaction.ts'
import { AdapterHarness } from '../../../support/adapter-harness.ts'
import { NOW_S } from '../../../support/chain-builder.ts'
import { mineAnchors, spendAnchors } from './anchors.ts'
import { solved } from './chains.ts'

const anyScript = Uint8Array.of(0x51)
const job = { payToScript: anyScript, nowSeconds: NOW_S }

/** A follower of `nodes`, by their places. */
class Follower {
  readonly harness: AdapterHarness
  readonly refusals: string[] = []
  /** Peers that it wanted to reach, one after the other. */
  readonly connects: number[] = []
  readonly #state = newState({ network: regtest, stabilityThreshold: 144 })
  readonly #peers: readonly NodePeers[]
  readonly #queue: (() => void)[] = []

  constructor(nodes: readonly RegtestNode[]) {
    this.harness = new AdapterHarness({ peers: nodes.length })
    this.#peers = nodes.map((node, place) => {
      const peers = new NodePeers(node)
      node.subscribe((event) => this.#queue.push(() => this.#tell(place, { type: 'event', event })))
      return peers
    })
    this.#step({ type: 'start' })
    for (const place of nodes.keys()) {
      const link = {
        type: 'connected',
        peer: 1,
        nonce: BigInt(place + 1),
        isOutbound: false,
      } as const
      this.#tell(place, link)
      this.#step({ type: 'connected', peer: place })
    }
    this.run()
  }

  get tip(): string {
    return toHex(tip(this.#state).hash)
  }

  wait(ms: number): void {
    this.harness.advance(ms)
    this.#take()
    this.run()
  }

  run(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next()
  }

  #step(input: AdapterInput): void {
    this.harness.step(input)
    this.#take()
  }

  /** What the adapter has given since the last look. */
  #take(): void {
    for (const output of this.harness.outputs.splice(0)) {
      if (output.type === 'send') {
        const { peer, bytes } = output
        this.#queue.push(() => this.#tell(peer, { type: 'bytes', peer: 1, bytes }))
      } else if (output.type === 'disconnect') {
        this.refusals.push(`${output.offence.kind}: ${output.offence.reason}`)
        const { peer } = output
        this.#queue.push(() => this.#tell(peer, { type: 'closed', peer: 1 }))
      } else if (output.type === 'connect') this.connects.push(output.peer)
      else if (output.type === 'headers')
        for (const header of output.headers) this.#see({ type: 'header', header })
      else if (output.type === 'block') this.#see({ type: 'block', block: output.block })
    }
  }

  #see(request: Parameters<typeof execute>[1]): void {
    const now = timestampNs(BigInt(this.harness.nowMs) * 1_000_000n)
    const { reply } = execute(this.#state, request, now)
    if (reply.type === 'invalid') this.refusals.push(`view: ${reply.reason}`)
    this.#queue.push(() => this.#step({ type: 'want', hashes: missingBlocks(this.#state) }))
  }

  #tell(place: number, input: PeersInput): void {
    const outputs = this.#peers[place]?.step(input, this.harness.nowMs) ?? []
    for (const output of outputs)
      if (output.type === 'send') {
        const { bytes } = output
        this.#queue.push(() => this.#step({ type: 'bytes', peer: place, bytes }))
      } else if (output.type === 'drop')
        this.#queue.push(() => this.#step({ type: 'disconnected', peer: place }))
  }
}

function story() {
  const bad = new RegtestNode()
  const coins = mineAnchors(bad, 2, NOW_S)
  const good = RegtestNode.restore(bad.snapshot())
  const follower = new Follower([bad, good])
  const tipOf = (node: RegtestNode): string => toHex(node.tip().hash)
  expect(follower.tip).toBe(tipOf(bad))
  /** Both nodes have the same new block; the bad one says so first. */
  const mine = (): string => {
    bad.mine(1, anyScript, NOW_S)
    const { hash } = bad.tip()
    good.submitBlock(present(bad.blockByHash(hash), 'it is there'), NOW_S)
    follower.run()
    return toHex(hash)
  }
  return { bad, good, coins, follower, tipOf, mine }
}

describe('a follower with one bad and one good peer', () => {
  it.each(['block', 'witness', 'header'] as const)('gets over a corrupt %s', (what) => {
    const { bad, follower, mine } = story()
    bad.switches.corruptNext(what)
    const tip = mine()
    follower.wait(60_000)
    expect(follower.tip).toBe(tip)
    expect(follower.refusals.join()).toMatch(what === 'header' ? /^badHeaders/ : /^mutatedBlock/)
  })

  it('asks the other one for a block that is withheld', () => {
    const { bad, follower, mine } = story()
    bad.switches.withholdsBlocks = true
    const tip = mine()
    follower.wait(60_000)
    expect(follower.tip).toBe(tip)
  })

  it('goes on without a peer that stalls', () => {
    const { bad, follower, mine } = story()
    bad.switches.isStalled = true
    const tips = [mine(), mine()]
    follower.wait(60_000)
    expect(follower.tip).toBe(tips[1])
  })

  it('connects again to whom has dropped it', () => {
    const { bad, follower, mine } = story()
    bad.dropPeers()
    follower.run()
    const tip = mine()
    expect(follower.tip).toBe(tip)
    follower.wait(60_000)
    expect(follower.connects.slice(2)).toContain(0)
  })

  it('stays with what came first when a fork has as much work', () => {
    const { bad, follower, tipOf } = story()
    const before = follower.tip
    bad.fork(bad.tip().height - 2, 2, job)
    follower.run()
    expect(follower.tip).toBe(before)
    bad.mine(1, anyScript, NOW_S)
    follower.run()
    expect(follower.tip).toBe(tipOf(bad))
  })

  it('follows a reorganisation to the longer branch', () => {
    const { bad, follower, tipOf } = story()
    bad.reorganise(4, { ...job, dropTransactions: true })
    follower.run()
    expect(follower.tip).toBe(tipOf(bad))
  })
})

describe('a block that nobody judged', () => {
  type Make = (world: ReturnType<typeof story>) => Block
  const cases: readonly (readonly [string, string, Make])[] = [
    [
      'spends a coin twice',
      'bad-txns-inputs-missingorspent',
      ({ bad, coins }) =>
        bad.makeBlock(
          [spendAnchors(coins, { fee: 1n }), spendAnchors(coins.slice(0, 1), { fee: 2n })],
          job,
        ),
    ],
    [
      'pays its miner too much',
      'bad-cb-amount',
      ({ bad }) => {
        const block = bad.makeBlock([], job)
        const transactions = block.transactions.map((tx) => ({
          ...tx,
          outputs: tx.outputs.map((o, i) => (i === 0 ? { ...o, value: sat(o.value + 1n) } : o)),
        }))
        const root = merkleRoot(transactions.map(txid)).root
        return { transactions, header: solved({ ...block.header, merkleRoot: root }) }
      },
    ],
  ]

  it.each(cases)('and %s is refused, and the chain goes on beside it', (_, reason, make) => {
    const world = story()
    const { bad, follower, mine } = world
    const before = follower.tip
    bad.serveUnchecked(make(world))
    follower.run()
    expect(follower.refusals).toContain(`view: ${reason}`)
    expect(follower.tip).toBe(before)
    const tip = mine()
    follower.wait(60_000)
    expect(follower.tip).toBe(tip)
  })
})
