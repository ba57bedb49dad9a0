/**
 * Goal: what the minter makes to take the place of another is taken by a node, and announced instead of
 * the old one. Method: the minter on the real Bitcoin canister, which follows the blocks of a real
 * regtest node; what the canister would announce is offered to that node's mempool. Source: minter
 * §14, bitcoin §10.
 */
import { expect, it } from 'vitest'
import { present } from '../../../src/core/base/errors.ts'
import { NS_PER_SECOND } from '../../../src/core/base/units.ts'
import { encodeBlock, encodeHeader } from '../../../src/core/btc/block.ts'
import { RegtestNode } from '../../../src/core/btc/regtest/node.ts'
import type { Standing } from '../../../src/core/btc/standing.ts'
import { TransactionRelay } from '../../../src/core/btc/transaction-relay.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import type { SubmittedTransaction } from '../../../src/core/minter/state/state.ts'
import { keyOfTxid, sumOf } from '../../../src/core/minter/state/state.ts'
import { BitcoinCanister } from '../../../src/core/subnet/bitcoin-canister.ts'
import type { WorldOptions } from '../../support/minter-world.ts'
import { TestMinter, user } from '../../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const TAPROOT = 'bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6'
const SECOND = 1_000_000_000n
const DAY = 86_400n * SECOND
const BTC = 100_000_000n
const alice = { owner: user(1) }
const ANYONE = Uint8Array.of(0x51)

const first = <T>(values: Iterable<T>): T => {
  for (const value of values) return value
  return expect.unreachable('there is one')
}

/** A minter, its canister and a node that has paid alice 50 BTC `coins` times. */
class Network {
  readonly world: TestMinter
  readonly node = new RegtestNode()
  readonly canister = new BitcoinCanister(
    ownCanisterIds.bitcoin,
    { ...BitcoinCanister.initialState(), headers: new Map() },
    { operator: ownCanisterIds.minter, nodes: 1 },
  )
  readonly relay = new TransactionRelay(() => 0)
  /** What the node said of each transaction that was announced to it. */
  readonly answers: string[] = []
  #followed = 0

  constructor(coins: number, options?: WorldOptions) {
    this.world = new TestMinter(options)
    const { chain } = this.world
    const port = () => this.canister.port(this.world.now)
    Object.assign(chain, {
      utxos: (request: Parameters<typeof chain.utxos>[0]) => port().utxos(request),
      missing: (outpoints: Parameters<typeof chain.missing>[0]) => port().missing(outpoints),
      feePercentiles: () => port().feePercentiles(),
      send: (bytes: Uint8Array) => {
        const sent = port().send(bytes)
        this.announce()
        return sent
      },
    })
    this.node.mine(coins, this.world.scriptOf(alice), this.seconds)
    this.mine(100, true)
    this.world.call('update_balance', alice.owner, alice)
  }

  get seconds(): number {
    return Number(this.world.now / NS_PER_SECOND)
  }

  mine(blocks: number, empty = false): void {
    this.node.mine(blocks, ANYONE, this.seconds, { empty })
    while (this.#followed < this.node.tip().height) {
      const block = present(this.node.blockAt(++this.#followed), 'the node has its blocks')
      this.canister.propose(0, [encodeHeader(block.header)], this.world.now)
      this.canister.block(encodeBlock(block), this.world.now)
    }
    this.world.chain.mempool.splice(0)
    this.world.mine()
    this.announce()
  }

  /** As an adapter does: what waits is offered to the node, the rest is not. */
  announce(): void {
    const list = this.canister.adapterWork().announce
    this.relay.announce(list, [], 0)
    for (const { standing, bytes, txid } of list) {
      if (standing.type !== 'waiting' || this.node.pooled(txid) !== undefined) continue
      const reply = this.node.submit(bytes, this.seconds)
      this.answers.push(reply.type === 'refused' ? reply.reason : reply.type)
    }
  }

  standingOf({ txid }: SubmittedTransaction): Standing | undefined {
    const list = this.canister.adapterWork().announce
    return list.find((posted) => keyOfTxid(posted.txid) === keyOfTxid(txid))?.standing
  }

  isPooled({ txid }: SubmittedTransaction): boolean {
    return this.node.pooled(txid) !== undefined
  }

  get newest(): SubmittedTransaction {
    return first(this.world.state.submitted.values())
  }

  withdraw(address: string, amount: bigint): void {
    expect(this.world.withdraw(alice, address, amount).type).toBe('ok')
  }

  /** A batch is formed and signed, or a day later its replacement. */
  sign(after: bigint): SubmittedTransaction {
    this.world.wait(after)
    this.world.sign()
    return this.newest
  }
}

it('minter §23.81: a node takes the replacement, and the old one is shown as replaced', () => {
  const network = new Network(1)
  network.withdraw(ADDRESS, 20n * BTC)
  const old = network.sign(11n * SECOND)
  expect(network.standingOf(old)).toMatchObject({ type: 'waiting' })
  const middle = network.sign(DAY)
  const next = network.sign(DAY)
  expect(network.answers).toEqual(['accepted', 'accepted', 'accepted'])
  expect([old, middle, next].map((one) => network.isPooled(one))).toEqual([false, false, true])
  const replaced = { type: 'replaced', by: next.txid }
  expect(network.standingOf(old)).toEqual(replaced)
  expect(network.standingOf(middle)).toEqual(replaced)
  expect(network.standingOf(next)).toMatchObject({ type: 'waiting' })
  const fates = network.relay.report([], 0).map(({ fate: { type } }) => type)
  expect(fates).toEqual(['replaced', 'replaced', 'queued'])
  network.mine(1)
  expect(network.standingOf(old)).toMatchObject({ type: 'conflicted', by: next.txid })
  network.mine(5)
  expect(network.world.status(1n)).toEqual({ type: 'confirmed', txid: next.txid })
  expect(network.canister.adapterWork().announce).toEqual([])
})

it('minter §23.82: a node that mines the old one ends the announcing of both', () => {
  const network = new Network(1)
  network.withdraw(ADDRESS, 20n * BTC)
  const old = network.sign(11n * SECOND)
  network.node.mine(1, ANYONE, network.seconds) // The node has it in a block; we do not know yet.
  const next = network.sign(DAY)
  expect(network.answers.at(-1)).toMatch(/inputs-missingorspent|txn-/)
  network.mine(1)
  expect(network.standingOf(next)).toMatchObject({ type: 'conflicted', by: old.txid })
  network.mine(5)
  expect(network.world.status(1n)).toEqual({ type: 'confirmed', txid: old.txid })
})

it('minter §23.81: with one input and sixty outputs a node is paid what it asks for', () => {
  const network = new Network(1)
  for (let i = 0; i < 60; i++) network.withdraw(TAPROOT, 100_000n + BigInt(i))
  let old = network.sign(11n * SECOND)
  for (let i = 0; i < 6; i++) {
    const next = network.sign(DAY)
    expect(network.isPooled(next)).toBe(true)
    expect(next.withdrawalFee?.bitcoinFee ?? 0n).toBeGreaterThan(
      old.withdrawalFee?.bitcoinFee ?? 0n,
    )
    old = next
  }
  expect(new Set(network.answers)).toEqual(new Set(['accepted']))
})

it('minter §23.89: a node that has the old one takes the cancellation in its place', () => {
  const network = new Network(3)
  network.withdraw(ADDRESS, 140n * BTC)
  const old = network.sign(11n * SECOND)
  expect(old.utxos.length).toBe(3)
  network.world.upgrade({ type: 'upgrade', args: { inputsMax: 2n } })
  const next = network.sign(DAY + SECOND)
  expect(next.purpose.type).toBe('toCancel')
  expect(sumOf(next.utxos)).toBe(50n * BTC)
  expect(network.answers).toEqual(['accepted', 'accepted'])
  expect([old, next].map((one) => network.isPooled(one))).toEqual([false, true])
  expect(network.standingOf(old)).toEqual({ type: 'replaced', by: next.txid })
  const bumped = network.sign(DAY)
  expect(network.isPooled(bumped)).toBe(true)
  network.mine(6)
  expect(network.world.status(3n).type).toBe('reimbursed')
  expect(network.canister.adapterWork().announce).toEqual([])
})
